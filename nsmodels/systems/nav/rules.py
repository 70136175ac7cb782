"""Policies without learning or search: what a learnt one must beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.problems import empty_distance


def greedy(maps: Maps) -> NDArray[np.int8]:
    """The greedy rule, int8 (n, h, w): go to the free neighbour nearest to the goal, the first of equals.

    Distance as without walls: Manhattan on 4-connected maps, octile on 8-connected ones. It has no memory, so that
    before the back of a wall it goes to and fro.
    """
    far = np.pad(empty_distance(maps), ((0, 0), (1, 1), (1, 1)))
    legal, best = legal_actions(maps), np.full(maps.free.shape, np.inf)
    actions = np.zeros(maps.free.shape, np.int8)
    for action, move in enumerate(OFFSETS[: maps.connectivity]):
        there = np.where(legal[:, action], _shifted(far, maps.shape, *move), np.inf)
        is_nearer = there < best - 1e-4
        actions[is_nearer] = action
        best = np.where(is_nearer, there, best)
    return actions


def uniform(maps: Maps, rng: np.random.Generator) -> NDArray[np.int8]:
    """Chance, int8 (n, h, w): in every cell one of the actions that lead to a free cell, drawn once."""
    drawn = np.where(legal_actions(maps), rng.random((len(maps), maps.connectivity, *maps.shape)), -1.0)
    return drawn.argmax(1).astype(np.int8)


def legal_actions(maps: Maps) -> NDArray[np.bool_]:
    """Which actions (n, a, h, w) lead from a free cell to a free cell without cutting a corner."""
    wide, shape = np.pad(maps.free, ((0, 0), (1, 1), (1, 1))), maps.shape
    legal = [
        _shifted(wide, shape, down, right) & _shifted(wide, shape, down, 0) & _shifted(wide, shape, 0, right)
        for down, right in OFFSETS[: maps.connectivity]
    ]
    return np.stack(legal, axis=1) & maps.free[:, None]


def _shifted(wide: NDArray, shape: tuple[int, int], down: int, right: int) -> NDArray:
    """For each cell what stands at its neighbour, in maps (n, h, w) with a margin of one cell around them."""
    return wide[:, 1 + down : 1 + down + shape[0], 1 + right : 1 + right + shape[1]]
