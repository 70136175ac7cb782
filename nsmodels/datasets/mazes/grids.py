"""Many grid maps of one shape, with start and goal; in memory, or packed as they are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule, rule_of


@dataclass(frozen=True)
class Maps:
    """n problems on maps of one shape.

    Attributes:
        free: bool (n, h, w), True on cells that can be entered, False on walls.
        start: int16 (n, 2), row and column.
        goal: int16 (n, 2), row and column.
        cost: uint8 (n, h, w), the cost of entering a cell, at least 1; None when it is 1 everywhere.
        connectivity: 4, or 8.
        diagonals: cost of a diagonal move and whether it may cut a corner; without effect on 4-connected maps.

    `free` and `cost` may be one map broadcast to n (stride 0); slices of it are then broadcast too.
    """

    free: NDArray[np.bool_]
    start: NDArray[np.int16]
    goal: NDArray[np.int16]
    cost: NDArray[np.uint8] | None = None
    connectivity: int = 4
    diagonals: DiagonalRule = OCTILE

    def __len__(self) -> int:
        return len(self.free)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray) -> Maps:
        start, goal = self.start[rows], self.goal[rows]
        cost = None if self.cost is None else _rows_of(self.cost, rows, len(start))
        return Maps(_rows_of(self.free, rows, len(start)), start, goal, cost, self.connectivity, self.diagonals)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.free.shape[1], self.free.shape[2]

    @property
    def is_shared(self) -> bool:
        """Whether all problems are on one map, which is stored once."""
        return len(self.free) > 0 and self.free.strides[0] == 0

    @property
    def rule(self) -> str:
        """Legal moves in words."""
        return rule_of(self.connectivity, self.diagonals)

    @property
    def is_joined_by_diagonals(self) -> bool:
        """Whether a diagonal joins cells that straight moves do not: only cut corners do."""
        return self.connectivity == 8 and self.diagonals.is_cut


@dataclass(frozen=True)
class PackedMaps:
    """n problems on stored maps of one shape, each map in memory once as bits; indexing unpacks.

    Attributes:
        shape: height and width.
        bits: uint8, the cells of all maps, 1 where free, in row-major order, each map padded to whole bytes.
        offset: int64 (n,), first byte of each problem's map in `bits`; problems on one map have the same.
        start, goal, connectivity, diagonals: as in `Maps`.
        costs: uint8, costs of the cells of all problems, in row-major order; None when they are 1 everywhere.
        cost_offset: int64 (n,), first byte of each problem in `costs`.
    """

    shape: tuple[int, int]
    bits: NDArray[np.uint8]
    offset: NDArray[np.int64]
    start: NDArray[np.int16]
    goal: NDArray[np.int16]
    connectivity: int = 4
    diagonals: DiagonalRule = OCTILE
    costs: NDArray[np.uint8] | None = None
    cost_offset: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.offset)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray) -> Maps:
        offset, size = self.offset[rows], self.shape[0] * self.shape[1]
        is_shared = len(offset) > 1 and bool((offset == offset[0]).all())
        packed = self.bits[offset[: 1 if is_shared else None, None] + np.arange(-(-size // 8))]
        free = np.unpackbits(packed, axis=1, count=size).view(np.bool_).reshape(len(packed), *self.shape)
        cost = None
        if self.costs is not None and self.cost_offset is not None:
            cost = self.costs[self.cost_offset[rows][:, None] + np.arange(size)].reshape(len(offset), *self.shape)
        free = np.broadcast_to(free[:1], (len(offset), *self.shape)) if is_shared else free
        return Maps(free, self.start[rows], self.goal[rows], cost, self.connectivity, self.diagonals)

    def parts(self, num_cells: int = 1 << 22) -> Iterator[tuple[slice, Maps]]:
        """The problems in parts of about `num_cells` cells, each with its rows."""
        size = max(1, num_cells // (self.shape[0] * self.shape[1]))
        slices = (slice(first, first + size) for first in range(0, len(self), size))
        return ((rows, self[rows]) for rows in slices)

    def is_free(self, cells: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Whether a cell (n, 2) of each map is inside it and free, bool (n,)."""
        is_inside = ((cells >= 0) & (cells < self.shape)).all(axis=1)
        place = np.where(is_inside, cells[:, 0].astype(np.int64) * self.shape[1] + cells[:, 1], 0)
        return is_inside & (self.bits[self.offset + place // 8] >> (7 - place % 8) & 1 > 0)

    @property
    def rule(self) -> str:
        """Legal moves in words."""
        return rule_of(self.connectivity, self.diagonals)


def concatenate(parts: Sequence[Maps]) -> Maps:
    """All problems of `parts` in order; raises `InputError` when `parts` is empty, or shapes or legal moves differ."""
    kinds = {(part.shape, part.rule) for part in parts}
    if len(kinds) != 1:
        raise InputError(f"maps to join: expected one shape and connectivity, got {sorted(kinds) or 'no maps'}")
    if len(parts) == 1:
        return parts[0]  # perhaps one map broadcast to many problems
    return Maps(
        np.concatenate([part.free for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.goal for part in parts]),
        _costs(parts),
        parts[0].connectivity,
        parts[0].diagonals,
    )


def _rows_of(array: NDArray, rows: slice | Sequence[int] | NDArray, num: int) -> NDArray:
    """`array[rows]`, `num` rows; still without a copy where `array` is one map broadcast to many problems."""
    if len(array) and array.strides[0] == 0:
        return np.broadcast_to(array[0], (num, *array.shape[1:]))
    return array[rows]


def _costs(parts: Sequence[Maps]) -> NDArray[np.uint8] | None:
    if all(part.cost is None for part in parts):
        return None
    return np.concatenate([np.ones(p.free.shape, np.uint8) if p.cost is None else p.cost for p in parts])
