"""Problems without a way from start to goal, to measure what a planner makes of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nsmodels.datasets.mazes.actions import DiagonalRule
from nsmodels.datasets.mazes.drawing.problems import chosen
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.components import neighbourhood
from nsmodels.datasets.mazes.solving.labels import label


def block(maps: Maps, rng: np.random.Generator) -> tuple[Maps, NDArray[np.bool_]]:
    """The problems without a way, and bool (n,): which of them are so; start and goal side by side stay as they are.

    Half of those whose map has free cells that do not reach the goal start in one of them. In the others a few walls
    are built across the way, most often where it is narrow: at a door, in a corridor.
    """
    distance = label(_by_moves(maps)).cost_to_go
    apart = maps.free & np.isinf(distance)
    is_moved = apart.any(axis=(1, 2)) & (rng.random(len(maps)) < 0.5)
    start, free = maps.start.copy(), np.array(maps.free)
    start[is_moved] = chosen(apart[is_moved], rng)
    structure = neighbourhood(maps)
    is_blocked = is_moved.copy()
    for n in np.flatnonzero(~is_moved):
        is_blocked[n] = _build_across(free[n], distance[n], tuple(start[n]), structure, rng)
    return replace(maps, free=free, start=start), is_blocked


def _by_moves(maps: Maps) -> Maps:
    """The same maps with moves that all cost 1, so that equally far cells part near from far ones."""
    if maps.is_joined_by_diagonals:
        return replace(maps, cost=None, diagonals=DiagonalRule("unit", "cut"))
    return replace(maps, cost=None, connectivity=4)


def _build_across(
    free: NDArray[np.bool_],
    distance: NDArray[np.float32],
    start: tuple[int, int],
    structure: NDArray[np.bool_],
    rng: np.random.Generator,
) -> bool:
    """Wall up cells of one distance to the goal, those on the side of the start; False where there are none between."""
    if distance[start] < 2:
        return False
    at_distance = np.bincount(distance[np.isfinite(distance)].astype(np.int64))[1 : int(distance[start])]
    weight = 1.0 / at_distance**2
    wall = distance == 1 + rng.choice(len(weight), p=weight / weight.sum())
    parts = np.zeros(free.shape, np.int32)
    ndimage.label(free & ~wall, structure, parts)
    beside = ndimage.binary_dilation(parts == parts[start], structure)
    free[wall & beside] = False
    return True
