"""Many grid maps of one shape, with start and goal."""

from __future__ import annotations

from collections.abc import Sequence
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


def concatenate(parts: Sequence[Maps]) -> Maps:
    """All problems of `parts` in order; raises `InputError` when `parts` is empty, or shapes or legal moves differ."""
    kinds = {(part.shape, part.rule) for part in parts}
    if len(kinds) != 1:
        raise InputError(f"maps to join: expected one shape and connectivity, got {sorted(kinds) or 'no maps'}")
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
