"""Compiled carving of mazes and rooms; all randomness comes from one seed per map."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

MOVES = np.array([(-1, 0), (0, 1), (1, 0), (0, -1)], np.int64)


def grow_mazes(
    seeds: NDArray[np.uint64], newest: NDArray[np.float64], braid: float, rows: int, columns: int
) -> NDArray[np.bool_]:
    """Mazes on a lattice of rows x columns cells as maps, bool (n, 2 rows - 1, 2 columns - 1).

    The lattice cells are those of even row and column; the cell between two of them is a passage or a wall. A maze
    grows from a random cell by the growing-tree algorithm: from the newest cell with probability `newest` float64 (n,)
    (long corridors), else from a random one (many branches). A share `braid` of the dead ends then gets a second exit.
    `seeds` is uint64 (n,).
    """
    return _grow(seeds, newest, braid, rows, columns)


def divide_rooms(seeds: NDArray[np.uint64], smallest: NDArray[np.int64], height: int, width: int) -> NDArray[np.bool_]:
    """Maps (n, height, width) divided into rooms by walls with one or two doors, by recursive division.

    No wall ends in front of a door, so all rooms are connected, and no room is narrower than `smallest` int64 (n,).
    `seeds` is uint64 (n,), the maps are bool, True where free.
    """
    return _divide(seeds, smallest, height, width)


@njit(cache=True, nogil=True)
def below(state, bound):
    """A number in 0 to bound - 1 from the generator SplitMix64, whose `state` (1,) uint64 is advanced."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = state[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((mixed ^ (mixed >> np.uint64(31))) % np.uint64(bound))


@njit(cache=True, nogil=True)
def is_chosen(state, probability):
    """Whether something of this probability happens; advances `state` as `below` does."""
    return below(state, 1 << 30) < probability * (1 << 30)


@njit(cache=True, nogil=True)
def _pick(free, row, column, state, is_fresh):
    """A random move from a lattice cell: to a cell not reached yet, or through a wall; -1 when there is none."""
    # Reservoir sampling: the m-th candidate replaces the choice with probability 1/m, so all are equally likely.
    height, width = free.shape
    found, num = -1, 0
    for move in range(4):
        r, c = row + 2 * MOVES[move, 0], column + 2 * MOVES[move, 1]
        if r < 0 or c < 0 or r >= height or c >= width:
            continue
        if free[r, c] if is_fresh else free[(row + r) // 2, (column + c) // 2]:
            continue
        num += 1
        if below(state, num) == 0:
            found = move
    return found


@njit(cache=True, nogil=True)
def open_passage(free, row, column, move):
    """Open the passage from a lattice cell; returns the cell behind it."""
    free[row + MOVES[move, 0], column + MOVES[move, 1]] = True
    row, column = row + 2 * MOVES[move, 0], column + 2 * MOVES[move, 1]
    free[row, column] = True
    return row, column


@njit(cache=True, nogil=True)
def _span(free, rows, columns, newest, state, active):
    """Carve a spanning tree of the lattice; `active` (rows x columns, 2) is workspace."""
    active[0] = 2 * below(state, rows), 2 * below(state, columns)
    free[active[0, 0], active[0, 1]] = True
    size = 1
    while size > 0:
        place = size - 1 if is_chosen(state, newest) else below(state, size)
        row, column = active[place]
        move = _pick(free, row, column, state, True)
        if move < 0:
            size -= 1
            active[place] = active[size]
        else:
            active[size] = open_passage(free, row, column, move)
            size += 1


@njit(cache=True, nogil=True)
def num_ways(free, row, column):
    """Number of passages of a lattice cell."""
    num = 0
    for move in range(4):
        r, c = row + MOVES[move, 0], column + MOVES[move, 1]
        if r >= 0 and c >= 0 and r < free.shape[0] and c < free.shape[1] and free[r, c]:
            num += 1
    return num


@njit(cache=True, nogil=True)
def _grow(seeds, newest, braid, rows, columns):
    free = np.zeros((len(seeds), 2 * rows - 1, 2 * columns - 1), np.bool_)
    active = np.empty((rows * columns + 1, 2), np.int64)
    state = np.empty(1, np.uint64)
    for n in range(len(seeds)):
        state[0] = seeds[n]
        _span(free[n], rows, columns, newest[n], state, active)
        for row in range(0, 2 * rows - 1, 2):
            for column in range(0, 2 * columns - 1, 2):
                if braid > 0 and num_ways(free[n], row, column) == 1 and is_chosen(state, braid):
                    move = _pick(free[n], row, column, state, False)
                    if move >= 0:
                        open_passage(free[n], row, column, move)
    return free


@njit(cache=True, nogil=True)
def _wall_across(free, low, high, left, right, smallest, state):
    """A random row for a wall, or -1: `smallest` rows remain above and below, and neither end is at a door."""
    found, num = -1, 0
    for row in range(low + smallest, high - smallest):
        if (left > 0 and free[row, left - 1]) or (right < free.shape[1] and free[row, right]):
            continue
        num += 1
        if below(state, num) == 0:
            found = row
    return found


@njit(cache=True, nogil=True)
def _build(line, low, high, state):
    """Put a wall with one or two doors into `line`."""
    line[low:high] = False
    for _ in range(1 + below(state, 2)):
        line[low + below(state, high - low)] = True


@njit(cache=True, nogil=True)
def _divide(seeds, smallest, height, width):
    free = np.ones((len(seeds), height, width), np.bool_)
    waiting = np.empty((height * width, 4), np.int64)
    state = np.empty(1, np.uint64)
    for n in range(len(seeds)):
        state[0] = seeds[n]
        waiting[0] = 0, height, 0, width
        size, num_walls = 1, 0
        while size > 0:
            size -= 1
            top, bottom, left, right = waiting[size]
            if num_walls > 0 and below(state, 10) == 0:
                continue  # now and then a large room
            row = _wall_across(free[n], top, bottom, left, right, smallest[n], state)
            column = _wall_across(free[n].T, left, right, top, bottom, smallest[n], state)
            tall = bottom - top - right + left
            is_across = row >= 0 and (column < 0 or tall > 0 or (tall == 0 and below(state, 2) == 0))
            if is_across:
                _build(free[n, row], left, right, state)
                waiting[size] = top, row, left, right
                waiting[size + 1] = row + 1, bottom, left, right
            elif column >= 0:
                _build(free[n, :, column], top, bottom, state)
                waiting[size] = top, bottom, left, column
                waiting[size + 1] = top, bottom, column + 1, right
            if is_across or column >= 0:
                size, num_walls = size + 2, num_walls + 1
    return free
