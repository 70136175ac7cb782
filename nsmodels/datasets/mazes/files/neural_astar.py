"""Planning sets of Neural A* (Yonetani et al. 2021): an .npz with the maps of all three splits.

Twelve arrays, four for each of train, validation and test in this order: maps (n, h, w), 1 where free; goals
(n, 1, h, w), one cell 1; policies (n, a, 1, h, w), 1 for one optimal action; distances (n, 1, h, w), negated, -h w
where the goal cannot be reached. All moves cost 1; with a = 8 actions diagonals may cut corners, with 4 there are
none. There is no start.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import DiagonalRule
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import label

SPLITS = ("train", "val", "test")
ARRAYS = ("maps", "goals", "policies", "distances")
RULE = DiagonalRule("unit", "cut")
# The file's actions are up, right, left, down, up-right, up-left, down-right, down-left: their numbers here.
_ACTIONS = np.array([0, 1, 3, 2, 4, 7, 5, 6], np.int8)
LARGEST_BYTES = 1 << 34  # of one array, unpacked
EXPECTED = "expected the 12 arrays arr_0 to arr_11 of a Neural A* planning set"


@dataclass(frozen=True)
class PlanningSet:
    """One split of a set, n maps of one shape.

    Attributes:
        split: train, val or test.
        free: bool (n, h, w).
        goal: int16 (n, 2), row and column.
        actions: int8 (n, h, w), the action that the file calls optimal.
        distances: float64 (n, h, w), the distances to the goal that it lists.
        connectivity: 4 or 8.
        faults: why maps of the file are left out, one line each.
    """

    split: str
    free: NDArray[np.bool_]
    goal: NDArray[np.int16]
    actions: NDArray[np.int8]
    distances: NDArray[np.float64]
    connectivity: int
    faults: list[str]

    @property
    def maps(self) -> Maps:
        """The maps under the moves of the file; start and goal are the same cell."""
        return Maps(self.free, self.goal, self.goal, None, self.connectivity, RULE)

    def wrong(self) -> NDArray[np.bool_]:
        """Whether distance or action of any cell of a map is not that of exact search, bool (n,)."""
        labels, cells = label(self.maps), self.free.shape[1] * self.free.shape[2]
        is_near = np.isfinite(labels.cost_to_go)
        is_right = np.where(is_near, np.abs(self.distances - np.where(is_near, labels.cost_to_go, 0)) < 0.01, True)
        is_right &= is_near | ~self.free | (self.distances >= cells - 0.01)
        is_right &= (labels.optimal == 0) | (labels.optimal >> self.actions.astype(np.uint8) & 1 == 1)
        return np.asarray(~is_right.all(axis=(1, 2)))


def read(path: Path) -> Iterator[PlanningSet]:
    """The splits of a set that have maps, one at a time.

    Raises `InputError` for a file that is no such set; no object in it is ever unpickled.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(path, archive)
            for number, split in enumerate(SPLITS):
                first = 4 * number
                arrays = [_array(path, archive, member) for member in members[first : first + 4]]
                if len(arrays[0]):
                    yield _planning_set(path, split, arrays, first)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: not an .npz file ({error}); give a planning set of Neural A*") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}); give an existing file") from None


def _members(path: Path, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    by_name: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        if member.filename in by_name:
            raise InputError(f"{path}: two members are called {member.filename}; give the file as it was published")
        by_name[member.filename] = member
    wanted = [f"arr_{number}.npy" for number in range(12)]
    if missing := [name for name in wanted if name not in by_name]:
        raise InputError(f"{path}: no array {missing[0].removesuffix('.npy')}; {EXPECTED}")
    return [by_name[name] for name in wanted]


def _array(path: Path, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray:
    name = member.filename.removesuffix(".npy")
    try:
        with archive.open(member) as file:
            shape, kind = _header(file)
        size = int(np.prod(shape, dtype=np.float64)) * kind.itemsize
        if kind.hasobject or kind.kind not in "biuf":
            raise InputError(f"{path}: array {name} contains {kind}, not numbers; {EXPECTED}")
        if size > min(member.file_size, LARGEST_BYTES):
            raise InputError(f"{path}: array {name} of shape {shape} needs {size} bytes, more than it has; {EXPECTED}")
        with archive.open(member) as file:
            return np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: array {name} cannot be read ({error}); {EXPECTED}") from None


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read_header(file)
    return shape, kind


def _planning_set(path: Path, split: str, arrays: list[NDArray], first: int) -> PlanningSet:
    maps, goals, policies, distances = arrays
    num_actions = policies.shape[1] if policies.ndim == 5 else 0
    if maps.ndim != 3:
        raise InputError(
            f"{path}: array arr_{first}, the maps of {split}: expected 3 dimensions, maps, rows and columns, got shape "
            f"{maps.shape}; {EXPECTED}"
        )
    n, *side = maps.shape
    shapes = {0: (n, *side), 1: (n, 1, *side), 2: (n, num_actions, 1, *side), 3: (n, 1, *side)}
    for k, array in enumerate(arrays):
        if array.shape != shapes[k]:
            raise InputError(
                f"{path}: array arr_{first + k}, the {ARRAYS[k]} of {split}: expected shape {shapes[k]}, got "
                f"{array.shape}; {EXPECTED}"
            )
    if num_actions not in (4, 8):
        raise InputError(f"{path}: array arr_{first + 2}: {num_actions} actions; sets of 4 and of 8 moves are read")
    free, faults = maps != 0, []
    is_good = np.array([_fault(m, g, faults, f"{path}: {split} map {k}") for k, (m, g) in
                        enumerate(zip(maps, goals[:, 0], strict=True))], bool)  # fmt: skip
    rows = np.flatnonzero(is_good)
    goal = np.stack(
        np.divmod(goals[rows].reshape(len(rows), max(side[0] * side[1], 1)).argmax(1), max(side[1], 1)), 1
    ).astype(np.int16)
    actions = _ACTIONS[policies[rows, :, 0].argmax(1)]
    return PlanningSet(split, free[rows], goal, actions, -distances[rows, 0].astype(np.float64), num_actions, faults)


def _fault(cells: NDArray, goal: NDArray, faults: list[str], place: str) -> bool:
    """Whether a map is good; if not, its fault is added."""
    if not np.isin(cells, (0, 1)).all():
        faults.append(f"{place}: expected 0 and 1, got {cells[~np.isin(cells, (0, 1))][0]}")
    elif not (np.isin(goal, (0, 1)).all() and goal.sum() == 1):
        faults.append(f"{place}: expected one goal, got {np.count_nonzero(goal)}")
    elif not cells[goal == 1][0]:
        faults.append(f"{place}: the goal is in a wall")
    else:
        return True
    return False
