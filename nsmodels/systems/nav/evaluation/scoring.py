"""Scores of policies: by problem as a table, from which shares with intervals and buckets are read.

A table has columns (n,), one entry per problem. Of the walk from start to goal, 0 to 1: `success`, `spl`, `optimal`,
`collided`, `looped`; its `cost` and the `optimum`. Of the cells from which the goal can be reached, the goal left out:
their number `cells`, how many of them have an optimal action (`right`) or the demonstration's (`matched`), and how many
of the latter a perfect policy that draws among equals would have in expectation (`ceiling`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, action_sets
from nsmodels.evaluation.metrics import (
    calibration_bins,
    clustered_interval,
    expected_calibration_error,
    wilson_interval,
)
from nsmodels.systems.nav.planning.rollout import Rollout, follow

WALKS = ("success", "spl", "optimal", "collided", "looped")
# Shares of cells: which column is counted.
CELLS = {"any_optimal": "right", "match_astar": "matched"}
# Costs are sums of floats, and optima are kept as float32.
TOLERANCE, RELATIVE = 1e-4, 1e-6
NUM_RESAMPLES = 2000
Entry = dict[str, Any]
Table = dict[str, NDArray[np.float64]]


def score(actions: NDArray[np.int8], maps: Maps, labels: Labels, optimum: NDArray | None = None) -> Table:
    """The table of a policy's actions, int8 (n, h, w); `optimum` (n,) replaces the labels' cost at the start."""
    walks = follow(actions, maps)
    best = labels.cost_to_go[np.arange(len(maps)), *maps.start.T] if optimum is None else optimum
    return _walk_scores(walks, best.astype(float)) | cell_scores(actions, maps, labels)


def _walk_scores(walks: Rollout, best: NDArray[np.float64]) -> dict[str, NDArray]:
    """SPL (Anderson et al. 2018): success, times the optimal cost over the greater of cost and optimal cost."""
    is_optimal = walks.success & (walks.cost <= best + TOLERANCE + RELATIVE * np.abs(best))
    ratio = np.divide(best, np.maximum(walks.cost, best), out=np.ones_like(best), where=best > 0)
    spl = np.where(is_optimal, 1.0, walks.success * ratio)
    columns = {"success": walks.success, "spl": spl, "optimal": is_optimal}
    columns |= {"collided": walks.collided, "looped": walks.looped}
    costs = {"cost": walks.cost, "optimum": best}
    return {name: column.astype(float) for name, column in (columns | costs).items()}


def cell_scores(actions: NDArray[np.int8], maps: Maps, labels: Labels) -> dict[str, NDArray]:
    """Counts over the cells of each map: cells, right, matched, ceiling (see above)."""
    is_right, is_asked = right_cells(actions, maps, labels)
    demonstrated = (labels.optimal & -labels.optimal) == 1 << actions.astype(np.uint8)  # the lowest optimal action
    num_optimal = action_sets(labels.optimal, maps.connectivity).sum(1)
    expected = np.divide(1.0, num_optimal, out=np.zeros(maps.free.shape), where=is_asked)
    columns = {"cells": is_asked, "right": is_right, "matched": demonstrated & is_asked, "ceiling": expected}
    return {name: column.sum((1, 2)).astype(float) for name, column in columns.items()}


def right_cells(actions: NDArray[np.int8], maps: Maps, labels: Labels) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which cells (n, h, w) have an optimal action, and which are asked: those with a way to the goal, but the goal."""
    is_asked = labels.optimal != 0
    return ((labels.optimal >> actions.astype(np.uint8)) & 1).astype(bool) & is_asked, is_asked


def rows_of(table: Table, rows: NDArray | slice) -> Table:
    """Some rows of a table, by number or by mask."""
    return {name: column[rows] for name, column in table.items()}


