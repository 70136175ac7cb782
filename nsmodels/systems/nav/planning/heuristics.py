"""Baseline policies without learning or search: the greedy rule and chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.drawing.problems import empty_distance
from nsmodels.datasets.mazes.grids import Maps

TOLERANCE = 1e-4  # distances are float32


def greedy(maps: Maps) -> NDArray[np.int8]:
    """The greedy rule, int8 (n, h, w): move to the free neighbour nearest to the goal.

    Distances ignore walls, see `empty_distance`: Manhattan, or octile on 8-connected maps; of equals the nearest in a
    straight line, then the lowest action number. It has no memory, so that it oscillates in front of a concave wall.
    """
    margin = ((0, 0), (1, 1), (1, 1))
    ways, lines = np.pad(empty_distance(maps), margin), np.pad(_straight(maps), margin)
    legal, actions = legal_actions(maps), np.zeros(maps.free.shape, np.int8)
    least_way, least_line = (np.full(maps.free.shape, np.inf) for _ in range(2))
    for action, move in enumerate(OFFSETS[: maps.connectivity]):
        way, line = (_shifted(far, maps.shape, *move) for far in (ways, lines))
        is_equal = np.abs(way - least_way) <= TOLERANCE
        is_nearer = (way < least_way - TOLERANCE) | (is_equal & (line < least_line - TOLERANCE))
        is_nearer &= legal[:, action]
        actions[is_nearer] = action
        least_way, least_line = np.where(is_nearer, way, least_way), np.where(is_nearer, line, least_line)
    return actions


def uniform(maps: Maps, rng: np.random.Generator) -> NDArray[np.int8]:
    """Chance, int8 (n, h, w): in every cell one of the legal actions, drawn once."""
    drawn = np.where(legal_actions(maps), rng.random((len(maps), maps.connectivity, *maps.shape)), -1.0)
    return drawn.argmax(1).astype(np.int8)


def legal_actions(maps: Maps) -> NDArray[np.bool_]:
    """Legal actions, bool (n, a, h, w): they lead from a free cell to a free one, and cut no corner unless allowed."""
    # A diagonal move needs both cells that it passes between; for a straight one, `down` or `right` is 0, and the two
    # further conditions repeat the first or are the cell's own.
    wide, shape = np.pad(maps.free, ((0, 0), (1, 1), (1, 1))), maps.shape
    legal = [_shifted(wide, shape, down, right) for down, right in OFFSETS[: maps.connectivity]]
    if not maps.diagonals.is_cut:
        legal = [
            move & _shifted(wide, shape, down, 0) & _shifted(wide, shape, 0, right)
            for move, (down, right) in zip(legal, OFFSETS, strict=False)
        ]
    return np.stack(legal, axis=1) & maps.free[:, None]


def _straight(maps: Maps) -> NDArray[np.float64]:
    """Distance of each cell to the goal in a straight line, (n, h, w)."""
    down = np.arange(maps.shape[0])[None, :, None] - maps.goal[:, 0, None, None]
    right = np.arange(maps.shape[1])[None, None, :] - maps.goal[:, 1, None, None]
    return np.hypot(down, right)


def _shifted(wide: NDArray, shape: tuple[int, int], down: int, right: int) -> NDArray:
    """The value of each cell's neighbour; `wide` is (n, h + 2, w + 2), the maps with a margin of one cell."""
    return wide[:, 1 + down : 1 + down + shape[0], 1 + right : 1 + right + shape[1]]
