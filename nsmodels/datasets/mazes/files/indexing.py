"""Index of problems: the facts of each, its shortest path included."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.actions import OCTILE
from nsmodels.datasets.mazes.config import SPLITS
from nsmodels.datasets.mazes.drawing.problems import empty_distance_between
from nsmodels.datasets.mazes.drawing.synthesis import Batch
from nsmodels.datasets.mazes.files.format import RULE_COLUMNS, Group
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.components import reaching_cells
from nsmodels.datasets.mazes.solving.distances import costs_at_start
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.datasets.mazes.solving.search import demonstrations

if TYPE_CHECKING:
    import pandas as pd

CELLS_AT_ONCE = 1 << 22


def make_index(batches: Sequence[Batch], num_workers: int = 0) -> tuple[pd.DataFrame, list[Group], int]:
    """Index of all batches, their maps grouped by its rows, and the number of labelled states.

    A state is a cell together with a goal that can be reached from it: the cells of a map count once for each of its
    problems. Rows are in the order of `SPLITS`, within a split in that of the batches' `rows`. The number of threads
    (0: one per core) does not change the result.
    """
    import pandas as pd

    first = _first_rows(batches)
    groups = [Group(first[batch.split] + batch.rows, batch.maps) for batch in batches]
    with ThreadPoolExecutor(num_workers or os.cpu_count()) as pool:  # the compiled search releases the GIL
        solved = list(pool.map(_columns, batches))
    tables = [pd.DataFrame(columns, index=group.rows) for (columns, _), group in zip(solved, groups, strict=True)]
    return pd.concat(tables).sort_index(), groups, sum(states for _, states in solved)


def _first_rows(batches: Sequence[Batch]) -> dict[str, int]:
    counts = {split: sum(len(batch.rows) for batch in batches if batch.split == split) for split in SPLITS}
    return {split: sum(list(counts.values())[:place]) for place, split in enumerate(SPLITS)}


def _columns(batch: Batch) -> tuple[dict[str, Any], int]:
    maps = batch.maps
    cost, path, num_states = _solved(maps) if batch.solved is None else (*batch.solved, int(reaching_cells(maps).sum()))
    if batch.answer is not None:
        path = [given or shown for given, shown in zip(batch.answer, path, strict=True)]
    distance = cost if maps.cost is None else costs_at_start(replace(maps, cost=None))
    empty = empty_distance_between(maps, maps.start)
    num_free = maps.free[:1].sum().repeat(len(maps)) if maps.is_shared else maps.free.sum(axis=(1, 2))
    columns = {
        "split": batch.split,
        "kind": batch.kind,
        "name": batch.name,
        "height": maps.shape[0],
        "width": maps.shape[1],
        "connectivity": maps.connectivity,
        **_rule_columns(maps),
        "density": 1 - num_free / (maps.shape[0] * maps.shape[1]),
        **{f"{end}_{axis}": at[:, i] for end, at in _ends(maps) for i, axis in enumerate(("row", "col"))},
        "cost": cost,
        "num_steps": [len(digits) for digits in path],
        "manhattan": empty,
        "detour": np.where(empty > 0, distance / np.maximum(empty, 1), 1),
        "num_free": num_free,
        "mark": batch.mark,
        "path": path,
    }
    return columns, num_states


def _solved(maps: Maps) -> tuple[NDArray[np.float32], list[str], int]:
    """Costs float32 (n,) of the shortest paths, their demonstrations, and the number of cells that reach a goal."""
    costs, paths, num_states = [], [], 0
    for part in _chunks(maps):
        labels = label(part)
        costs.append(_at(labels.cost_to_go, part.start))
        paths += demonstrations(part, labels)
        num_states += int(np.isfinite(labels.cost_to_go).sum())
    return np.concatenate(costs), paths, num_states


def _chunks(maps: Maps) -> Iterator[Maps]:
    """`maps` in parts of about `CELLS_AT_ONCE` cells."""
    size = max(1, CELLS_AT_ONCE // (maps.shape[0] * maps.shape[1]))
    return (maps[first : first + size] for first in range(0, len(maps), size))


def _rule_columns(maps: Maps) -> dict[str, str]:
    if maps.diagonals == OCTILE:
        return {}
    return dict(zip(RULE_COLUMNS, (maps.diagonals.cost, maps.diagonals.corners), strict=True))


def _ends(maps: Maps) -> list[tuple[str, NDArray[np.int16]]]:
    return [("start", maps.start), ("goal", maps.goal)]


def _at(values: NDArray, cells: NDArray[np.int16]) -> NDArray:
    return values[np.arange(len(values)), cells[:, 0], cells[:, 1]]
