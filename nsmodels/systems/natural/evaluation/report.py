"""The report of an evaluation as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nsmodels.systems.natural.evaluation.scoring import HEADLINE

TITLES = {
    "true_scene_true_program": "true scene, true program",
    "predicted_scene_true_program": "seen scene, true program",
    "true_scene_predicted_program": "true scene, read program",
    "predicted_scene_predicted_program": "image and question only",
}
OFFICIAL = ("accuracy", "binary", "open", "consistency", "validity", "plausibility", "distribution", "grounding")
# Accuracy in percent on the balanced test or validation questions of GQA, with photographs.
PUBLISHED = (
    ("human", 89.3, "Hudson and Manning 2019"),
    ("GraphVQA, true graphs", 94.78, "Liang et al. 2021"),
    ("NSM, true graphs", 88.43, "Hudson and Manning 2019, NSM"),
    ("MDETR", 62.5, "Kamath et al. 2021"),
    ("MCAN-small", 58.38, "Yu et al. 2019, OpenVQA"),
    ("MAC", 54.1, "Hudson and Manning 2018"),
    ("BUTD", 53.38, "Anderson et al. 2018, OpenVQA"),
)
PUBLISHED_NOTE = "published, on GQA's photographs; not comparable with synthetic images"


def table(report: Mapping[str, Any]) -> str:
    """The report in lines."""
    data = report["data"]
    head = (
        f"{data['path']}, split {data['split']}: {data['source']}; {data['num_questions']:,} balanced questions about "
    )
    lines = [f"{head}{data['num_images']:,} images; trained on {data['trained_on']}", ""]
    lines += score_lines(report)
    headline = report["rows"][HEADLINE]
    lines += ["", "by structural type: " + types_line(headline["by_structural"])]
    lines += ["by semantic type: " + types_line(headline["by_semantic"])]
    lines += ["", *_official_lines(report["official"]), "", *_shifted_lines(report["shifted"])]
    lines += [f"programs read exactly: {percent(report['program_exact'])}", _proof_line(report["proofs"])]
    lines += [calibration_line(report["calibration"])]
    lines += network_lines(report)
    if "synthetic" not in data["source"]:
        lines += ["", PUBLISHED_NOTE, *(f"  {value:>6.2f}  {name} ({source})" for name, value, source in PUBLISHED)]
    return "\n".join(lines)


def score_lines(report: Mapping[str, Any]) -> list[str]:
    """The four rows, and the baselines below them."""
    ours = [row_line(TITLES[name], row) for name, row in report["rows"].items()]
    beside = report["baselines"].items()
    return ours + [row_line(f"{name.replace('_', ' ')} (baseline)", row) for name, row in beside]


def network_lines(report: Mapping[str, Any]) -> list[str]:
    """Scores of the objects that are seen, where there are any; latency and parameters of the networks."""
    lines: list[str] = []
    if report["objects"]:
        figures = {k: v for k, v in report["objects"].items() if k not in ("interval", "chance", "majority")}
        lines += ["objects: " + ", ".join(f"{k.replace('_', ' ')} {percent(v)}" for k, v in figures.items())]
    speed = report["latency"]
    parts = ", ".join(f"{name.replace('_', ' ')} {value:.1f}" for name, value in speed["parts"].items())
    lines += [f"latency, batch 1, one thread: {speed['milliseconds_median']:.1f} ms median ({parts})"]
    lines += ["parameters: " + ", ".join(f"{name} {count:,}" for name, count in report["num_parameters"].items())]
    return lines


def row_line(title: str, row: Mapping[str, Any]) -> str:
    """Title, accuracy and interval of a row."""
    interval = row.get("interval")
    spread = f"{percent(interval[0])} to {percent(interval[1])}" if interval else ""
    also = [f"{part} {percent(row[part]['accuracy'])}" for part in ("binary", "open") if part in row]
    return f"{title:<34}{percent(row['accuracy']):>8}  {spread:<18} {', '.join(also)}"


def types_line(rows: Mapping[str, Mapping[str, Any]]) -> str:
    """Accuracy and number of questions by type."""
    return ", ".join(f"{name} {percent(row['accuracy'])} ({row['n']:,})" for name, row in rows.items())


def _official_lines(scores: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    shown = [name for name in OFFICIAL if any(name in each for each in scores.values())]
    yield f"{'official metrics':<34}" + "".join(f"{name:>14}" for name in shown)
    for title, each in scores.items():
        yield f"{title:<34}" + "".join(f"{each[name]:>14.2f}" if name in each else f"{'-':>14}" for name in shown)


def _shifted_lines(shifted: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for split, rows in shifted.items():
        figures = ", ".join(f"{n.replace('_', ' ')} {percent(r['accuracy'])} ({_drop(r)})" for n, r in rows.items())
        yield f"split {split} (change): {figures}"


def _drop(row: Mapping[str, Any]) -> str:
    return "" if row["change"] is None else f"{100 * row['change']:+.1f}"


def _proof_line(proofs: Mapping[str, Any]) -> str:
    return (
        f"proofs of {proofs['n']:,} answers: {percent(proofs['proved'])} proved, of these right "
        f"{percent(proofs['accuracy_proved'])}, of the others {percent(proofs['accuracy_not_proved'])}; "
        f"replayed {percent(proofs['replayed'])}"
    )


def calibration_line(trust: Mapping[str, Any]) -> str:
    """Calibration error and selective accuracy."""
    selective = ", ".join(f"{percent(v)} at {k} coverage" for k, v in trust["selective_accuracy"].items())
    return f"calibration: ECE {percent(trust['ece'])}; selective accuracy {selective}"


def percent(value: float | None) -> str:
    """A share as a percentage."""
    return "-" if value is None else f"{100 * value:.1f} %"
