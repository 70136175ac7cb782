"""Textbook search on one map in plain Python, an oracle of the labels and a baseline of the navigator; and paths.

The demonstration of a map is the optimal path that takes, wherever several actions are optimal, the one with the lowest
number (see `actions`).
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OCTILE, OFFSETS, DiagonalRule
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels

Cell = tuple[int, int]
Bound = Callable[[Cell], float]  # heuristic: estimated cost from a cell to the goal
_OFFSETS = np.array(OFFSETS, np.int64)


def astar(maps: Maps, i: int) -> NDArray[np.int16] | None:
    """Cells int16 (k, 2) of an optimal path of map i, start and goal included; None when there is none.

    A* with a heap; the heuristic is the distance on an empty map, see `distance`, times the least cost of a cell.
    """
    # That is the cost on a map without walls where every cell has the least cost: never above the true cost
    # (admissible), and by a move it falls by no more than the move costs (consistent). So the first path that takes the
    # goal from the heap is optimal, and no cell is expanded twice.
    return expand(maps, i, empty_bound(maps, i))[0]


def dijkstra(maps: Maps, i: int) -> NDArray[np.int16] | None:
    """Like `astar`, with the heuristic 0."""
    return expand(maps, i, lambda cell: 0.0)[0]


def empty_bound(maps: Maps, i: int) -> Bound:
    """The heuristic of `astar` on map i: the distance to the goal without walls times the least cost of a cell."""
    least = 1 if maps.cost is None else int(maps.cost[i].min(initial=255, where=maps.free[i]))
    goal_row, goal_column = _cell(maps.goal[i])

    def manhattan(cell: Cell) -> float:
        return least * (abs(cell[0] - goal_row) + abs(cell[1] - goal_column))

    def diagonal(cell: Cell) -> float:
        return least * distance(cell, (goal_row, goal_column), 8, maps.diagonals)

    return manhattan if maps.connectivity == 4 else diagonal


def bfs(maps: Maps, i: int) -> NDArray[np.int16] | None:
    """Like `astar`, breadth first; raises `InputError` unless the map is 4-connected with cost 1 everywhere."""
    if maps.connectivity != 4 or maps.cost is not None:
        raise InputError("breadth-first search: expected a 4-connected map without cell costs; use dijkstra")
    start, goal, moves = _cell(maps.start[i]), _cell(maps.goal[i]), _moves(maps, i)
    parent: dict[Cell, Cell] = {start: start}
    queue = deque([start])
    while queue:
        cell = queue.popleft()
        if cell == goal:
            return _path_to(parent, goal)
        for there, _ in moves(cell):
            if there not in parent:
                parent[there] = cell
                queue.append(there)
    return None


def distance(one: Cell, other: Cell, connectivity: int, diagonals: DiagonalRule = OCTILE) -> float:
    """Cost between two cells of a map without walls: Manhattan distance; for connectivity 8 octile or Chebyshev."""
    # min(rows, columns) diagonal moves replace two straight ones each, which saves 2 - √2, or 1 where they cost 1.
    rows, columns = abs(one[0] - other[0]), abs(one[1] - other[1])
    saved = 1.0 if diagonals.is_unit else 2.0 - math.sqrt(2.0)
    return rows + columns - saved * min(rows, columns) * (connectivity == 8)


def demonstrations(maps: Maps, labels: Labels) -> list[str]:
    """Demonstrations from start to goal, n strings of action digits.

    Empty when the start is the goal, and when the goal cannot be reached.
    """
    digits = np.empty(maps.shape[0] * maps.shape[1], np.uint8)
    return [
        digits[: _greedy_path(optimal, int(r), int(c), digits)].tobytes().decode()
        for optimal, (r, c) in zip(labels.optimal, maps.start, strict=True)
    ]


def path_cells(maps: Maps, i: int, actions: str | Sequence[int]) -> NDArray[np.int64]:
    """Cells int64 (k + 1, 2) that k actions (digits or numbers) visit from the start of map i, walls ignored."""
    moves = _OFFSETS[[int(action) for action in actions]].reshape(-1, 2)
    return np.vstack([maps.start[i][None], moves]).cumsum(axis=0)


def path_cost(maps: Maps, i: int, cells: NDArray) -> float:
    """Cost of a path (k, 2) on map i, k >= 1; inf when it enters a wall, jumps, leaves the map or cuts a corner."""
    cells, free = np.asarray(cells, np.int64), maps.free[i]
    steps = np.diff(cells, axis=0)
    is_diagonal = (steps != 0).all(axis=1)
    if (cells < 0).any() or (cells >= maps.shape).any() or not free[tuple(cells.T)].all():
        return math.inf
    if (abs(steps).max(axis=1, initial=0) != 1).any() or (maps.connectivity == 4 and is_diagonal.any()):
        return math.inf
    (row, column), (next_row, next_column) = cells[:-1][is_diagonal].T, cells[1:][is_diagonal].T
    if not maps.diagonals.is_cut and not (free[row, next_column] & free[next_row, column]).all():
        return math.inf
    costs = np.ones(len(steps), np.int64) if maps.cost is None else maps.cost[i][tuple(cells[1:].T)].astype(np.int64)
    return float(costs[~is_diagonal].sum() + costs[is_diagonal].sum() * maps.diagonals.lengths[-1])


def expand(maps: Maps, i: int, bound: Bound) -> tuple[NDArray[np.int16] | None, int]:
    """Cells of the path that best-first search finds on map i, as of `astar`, and the number of cells it expands.

    The path is optimal when `bound` is consistent; no cell is expanded twice.
    """
    start, goal, moves = _cell(maps.start[i]), _cell(maps.goal[i]), _moves(maps, i)
    cost, parent, closed = {start: 0.0}, {start: start}, set()
    heap = [(bound(start), 0.0, start)]
    while heap:
        _, _, cell = heapq.heappop(heap)  # of equal sums the one with the largest cost so far, nearest to the goal
        if cell == goal:
            return _path_to(parent, goal), len(closed)
        if cell in closed:
            continue
        closed.add(cell)
        gone = cost[cell]
        for there, step in moves(cell):
            found = gone + step
            if found < cost.get(there, math.inf):
                cost[there], parent[there] = found, cell
                heapq.heappush(heap, (found + bound(there), -found, there))
    return None, len(closed)


def _moves(maps: Maps, i: int) -> Callable[[Cell], Iterator[tuple[Cell, float]]]:
    """Function from a cell of map i to the cells that can be entered from it, each with its cost."""
    height, width = maps.shape
    free = maps.free[i].tolist()
    cost = None if maps.cost is None else maps.cost[i].tolist()
    legal = list(zip(OFFSETS, maps.diagonals.lengths, strict=True))[: maps.connectivity]
    is_cut = maps.diagonals.is_cut

    def moves(cell: Cell) -> Iterator[tuple[Cell, float]]:
        row, column = cell
        for (rows, columns), length in legal:
            r, c = row + rows, column + columns
            if not (0 <= r < height and 0 <= c < width and free[r][c]):
                continue
            if rows and columns and not is_cut and not (free[row][c] and free[r][column]):
                continue
            yield (r, c), length if cost is None else length * cost[r][c]

    return moves


def _path_to(parent: dict[Cell, Cell], cell: Cell) -> NDArray[np.int16]:
    """The path to `cell` from the start, which is its own parent, (k, 2)."""
    cells = [cell]
    while parent[cell] != cell:
        cell = parent[cell]
        cells.append(cell)
    return np.array(cells[::-1], np.int16)


def _cell(cell: NDArray) -> Cell:
    return int(cell[0]), int(cell[1])


@njit(cache=True, nogil=True)
def _greedy_path(optimal, row, column, digits):
    """Write the digits of the lowest optimal actions from a cell to the goal; returns their number."""
    length = 0
    while optimal[row, column]:
        action = 0
        while not optimal[row, column] >> action & 1:
            action += 1
        digits[length] = 48 + action
        row, column = row + _OFFSETS[action, 0], column + _OFFSETS[action, 1]
        length += 1
    return length