def joined(tables: Sequence[Table]) -> Table:
    """The rows of several tables, one after the other."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def metrics(table: Table, clusters: NDArray) -> dict[str, Entry]:
    """The shares of a table, each with value, 95 % interval (by `clusters`, (n,)) and n; `match_astar` with ceiling."""
    found = {name: share(table[name], clusters) for name in WALKS}
    cells = table["cells"]
    found |= {name: ratio(table[column], cells, clusters) for name, column in CELLS.items()}
    found["match_astar"]["ceiling"] = _mean(table["ceiling"].sum(), cells.sum())
    return found


def row(table: Table, clusters: NDArray, **more: Any) -> Entry:
    """A row of the comparison: accuracy (the success rate) with its interval, n, and the other shares as numbers."""
    success = share(table["success"], clusters)
    return {
        "accuracy": success["value"],
        "interval": success["interval"],
        "n": len(table["success"]),
        **means(table),
        **more,
    }


def means(table: Table) -> dict[str, float | None]:
    """Success, SPL, share of optimal paths and of cells with an optimal action; None for no problem at all."""
    walks = {name: _mean(table[name].sum(), len(table[name])) for name in ("success", "spl", "optimal")}
    return {**walks, "any_optimal": _mean(table["right"].sum(), table["cells"].sum())}


def share(values: NDArray, clusters: NDArray) -> Entry:
    """A mean of values in 0 to 1 with its interval by clusters."""
    return ratio(values, np.ones(len(values)), clusters) | {"n": len(values)}


def ratio(hits: NDArray, totals: NDArray, clusters: NDArray) -> Entry:
    """Hits over totals with an interval that resamples whole clusters; `n` is the total.

    Where everything is hit or nothing, resampling cannot doubt: Wilson's interval on the number of clusters can.
    """
    total = float(totals.sum())
    if not total:
        return {"value": None, "interval": None, "n": 0}
    value = float(hits.sum()) / total
    return {"value": value, "interval": _interval(hits, totals, clusters, value), "n": round(total)}


def _interval(hits: NDArray, totals: NDArray, clusters: NDArray, value: float) -> list[float] | None:
    _, place = np.unique(clusters[totals > 0], return_inverse=True)
    num = int(place.max()) + 1
    if value in (0.0, 1.0):
        return list(wilson_interval(round(value * num), num))
    if num == 1:
        return None
    hits, totals = (np.bincount(place, weights=column[totals > 0]) for column in (hits, totals))
    if (totals == 1).all():
        return list(clustered_interval(hits, np.arange(num)))
    rng = np.random.default_rng(0)
    drawn = [rng.integers(0, num, num) for _ in range(NUM_RESAMPLES)]
    values = np.array([hits[chosen].sum() / totals[chosen].sum() for chosen in drawn])
    return [float(bound) for bound in np.quantile(values, (0.025, 0.975))]


def bucketed(labels: NDArray, names: Sequence[str], tables: Mapping[str, Table], clusters: NDArray) -> dict[str, Entry]:
    """For each of `names` that stands in `labels` (n,): n, the navigator's shares, success of the rule and of chance.

    `tables` holds "navigator", "greedy" and "random", rows as in `labels`.
    """
    found = {}
    for name in names:
        chosen = labels == name
        if chosen.any():
            model, rule, chance = (rows_of(tables[key], chosen) for key in ("navigator", "greedy", "random"))
            interval = share(model["success"], clusters[chosen])["interval"]
            beside = {
                "greedy_success": float(rule["success"].mean()),
                "random_success": float(chance["success"].mean()),
            }
            found[name] = {"n": int(chosen.sum()), **means(model), "interval": interval, **beside}
    return found


def calibration(confidence: NDArray, is_right: NDArray) -> Entry | None:
    """Whether a confidence (n,) can be trusted: ECE with its bins, mean confidence and accuracy; None without any."""
    if not len(confidence):
        return None
    sure, right = np.clip(confidence, 0, 1).astype(float), is_right.astype(float)
    bins = calibration_bins(sure, right)
    listed = [
        {
            "low": float(bins.edges[k]),
            "high": float(bins.edges[k + 1]),
            "n": int(bins.count[k]),
            "confidence": float(bins.confidence[k]),
            "accuracy": float(bins.accuracy[k]),
        }
        for k in np.flatnonzero(bins.count)
    ]
    ece = expected_calibration_error(sure, right)
    return {
        "ece": ece,
        "n": len(sure),
        "mean_confidence": float(sure.mean()),
        "accuracy": float(right.mean()),
        "bins": listed,
    }


def _mean(total: float, num: float) -> float | None:
    return float(total / num) if num else None
