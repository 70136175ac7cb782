"""Connected free cells of a map: whether a goal can be reached at all, in time linear in the cells."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nsmodels.datasets.mazes.grids import Maps


def can_reach(maps: Maps) -> NDArray[np.bool_]:
    """Whether there is a path from start to goal, bool (n,); False where either is in a wall."""
    ends = zip(_components(maps), maps.start, maps.goal, strict=True)
    return np.array([there[tuple(s)] == there[tuple(g)] > 0 for there, s, g in ends], bool)


def reaching_cells(maps: Maps) -> NDArray[np.int64]:
    """Number of cells from which the goal can be reached, the goal included, int64 (n,)."""
    counted, sizes, found = None, np.zeros(0, np.int64), []
    for there, goal in zip(_components(maps), maps.goal, strict=True):
        if there is not counted:
            counted, sizes = there, np.bincount(there.ravel())
        found.append(sizes[there[tuple(goal)]])
    return np.array(found, np.int64)


def neighbourhood(maps: Maps) -> NDArray[np.bool_]:
    """Cells that moves join directly to the one in the middle, bool (3, 3), itself included."""
    return ndimage.generate_binary_structure(2, 2 if maps.is_joined_by_diagonals else 1)


def _components(maps: Maps) -> Iterator[NDArray[np.int32]]:
    """Number of the component of each cell, int32 (h, w), 0 in walls; of each problem, the same array on one map."""
    structure = neighbourhood(maps)
    if maps.is_shared:
        return repeat(_label(maps.free[0], structure), len(maps))
    return (_label(free, structure) for free in maps.free)


def _label(free: NDArray[np.bool_], structure: NDArray[np.bool_]) -> NDArray[np.int32]:
    numbered = np.zeros(free.shape, np.int32)
    ndimage.label(free, structure, numbered)
    return numbered
