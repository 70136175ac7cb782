"""The report of an evaluation from its measurements: shares with intervals, baselines, buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.systems.nav.evaluation.exact_path import exact_path_report
from nsmodels.systems.nav.evaluation.recursion import halting_report
from nsmodels.systems.nav.evaluation.report import Report
from nsmodels.systems.nav.evaluation.scorer import FEWEST_MAPS, MODEL, Evaluator, Measurements
from nsmodels.systems.nav.evaluation.scoring import (
    TOLERANCE,
    Table,
    bucket_rows,
    calibration,
    metrics,
    ratio,
    row,
    rows_of,
)
from nsmodels.systems.nav.evaluation.speed import RATES, SEARCH

EXACT = 1 + 1e-4  # detours are quotients of float32
# Path length over the distance without walls: names and upper bounds.
DETOURS = {"1": EXACT, "1-1.25": 1.25, "1.25-1.5": 1.5, "1.5-2": 2.0, ">2": np.inf}

# Optimal cost: names and upper bounds, of costs rounded up.
LENGTHS = {"1-8": 8, "9-16": 16, "17-32": 32, "33-64": 64, "65-128": 128, "129 and more": np.inf}


def summary(
    evaluator: Evaluator,
    result: Measurements,
    further: Measurements | None,
    steps: Mapping[str, Any],
    speed: Mapping[str, Any],
    expanded: Mapping[str, Any],
    source: Mapping[str, Any],
) -> Report:
    """The report of one evaluation, ready for JSON.

    Args:
        evaluator: of the checkpoint.
        result: measurements on the scored split.
        further: measurements on larger maps, which are reported by size only.
        steps, speed, expanded: results of `steps_curve`, `speed_report` and `expansions`.
        source: description of data and checkpoint.
    """
    table, clusters = result.tables[MODEL], result.clusters
    return {
        **metrics(table, clusters),
        "rows": {MODEL: _row(evaluator, result, speed, MODEL)},
        "headline": MODEL,
        "baselines": {**_baselines(evaluator, result, speed), **_searched(result, speed)},
        "by_length": by_length(result),
        "by_detour": by_detour(result),
        "by_size": by_size(result, further, source["split"]),
        "by_kind": by_kind(result),
        "by_density": by_density(result),
        "steps": dict(steps),
        "halting": halting_report(result, further),
        "confidence": calibration(result.confidence, result.is_right) if _has_own(evaluator) else None,
        "unreachable": unreachable(table, clusters),
        "exact_path": _exact_path(result, further),
        "expansions": dict(expanded),
        "speed": dict(speed),
        "parameters": {MODEL: evaluator.navigator.num_parameters}
        | {name: network.num_parameters for name, network in evaluator.plain.items()},
        "data": {**_counts(result), **source},
    }


def by_length(result: Measurements) -> dict[str, Any]:
    """Buckets by optimal cost, which is the length of the shortest path where all cells cost 1."""
    return _buckets(result, length_names(result.tables[MODEL]["optimum"]), list(LENGTHS))


def length_names(optimum: NDArray[np.float64]) -> NDArray[np.str_]:
    """Range of each optimal cost (n,), one of `LENGTHS`."""
    return np.array(list(LENGTHS))[np.searchsorted(list(LENGTHS.values()), np.ceil(optimum - TOLERANCE))]


def by_map(result: Measurements) -> dict[str, Any]:
    """Buckets by name of the map; the intervals of a map are those of its problems."""
    names = result.facts["name"]
    tables = {name: result.tables[name] for name in (MODEL, "greedy", "random")}
    return bucket_rows(names, list(dict.fromkeys(names.tolist())), tables, np.arange(len(names)))


def by_detour(result: Measurements, rows: NDArray | slice = slice(None)) -> dict[str, Any]:
    """Buckets of the problems `rows` (int (m,) or slice) by detour: shortest path over distance without walls."""
    names = list(DETOURS)
    place = np.searchsorted(list(DETOURS.values()), result.facts["detour"].astype(float) - 1e-6)
    return _buckets(result, np.array(names)[place], names, rows)


def by_kind(result: Measurements, rows: NDArray | slice = slice(None)) -> dict[str, Any]:
    """Buckets of the problems `rows` (int (m,) or slice) by kind of map."""
    return _buckets(result, result.facts["kind"], sorted(set(result.facts["kind"].tolist())), rows)


def by_density(result: Measurements) -> dict[str, Any]:
    """Buckets by share of blocked cells, a tenth wide."""
    tenths = np.floor(10 * result.facts["density"].astype(float) + 1e-4).astype(int)
    names = [f"{k / 10:.1f}-{(k + 1) / 10:.1f}" for k in range(10)]
    return _buckets(result, np.array(names)[np.minimum(tenths, 9)], names)


def by_size(result: Measurements, further: Measurements | None, split: str) -> dict[str, Any]:
    """Buckets by size of the map, within each by detour and kind; `further` must not share sizes with `result`."""
    return _sizes(result, split) | (_sizes(further, "transfer") if further else {})


def _sizes(result: Measurements, split: str) -> dict[str, Any]:
    sizes = result.facts["size"]
    found = _buckets(result, sizes, list(dict.fromkeys(sizes.tolist())))
    for name, entry in found.items():
        rows = np.flatnonzero(sizes == name)
        entry |= {"split": split, "by_detour": by_detour(result, rows), "by_kind": by_kind(result, rows)}
    return found


def _buckets(
    result: Measurements, labels: NDArray, names: list[str], rows: NDArray | slice = slice(None)
) -> dict[str, Any]:
    tables = {name: rows_of(result.tables[name], rows) for name in (MODEL, "greedy", "random")}
    return bucket_rows(labels[rows], names, tables, result.clusters[rows])


def unreachable(table: Table, clusters: NDArray) -> dict[str, Any]:
    """Shares of unreachable cells recognised, and of reachable ones denied; intervals over `clusters` (n,).

    These are the network's own predictions, before any check by exact search. `undecided`: number of cells without a
    path when the limit of steps was reached.
    """
    alarms = ratio(table["alarms"], table["cells"], clusters)
    found = ratio(table["recognised"], table["blocked"], clusters)
    return {**found, "false_alarms": alarms, "undecided": int(table["undecided"].sum())}


def _row(evaluator: Evaluator, result: Measurements, speed: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = result.tables[name]
    rows = ~np.isnan(table["success"])
    networks = {MODEL: evaluator.navigator, **evaluator.plain}
    more = {"num_parameters": networks[name].num_parameters} if name in networks else {}
    more |= {"train_cpu_seconds": evaluator.train_cpu_seconds.get(name)} if name in networks else {}
    return row(rows_of(table, rows), result.clusters[rows], **_rates(result, speed, name), **more)


def _baselines(evaluator: Evaluator, result: Measurements, speed: Mapping[str, Any]) -> dict[str, Any]:
    names = ("greedy", "random", *evaluator.plain)
    solved = {name: ~np.isnan(result.tables[name]["success"]) for name in names}
    return {name: _row(evaluator, result, speed, name) for name in names if solved[name].any()}


def _searched(result: Measurements, speed: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of exact search, measured on a sample against the labels; it has paths only, no cells."""
    found = {}
    sizes = [speed["by_size"][size] for size in set(result.facts["size"].tolist())]
    for name in SEARCH:
        timings = [size[name] for size in sizes if name in size]
        if timings:
            num = sum(timing["n"] for timing in timings)
            value = sum(timing["n"] * timing["optimal"] for timing in timings) / num
            shares = dict.fromkeys(("accuracy", "success", "spl", "optimal"), value)
            rates = _rates(result, speed, name)
            found[name] = {**shares, "any_optimal": None, "interval": None, "n": num, **rates}
    return found


