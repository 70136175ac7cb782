"""Compiled exact search over many maps: costs and optimal actions of every cell, breadth first or by Dijkstra.

Costs are exact. Every path costs a + b√2 with integers a and b (straight and diagonal moves, times the cells' costs),
and different pairs are different numbers. A cost is carried as one integer, a in the high and b in the low 32 bits:
sums are sums, ties are equalities, and nothing is ever compared with a tolerance.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps

SQRT2 = math.sqrt(2.0)
FAR = np.iinfo(np.int64).max
_OFFSETS = np.array(OFFSETS, np.int64)
_UNSEEN = np.iinfo(np.int32).max


def dijkstra_all(maps: Maps) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Cost to go and optimal actions of every cell, float32 and uint8 (n, h, w), with any costs and connectivity."""
    free, cost, _, goal = _inputs(maps)
    return _label_all(free, cost, goal, maps.connectivity)


def costs_at_start(maps: Maps) -> NDArray[np.float64]:
    """Cost of an optimal path from start to goal (n,), inf where there is none; a search ends where the start is met.

    `maps.free` may be one map broadcast to n; it is not copied.
    """
    free, cost, start, goal = _inputs(maps)
    return _cost_all(free, cost, start, goal, maps.connectivity)


def breadth_first_all(maps: Maps) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """What `dijkstra_all` says, for 4-connected maps with cost 1 everywhere."""
    free, _, _, goal = _inputs(maps)
    return _breadth_first_all(free, goal)


def _inputs(maps: Maps) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """free, cost, start, goal in the one layout that is compiled; a map or cost that serves all n stands there once."""
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
        distance[:], actions[:] = -1, 0
        for r in range(height):
            for c in range(width):
                if free[n % len(free), r, c]:
                    distance[(r + 1) * wide + c + 1] = _UNSEEN
        _spread(distance, actions, queue, wide, (goal[n, 0] + 1) * wide + goal[n, 1] + 1)
        for r in range(height):
            for c in range(width):
                cell = (r + 1) * wide + c + 1
                if 0 <= distance[cell] < _UNSEEN:
                    cost_to_go[n, r, c], optimal[n, r, c] = distance[cell], actions[cell]
    return cost_to_go, optimal


@njit(cache=True, nogil=True)
def _spread(distance, actions, queue, wide, goal):
    """Distances and optimal actions of the padded map, from the goal outwards; walls have distance -1."""
    distance[goal], queue[0], head, tail = 0, goal, 0, 1
    while head < tail:
        there, step = queue[head], distance[queue[head]] + 1
        head += 1
        for action, cell in enumerate((there + wide, there - 1, there - wide, there + 1)):
            if distance[cell] >= step:
                if distance[cell] > step:
                    distance[cell], queue[tail] = step, cell
                    tail += 1
                actions[cell] |= 1 << action


@njit(cache=True, nogil=True)
def _value(packed):
    """The packed cost a + b√2 as a float."""
    return (packed >> 32) + (packed & 0xFFFFFFFF) * SQRT2


@njit(cache=True, nogil=True)
def _push(keys, cells, size, key, cell):
    """Add to a binary heap of `size` entries."""
    while size > 0 and keys[(size - 1) >> 1] > key:
        keys[size], cells[size] = keys[(size - 1) >> 1], cells[(size - 1) >> 1]
        size = (size - 1) >> 1
    keys[size], cells[size] = key, cell


@njit(cache=True, nogil=True)
def _pop(keys, cells, size):
    """Take the least of `size` entries off the front of a binary heap, which has one entry less then."""
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
    """Where an action leads from a cell of the padded map and its packed cost; (-1, 0) when it is not allowed."""
    rows, columns = _OFFSETS[action, 0], _OFFSETS[action, 1]
    there = cell + rows * width + columns
    if weight[there] == 0:
        return -1, 0
    if action < 4:
        return there, np.int64(weight[there]) << 32
    if weight[cell + columns] == 0 or weight[cell + rows * width] == 0:
        return -1, 0
    return there, np.int64(weight[there])


@njit(cache=True, nogil=True)
def _distances(weight, width, goal, connectivity, keys, cells, distance, last):
    """Fill `distance` (cells of the padded map) with packed costs to the goal, until that of `last` is known.

    The search runs from the goal: a step from `there` back to `cell` is a move from `cell` to `there`, and costs what
    entering `there` costs. Whether a diagonal cuts a corner does not depend on its direction.
    """
    distance[:] = FAR
    distance[goal], keys[0], cells[0], size = 0, 0.0, goal, 1
    while size > 0:
        key, there = keys[0], cells[0]
        _pop(keys, cells, size)
        size -= 1
        if key > _value(distance[there]):
            continue
        if there == last:
            return
        for action in range(connectivity):
            cell, _ = _step(weight, width, there, action)
            if cell < 0:
                continue
            step = np.int64(weight[there]) << (32 if action < 4 else 0)
            found = distance[there] + step
            if distance[cell] == FAR or _value(found) < _value(distance[cell]):
                distance[cell] = found
                _push(keys, cells, size, _value(found), cell)
                size += 1


@njit(cache=True, nogil=True)
def _load(free, cost, weight):
    """Fill the padded map with costs; walls and the border around the map are 0."""
    height, width = free.shape
    for r in range(height):
        for c in range(width):
            weight[(r + 1) * (width + 2) + c + 1] = cost[r, c] if free[r, c] else 0


@njit(cache=True, nogil=True)
def _workspace(height, width):
    """Padded costs, distances, and a heap, which a cell enters at most once for each of its neighbours."""
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
        if distance[first] != FAR:
            found[n] = _value(distance[first])
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
                if weight[cell] != 0 and distance[cell] != FAR:
                    cost_to_go[n, r, c] = _value(distance[cell])
                    optimal[n, r, c] = _optimal(weight, wide, cell, connectivity, distance)
    return cost_to_go, optimal


@njit(cache=True, nogil=True)
def _optimal(weight, width, cell, connectivity, distance):
    """The actions whose cost and what is left after them make up the whole, as bits."""
    actions = 0
    for action in range(connectivity):
        there, step = _step(weight, width, cell, action)
        if there >= 0 and distance[there] != FAR and distance[cell] == distance[there] + step:
            actions |= 1 << action
    return actions
