"""Policies without learning or search: what a learnt one must beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps

DIAGONAL = np.sqrt(2.0) - 1  # what a diagonal move costs more than a straight one


def greedy(maps: Maps) -> NDArray[np.int8]:
    """The greedy rule, int8 (n, h, w): go to the free neighbour nearest to the goal, the first of equals.

    Distance as without walls: Manhattan on 4-connected maps, octile on 8-connected ones. It has no memory, so that
    before the back of a wall it goes to and fro.
    """
    rows = np.arange(maps.shape[0])[None, :, None] - maps.goal[:, :1, None]
    columns = np.arange(maps.shape[1])[None, None, :] - maps.goal[:, 1:, None]
    best, actions = np.full(maps.free.shape, np.inf), np.zeros(maps.free.shape, np.int8)
    legal = legal_actions(maps)
    for action, (down, right) in enumerate(OFFSETS[: maps.connectivity]):
        far = np.where(legal[:, action], _distance(rows + down, columns + right, maps.connectivity), np.inf)
        is_nearer = far < best - 1e-9
        actions[is_nearer] = action
        best = np.where(is_nearer, far, best)
    return actions


def uniform(maps: Maps, rng: np.random.Generator) -> NDArray[np.int8]:
    """Chance, int8 (n, h, w): in every cell one of the actions that lead to a free cell, drawn once."""
    drawn = np.where(legal_actions(maps), rng.random((len(maps), maps.connectivity, *maps.shape)), -1.0)
    return drawn.argmax(1).astype(np.int8)


def legal_actions(maps: Maps) -> NDArray[np.bool_]:
    """Which actions (n, a, h, w) lead from a free cell to a free cell without cutting a corner."""
    height, width = maps.shape
    wide = np.pad(maps.free, ((0, 0), (1, 1), (1, 1)))

    def at(down: int, right: int) -> NDArray[np.bool_]:
        return wide[:, 1 + down : 1 + down + height, 1 + right : 1 + right + width]

    moves = OFFSETS[: maps.connectivity]
    return np.stack([at(down, right) & at(down, 0) & at(0, right) & maps.free for down, right in moves], axis=1)


def _distance(rows: NDArray, columns: NDArray, connectivity: int) -> NDArray[np.float64]:
    one, other = np.broadcast_arrays(np.abs(rows), np.abs(columns))
    if connectivity == 4:
        return (one + other).astype(float)
    return np.maximum(one, other) + DIAGONAL * np.minimum(one, other)
