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
    """Cost to go and optimal actions of every cell, float32 and uint8 (n, h, w), with any costs and legal moves.

    The cost to go is inf on walls and where the goal cannot be reached; bit k is set where action k is optimal. Every
    goal must be a free cell.
    """
    free, cost, _, goal = _inputs(maps)
    return _label_all(free, cost, goal, _rule(maps))


def costs_at_start(maps: Maps) -> NDArray[np.float64]:
    """Cost of an optimal path from start to goal, float64 (n,), inf where there is none.

    `maps.free` may be one map broadcast to n; it is not copied. Each search ends when the start's cost is final.
    """
    free, cost, start, goal = _inputs(maps)
    return _cost_all(free, cost, start, goal, _rule(maps))


def paths_at_start(maps: Maps) -> tuple[NDArray[np.float64], list[str]]:
    """Costs as `costs_at_start`, and the demonstrations (see `search`), n strings of action digits; one search each.

    Nothing of the size of all n maps is allocated: many problems may share one large map.
    """
    free, cost, start, goal = _inputs(maps)
    digits = np.empty((maps.shape[0] + 2) * (maps.shape[1] + 2), np.uint8)
    costs, paths = np.empty(len(goal)), []
    is_plain = maps.connectivity == 4 and maps.cost is None
    work = _queue_workspace(*maps.shape) if is_plain else _workspace(*maps.shape)
    for n in range(len(goal)):
        cells, ends = free[n % len(free)], (*start[n].tolist(), *goal[n].tolist())
        if is_plain:
            costs[n], length = _breadth_first_path(cells, ends, work, digits)
        else:
            costs[n], length = _path(cells, cost[n % len(cost)], ends, _rule(maps), work, digits)
        paths.append(digits[:length].tobytes().decode())
    return costs, paths


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


def _rule(maps: Maps) -> tuple[int, bool, bool]:
    """Number of actions, whether diagonals cost as much as straight moves, whether they may cut corners."""
    return maps.connectivity, maps.diagonals.is_unit, maps.diagonals.is_cut


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
def _queue_workspace(height, width):
    """Padded distances, actions and the queue of a breadth-first search, used again for every problem."""
    size = (height + 2) * (width + 2)
    return np.empty(size, np.int32), np.empty(size, np.uint8), np.empty(size, np.int32)


@njit(cache=True, nogil=True)
def _breadth_first_path(free, ends, work, digits):
    """Cost of the shortest path, and the number of its actions, whose digits are written."""
    (height, width), (distance, actions, queue) = free.shape, work
    wide = width + 2
    distance[:], actions[:] = -1, 0
    for r in range(height):
        for c in range(width):
            if free[r, c]:
                distance[(r + 1) * wide + c + 1] = _UNREACHED
    cell, goal = (ends[0] + 1) * wide + ends[1] + 1, (ends[2] + 1) * wide + ends[3] + 1
    _breadth_first(distance, actions, queue, wide, goal)
    if not 0 <= distance[cell] < _UNREACHED:
        return np.inf, 0
    cost, length = float(distance[cell]), 0
    while cell != goal:
        length, cell = _follow(actions[cell], cell, wide, digits, length)
    return cost, length


@njit(cache=True, nogil=True)
def _follow(actions, cell, width, digits, length):
    """Write the lowest of the optimal actions; number of digits and cell after it."""
    action = 0
    while not actions >> action & 1:
        action += 1
    digits[length] = 48 + action
    return length + 1, cell + _OFFSETS[action, 0] * width + _OFFSETS[action, 1]


