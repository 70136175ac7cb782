"""Compiled carving of rooms that corridors join, one cell wide; and corridors that wind through a whole map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.mazes.drawing.carving import MOVES, below, grow_mazes, is_chosen, num_ways, open_passage


class Style(NamedTuple):
    """What n maps of rooms and corridors look like, an array (n,) each.

    Attributes:
        num_rooms: int64, rooms that are tried; those that find no place are left out.
        largest: int64, rows and columns of the largest room, in cells of the lattice.
        straight: float64, probability that a corridor continues straight on; 1 makes spirals.
        axis: int64, 0, or the axis that a corridor prefers, 1 vertical or 2 horizontal: serpentines.
        pruned: float64, share of the dead ends that are filled, where two rooms or more are joined.
        looped: float64, probability of an opening between two corridors or rooms that are joined already.
    """

    num_rooms: NDArray[np.int64]
    largest: NDArray[np.int64]
    straight: NDArray[np.float64]
    axis: NDArray[np.int64]
    pruned: NDArray[np.float64]
    looped: NDArray[np.float64]

    @classmethod
    def drawn(cls, num: int, rows: int, columns: int, rng: np.random.Generator) -> Style:
        """Random styles: a third are serpentines or spirals, the others have rooms, few or many dead ends."""
        is_line = rng.random(num) < 1 / 3
        most = max(2, rows * columns // 16)
        rooms = np.minimum(2 + rng.geometric(0.3, num), most)
        axis = np.where(is_line, rng.integers(0, 3, num), 0)
        straight = np.where(is_line & (axis == 0), 1.0, rng.random(num) ** 0.5)
        pruned = np.clip(rng.uniform(-0.25, 1.5, num), 0, 1)
        looped = np.where(rng.random(num) < 0.5, 0, 0.05 * rng.random(num))
        largest = rng.integers(2, 1 + max(2, min(rows, columns, max(rows, columns) // 2)), num)
        # A few rooms interrupt half of the serpentines, so that they differ.
        rooms = np.where(is_line, rng.integers(0, 2, num) * rng.integers(1, 4, num), rooms)
        return cls(rooms, largest, straight, axis, pruned, np.where(is_line, 0, looped))


def join_rooms(seeds: NDArray[np.uint64], style: Style, rows: int, columns: int) -> NDArray[np.bool_]:
    """Rooms and corridors on a lattice of rows x columns cells as maps, bool (n, 2 rows - 1, 2 columns - 1).

    Rooms are placed, corridors fill what is left, and openings between them join all of it. Then dead ends are filled.
    `seeds` is uint64 (n,). All maps are connected.
    """
    return _join(seeds, *style, rows, columns)


def wind(seeds: NDArray[np.uint64], rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.bool_]:
    """One winding corridor from end to end through maps bool (n, 4 rows - 1, 4 columns - 1), without a branch.

    It is the way around a maze of rows x columns cells, close to its walls, which visits each quarter of each cell
    once; one cell of it is walled up. `seeds` is uint64 (n,).
    """
    maze = grow_mazes(seeds, rng.random(len(seeds)), 0.0, rows, columns)
    across, down = maze[:, ::2, 1::2], maze[:, 1::2, ::2]
    free = np.zeros((len(seeds), 4 * rows - 1, 4 * columns - 1), np.bool_)
    free[:, ::2, ::2] = True
    # Along an opening of the maze the way goes on into the next cell, on both sides of it; elsewhere it turns back.
    for near, before in ((0, (1, 0)), (2, (0, 1))):
        free[:, near::4, 3::4] = across
        free[:, 3::4, near::4] = down
        free[:, near::4, 1::4] = ~np.pad(down, ((0, 0), before, (0, 0)))
        free[:, 1::4, near::4] = ~np.pad(across, ((0, 0), (0, 0), before))
    return _cut(free, rng)


def _cut(free: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Wall up a random cell between two cells of the lattice of each map."""
    num, height, width = free.shape
    links = free.copy()
    links[:, ::2, ::2] = False
    place = (links * rng.random(free.shape, np.float32)).reshape(num, height * width).argmax(1)
    free[np.arange(num), place // width, place % width] = False
    return free


@njit(cache=True, nogil=True)
def _join(seeds, num_rooms, largest, straight, axis, pruned, looped, rows, columns):
    free = np.zeros((len(seeds), 2 * rows - 1, 2 * columns - 1), np.bool_)
    parent, edges = np.empty(rows * columns, np.int64), np.empty(2 * rows * columns, np.int64)
    stack = np.empty((rows * columns + 1, 3), np.int64)
    state = np.empty(1, np.uint64)
    for n in range(len(seeds)):
        state[0] = seeds[n]
        num_placed = _place_rooms(free[n], num_rooms[n], largest[n], rows, columns, state)
        _fill(free[n], straight[n], axis[n], rows, columns, state, stack)
        _connect(free[n], looped[n], rows, columns, state, parent, edges)
        if num_placed >= 2 and pruned[n] > 0:
            _prune(free[n], pruned[n], rows, columns, state)
    return free


@njit(cache=True, nogil=True)
def _place_rooms(free, num, largest, rows, columns, state):
    """Rooms of 2 x 2 lattice cells or more that do not touch; returns their number."""
    num_placed = 0
    for _ in range(num):
        tall, wide = 2 + below(state, largest - 1), 2 + below(state, largest - 1)
        if tall > rows or wide > columns or (2 * tall > rows and 2 * wide > columns):
            continue
        top, left = 2 * below(state, rows - tall + 1), 2 * below(state, columns - wide + 1)
        bottom, right = top + 2 * tall - 1, left + 2 * wide - 1
        if not free[max(0, top - 1) : bottom + 1, max(0, left - 1) : right + 1].any():
            free[top:bottom, left:right] = True
            num_placed += 1
    return num_placed


@njit(cache=True, nogil=True)
def _fill(free, straight, axis, rows, columns, state, stack):
    """Corridors through all lattice cells that are not yet free, the first from a corner if its direction is fixed."""
    first = below(state, rows * columns) if axis == 0 and straight < 1 else 0
    for place in range(rows * columns):
        row, column = divmod((first + place) % (rows * columns), columns)
        if free[2 * row, 2 * column]:
            continue
        free[2 * row, 2 * column] = True
        stack[0] = 2 * row, 2 * column, -1
        size = 1
        while size > 0:
            row, column, before = stack[size - 1]
            move = _next(free, row, column, before, straight, axis, state)
            if move < 0:
                size -= 1
            else:
                stack[size, :2] = open_passage(free, row, column, move)
                stack[size, 2] = move
                size += 1


@njit(cache=True, nogil=True)
def _next(free, row, column, before, straight, axis, state):
    """A move to a lattice cell that is not free yet, straight on, along the axis or a random one; -1: there is none."""
    found, num = -1, 0
    for move in range(4):
        r, c = row + 2 * MOVES[move, 0], column + 2 * MOVES[move, 1]
        if r < 0 or c < 0 or r >= free.shape[0] or c >= free.shape[1] or free[r, c]:
            continue
        if move == before and axis == 0 and is_chosen(state, straight):
            return move
        if axis == 1 + move % 2:
            return move
        num += 1
        if below(state, num) == 0:
            found = move
    return found


@njit(cache=True, nogil=True)
def _connect(free, looped, rows, columns, state, parent, edges):
    """Open walls between lattice cells in random order until all are connected, and a share `looped` of the others."""
    for place in range(rows * columns):
        parent[place] = place
    num = 0
    for place in range(rows * columns):
        row, column = divmod(place, columns)
        for move in (1, 2):  # right, down
            r, c = row + MOVES[move, 0], column + MOVES[move, 1]
            if r >= rows or c >= columns:
                continue
            if free[row + r, column + c]:
                parent[_root(parent, place)] = _root(parent, r * columns + c)
            else:
                edges[num] = 2 * place + move - 1
                num += 1
    while num > 0:
        chosen = below(state, num)
        place, move = edges[chosen] // 2, 1 + edges[chosen] % 2
        num -= 1
        edges[chosen] = edges[num]
        row, column = divmod(place, columns)
        one, other = _root(parent, place), _root(parent, place + (1 if move == 1 else columns))
        if one != other or is_chosen(state, looped):
            parent[one] = other
            open_passage(free, 2 * row, 2 * column, move)


@njit(cache=True, nogil=True)
def _root(parent, place):
    while parent[place] != place:
        parent[place] = parent[parent[place]]
        place = parent[place]
    return place


@njit(cache=True, nogil=True)
def _prune(free, share, rows, columns, state):
    """Fill a share of the dead ends, each back to where it branches off."""
    for place in range(rows * columns):
        row, column = 2 * (place // columns), 2 * (place % columns)
        if not free[row, column] or num_ways(free, row, column) != 1 or not is_chosen(state, share):
            continue
        while num_ways(free, row, column) == 1:
            move = _only_way(free, row, column)
            free[row, column] = False
            row, column = row + MOVES[move, 0], column + MOVES[move, 1]
            free[row, column] = False
            row, column = row + MOVES[move, 0], column + MOVES[move, 1]


@njit(cache=True, nogil=True)
def _only_way(free, row, column):
    for move in range(4):
        r, c = row + MOVES[move, 0], column + MOVES[move, 1]
        if r >= 0 and c >= 0 and r < free.shape[0] and c < free.shape[1] and free[r, c]:
            return move
    return -1
