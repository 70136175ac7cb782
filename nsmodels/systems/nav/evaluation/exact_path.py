"""The metric of Maze-Hard: share of paths that equal the target path cell by cell; published results.

The target is the path in the data: of Maze-Hard files their own one, of generated mazes the demonstration, which among
the shortest paths takes the lowest action first. Where several paths are shortest, a different one is as good, but no
match; the problems with a single shortest path are therefore also counted separately.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels
from nsmodels.datasets.mazes.solving.search import path_cells
from nsmodels.systems.nav.evaluation.scoring import Table, rows_of, share
from nsmodels.systems.nav.planning.rollout import roll_out

SHAPE, KIND = (30, 30), "maze_hard"
LONG = 110  # Maze-Hard keeps mazes whose shortest path is longer than this
TARGET = (
    "compared with the path in the data: of Maze-Hard files their own answer, of generated mazes the demonstration "
    "(lowest action first); only 'a single shortest path' does not depend on tie-breaking"
)
PUBLISHED_NOTE = (
    "published, exact match of the whole answer on the 1,000 test mazes of Maze-Hard, trained on its 1,000 training "
    "mazes; not comparable with other mazes"
)
PUBLISHED: tuple[dict[str, Any], ...] = (
    {"name": "TRM (attention, 7M parameters)", "accuracy": 0.853, "source": "Jolicoeur-Martineau 2025"},
    {"name": "HRM (27M parameters)", "accuracy": 0.745, "source": "Wang et al. 2025"},
)


def exact_path(actions: NDArray[np.int8], maps: Maps, labels: Labels, facts: dict[str, NDArray]) -> dict[str, NDArray]:
    """Columns (n,) `exact`: the path equals the target; `unique`: a single path is shortest; `length`. Other maps: nan.

    `actions`: int8 (n, h, w). The targets are the digits in `facts["path"]`, else the demonstration.
    """
    is_meant = (facts["kind"] == KIND) | (maps.shape == SHAPE)
    exact, unique, length = (np.full(len(maps), np.nan) for _ in range(3))
    rows = np.flatnonzero(np.broadcast_to(is_meant, len(maps)))
    if len(rows):
        # x & −x is the lowest bit of the set of optimal actions, its logarithm the number of that action.
        sets = labels.optimal[rows]
        lowest = np.log2(np.maximum(sets & -sets, 1)).astype(np.int8)
        shown, rollout = roll_out(lowest, maps[rows]).paths, roll_out(actions[rows], maps[rows]).paths
        answers = _answers(maps[rows], shown, facts["path"][rows]) if "path" in facts else shown
        exact[rows] = [np.array_equal(one, other) for one, other in zip(answers, rollout, strict=True)]
        unique[rows] = [_is_unique(sets[k], path) for k, path in enumerate(shown)]
        length[rows] = [len(path) - 1 for path in shown]
    return {"exact": exact, "unique": unique, "length": length}


def _answers(maps: Maps, shown: Sequence[NDArray], digits: NDArray) -> list[NDArray]:
    """The target paths as cells (k, 2)."""
    return [path_cells(maps, k, text) if text else shown[k] for k, text in enumerate(digits)]


def _is_unique(optimal: NDArray[np.uint8], path: NDArray[np.int16]) -> bool:
    # x & (x − 1) is 0 for a single bit: one optimal action in every cell of the path leaves no choice.
    sets = optimal[tuple(path[:-1].T)]
    return bool(((sets & (sets - 1)) == 0).all())


def exact_path_report(table: Table, clusters: NDArray) -> dict[str, Any] | None:
    """Shares of exact and of optimal paths: of all, those with a single shortest path, long ones; None without any.

    `clusters` (n,): groups of dependent problems, for the intervals.
    """
    is_meant = ~np.isnan(table["exact"])
    if not is_meant.any():
        return None
    table, clusters = rows_of(table, is_meant), clusters[is_meant]
    parts = {"all": np.ones(len(clusters), bool), "unique": table["unique"] == 1, "long": table["length"] > LONG}
    found = {name: _pair(rows_of(table, rows), clusters[rows]) for name, rows in parts.items() if rows.any()}
    return {**found, "published": [dict(row) for row in PUBLISHED], "target": TARGET, "note": PUBLISHED_NOTE}


def _pair(table: Table, clusters: NDArray) -> dict[str, Any]:
    named = {"exact_path": table["exact"], "valid_and_optimal": table["optimal"]}
    return {"n": len(clusters), **{name: share(column, clusters) for name, column in named.items()}}
