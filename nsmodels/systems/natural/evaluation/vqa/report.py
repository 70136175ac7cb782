"""The report on a VQA folder as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# Per cent after training on train, on val (overall, yes/no, number, other): OpenVQA's documentation.
PUBLISHED = (
    ("BUTD", "63.84", "81.40 / 43.81 / 55.78"),
    ("BAN-8", "66.00", ""),
    ("MCAN-large", "67.50", ""),
)
PUBLISHED_NOTE = "published, VQA v2 with photographs, train to val; not comparable with synthetic images"


def table(report: Mapping[str, Any]) -> str:
    """The report in lines."""
    data = report["data"]
    lines = [
        f"{data['path']}, split {data['split']}: {data['source']}; {data['num_questions']:,} questions about "
        f"{data['num_images']:,} images; trained on {data['trained_on']}",
        "official VQA score, 95 % interval by image, and by type of answer",
        "",
    ]
    titles = {"baselines": " (baseline)", "ceilings": " (ceiling)"}
    lines += [_row(name.replace("_", " "), row) for name, row in report["rows"].items()]
    for kind, mark in titles.items():
        lines += [_row(f"{name.replace('_', ' ')}{mark}", row) for name, row in report[kind].items()]
    lines += ["", *_pairs(report["pairs"]), _symbolic(report["symbolic_first"]), *_shifted(report["shifted"])]
    trust = report["calibration"]
    selective = ", ".join(f"{percent(v)} at {k} coverage" for k, v in trust["selective_score"].items())
    lines += [f"calibration: ECE {percent(trust['ece'])}; score {selective}"]
    speed = report["latency"]
    lines += [f"latency, batch 1, one thread: {speed['milliseconds_median']:.1f} ms median"]
    lines += ["parameters: " + ", ".join(f"{name} {count:,}" for name, count in report["num_parameters"].items())]
    if "synthetic" not in data["source"]:
        lines += ["", PUBLISHED_NOTE, *(f"  {value:>6}  {name}  {parts}" for name, value, parts in PUBLISHED)]
    return "\n".join(lines)


def percent(value: float | None) -> str:
    """A share in per cent with two decimals, as the official evaluation prints it."""
    return "-" if value is None else f"{100 * value:.2f} %"


def _row(title: str, row: Mapping[str, Any]) -> str:
    interval = row.get("interval")
    spread = f"{percent(interval[0])} to {percent(interval[1])}" if interval else ""
    kinds = " / ".join(f"{name} {percent(each['score'])}" for name, each in row["by_answer_type"].items())
    return f"{title:<34}{percent(row['score']):>9}  {spread:<20} {kinds}"


def _pairs(rows: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for name, row in rows.items():
        if row["n"]:
            yield (
                f"complementary pairs, {name.replace('_', ' ')}: both right {percent(row['both_right'])} of "
                f"{row['n']:,}, score of the worse {percent(row['worse'])}"
            )


def _symbolic(row: Mapping[str, Any]) -> str:
    return (
        f"symbolic first: {percent(row['share'])} proved with score {percent(row['score_proved'])} (chosen answers to "
        f"the same: {percent(row['score_chosen_there'])}), the others {percent(row['score_not_proved'])}"
    )


def _shifted(shifted: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    for split, rows in shifted.items():
        yield f"split {split} (change): " + ", ".join(
            f"{name.replace('_', ' ')} {percent(row['score'])} ({100 * row['change']:+.1f})"
            for name, row in rows.items()
        )
