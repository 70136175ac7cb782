"""Compiled exact search over many maps: costs and optimal actions of every cell, breadth first or by Dijkstra.

Costs are exact. Every path costs a + b√2 with integers a and b (straight and diagonal moves, times the cells' costs),
and different pairs are different numbers, as √2 is irrational. A cost is one "packed" integer, a in the high and b in
the low 32 bits: the sum of two packed costs is the packed sum, two paths tie exactly when their packed costs are equal,
and no comparison needs a tolerance.

A search runs from the goal over a "padded" map: rows of width + 2 cells in one array with a border of walls, so that a
move is an addition to the cell's number, (r + 1) (width + 2) + c + 1, and never leaves the array. Problem n uses map
n % (number of maps), since one map may serve all problems.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps

SQRT2 = math.sqrt(2.0)
FAR = np.iinfo(np.int64).max  # packed cost of a cell that has not been reached
_OFFSETS = np.array(OFFSETS, np.int64)
_UNREACHED = np.iinfo(np.int32).max  # the same in breadth-first search: above any number of steps


def dijkstra_all(maps: Maps) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cost to go and optimal actions of every cell, float32 and uint8 (n, h, w), with any costs and connectivity.

    The cost to go is inf on walls and where the goal cannot be reached; bit k is set where action k is optimal. Every
    goal must be a free cell.
    """
    free, cost, _, goal = _inputs(maps)
    return _label_all(free, cost, goal, maps.connectivity)


def costs_at_start(maps: Maps) -> NDArray[np.float64]:
    """Cost of an optimal path from start to goal, float64 (n,), inf where there is none.

    `maps.free` may be one map broadcast to n; it is not copied. Each search ends when the start's cost is final.
    """
    free, cost, start, goal = _inputs(maps)
    return _cost_all(free, cost, start, goal, maps.connectivity)


def breadth_first_all(maps: Maps) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cost to go and optimal actions (n, h, w) as `dijkstra_all`, for 4-connected maps with cost 1 everywhere."""
    # With equal costs Dijkstra's heap would only ever contain two values, d and d + 1, in the order in which they were
    # pushed. A queue keeps that order at O(1) per cell, and the first time a cell is reached is along a shortest path.
    free, _, _, goal = _inputs(maps)
    return _breadth_first_all(free, goal)


def _inputs(maps: Maps) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """free, cost, start, goal in the one layout that is compiled; a map or cost that serves all n is passed once."""
    # A broadcast array has stride 0 along its first axis.
    free = maps.free[:1] if maps.free.strides[0] == 0 else maps.free
    cost = np.ones((1, *maps.shape), np.uint8) if maps.cost is None else maps.cost
    start, goal = (np.require(cells, np.int64, ["C", "W"]) for cells in (maps.start, maps.goal))
    return np.require(free, bool, ["C", "W"]), np.require(cost, np.uint8, ["C", "W"]), start, goal


@njit(cache=True, nogil=True)
def _breadth_first_all(free, goal):
    num, (height, width) = len(goal), free.shape[1:]
    cost_to_go = np.full((num, height, width), np.inf, np.float32)
    optimal = np.zeros((num, height, width), np.uint8)
    wide = width + 2
    distance = np.empty((height + 2) * wide, np.int32)
    actions, queue = np.empty(distance.size, np.uint8), np.empty(distance.size, np.int32)
    for n in range(num):
        # -1 on walls and border is below any number of steps, so they are never entered and need no test of their own.
        distance[:], actions[:] = -1, 0
        for r in range(height):
            for c in range(width):
                if free[n % len(free), r, c]:
                    distance[(r + 1) * wide + c + 1] = _UNREACHED
        _breadth_first(distance, actions, queue, wide, (goal[n, 0] + 1) * wide + goal[n, 1] + 1)
        for r in range(height):
            for c in range(width):
                cell = (r + 1) * wide + c + 1
                if 0 <= distance[cell] < _UNREACHED:
                    cost_to_go[n, r, c], optimal[n, r, c] = distance[cell], actions[cell]
    return cost_to_go, optimal


@njit(cache=True, nogil=True)
def _breadth_first(distance, actions, queue, wide, goal):
    """Distances and optimal actions of the padded map, from the goal outwards; walls have distance -1."""
    distance[goal], queue[0], head, tail = 0, goal, 0, 1
    while head < tail:
        there, step = queue[head], distance[queue[head]] + 1
        head += 1
        # The search runs backwards: the cell below `there` moves up (0) into it, the one to its left moves right (1),
        # the one above down (2), the one to its right left (3).
        for action, cell in enumerate((there + wide, there - 1, there - wide, there + 1)):
            # `step` is final when the cell is first reached; reached again at the same distance, the action ties.
            if distance[cell] >= step:
                if distance[cell] > step:
                    distance[cell], queue[tail] = step, cell
                    tail += 1
                actions[cell] |= 1 << action


@njit(cache=True, nogil=True)
def _as_float(packed):
    """The packed cost a + b√2 as a float64."""
    # For two different costs up to C, |Δa + Δb√2| · |Δa - Δb√2| = |Δa² - 2 Δb²| >= 1 and the second factor is at most
    # 2 C, so they differ by 1 / (2 C) or more. Below C = 10^7 that is 5e-8, 25 roundings of float64: their order as
    # floats is their true order.
    return (packed >> 32) + (packed & 0xFFFFFFFF) * SQRT2


@njit(cache=True, nogil=True)
def _push(keys, cells, size, key, cell):
    """Add an entry to a binary min-heap of `size` entries; the parent of entry i is (i - 1) >> 1."""
    # the new entry rises from the end past every parent that is larger
    while size > 0 and keys[(size - 1) >> 1] > key:
        keys[size], cells[size] = keys[(size - 1) >> 1], cells[(size - 1) >> 1]
        size = (size - 1) >> 1
    keys[size], cells[size] = key, cell


@njit(cache=True, nogil=True)
def _pop(keys, cells, size):
    """Remove the least entry, the first, of a binary min-heap of `size` entries; children of i are 2 i + 1, 2 i + 2."""
    # the last entry takes the first place and sinks below every child that is smaller
    size -= 1
    key, cell, hole, child = keys[size], cells[size], 0, 1
    while child < size:
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[hole], cells[hole] = keys[child], cells[child]
        hole, child = child, 2 * child + 1
    keys[hole], cells[hole] = key, cell


@njit(cache=True, nogil=True)
def _step(weight, width, cell, action):
    """Cell that an action reaches on the padded map, and its packed cost; (-1, 0) when it is not allowed."""
    # A move costs its length, 1 or √2, times the cost w of the cell it enters: (a, b) = (w, 0) or (0, w).
    rows, columns = _OFFSETS[action, 0], _OFFSETS[action, 1]
    there = cell + rows * width + columns
    if weight[there] == 0:
        return -1, 0
    if action < 4:
        return there, np.int64(weight[there]) << 32
    # A diagonal cuts no corner: both cells that it passes between must be free.
    if weight[cell + columns] == 0 or weight[cell + rows * width] == 0:
        return -1, 0
    return there, np.int64(weight[there])


@njit(cache=True, nogil=True)
def _distances(weight, width, goal, connectivity, keys, cells, distance, last):
    """Fill `distance` (cells of the padded map) with packed costs to the goal, until that of `last` is final.

    The search runs from the goal: a step from `there` back to `cell` is a move from `cell` to `there`, and costs what
    entering `there` costs. Whether a diagonal cuts a corner does not depend on its direction.
    """
    # Dijkstra's algorithm with a binary heap: all costs are positive, so the cell with the least cost in the heap is
    # final. There is no decrease-key: a cell is pushed again with its lower cost, and entries whose key is above the
    # cell's cost by then are skipped.
    distance[:] = FAR
    distance[goal], keys[0], cells[0], size = 0, 0.0, goal, 1
    while size > 0:
        key, there = keys[0], cells[0]
        _pop(keys, cells, size)
        size -= 1
        if key > _as_float(distance[there]):
            continue
        if there == last:
            return
        for action in range(connectivity):
            cell, _ = _step(weight, width, there, action)
            if cell < 0:
                continue
            # not the cost of `_step`, which enters `cell`
            step = np.int64(weight[there]) << (32 if action < 4 else 0)
            found = distance[there] + step
            if distance[cell] == FAR or _as_float(found) < _as_float(distance[cell]):
                distance[cell] = found
                _push(keys, cells, size, _as_float(found), cell)
                size += 1


@njit(cache=True, nogil=True)
def _load(free, cost, weight):
    """Fill the padded map with the costs of cells; walls and the border around the map are 0, which no cost is."""
    height, width = free.shape
    for r in range(height):
        for c in range(width):
            weight[(r + 1) * (width + 2) + c + 1] = cost[r, c] if free[r, c] else 0


@njit(cache=True, nogil=True)
def _workspace(height, width):
    """Padded costs and distances, and the heap's keys and cells, used again for every problem."""
    # A cell is pushed when one of its at most 8 neighbours becomes final, so the heap never has more than 8 per cell.
    size = (height + 2) * (width + 2)
    return np.zeros(size, np.uint8), np.empty(size, np.int64), np.empty(8 * size), np.empty(8 * size, np.int64)


