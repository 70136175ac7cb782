"""The eight symmetries of a grid, of arrays, actions and whole problems; and a hash that is equal for all eight.

Transform k mirrors left and right when k >= 4, then turns k % 4 quarters counterclockwise; 0 is the identity. These are
all elements of the symmetry group of the square, D4; they are closed under composition, so that the set of the eight
transforms of a map is the same from whichever of them it starts.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache, reduce

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps

NUM_TRANSFORMS = 8


def transform(array: NDArray, k: int) -> NDArray:
    """The last two axes of `array` (..., h, w) under transform k, as a view; odd k exchange height and width."""
    mirrored = array[..., ::-1] if k >= 4 else array
    return np.rot90(mirrored, k % 4, axes=(-2, -1))


@cache
def action_permutation(k: int, connectivity: int) -> list[int]:
    """For each action of a map the action that is its image under transform k."""
    return [OFFSETS.index(_turned(*offset, k)) for offset in OFFSETS[:connectivity]]


def transform_mask(mask: NDArray[np.uint8], k: int, connectivity: int) -> NDArray[np.uint8]:
    """Action sets as bits uint8 (..., h, w) under transform k: cells move, and in each cell the bits are permuted."""
    # A table of all 256 sets: bit `action` of the old set is bit `turned` of the new one.
    table = np.zeros(256, np.uint8)
    values = np.arange(256)
    for action, turned in enumerate(action_permutation(k, connectivity)):
        table |= ((values >> action & 1) << turned).astype(np.uint8)
    return table[transform(mask, k)]


def transform_maps(maps: Maps, k: int) -> Maps:
    """The n problems under transform k; for odd k maps of shape (w, h)."""
    cost = None if maps.cost is None else np.ascontiguousarray(transform(maps.cost, k))
    free = np.ascontiguousarray(transform(maps.free, k))
    start, goal = (transform_cells(cells, maps.shape, k) for cells in (maps.start, maps.goal))
    return replace(maps, free=free, start=start, goal=goal, cost=cost)


def transform_cells(cells: NDArray, shape: tuple[int, int], k: int) -> NDArray:
    """Positions under transform k of the cells (..., 2), row and column, of a map of `shape` (height, width)."""
    # A quarter counterclockwise makes the last column the first row: (r, c) → (width - 1 - c, r); the sides swap.
    (height, width), row, column = shape, cells[..., 0], cells[..., 1]
    if k >= 4:
        column = width - 1 - column
    for _ in range(k % 4):
        row, column = width - 1 - column, row
        height, width = width, height
    return np.stack([row, column], axis=-1).astype(cells.dtype)


def mark(free: NDArray[np.bool_]) -> list[str]:
    """Canonical hash, 32 hex digits, of each map of (n, h, w): equal for rotations and mirrors, else different.

    It is a hash of shape and cells of the canonical form: of the transforms that are not taller than wide, the one
    whose packed bits are first in lexicographic order.
    """
    # A map and its images have the same set of transforms, hence the same least one. A map that is not square has four
    # transforms of the right shape, a square one all eight.
    height, width = sorted(free.shape[1:])
    turned = (transform(free, k) for k in range(NUM_TRANSFORMS))
    packed = (np.packbits(t.reshape(len(t), -1), axis=1) for t in turned if t.shape[1:] == (height, width))
    best = reduce(_first, packed)
    head = f"{height}x{width}:".encode()
    return [hashlib.blake2b(head + row.tobytes(), digest_size=16).hexdigest() for row in best]


def _first(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of two arrays of rows, row by row the one that is first in lexicographic order."""
    # The first byte that differs decides; in equal rows argmax finds byte 0, where none is less.
    at = (one != other).argmax(axis=1)[:, None]
    is_less = np.take_along_axis(other, at, 1) < np.take_along_axis(one, at, 1)
    return np.where(is_less, other, one)


def _turned(rows: int, columns: int, k: int) -> tuple[int, int]:
    """The offset under transform k; a quarter counterclockwise takes (rows, columns) to (-columns, rows)."""
    if k >= 4:
        columns = -columns
    for _ in range(k % 4):
        rows, columns = -columns, rows
    return rows, columns
