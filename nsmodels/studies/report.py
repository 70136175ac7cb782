"""The table of a study of variants: as text, and as a frame for CSV and parquet; the same for every system."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nsmodels.evaluation.comparison.table import aligned
from nsmodels.evaluation.measure import FEWEST_SEEDS, SHARE, Measure
from nsmodels.studies.comparison import Row
from nsmodels.studies.variant import FULL

if TYPE_CHECKING:
    from pandas import DataFrame

# Columns of CSV and parquet, after `part`, the data that the models were trained and scored on.
NUMBERS = ("low", "high", "gain", "gain_low", "gain_high", "changed", "amount", "removed", "chance")  # may be missing
FLAGS = ("is_above_chance",)  # likewise
COUNTS = ("operations", "operations_removed")  # likewise
LISTS = ("seeds", "scores", "gains")  # written as JSON
CSV, PARQUET = "variants.csv", "variants.parquet"
NOTE = (
    "gain: how much the part makes the model better, paired by item and seed, with the 95 % interval over both; "
    "verdicts: helps, hurts (the interval is on one side of 0), does not matter (it lies within the margin, and the "
    "full model is better than chance by more than that), not shown (neither); each interval is of its own: of 20 "
    "parts without effect, one is expected to help or hurt by accident"
)
FEW = f"no verdicts: fewer than {FEWEST_SEEDS} seeds"


def frame(parts: Mapping[str, Sequence[Row]]) -> DataFrame:
    """A line per part, variant and metric."""
    import pandas as pd

    lines = [{"part": name, **row.to_dict()} for name, rows in parts.items() for row in rows]
    for line in lines:
        line |= {name: json.dumps(line[name]) for name in LISTS}
    kinds = dict.fromkeys(NUMBERS, "float64") | dict.fromkeys(COUNTS, "Int64") | dict.fromkeys(FLAGS, "boolean")
    return pd.DataFrame(lines).astype(kinds)


def table(parts: Mapping[str, Sequence[Row]], sources: Mapping[str, str], margin: float) -> str:
    """A block per part and metric as text: score, gain and verdict of every variant, what it saves and costs."""
    lines: list[str] = []
    for name, rows in parts.items():
        for metric in dict.fromkeys(row.metric for row in rows):
            shown = [row for row in rows if row.metric == metric and (row.is_judged or row.variant == FULL)]
            if len(shown) > 1:
                lines += [*_block(name, sources[name], shown), ""]
        others = [row for row in rows if not row.is_judged and row.variant != FULL]
        lines += [*_others(others, rows[0].split), ""] if others else []
    num_seeds = min(len(row.seeds) for rows in parts.values() for row in rows)
    seeds = ", ".join(map(str, next(iter(parts.values()))[0].seeds))
    lines += [f"seeds {seeds}; {NOTE}; margin {margin:g}"] + ([FEW] if num_seeds < FEWEST_SEEDS else [])
    return "\n".join(lines) + "\n"


def headline(parts: Mapping[str, Sequence[Row]]) -> dict[str, Any]:
    """Figures for the manifest: the mean of every variant, and its gain, by the metric that judges it."""
    found: dict[str, Any] = {}
    for name, rows in parts.items():
        judging = {row.metric for row in rows if row.is_judged}
        for row in rows:
            if row.is_judged or (row.variant == FULL and row.metric in judging):
                found[f"{name}/{row.variant}/{row.metric}"] = row.mean
            if row.is_judged and row.gain is not None:  # of several metrics that of the first
                found.setdefault(f"{name}/{row.variant}/gain", row.gain)
    return found


def _block(name: str, source: str, rows: Sequence[Row]) -> Iterable[str]:
    first = rows[0]
    about = f"{first.num_items:,} items in {first.num_clusters:,} clusters of split {first.split}{_chance(first)}"
    unit = "points" if first.unit == SHARE else first.unit or "gain"
    head = ["part", first.measure.title, f"gain, {unit}", "verdict", "changed", "removed"]
    head += ["parameters", "operations", "CPU-s"]
    cells = [head, *(_line(row) for row in rows)]
    return [f"{name}: {source}; {about}", *aligned(cells)]


def _line(row: Row) -> list[str]:
    measure = row.measure
    is_full = row.variant == FULL
    sizes = (row.parameters, row.operations) if is_full else (row.parameters_removed, row.operations_removed)
    return [
        row.about if is_full else f"{row.about} ({row.variant})",
        f"{measure.text(row.mean)}{ends(measure, row.low, row.high)}",
        "" if row.gain is None else f"{measure.difference(row.gain)}{ends(measure, *row.gain_ends, True)}",
        "" if is_full else row.verdict,
        "" if row.changed is None else f"{row.changed:.1%}",
        "" if is_full else _removed(row),
        *("-" if size is None else f"{size:,}" if is_full else f"{-size:+,}" for size in sizes),
        f"{row.cpu_seconds:.1f}" if row.cpu_seconds < 10 else f"{row.cpu_seconds:.0f}",
    ]


def _chance(row: Row) -> str:
    """The score by chance, and whether the full model is no better; empty where neither is known."""
    level = "" if row.chance is None else f"; chance {row.measure.text(row.chance)}"
    if row.is_above_chance is not False:
        return level
    return f"{level or '; by its headline'}, the full model is not shown to be better than chance"


def _removed(row: Row) -> str:
    """What the model without the part has less of: "7 of 8 views"."""
    if row.removed is None or row.amount is None:
        return row.quantity
    return f"{row.removed:,g} of {row.amount:,g} {row.quantity}"


def _others(rows: Sequence[Row], split: str) -> Iterable[str]:
    """Gains by metrics that give no verdict, in a line each; `split`: of the headline."""
    return [
        f"  {row.variant} by {row.metric}: {row.measure.text(row.mean)}, gain {row.measure.difference(row.gain or 0)}"
        f"{ends(row.measure, *row.gain_ends, True)}" + (f" (split {row.split})" if row.split != split else "")
        for row in rows
    ]


def ends(measure: Measure, low: float | None, high: float | None, is_difference: bool = False) -> str:
    """An interval behind a number, empty where there is none."""
    if low is None or high is None:
        return ""
    text = measure.difference if is_difference else measure.text
    return f" [{text(low)}, {text(high)}]"
