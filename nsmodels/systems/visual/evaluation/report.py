"""Evaluation of the visual system: the report, with baselines and intervals, and its table for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nsmodels.datasets.clevr.vocabulary import QUESTION_TYPES
from nsmodels.systems.visual.baselines.priors import PUBLISHED, PUBLISHED_NOTE, Prior
from nsmodels.systems.visual.evaluation.objects import object_lines, object_table
from nsmodels.systems.visual.evaluation.scoring import (
    HEADLINE,
    ROWS,
    Predictions,
    Scored,
    answers_beside,
    baseline_rows,
    calibration,
    depth,
    program_exact,
    rows,
)
from nsmodels.systems.visual.perception.matching import object_metrics

Report = dict[str, Any]
ANNOTATED = {
    "num_annotated_images": ("scene annotations", "images"),
    "num_annotated_questions": ("programs", "questions"),
}
_WIDTH = 40


def report(
    data: Predictions,
    prior: Prior,
    *,
    latency: Mapping[str, Any] | None = None,
    num_parameters: Mapping[str, int] | None = None,
    source: Mapping[str, Any] | None = None,
    learned: Mapping[str, Sequence[str]] | None = None,
    scored: Scored | None = None,
    posedness: Mapping[str, Any] | None = None,
) -> Report:
    """The report of one evaluation, ready for JSON.

    Args:
        data: beliefs and programs of the scored split.
        prior: answers of the baselines that ignore the image.
        latency: result of `measure_latency`.
        num_parameters: by module; "total" is added.
        source: origin of the data, and the numbers of `ANNOTATED` where they are known.
        learned: answers of trained baselines to the questions of `data`, by name.
        scored: result of `rows(data)`, where it has been computed before.
        posedness: report of `posedness.measure`.

    """
    scored_rows, answers = scored or rows(data)
    sizes = {"num_scenes": len(data.scenes), "num_questions": len(data.questions)}
    return {
        "rows": scored_rows,
        "headline": HEADLINE,
        "objects": {**object_metrics(data.scenes, data.beliefs), "program_exact": program_exact(data)},
        "attributes": object_table(data.scenes, data.beliefs),
        "baselines": baseline_rows(prior, data.questions, learned),
        "calibration": calibration(answers, data.questions),
        "posedness": dict(posedness or {}),
        "latency": dict(latency or {}),
        "num_parameters": _with_total(num_parameters or {}),
        "data": {**sizes, **(source or {})},
        "published": [dict(row) for row in PUBLISHED],
        "depth": depth(data, answers, answers_beside(prior, data.questions, learned)),
    }


def _with_total(num_parameters: Mapping[str, int]) -> dict[str, int]:
    return {**num_parameters, "total": sum(num_parameters.values())} if num_parameters else {}


def table(result: Report) -> str:
    """The report as lines for a terminal; percentages with 95 % intervals clustered by image."""
    lines = [*_data_lines(result), "", _heading(), "-" * len(_heading())]
    lines += [line for name in ROWS for line in _row_lines(name, result["rows"][name])]
    lines += [_line(f"baseline: {name}", row) for name, row in result["baselines"].items()]
    lines += [
        "",
        *_object_lines(result["objects"]),
        *object_lines(result["attributes"]),
        *_calibration_lines(result["calibration"]),
        *_posed_lines(result["posedness"]),
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
    if row["interval"] is None:
        return "too few" if row.get("is_few") else "-"
    return "–".join(_percent(x) for x in row["interval"])


def _line(label: str, row: Mapping[str, Any]) -> str:
    types = row.get("by_type", {})
    cells = [f"{_percent(types[t]['accuracy'])} (n {types[t]['n']})" if t in types else "-" for t in QUESTION_TYPES]
    return f"{label:<{_WIDTH}}{_percent(row['accuracy']):>7}{_interval(row):>16}{''.join(f'{c:>18}' for c in cells)}"


def _row_lines(name: str, row: Mapping[str, Any]) -> list[str]:
    label = name.replace("_", " ") + (" *" if name == HEADLINE else "")
    return [_line(label, row), *([_line("    hard execution instead of soft", row["hard"])] if "hard" in row else [])]


def _data_lines(result: Report) -> list[str]:
    data = result["data"]
    shown = {k: v for k, v in data.items() if k not in ("num_scenes", "num_questions") and k not in ANNOTATED}
    extra = "".join(f", {k} {v}" for k, v in shown.items())
    lines = [f"{data['num_questions']} questions on {data['num_scenes']} scenes{extra}"]
    known = [
        f"{what} of {data[key]} {things}" for key, (what, things) in ANNOTATED.items() if data.get(key) is not None
    ]
    lines += [f"* trained on {' and '.join(known)}"] if known else []
    places = {row["fitted_on"]: None for row in result["baselines"].values() if row.get("fitted_on")}
    return [*lines, *(f"majority and question-type prior: counted in {place}" for place in places)]


def _object_lines(objects: Mapping[str, float]) -> list[str]:
    shown = [f"{k.replace('_', ' ')} {_percent(v)}" for k, v in objects.items() if k not in ("objects", "scenes")]
    return [f"objects ({objects['objects']:.0f}): {', '.join(shown)}"]


def _calibration_lines(trust: Mapping[str, Any]) -> list[str]:
    selective = ", ".join(f"{_percent(v)} at {k} coverage" for k, v in trust["selective_accuracy"].items())
    return [f"calibration: ECE {_percent(trust['ece'])}; selective accuracy {selective}"]


def _posed_lines(found: Mapping[str, Any]) -> list[str]:
    if not found:
        return []
    apart = f"AUC {_percent(found['auc'])}, ECE {_percent(found['ece'])}"
    refused = f"{_percent(found['ill_posed_refused'])} of the ill-posed ones refused"
    answered = f"{_percent(found['well_posed_answered'])} of the well-posed ones answered"
    before, after = found["confidence_if_posed_ill_posed"], found["confidence_ill_posed"]
    mean = f"mean confidence of the ill-posed {_percent(after)}, if taken for well posed {_percent(before)}"
    return [f"ill-posed questions (half of {found['n']}): {apart}; {refused}, {answered}; {mean}"]


def _depth_lines(depths: Mapping[str, Any]) -> list[str]:
    derived = "" if depths["derived_facts"] is None else f", {depths['derived_facts']:.1f} derived facts per query"
    span = f"{depths['mean']:.1f} ± {depths['std']:.1f} ({depths['min']}–{depths['max']})"
    return [f"reasoning depth {span}, {depths['hops']:.1f} relational hops{derived}"]


def _cost_lines(latency: Mapping[str, Any], num_parameters: Mapping[str, int]) -> list[str]:
    lines = []
    if latency:
        speed = f"{latency['milliseconds_median']:.1f} ms median, {latency['milliseconds_p95']:.1f} ms p95"
        lines.append(f"latency, batch 1, proof included: {speed}, {latency['fps']:.1f} FPS")
        where = f"{latency['device']}, {latency['num_threads']} threads, {latency['machine']}"
        lines.append(f"  on {where}; peak memory {_memory(latency)}")
    if num_parameters:
        lines.append("parameters: " + ", ".join(f"{name} {count:,}" for name, count in num_parameters.items()))
    return lines


def _memory(latency: Mapping[str, Any]) -> str:
    gpu = f", {latency['peak_gpu_memory_mib']:.0f} MiB on the GPU" if "peak_gpu_memory_mib" in latency else ""
    return f"{latency['peak_process_memory_mib']:.0f} MiB of the process{gpu}"


def _published_lines(published: Iterable[Mapping[str, Any]]) -> list[str]:
    return [PUBLISHED_NOTE, *(f"  {_percent(r['accuracy']):>5}  {r['name']} ({r['source']})" for r in published)]
