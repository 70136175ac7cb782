"""The recursion of values in compiled code: each step visits only the cells beside those that the last one changed.

A cell can change in a step only if one of its neighbours changed in the step before. So all other cells are left out,
and the values after every step are exactly those of a step over all cells.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps

_OFFSETS = np.array(OFFSETS, np.int64)
PLAIN_KINDS = 12  # kinds of moves into cells of one cost, see `values.move_kinds`
FAR = np.float32(1e12)  # stands for infinity, so that differences and gradients stay finite; above the cost of any path


def relax(
    maps: Maps, gate: NDArray[np.float32], cost: NDArray[np.float32], max_steps: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Values (n, h, w) after at most `max_steps` steps, and the last step that changed one, (n,).

    `gate` and `cost`: of each kind of move, numbered as by `values.move_kinds`. A map that still changes in the last
    step has that step as its last change.
    """
    free = maps.free[:1] if maps.is_shared else maps.free
    paid = np.ones((1, *maps.shape), np.uint8) if maps.cost is None else maps.cost
    goal = np.require(maps.goal, np.int64, ["C"])
    price = np.where(gate > 0, cost, np.float32(np.inf)).astype(np.float32)
    arrays = (np.ascontiguousarray(free), np.ascontiguousarray(paid), goal)
    return _relax_all(*arrays, price, maps.connectivity, max_steps)


@njit(cache=True, nogil=True)
def _relax_all(free, paid, goal, price, num_actions, max_steps):
    num, (height, width) = len(goal), free.shape[1:]
    values = np.full((num, height, width), FAR, np.float32)
    changes = np.zeros(num, np.int64)
    wide = width + 2
    cells = (height + 2) * wide
    is_free, kind = np.empty(cells, np.int64), np.empty(cells, np.int64)
    value, stamp = np.empty(cells, np.float32), np.empty(cells, np.int64)
    front, front_values, following = np.empty(cells, np.int64), np.empty(cells, np.float32), np.empty(cells, np.int64)
    for n in range(num):
        is_free[:], kind[:], value[:], stamp[:] = 0, 0, np.inf, 0
        for r in range(height):
            for c in range(width):
                if free[n % len(free), r, c]:
                    cell = (r + 1) * wide + c + 1
                    is_free[cell] = 1
                    kind[cell] = paid[n % len(paid), r, c] * PLAIN_KINDS + 6
        front[0], size, step = (goal[n, 0] + 1) * wide + goal[n, 1] + 1, 1, 0
        value[front[0]] = 0
        while size and step < max_steps:
            step += 1
            work = (is_free, kind, value, stamp, front, front_values, following)
            size = _step(work, size, step, wide, price, num_actions)
            front, following = following, front
            if size:
                changes[n] = step
        for r in range(height):
            for c in range(width):
                if value[(r + 1) * wide + c + 1] < FAR:
                    values[n, r, c] = value[(r + 1) * wide + c + 1]
    return values, changes


@njit(cache=True, nogil=True)
def _step(work, size, step, wide, price, num_actions):
    """One step from the `size` cells that changed last; returns the number that it changes, listed in `following`."""
    is_free, kind, value, stamp, front, front_values, following = work
    count = 0
    for k in range(size):  # all cells of a step read the values before it
        front_values[k] = value[front[k]]
    for k in range(size):
        there = front[k]
        for action in range(num_actions):
            down, right = _OFFSETS[action]
            cell = there - down * wide - right
            if is_free[cell]:
                if action < 4:
                    move = kind[there] + 2 * (is_free[there] + 1)
                else:
                    move = kind[there] + 2 * (is_free[cell + down * wide] + is_free[cell + right]) + 1
                arrival = front_values[k] + price[move]
                if arrival < value[cell]:
                    value[cell] = arrival
                    if stamp[cell] != step:
                        stamp[cell] = step
                        following[count] = cell
                        count += 1
    return count