def _rates(result: Measurements, speed: Mapping[str, Any], name: str) -> dict[str, float | None]:
    timed = _commonest(result, speed).get(name, {})
    return {rate: timed.get(rate) for rate in RATES}


def _commonest(result: Measurements, speed: Mapping[str, Any]) -> dict[str, Any]:
    names, counts = np.unique(result.facts["size"], return_counts=True)
    timed = {
        size: count for size, count in zip(names.tolist(), counts, strict=True) if "astar" in speed["by_size"][size]
    }
    return speed["by_size"][max(timed, key=lambda size: timed[size])]


def _exact_path(result: Measurements, further: Measurements | None) -> dict[str, Any] | None:
    parts = [part for part in (result, further) if part]
    found = [exact_path_report(part.tables[MODEL], part.clusters) for part in parts]
    return next((entry for entry in found if entry), None)


def _has_own(evaluator: Evaluator) -> bool:
    """Whether actions have independent probabilities; where they sum to 1, they are no P(action is optimal)."""
    return evaluator.navigator.config.output == "sigmoid"


def _counts(result: Measurements) -> dict[str, Any]:
    several, num = result.num_maps >= FEWEST_MAPS, result.num_maps
    one = f"95 %, resampling the problems of {'the one map' if num == 1 else f'the {num} maps'}, not maps"
    return {
        "num_maps": result.num_maps,
        "num_problems": len(result.facts["mark"]),
        "intervals": "95 %, resampling maps" if several else one,
    }
