"""From what was measured to the report: shares with intervals, rivals, buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.systems.nav.evaluation.exact_path import exact_path_report
from nsmodels.systems.nav.evaluation.recursion import halting_report
from nsmodels.systems.nav.evaluation.report import Report
from nsmodels.systems.nav.evaluation.scorer import MODEL, Contest, Judged
from nsmodels.systems.nav.evaluation.scoring import Table, bucketed, calibration, metrics, ratio, row, rows_of
from nsmodels.systems.nav.evaluation.speed import RATES, SEARCH

EXACT = 1 + 1e-4  # detours are quotients of float32
# Path length over the distance without walls: names and upper bounds.
DETOURS = {"1": EXACT, "1-1.25": 1.25, "1.25-1.5": 1.5, "1.5-2": 2.0, ">2": np.inf}


def summary(
    contest: Contest,
    judged: Judged,
    further: Judged | None,
    steps: Mapping[str, Any],
    speed: Mapping[str, Any],
    source: Mapping[str, Any],
) -> Report:
    """Everything that is said of one evaluation, ready for JSON.

    `further` holds larger maps that are scored by size only; `steps` and `speed` are what `steps_curve` and
    `speed_report` gave; `source` says what the data are.
    """
    table, clusters = judged.tables[MODEL], judged.clusters
    return {
        **metrics(table, clusters),
        "rows": {MODEL: _row(contest, judged, speed, MODEL)},
        "headline": MODEL,
        "baselines": {**_rivals(contest, judged, speed), **_searched(judged, speed)},
        "by_detour": by_detour(judged),
        "by_size": by_size(judged, further, source["split"]),
        "by_kind": by_kind(judged),
        "by_density": by_density(judged),
        "steps": dict(steps),
        "halting": halting_report(judged, further),
        "confidence": calibration(judged.confidence, judged.is_right) if _has_own(contest) else None,
        "unreachable": unreachable(table, clusters),
        "exact_path": _exact_path(judged, further),
        "speed": dict(speed),
        "parameters": {MODEL: contest.navigator.num_parameters}
        | {name: network.num_parameters for name, network in contest.plain.items()},
        "data": {**_counts(judged), **source},
    }


def by_detour(judged: Judged, rows: NDArray | slice = slice(None)) -> dict[str, Any]:
    """How much longer the shortest path is than without walls."""
    names = list(DETOURS)
    place = np.searchsorted(list(DETOURS.values()), judged.facts["detour"].astype(float) - 1e-6)
    return _buckets(judged, np.array(names)[place], names, rows)


def by_kind(judged: Judged, rows: NDArray | slice = slice(None)) -> dict[str, Any]:
    """The sort of map."""
    return _buckets(judged, judged.facts["kind"], sorted(set(judged.facts["kind"].tolist())), rows)


def by_density(judged: Judged) -> dict[str, Any]:
    """The share of blocked cells in steps of a tenth."""
    tenths = np.floor(10 * judged.facts["density"].astype(float) + 1e-4).astype(int)
    names = [f"{k / 10:.1f}-{(k + 1) / 10:.1f}" for k in range(10)]
    return _buckets(judged, np.array(names)[np.minimum(tenths, 9)], names)


def by_size(judged: Judged, further: Judged | None, split: str) -> dict[str, Any]:
    """The size of the map, within it detour and kind; `further` has no size of `judged`, see `Problems.set_apart`."""
    return _sizes(judged, split) | (_sizes(further, "transfer") if further else {})


def _sizes(judged: Judged, split: str) -> dict[str, Any]:
    sizes = judged.facts["size"]
    found = _buckets(judged, sizes, list(dict.fromkeys(sizes.tolist())))
    for name, entry in found.items():
        rows = np.flatnonzero(sizes == name)
        entry |= {"split": split, "by_detour": by_detour(judged, rows), "by_kind": by_kind(judged, rows)}
    return found


def _buckets(judged: Judged, labels: NDArray, names: list[str], rows: NDArray | slice = slice(None)) -> dict[str, Any]:
    tables = {name: rows_of(judged.tables[name], rows) for name in (MODEL, "greedy", "random")}
    return bucketed(labels[rows], names, tables, judged.clusters[rows])


def unreachable(table: Table, clusters: NDArray) -> dict[str, Any]:
    """Share of the free cells without a way to the goal that are recognised, and of those with a way that are not."""
    alarms = ratio(table["alarms"], table["cells"], clusters)
    return {**ratio(table["recognised"], table["blocked"], clusters), "false_alarms": alarms}


def _row(contest: Contest, judged: Judged, speed: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = judged.tables[name]
    rows = ~np.isnan(table["success"])
    networks = {MODEL: contest.navigator, **contest.plain}
    more = {"num_parameters": networks[name].num_parameters} if name in networks else {}
    more |= {"train_cpu_seconds": contest.train_cpu_seconds.get(name)} if name in networks else {}
    return row(rows_of(table, rows), judged.clusters[rows], **_rates(judged, speed, name), **more)


def _rivals(contest: Contest, judged: Judged, speed: Mapping[str, Any]) -> dict[str, Any]:
    names = ("greedy", "random", *contest.plain)
    solved = {name: ~np.isnan(judged.tables[name]["success"]) for name in names}
    return {name: _row(contest, judged, speed, name) for name in names if solved[name].any()}


def _searched(judged: Judged, speed: Mapping[str, Any]) -> dict[str, Any]:
    """Exact search as measured: on a sample, every path compared with the labels; it knows paths, no cells."""
    found = {}
    sizes = [speed["by_size"][size] for size in set(judged.facts["size"].tolist())]
    for name in SEARCH:
        timings = [size[name] for size in sizes if name in size]
        if timings:
            num = sum(timing["n"] for timing in timings)
            value = sum(timing["n"] * timing["optimal"] for timing in timings) / num
            shares = dict.fromkeys(("accuracy", "success", "spl", "optimal"), value)
            rates = _rates(judged, speed, name)
            found[name] = {**shares, "any_optimal": None, "interval": None, "n": num, **rates}
    return found


def _rates(judged: Judged, speed: Mapping[str, Any], name: str) -> dict[str, float | None]:
    timed = _commonest(judged, speed).get(name, {})
    return {rate: timed.get(rate) for rate in RATES}


def _commonest(judged: Judged, speed: Mapping[str, Any]) -> dict[str, Any]:
    names, counts = np.unique(judged.facts["size"], return_counts=True)
    timed = {
        size: count for size, count in zip(names.tolist(), counts, strict=True) if "astar" in speed["by_size"][size]
    }
    return speed["by_size"][max(timed, key=lambda size: timed[size])]


def _exact_path(judged: Judged, further: Judged | None) -> dict[str, Any] | None:
    parts = [part for part in (judged, further) if part]
    found = [exact_path_report(part.tables[MODEL], part.clusters) for part in parts]
    return next((entry for entry in found if entry), None)


def _has_own(contest: Contest) -> bool:
    """Whether each action has a probability of its own; where equals share one, it says nothing about being right."""
    return contest.navigator.config.output == "sigmoid"


def _counts(judged: Judged) -> dict[str, Any]:
    several = judged.num_maps > 1
    return {
        "num_maps": judged.num_maps,
        "num_problems": len(judged.facts["mark"]),
        "intervals": "95 %, resampling maps" if several else "95 %, resampling the problems of the one map",
    }