@njit(cache=True, nogil=True)
def _cost_all(free, cost, start, goal, connectivity):
    num, (height, width) = len(goal), free.shape[1:]
    found, wide = np.full(num, np.inf), width + 2
    weight, distance, keys, cells = _workspace(height, width)
    for n in range(num):
        _load(free[n % len(free)], cost[n % len(cost)], weight)
        first, last = (start[n, 0] + 1) * wide + start[n, 1] + 1, (goal[n, 0] + 1) * wide + goal[n, 1] + 1
        _distances(weight, wide, last, connectivity, keys, cells, distance, first)
        # the goal is the source: the distance of the start is the cost of start → goal
        if distance[first] != FAR:
            found[n] = _as_float(distance[first])
    return found


@njit(cache=True, nogil=True)
def _label_all(free, cost, goal, connectivity):
    num, (height, width) = len(goal), free.shape[1:]
    cost_to_go = np.full((num, height, width), np.inf, np.float32)
    optimal, wide = np.zeros((num, height, width), np.uint8), width + 2
    weight, distance, keys, cells = _workspace(height, width)
    for n in range(num):
        _load(free[n % len(free)], cost[n % len(cost)], weight)
        _distances(weight, wide, (goal[n, 0] + 1) * wide + goal[n, 1] + 1, connectivity, keys, cells, distance, -1)
        for r in range(height):
            for c in range(width):
                cell = (r + 1) * wide + c + 1
                # a wall is never entered, a cell without a path to the goal never reached: inf and no actions
                if weight[cell] != 0 and distance[cell] != FAR:
                    cost_to_go[n, r, c] = _as_float(distance[cell])
                    optimal[n, r, c] = _optimal(weight, wide, cell, connectivity, distance)
    return cost_to_go, optimal


@njit(cache=True, nogil=True)
def _optimal(weight, width, cell, connectivity, distance):
    """The optimal actions of a cell as bits: all that satisfy Bellman's equation d(cell) = cost + d(there)."""
    # Integer equality, so a tie is never lost or made by rounding.
    actions = 0
    for action in range(connectivity):
        there, step = _step(weight, width, cell, action)
        if there >= 0 and distance[there] != FAR and distance[cell] == distance[there] + step:
            actions |= 1 << action
    return actions
