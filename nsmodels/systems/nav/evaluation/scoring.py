"""Scores of policies: a table of scores by problem, from which shares with intervals and buckets are computed.

A table has columns (n,), one entry per problem. Of the rollout from start to goal, 0 to 1: `success`, `spl`, `optimal`,
`collided`, `looped`; its `cost` and the `optimum`. Of the cells from which the goal can be reached, the goal excluded:
their number `cells`, the number with an optimal action (`right`), with the action of the demonstration (`matched`), and
the expectation of the latter for a perfect policy that draws among equally good actions (`ceiling`).

Intervals resample whole clusters, the problems of one map, since they succeed and fail together. A share of cells is a
ratio of two sums, Σ hits / Σ cells, both of which vary with the maps drawn; it is computed again in every resample.
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
from nsmodels.systems.nav.planning.rollout import Rollout, roll_out

WALKS = ("success", "spl", "optimal", "collided", "looped")
# Shares of cells: name and counted column.
CELLS = {"any_optimal": "right", "match_astar": "matched"}
# Absolute and relative: costs are sums of floats, and optima are stored as float32.
TOLERANCE, RELATIVE = 1e-4, 1e-6
NUM_RESAMPLES = 2000
Entry = dict[str, Any]
Table = dict[str, NDArray[np.float64]]


def score(actions: NDArray[np.int8], maps: Maps, labels: Labels, optimum: NDArray | None = None) -> Table:
    """The table of a policy's actions, int8 (n, h, w); `optimum` (n,) replaces the labels' cost at the start."""
    rollout = roll_out(actions, maps)
    best = labels.cost_to_go[np.arange(len(maps)), *maps.start.T] if optimum is None else optimum
    return _walk_scores(rollout, best.astype(float)) | cell_scores(actions, maps, labels)


def _walk_scores(rollout: Rollout, best: NDArray[np.float64]) -> dict[str, NDArray]:
    """Scores of rollouts (n,), with SPL (Anderson et al. 2018)."""
    # SPL = success · best / max(cost, best): 1 for an optimal path, less in proportion to its length, 0 without
    # success. The start on the goal, best = 0, has the ratio 1.
    is_optimal = rollout.success & (rollout.cost <= best + TOLERANCE + RELATIVE * np.abs(best))
    ratio = np.divide(best, np.maximum(rollout.cost, best), out=np.ones_like(best), where=best > 0)
    spl = np.where(is_optimal, 1.0, rollout.success * ratio)
    columns = {"success": rollout.success, "spl": spl, "optimal": is_optimal}
    columns |= {"collided": rollout.collided, "looped": rollout.looped}
    costs = {"cost": rollout.cost, "optimum": best}
    return {name: column.astype(float) for name, column in (columns | costs).items()}


def cell_scores(actions: NDArray[np.int8], maps: Maps, labels: Labels) -> dict[str, NDArray]:
    """Counts (n,) over the cells of each map: cells, right, matched, ceiling (see above); actions int8 (n, h, w)."""
    is_right, is_counted = correct_cells(actions, maps, labels)
    # Labels are bit sets of optimal actions; x & −x is the lowest bit, the action of the demonstration. Drawing among
    # the k optimal actions of a cell matches it with probability 1 / k, hence the ceiling Σ 1 / k.
    demonstrated = (labels.optimal & -labels.optimal) == 1 << actions.astype(np.uint8)
    num_optimal = action_sets(labels.optimal, maps.connectivity).sum(1)
    expected = np.divide(1.0, num_optimal, out=np.zeros(maps.free.shape), where=is_counted)
    columns = {"cells": is_counted, "right": is_right, "matched": demonstrated & is_counted, "ceiling": expected}
    return {name: column.sum((1, 2)).astype(float) for name, column in columns.items()}


def correct_cells(actions: NDArray[np.int8], maps: Maps, labels: Labels) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Cells with an optimal action, and counted cells, bool (n, h, w): the goal can be reached, the goal excluded."""
    is_counted = labels.optimal != 0
    return ((labels.optimal >> actions.astype(np.uint8)) & 1).astype(bool) & is_counted, is_counted


def rows_of(table: Table, rows: NDArray | slice) -> Table:
    """Rows of a table, by number, int (m,), by mask, bool (n,), or by slice."""
    return {name: column[rows] for name, column in table.items()}


def concatenate_tables(tables: Sequence[Table]) -> Table:
    """The rows of several tables, one after the other."""
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def metrics(table: Table, clusters: NDArray) -> dict[str, Entry]:
    """Shares of a table by name: value, 95 % interval over `clusters` (n,) and n; `match_astar` with its ceiling."""
    found = {name: share(table[name], clusters) for name in WALKS}
    cells = table["cells"]
    found |= {name: ratio(table[column], cells, clusters) for name, column in CELLS.items()}
    found["match_astar"]["ceiling"] = _mean(table["ceiling"].sum(), cells.sum())
    return found


def row(table: Table, clusters: NDArray, **more: Any) -> Entry:
    """Row of the comparison: accuracy (success rate) with its interval over `clusters` (n,), n, the other shares."""
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
    paths = {name: _mean(table[name].sum(), len(table[name])) for name in ("success", "spl", "optimal")}
    return {**paths, "any_optimal": _mean(table["right"].sum(), table["cells"].sum())}


def share(values: NDArray, clusters: NDArray) -> Entry:
    """Mean of `values` (n,) in 0 to 1 with its 95 % interval over `clusters` (n,)."""
    return ratio(values, np.ones(len(values)), clusters) | {"n": len(values)}


def ratio(hits: NDArray, totals: NDArray, clusters: NDArray) -> Entry:
    """Σ `hits` / Σ `totals`, (n,) each, with a 95 % interval over whole `clusters` (n,); `n` is Σ `totals`."""
    total = float(totals.sum())
    if not total:
        return {"value": None, "interval": None, "n": 0}
    value = float(hits.sum()) / total
    return {"value": value, "interval": _interval(hits, totals, clusters, value), "n": round(total)}


def _interval(hits: NDArray, totals: NDArray, clusters: NDArray, value: float) -> list[float] | None:
    _, place = np.unique(clusters[totals > 0], return_inverse=True)
    num = int(place.max()) + 1
    # Where all clusters are hit, or none, every resample equals the value, and the bootstrap interval has no width.
    # There Wilson's interval for the number of clusters takes its place.
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


def bucket_rows(
    labels: NDArray, names: Sequence[str], tables: Mapping[str, Table], clusters: NDArray
) -> dict[str, Entry]:
    """For each of `names` in `labels` (n,): n, the navigator's shares, success of the greedy rule and of chance.

    `tables` contains "navigator", "greedy" and "random", with rows as in `labels`.
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
    """Calibration of a confidence (n,) against `is_right` (n,): ECE with its bins, means; None for n = 0."""
    # ECE = Σ_b (n_b / n) |accuracy_b − mean confidence_b| over bins of equal width.
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