@njit(cache=True, nogil=True)
def _path(free, cost, ends, rule, work, digits):
    """Cost of the shortest path, and the number of its actions, whose digits are written."""
    weight, distance, keys, cells = work
    wide = free.shape[1] + 2
    _load(free, cost, weight)
    cell, goal = (ends[0] + 1) * wide + ends[1] + 1, (ends[2] + 1) * wide + ends[3] + 1
    _distances(weight, wide, goal, rule, keys, cells, distance, cell)
    if distance[cell] == FAR:
        return np.inf, 0
    # Every cell nearer than the start is final, and an optimal action leads to a nearer one. The cost of a cell that is
    # not final is no less than the start's, so that none of them is taken.
    total, length = _as_float(distance[cell]), 0
    while cell != goal:
        length, cell = _follow(_optimal(weight, wide, cell, rule, distance), cell, wide, digits, length)
    return total, length


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
def _step(weight, width, cell, action, rule):
    """Cell that an action reaches on the padded map, and its packed cost; (-1, 0) when it is not allowed."""
    _, _, is_cut = rule
    rows, columns = _OFFSETS[action, 0], _OFFSETS[action, 1]
    there = cell + rows * width + columns
    if weight[there] == 0:
        return -1, 0
    # Unless corners may be cut, both cells that a diagonal passes between must be free.
    if action >= 4 and not is_cut and (weight[cell + columns] == 0 or weight[cell + rows * width] == 0):
        return -1, 0
    return there, _price(weight[there], action, rule)


@njit(cache=True, nogil=True)
def _price(weight, action, rule):
    """Packed cost of an action that enters a cell of cost `weight`."""
    # A move costs its length, 1 or √2, times the cost w of the cell it enters: (a, b) = (w, 0) or (0, w).
    _, is_unit, _ = rule
    return np.int64(weight) << (32 if action < 4 or is_unit else 0)


@njit(cache=True, nogil=True)
def _distances(weight, width, goal, rule, keys, cells, distance, last):
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
        for action in range(rule[0]):
            cell, _ = _step(weight, width, there, action, rule)
            if cell < 0:
                continue
            # not the cost of `_step`, which enters `cell`
            found = distance[there] + _price(weight[there], action, rule)
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
def _cost_all(free, cost, start, goal, rule):
    num, (height, width) = len(goal), free.shape[1:]
    found, wide = np.full(num, np.inf), width + 2
    weight, distance, keys, cells = _workspace(height, width)
    for n in range(num):
        _load(free[n % len(free)], cost[n % len(cost)], weight)
        first, last = (start[n, 0] + 1) * wide + start[n, 1] + 1, (goal[n, 0] + 1) * wide + goal[n, 1] + 1
        _distances(weight, wide, last, rule, keys, cells, distance, first)
        # the goal is the source: the distance of the start is the cost of start → goal
        if distance[first] != FAR:
            found[n] = _as_float(distance[first])
    return found


@njit(cache=True, nogil=True)
def _label_all(free, cost, goal, rule):
    num, (height, width) = len(goal), free.shape[1:]
    cost_to_go = np.full((num, height, width), np.inf, np.float32)
    optimal, wide = np.zeros((num, height, width), np.uint8), width + 2
    weight, distance, keys, cells = _workspace(height, width)
    for n in range(num):
        _load(free[n % len(free)], cost[n % len(cost)], weight)
        _distances(weight, wide, (goal[n, 0] + 1) * wide + goal[n, 1] + 1, rule, keys, cells, distance, -1)
        for r in range(height):
            for c in range(width):
                cell = (r + 1) * wide + c + 1
                # a wall is never entered, a cell without a path to the goal never reached: inf and no actions
                if weight[cell] != 0 and distance[cell] != FAR:
                    cost_to_go[n, r, c] = _as_float(distance[cell])
                    optimal[n, r, c] = _optimal(weight, wide, cell, rule, distance)
    return cost_to_go, optimal


@njit(cache=True, nogil=True)
def _optimal(weight, width, cell, rule, distance):
    """The optimal actions of a cell as bits: all that satisfy Bellman's equation d(cell) = cost + d(there)."""
    # Integer equality, so a tie is never lost or made by rounding.
    actions = 0
    for action in range(rule[0]):
        there, step = _step(weight, width, cell, action, rule)
        if there >= 0 and distance[there] != FAR and distance[cell] == distance[there] + step:
            actions |= 1 << action
    return actions
