"""Evaluation of the visual system, never one number: the report and its table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nsmodels.datasets.clevr.vocabulary import QUESTION_TYPES
from nsmodels.systems.visual.baselines import PUBLISHED, PUBLISHED_NOTE
from nsmodels.systems.visual.matching import object_metrics
from nsmodels.systems.visual.scoring import (
    HEADLINE,
    ROWS,
    Predictions,
    Question,
    baseline_rows,
    calibration,
    depth,
    program_exact,
    rows,
)

Report = dict[str, Any]
_WIDTH = 40


def report(
    data: Predictions,
    train_questions: Sequence[Question],
    *,
    latency: Mapping[str, Any] | None = None,
    num_parameters: Mapping[str, int] | None = None,
    source: Mapping[str, Any] | None = None,
    learned: Mapping[str, Sequence[str]] | None = None,
) -> Report:
    """Everything that is said of one evaluation, ready for JSON.

    `train_questions` fit the baselines; `latency` is what `measured_latency` gave; `num_parameters` is by module;
    `source` says what the data is (source, split, "num_annotated": scenes whose annotations trained the model, ...);
    `learned` are the answers of trained baselines to the questions of `data`, by name.
    Keys: rows, headline, objects, baselines, calibration, latency, num_parameters, data, published, depth.
    """
    scored_rows, found = rows(data)
    sizes = {"num_scenes": len(data.scenes), "num_questions": len(data.questions)}
    return {
        "rows": scored_rows,
        "headline": HEADLINE,
        "objects": {**object_metrics(data.scenes, data.beliefs), "program_exact": program_exact(data)},
        "baselines": baseline_rows(train_questions, data.questions, learned),
        "calibration": calibration(found, data.questions),
        "latency": dict(latency or {}),
        "num_parameters": dict(num_parameters or {}),
        "data": {**sizes, **(source or {})},
        "published": [dict(row) for row in PUBLISHED],
        "depth": depth(data, found),
    }


def table(result: Report) -> str:
    """The report as lines for a terminal; percentages with 95 % intervals clustered by image."""
    lines = [*_data_lines(result), "", _heading(), "-" * len(_heading())]
    lines += [line for name in ROWS for line in _row_lines(name, result["rows"][name])]
    lines += [_line(f"baseline: {name}", row) for name, row in result["baselines"].items()]
    lines += [
        "",
        *_object_lines(result["objects"]),
        *_trust_lines(result["calibration"]),
        *_depth_lines(result["depth"]),
    ]
    lines += _cost_lines(result["latency"], result["num_parameters"])
    return "\n".join([*lines, "", *_published_lines(result["published"])])


def _heading() -> str:
    columns = "".join(f"{name:>18}" for name in QUESTION_TYPES)
    return f"{'accuracy in %':<{_WIDTH}}{'all':>7}{'95 % interval':>16}{columns}"


def _percent(value: float | None) -> str:
    return "-" if value is None or value != value else f"{100 * value:.1f}"


def _interval(row: Mapping[str, Any]) -> str:
    return "-" if row["interval"] is None else "–".join(_percent(x) for x in row["interval"])


def _line(label: str, row: Mapping[str, Any]) -> str:
    types = row.get("by_type", {})
    cells = [f"{_percent(types[t]['accuracy'])} (n {types[t]['n']})" if t in types else "-" for t in QUESTION_TYPES]
    return f"{label:<{_WIDTH}}{_percent(row['accuracy']):>7}{_interval(row):>16}{''.join(f'{c:>18}' for c in cells)}"


def _row_lines(name: str, row: Mapping[str, Any]) -> list[str]:
    label = name.replace("_", " ") + (" *" if name == HEADLINE else "")
    return [_line(label, row), *([_line("    hard execution instead of soft", row["hard"])] if "hard" in row else [])]


def _data_lines(result: Report) -> list[str]:
    data = result["data"]
    extra = ", ".join(f"{k} {v}" for k, v in data.items() if k not in ("num_scenes", "num_questions", "num_annotated"))
    lines = [f"{data['num_questions']} questions on {data['num_scenes']} scenes{', ' + extra if extra else ''}"]
    if "num_annotated" in data:
        lines.append(f"* uses scene and program annotations of {data['num_annotated']} images")
    return lines


def _object_lines(objects: Mapping[str, float]) -> list[str]:
    shown = [f"{k.replace('_', ' ')} {_percent(v)}" for k, v in objects.items() if k not in ("objects", "scenes")]
    return [f"objects ({objects['objects']:.0f}): {', '.join(shown)}"]


def _trust_lines(trust: Mapping[str, Any]) -> list[str]:
    selective = ", ".join(f"{_percent(v)} at {k} coverage" for k, v in trust["selective_accuracy"].items())
    return [f"calibration: ECE {_percent(trust['ece'])}; selective accuracy {selective}"]


def _depth_lines(depths: Mapping[str, Any]) -> list[str]:
    derived = "" if depths["derived_facts"] is None else f", {depths['derived_facts']:.1f} derived facts per query"
    span = f"{depths['mean']:.1f} ± {depths['std']:.1f} ({depths['min']}–{depths['max']})"
    return [f"reasoning depth {span}, {depths['hops']:.1f} relational hops{derived}"]


def _cost_lines(latency: Mapping[str, Any], num_parameters: Mapping[str, int]) -> list[str]:
    lines = []
    if latency:
        speed = f"{latency['milliseconds_median']:.1f} ms median, {latency['milliseconds_p95']:.1f} ms p95"
        memory = f"peak memory {latency['peak_memory_mib']:.0f} MiB"
        lines.append(f"latency, batch 1, proof included: {speed}, {latency['fps']:.1f} FPS, {memory}")
    if num_parameters:
        lines.append("parameters: " + ", ".join(f"{name} {count:,}" for name, count in num_parameters.items()))
    return lines


def _published_lines(published: Iterable[Mapping[str, Any]]) -> list[str]:
    return [PUBLISHED_NOTE, *(f"  {_percent(r['accuracy']):>5}  {r['name']} ({r['source']})" for r in published)]
