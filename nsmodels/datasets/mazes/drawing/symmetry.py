"""The eight rotations and mirrors of a grid: of arrays, actions and whole problems; and a mark that all eight share.

Transform k mirrors left and right when k >= 4, then turns k % 4 quarters counterclockwise; 0 changes nothing.
"""

from __future__ import annotations

import hashlib
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
    """For each action of a map the action that does the same on the map under transform k."""
    return [OFFSETS.index(_turned(*offset, k)) for offset in OFFSETS[:connectivity]]


def transform_mask(mask: NDArray[np.uint8], k: int, connectivity: int) -> NDArray[np.uint8]:
    """Action sets as bits (..., h, w) under transform k: cells move and so do the bits."""
    table = np.zeros(256, np.uint8)
    values = np.arange(256)
    for action, turned in enumerate(action_permutation(k, connectivity)):
        table |= ((values >> action & 1) << turned).astype(np.uint8)
    return table[transform(mask, k)]


def transform_maps(maps: Maps, k: int) -> Maps:
    """The same problems under transform k."""
    cost = None if maps.cost is None else np.ascontiguousarray(transform(maps.cost, k))
    free = np.ascontiguousarray(transform(maps.free, k))
    start, goal = (transform_cells(cells, maps.shape, k) for cells in (maps.start, maps.goal))
    return Maps(free, start, goal, cost, maps.connectivity)


def transform_cells(cells: NDArray, shape: tuple[int, int], k: int) -> NDArray:
    """Where transform k of a map of `shape` (height, width) puts the cells (..., 2) of row and column."""
    (height, width), row, column = shape, cells[..., 0], cells[..., 1]
    if k >= 4:
        column = width - 1 - column
    for _ in range(k % 4):
        row, column = width - 1 - column, row
        height, width = width, height
    return np.stack([row, column], axis=-1).astype(cells.dtype)


def mark(free: NDArray[np.bool_]) -> list[str]:
    """A name for each map of (n, h, w): equal for rotations and mirrors of a map, different for any other walls.

    It is a hash of shape and cells of the canonical form: of the transforms that are not taller than wide, the one
    whose packed bits come first.
    """
    height, width = sorted(free.shape[1:])
    turned = (transform(free, k) for k in range(NUM_TRANSFORMS))
    packed = (np.packbits(t.reshape(len(t), -1), axis=1) for t in turned if t.shape[1:] == (height, width))
    best = reduce(_first, packed)
    head = f"{height}x{width}:".encode()
    return [hashlib.blake2b(head + row.tobytes(), digest_size=16).hexdigest() for row in best]


def _first(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of two arrays of rows, row by row the one that comes first in dictionary order."""
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
