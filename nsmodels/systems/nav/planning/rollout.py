"""Rollouts of a policy from start to goal, and how they end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps

_OFFSETS = np.array(OFFSETS, np.int64)
_RUNNING, _REACHED, _COLLIDED, _LOOPED = 0, 1, 2, 3


@dataclass(frozen=True)
class Rollout:
    """Outcome of n rollouts.

    Attributes:
        success: bool (n,), the goal was reached; a start on the goal is a success without a move.
        cost: float64 (n,), total cost of the moves, with or without success.
        num_moves: int64 (n,), number of moves.
        collided: bool (n,), the last action led into a wall, over the border or, on a diagonal, past a corner.
        looped: bool (n,), the last move led to a cell visited before: a deterministic policy would repeat itself.
        paths: n arrays int16 (num_moves + 1, 2) of cells (row, column); a loop contains its last cell twice.
    """

    success: NDArray[np.bool_]
    cost: NDArray[np.float64]
    num_moves: NDArray[np.int64]
    collided: NDArray[np.bool_]
    looped: NDArray[np.bool_]
    paths: list[NDArray[np.int16]]


def roll_out(actions: NDArray[np.int8], maps: Maps, max_moves: int | None = None) -> Rollout:
    """Follow `actions`, int8 (n, h, w), from every start.

    A rollout ends at the goal, before a wall or border, at a cell visited before, or after `max_moves` (then none of
    the three). Raises `InputError` for actions of a different shape, and for a start outside its map.
    """
    _check(actions, maps)
    num, size = len(maps), maps.shape[0] * maps.shape[1]
    ends, costs = np.zeros(num, np.int64), np.zeros(num)
    paths, stamps, cells = [], np.full(maps.shape, -1, np.int64), np.zeros((size + 1, 2), np.int16)
    limit = size if max_moves is None else min(max_moves, size)
    ones = np.ones(maps.shape, np.uint8) if maps.cost is None else None
    rule = (maps.connectivity, np.array(maps.diagonals.lengths), maps.diagonals.is_cut)
    for i in range(num):
        weight = ones if maps.cost is None else np.ascontiguousarray(maps.cost[i])
        table, free = np.ascontiguousarray(actions[i], np.int8), np.ascontiguousarray(maps.free[i])
        where = (*maps.start[i].tolist(), *maps.goal[i].tolist())
        ends[i], costs[i], num_made = _walk(table, free, weight, where, rule, limit, i, stamps, cells)
        paths.append(cells[: num_made + 1].copy())
    num_moves = np.array([len(path) - 1 for path in paths], np.int64)
    return Rollout(ends == _REACHED, costs, num_moves, ends == _COLLIDED, ends == _LOOPED, paths)


def _check(actions: NDArray[np.int8], maps: Maps) -> None:
    if actions.shape != maps.free.shape:
        raise InputError(f"actions: expected one per cell, {maps.free.shape}, got {actions.shape}")
    is_inside = ((maps.start >= 0) & (maps.start < maps.shape)).all(1)
    if not is_inside.all():
        bad = int(np.flatnonzero(~is_inside)[0])
        raise InputError(f"map {bad}: the start {maps.start[bad].tolist()} is outside the map of {maps.shape} cells")


@njit(cache=True, nogil=True)
def _walk(actions, free, cost, where, rule, limit, number, stamps, cells):
    """One rollout: its end, cost and number of moves; `stamps` marks visited cells with the rollout's number."""
    row, column, goal_row, goal_column = where
    connectivity, lengths, is_cut = rule
    total, num_made = 0.0, 0
    cells[0, 0], cells[0, 1] = row, column
    stamps[row, column] = number
    if not free[row, column]:
        return _COLLIDED, total, num_made
    while row != goal_row or column != goal_column:
        if num_made == limit:
            return _RUNNING, total, num_made
        action = actions[row, column]
        if action < 0 or action >= connectivity or not _is_legal(free, row, column, action, is_cut):
            return _COLLIDED, total, num_made
        row, column = row + _OFFSETS[action, 0], column + _OFFSETS[action, 1]
        total, num_made = total + lengths[action] * cost[row, column], num_made + 1
        cells[num_made, 0], cells[num_made, 1] = row, column
        if stamps[row, column] == number:
            return _LOOPED, total, num_made
        stamps[row, column] = number
    return _REACHED, total, num_made


@njit(cache=True, nogil=True)
def _is_legal(free, row, column, action, is_cut):
    rows, columns = _OFFSETS[action, 0], _OFFSETS[action, 1]
    there, aside = row + rows, column + columns
    if there < 0 or aside < 0 or there >= free.shape[0] or aside >= free.shape[1] or not free[there, aside]:
        return False
    return action < 4 or is_cut or (free[row, aside] and free[there, column])
