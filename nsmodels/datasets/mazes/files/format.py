"""File format of the data: `index.parquet`, one row per problem, and `cells.bits`, the packed maps.

A map's cells are bits in row-major order, 1 where free, padded to whole bytes, from byte `offset` on; problems on the
same map may share them. When cells differ in cost, `costs.bytes` has one byte per cell of each problem, in the order of
the index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.artifact import remedy, require_listed
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule
from nsmodels.datasets.mazes.config import SPLITS
from nsmodels.datasets.mazes.grids import Maps, PackedMaps

if TYPE_CHECKING:
    import pandas as pd

INDEX, CELLS, COSTS = "index.parquet", "cells.bits", "costs.bytes"
COLUMNS = {
    "split": "str",
    "kind": "str",
    "name": "str",
    "height": "int16",
    "width": "int16",
    "connectivity": "int8",
    "density": "float32",
    "start_row": "int16",
    "start_col": "int16",
    "goal_row": "int16",
    "goal_col": "int16",
    "cost": "float32",
    "num_steps": "int32",
    "manhattan": "float32",
    "detour": "float32",
    "num_free": "int32",
    "mark": "str",
    "path": "str",
    "offset": "int64",
}
# Written only where diagonal moves have another rule than that of the MovingAI benchmark.
RULE_COLUMNS = {"diagonal_cost": "str", "corner_rule": "str"}
ABOUT = {
    "split": "split of the data",
    "kind": "kind of the map, or the format of the local file",
    "name": "name of the map; for generated ones split and number",
    "height": "rows of the map",
    "width": "columns of the map",
    "connectivity": "moves from a cell: 4, or 8 with diagonals",
    "diagonal_cost": "length of a diagonal move: sqrt2 (where the column is missing), or unit",
    "corner_rule": "strict (where the column is missing): a diagonal passes between free cells; cut: beside walls too",
    "density": "share of cells that are walls",
    "start_row": "row of the start, from 0 at the top",
    "start_col": "column of the start, from 0 at the left",
    "goal_row": "row of the goal",
    "goal_col": "column of the goal",
    "cost": "cost of the shortest path",
    "num_steps": "number of moves of that path",
    "manhattan": "length of the shortest path on an empty map",
    "detour": "length of the shortest path divided by that on an empty map",
    "num_free": "number of free cells",
    "mark": "equal for maps that are the same, turned or mirrored",
    "path": "the moves of the shortest path, one digit each",
    "offset": "first byte of the map's bits in cells.bits",
}


@dataclass(frozen=True)
class Group:
    """Problems of a split on maps of one shape: `rows` int64 (n,) of the index, and the maps in that order."""

    rows: NDArray[np.int64]
    maps: Maps


@dataclass(frozen=True)
class StoredGroup:
    """The same of data that were read: each map is in memory once, and unpacked where `maps` is indexed."""

    rows: NDArray[np.int64]
    maps: PackedMaps


@dataclass(frozen=True)
class Split:
    """A split: its index, numbered from 0, and its maps, one group per shape, from small to large."""

    index: pd.DataFrame
    groups: list[StoredGroup]


def write(folder: Path, index: pd.DataFrame, groups: Sequence[Group]) -> None:
    """Write the data into `folder`: `index` with all `COLUMNS` except offset, and the maps of its rows.

    Each distinct map of a group is stored once, whatever the order of its problems.
    """
    offsets, chunks, end = np.zeros(len(index), np.int64), [], 0
    for group in groups:
        free = group.maps.free[:1] if group.maps.is_shared else group.maps.free
        packed = np.packbits(free.reshape(len(free), -1), axis=1)
        kept, place = _distinct(packed)
        offsets[group.rows] = end + place * packed.shape[1]
        chunks.append(packed[kept].tobytes())
        end += len(chunks[-1])
    (folder / CELLS).write_bytes(b"".join(chunks))
    if any(group.maps.cost is not None for group in groups):
        _write_costs(folder, index, groups)
    columns = COLUMNS | {name: kind for name, kind in RULE_COLUMNS.items() if name in index}
    whole = index.assign(offset=offsets)[list(columns)].astype(columns)
    whole.to_parquet(folder / INDEX, index=False, compression="zstd")


def read_index(folder: Path, split: str | None = None) -> pd.DataFrame:
    """Index of one split or all; raises `InputError` when it is missing, not an index, or without the split."""
    import pandas as pd
    from pyarrow import ArrowException

    path = folder / INDEX
    require_listed([path])
    try:
        index = pd.read_parquet(path)
    except FileNotFoundError:
        raise InputError(f"{path}: missing; give a folder from: nsmodels mazes generate --out FOLDER") from None
    except (ArrowException, OSError) as error:
        raise InputError(f"{path}: not a readable parquet file ({error}); {remedy(path)}") from None
    missing = [name for name in COLUMNS if name not in index]
    if missing:
        raise InputError(f"{path}: column '{missing[0]}' is missing; {remedy(path)}")
    if split is None:
        return index
    chosen = index.query("split == @split")
    if chosen.empty:
        known = ", ".join(_in_order(index)) or "none"
        raise InputError(f"{folder}: no split '{split}'; it has {known}")
    return chosen


def splits(folder: Path) -> list[str]:
    """Splits of the folder, in the order train, val, test, transfer; raises `InputError` as `read_index`."""
    return _in_order(read_index(folder))


def read_split(folder: Path, split: str) -> Split:
    """One split with its maps; raises `InputError` when it is missing or index and cells do not match."""
    index = read_index(folder, split)
    require_listed([folder / CELLS, folder / COSTS])
    cells = _bytes_of(folder / CELLS)
    costs = _costs_of(folder, read_index(folder)) if (folder / COSTS).exists() else None
    places = np.zeros(0, np.int64) if costs is None else costs[1][index.index]
    index = index.reset_index(drop=True)
    groups = []
    for rows in _by_shape(index):
        more = {} if costs is None else {"costs": costs[0], "cost_offset": places[rows]}
        groups.append(StoredGroup(rows, _packed(folder, index.iloc[rows], cells, more)))
    return Split(index, groups)


def _in_order(index: pd.DataFrame) -> list[str]:
    present = set(index["split"].unique())
    return [split for split in SPLITS if split in present]


def _by_shape(index: pd.DataFrame) -> list[NDArray[np.int64]]:
    height, width = index["height"].to_numpy(np.int64), index["width"].to_numpy(np.int64)
    shapes = sorted(
        {*zip(height.tolist(), width.tolist(), strict=True)}, key=lambda shape: (shape[0] * shape[1], shape)
    )
    return [np.flatnonzero((height == h) & (width == w)) for h, w in shapes]


def _packed(folder: Path, part: pd.DataFrame, cells: NDArray[np.uint8], more: dict[str, Any]) -> PackedMaps:
    shape, offset = (int(part["height"].iloc[0]), int(part["width"].iloc[0])), part["offset"].to_numpy(np.int64)
    needed = int(offset.max()) + -(-shape[0] * shape[1] // 8)
    if offset.min() < 0 or needed > len(cells):
        raise InputError(f"{folder / CELLS}: {len(cells)} bytes, but {INDEX} needs {needed}; {remedy(folder / CELLS)}")
    start, goal = (part[[f"{end}_row", f"{end}_col"]].to_numpy(np.int16) for end in ("start", "goal"))
    maps = PackedMaps(shape, cells, offset, start, goal, int(part["connectivity"].iloc[0]), _diagonals(part), **more)
    for end, place in (("start", start), ("goal", goal)):
        if not maps.is_free(place).all():
            raise InputError(
                f"{folder / INDEX}: a {end} is in a wall, so it is not the index of {CELLS}; {remedy(folder / INDEX)}"
            )
    return maps


def _diagonals(part: pd.DataFrame) -> DiagonalRule:
    return DiagonalRule(*(part[name].iloc[0] for name in RULE_COLUMNS)) if set(RULE_COLUMNS) <= {*part} else OCTILE


def _distinct(packed: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First occurrences of the distinct rows, in order, and for every row the index of its equal among them."""
    whole = np.ascontiguousarray(packed).view(f"V{packed.shape[1]}").ravel()
    _, first, like = np.unique(whole, return_index=True, return_inverse=True)
    kept = np.sort(first)
    return kept, np.searchsorted(kept, first[like])


def _write_costs(folder: Path, index: pd.DataFrame, groups: Sequence[Group]) -> None:
    rows: dict[int, bytes] = {}
    for group in groups:
        assert group.maps.cost is not None
        rows |= {int(row): cost.tobytes() for row, cost in zip(group.rows, group.maps.cost, strict=True)}
    (folder / COSTS).write_bytes(b"".join(rows[row] for row in range(len(index))))


def _costs_of(folder: Path, whole: pd.DataFrame) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Costs of the cells of all problems, and the first byte of each problem."""
    content = _bytes_of(folder / COSTS)
    ends = np.cumsum(whole["height"].to_numpy(np.int64) * whole["width"].to_numpy(np.int64))
    if ends[-1] != len(content):
        raise InputError(
            f"{folder / COSTS}: {len(content)} bytes, but {INDEX} needs {ends[-1]}; {remedy(folder / COSTS)}"
        )
    return content, np.concatenate([[0], ends[:-1]])


def _bytes_of(path: Path) -> NDArray[np.uint8]:
    try:
        return np.fromfile(path, np.uint8)
    except FileNotFoundError:
        raise InputError(f"{path}: missing; {remedy(path)}") from None
