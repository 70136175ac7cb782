"""Many grid maps of one shape, with start and goal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError


@dataclass(frozen=True)
class Maps:
    """n problems on maps of one shape.

    Attributes:
        free: bool (n, h, w), True on cells that can be entered, False on walls.
        start: int16 (n, 2), row and column.
        goal: int16 (n, 2), row and column.
        cost: uint8 (n, h, w), the cost of entering a cell, at least 1; None when it is 1 everywhere.
        connectivity: 4, or 8: a diagonal move costs √2 times the cell entered and may not cut a corner: both cells
            beside it must be free.
    """

    free: NDArray[np.bool_]
    start: NDArray[np.int16]
    goal: NDArray[np.int16]
    cost: NDArray[np.uint8] | None = None
    connectivity: int = 4

    def __len__(self) -> int:
        return len(self.free)

    def __getitem__(self, rows: slice | Sequence[int] | NDArray) -> Maps:
        cost = None if self.cost is None else self.cost[rows]
        return Maps(self.free[rows], self.start[rows], self.goal[rows], cost, self.connectivity)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.free.shape[1], self.free.shape[2]


def concatenate(parts: Sequence[Maps]) -> Maps:
    """All problems of `parts` in order; raises `InputError` when `parts` is empty, or shapes or connectivity differ."""
    kinds = {(part.shape, part.connectivity) for part in parts}
    if len(kinds) != 1:
        raise InputError(f"maps to join: expected one shape and connectivity, got {sorted(kinds) or 'no maps'}")
    return Maps(
        np.concatenate([part.free for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.goal for part in parts]),
        _costs(parts),
        parts[0].connectivity,
    )


def _costs(parts: Sequence[Maps]) -> NDArray[np.uint8] | None:
    if all(part.cost is None for part in parts):
        return None
    return np.concatenate([np.ones(p.free.shape, np.uint8) if p.cost is None else p.cost for p in parts])
