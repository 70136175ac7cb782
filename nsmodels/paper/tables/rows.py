"""The tables of the paper: results over seeds, what was scored beside them, parts of the models, searches, cost."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nsmodels.evaluation.measure import Measure
from nsmodels.evaluation.metrics import Interval
from nsmodels.evaluation.sources import kind_of, listed
from nsmodels.paper.results import Result, kinds_of
from nsmodels.paper.searches import Search
from nsmodels.paper.spending import Spending, spending_of
from nsmodels.paper.tables.latex import NONE, Table
from nsmodels.studies.comparison import Row
from nsmodels.studies.variant import FULL

NO_PRESET = "none"
ALL = "all"  # in the name of a table: every system
SCORE = "mean over seeds with its 95 % interval over them (Student's t)"
HEADS = (
    "training",
    "preset",
    "data, split",
    "metric",
    "score",
    "95 %",
    "seeds",
    "items",
    "chance",
    "best baseline",
    "ceiling",
)
Parts = Mapping[str, Sequence[Row]]


def main_results(results: Sequence[Result]) -> Iterator[Table]:
    """A table per system, and one over the headlines of all; data of different kinds are never in one table."""
    for kind in kinds_of(results):
        own = [result for result in results if kind_of(result.first.source) == kind]
        for system in sorted({result.first.system for result in own}):
            yield _results(f"results_{system}_{kind}", [each for each in own if each.first.system == system], kind)
        yield _results(f"results_{ALL}_{kind}", [each for each in own if each.first.is_headline], kind)


def baselines(results: Sequence[Result]) -> Iterator[Table]:
    """What was scored beside the models, a table per system and kind of data: trainings side by side.

    Set are the scores by the headline metrics; the CSV has every metric, a line per score.
    """
    for kind in kinds_of(results):
        own = [result for result in results if kind_of(result.first.source) == kind and result.baselines]
        for system in sorted({result.first.system for result in own}):
            yield _beside(f"baselines_{system}_{kind}", [each for each in own if each.first.system == system])


def _beside(name: str, results: Sequence[Result]) -> Table:
    headlines = [result for result in results if result.first.is_headline]
    known = dict.fromkeys(name for result in headlines for name in result.baselines)
    lines = [[name, *(_score(result, result.baselines.get(name)) for result in headlines)] for name in known]
    lines.append(["the model", *(_score(result, result.mean) for result in headlines)])
    heads = ["beside it", *(f"{result.training}: {_metric(result.measure)}" for result in headlines)]
    presets = "; ".join(f"{result.training}: {result.preset or NO_PRESET}" for result in headlines)
    caption = f"What was scored beside the models on the same items, mean over seeds. Presets: {presets}. "
    plain = [_baseline(result, each, score) for result in results for each, score in sorted(result.baselines.items())]
    return Table(name, caption + _data(headlines), heads, lines, plain)


def _score(result: Result, score: float | None) -> str:
    return NONE if score is None else result.measure.text(score)


def ablations(key: str, parts: Parts, sources: Mapping[str, str], preset: str) -> Table:
    """The gain by each part of a model, from a sealed study of variants `key`."""
    shown = [(name, row) for name, rows in parts.items() for row in rows if row.is_judged and row.variant != FULL]
    rows = [_variant(name, row, sources[name]) | {"preset": preset} for name, row in shown]
    heads = (
        "data, split",
        "part",
        "metric",
        "without it",
        "chance",
        "gain",
        "95 %",
        "verdict",
        "parameters",
        "operations",
        "CPU-s",
    )
    names = (
        "data_text",
        "about",
        "metric",
        "text",
        "chance_text",
        "gain_text",
        "ends_text",
        "verdict",
        "removed",
        "fewer",
        "seconds_text",
    )
    first = next(iter(parts.values()))[0]
    about = ", ".join(f"{name}: {source}" for name, source in sources.items())
    caption = (
        f"Gain by each part: full model less the one without it, paired by item and seed, {len(first.seeds)} seeds; "
        "chance: of what has learnt nothing; parameters and operations: removed with the part. "
        f"Preset: {preset or NO_PRESET}. {about}"
    )
    return _table(f"ablations_{key}", caption, heads, names, rows, left=3)


def searches(found: Sequence[Search]) -> Iterator[Table]:
    """The outcome of every search, where there is one."""
    rows = [search.to_dict() for search in found]
    if rows:
        heads = (
            "search",
            "preset",
            "metric",
            "trials",
            "unchanged",
            "best",
            "gain, further seeds",
            "best configuration",
        )
        names = ("key", "preset", "metric_text", "num_trials", "unchanged_text", "text", "gain_text", "configuration")
        yield _table(
            "searches", f"Outcome of each search. {_sources(s.source for s in found)}", heads, names, rows, left=3
        )


def costs(results: Sequence[Result], root: Path) -> Table:
    """Size and cost of every model: parameters, processor seconds of its training, energy, latency."""
    headlines = [result for result in results if result.first.is_headline]
    rows = [_cost(result, root) for result in headlines]
    heads = (
        "training",
        "preset",
        "parameters",
        "training, CPU-s",
        "wall, s",
        "energy, J",
        "evaluation, CPU-s",
        "latency, ms",
        "of",
    )
    names = (
        "training",
        "preset",
        "size",
        "cpu_text",
        "wall_text",
        "energy_text",
        "scored_text",
        "latency_text",
        "latency_of",
    )
    caption = (
        "Cost of each model with those that it starts from, mean over seeds; baselines are left out but for energy, "
        f"which is that of the whole training{_counted(rows)}. "
        f"Machine: {'; '.join(dict.fromkeys(r.first.machine for r in headlines))}."
    )
    return _table("costs", caption, heads, names, rows, left=2)


def _table(
    name: str,
    caption: str,
    heads: Sequence[str],
    names: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    left: int = 1,
) -> Table:
    """A table whose cells are the values of `rows` under `names`; its CSV has all of their plain values."""
    lines = [[_cell(row[column]) for column in names] for row in rows]
    plain = [{key: value for key, value in row.items() if not key.endswith("text")} for row in rows]
    return Table(name, caption, heads, lines, plain, left)


def _cell(value: Any) -> str:
    if value is None or value == "":
        return NONE
    return f"{value:,}" if isinstance(value, int) else str(value)


# --- rows ------------------------------------------------------------------------------------------------------------


def _results(name: str, results: Sequence[Result], kind: str) -> Table:
    names = ("training", "preset", "data_text", "metric_text", "text", "ends_text", "num_seeds", "num_items")
    names += ("chance_text", "baseline_text", "ceiling_text")
    caption = f"Scores on {kind} data, {SCORE}; chance, best baseline and ceiling beside them. {_data(results)}"
    return _table(name, caption, HEADS, names, [_result(result) for result in results], left=4)


def _result(result: Result) -> dict[str, Any]:
    first, measure, interval = result.first, result.measure, result.interval
    (best, best_score), (top, top_score) = result.best_baseline or ("", None), result.ceiling or ("", None)
    return {
        "system": first.system, "training": result.training, "preset": result.preset, "data": first.dataset,
        "data_fingerprint": first.data_fingerprint, "source": first.source, "trained_on": first.trained_on,
        "split": first.split, "metric": first.metric, "unit": first.unit, "direction": first.direction,
        "mean": result.mean, "low": interval and interval[0], "high": interval and interval[1],
        "seeds": " ".join(result.alike), "scores": " ".join(map(repr, result.scores)),
        "num_seeds": len(result.alike), "num_items": first.n, "num_clusters": first.num_clusters,
        "chance": result.chance, "best_baseline": best, "best_baseline_score": best_score,
        "ceiling": top_score, "ceiling_name": top, "code_version": first.code_version,
        "commits": " ".join(sorted({entry.commit for entry in result.alike.values()})),
        "data_text": f"{first.dataset}, {first.split}" + _elsewhere(result), "metric_text": _metric(measure),
        "text": measure.text(result.mean), "ends_text": _ends(measure, interval),
        "chance_text": measure.text(result.chance) if result.chance is not None else None,
        "baseline_text": f"{measure.text(best_score)} {best}" if best else None,
        "ceiling_text": f"{measure.text(top_score)} {top}".strip() if top_score is not None else None,
    }  # fmt: skip


def _baseline(result: Result, name: str, score: float) -> dict[str, Any]:
    first = result.first
    return {
        "training": result.training, "preset": result.preset, "metric": _metric(result.measure), "baseline": name,
        "score": score, "model": result.mean, "num_seeds": len(result.alike), "num_items": first.n,
        "source": first.source, "split": first.split,
    }  # fmt: skip


def _variant(part: str, row: Row, source: str) -> dict[str, Any]:
    measure, gain = row.measure, row.gain or 0.0
    low, high = row.gain_ends
    return {
        "part": part, "variant": row.variant, "about": row.about, "metric": _metric(measure), "source": source,
        "split": row.split, "num_items": row.num_items, "num_seeds": len(row.seeds), "mean": row.mean, "gain": row.gain,
        "gain_low": row.gain_low, "gain_high": row.gain_high, "changed": row.changed, "verdict": row.verdict,
        "removed": row.parameters_removed, "fewer": row.operations_removed, "cpu_seconds": row.cpu_seconds,
        "chance": row.chance, "is_above_chance": row.is_above_chance,
        "data_text": f"{part}, {row.split}", "text": measure.text(row.mean), "gain_text": measure.difference(gain),
        "chance_text": None if row.chance is None else measure.text(row.chance),
        "ends_text": " to ".join(measure.difference(end) for end in (low, high) if end is not None) or None,
        "seconds_text": f"{row.cpu_seconds:,.0f}",
    }  # fmt: skip


def _cost(result: Result, root: Path) -> dict[str, Any]:
    first, entries = result.first, list(result.alike.values())
    spent: list[Spending] = [spending_of(root, result.training, seed) for seed in result.alike]
    latency = [each.latency for each in spent if each.latency is not None]
    energy = [each.joules for each in spent if each.joules is not None]
    counted = dict.fromkeys(name for each in spent for name in each.energy_of)
    cpu, wall = (
        statistics.fmean(values) for values in zip(*((e.cpu_seconds, e.wall_seconds) for e in spent), strict=True)
    )
    scored = statistics.fmean(entry.evaluation_cpu_seconds for entry in entries)
    joules = statistics.fmean(energy) if len(energy) == len(spent) else None
    milliseconds = statistics.fmean(latency) if len(latency) == len(spent) else None
    return {
        "system": first.system, "training": result.training, "preset": result.preset, "size": first.num_parameters,
        "train_cpu_seconds": cpu, "train_wall_seconds": wall, "joules": joules, "evaluation_cpu_seconds": scored,
        "energy_of": " | ".join(counted) if joules is not None else None,
        "latency_milliseconds": milliseconds, "latency_of": spent[0].latency_of if milliseconds is not None else None,
        "num_seeds": len(entries), "machine": first.machine, "cpu_text": f"{cpu:,.1f}", "wall_text": f"{wall:,.1f}",
        "energy_text": "not measured" if joules is None else f"{joules:,.0f}", "scored_text": f"{scored:,.1f}",
        "latency_text": "not measured" if milliseconds is None else f"{milliseconds:.3g}",
    }  # fmt: skip


def _counted(rows: Sequence[Mapping[str, Any]]) -> str:
    """What the energy is of, in words that follow on others; empty where none was measured."""
    found = dict.fromkeys(row["energy_of"] for row in rows if row["energy_of"])
    return f", counted: {'; or '.join(found)}" if found else ""


def _elsewhere(result: Result) -> str:
    is_elsewhere = result.first.trained_on != result.first.source
    return f" (trained on {result.first.trained_on})" if is_elsewhere else ""


def _metric(measure: Measure) -> str:
    return measure.title.replace("_", " ")


def _ends(measure: Measure, interval: Interval | None) -> str:
    return "all equal" if interval is None else f"{measure.text(interval[0])}–{measure.text(interval[1])}"


def _data(results: Sequence[Result]) -> str:
    return _sources(result.first.source for result in results)


def _sources(sources: Iterable[str]) -> str:
    return f"Data: {listed(sources)}."
