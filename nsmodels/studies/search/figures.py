"""Figures of a search, from its report alone: history, parallel coordinates, importance, a slice per field.

Trials that ended by themselves are discs, stopped ones triangles; the best one is framed, trial 0 is a square.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nsmodels.evaluation import plots
from nsmodels.studies.search.fitting import FAILED, STOPPED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]
Row = Mapping[str, Any]
MAP = "cividis"  # even in lightness, and the same to most who are colour-blind
BLUE, ORANGE, BLACK = plots.COLOURS[0], plots.COLOURS[1], plots.COLOURS[6]
GREY = "#8a8a8a"
MOST_PANELS = 6  # slices in a row
FEW = 6  # distinct values of a field that are drawn one by one


def history(report: Report) -> Figure:
    """The metric of each trial in order, and the best so far."""
    from matplotlib.ticker import MaxNLocator

    figure, (axis,) = plots.make_figure(width=5.2)
    better = max if report["mode"] == "max" else min
    finished = [row for row in report["trials"] if row["value"] is not None]
    values = [row["value"] for row in finished]
    best = [better(values[: k + 1]) for k in range(len(values))]
    last = report["trials"][-1]["number"] + 0.5
    steps = [row["number"] for row in finished] + [last]
    axis.step(steps, [*best, best[-1]], where="post", color=BLUE, linewidth=1.4, label="best so far")
    axis.axhline(report["trials"][0]["value"], color=BLACK, linestyle="--", linewidth=0.9, label="trial 0, unchanged")
    _marks(axis, report, lambda row: row["number"])
    axis.set(xlabel="trial", ylabel=report["metric"])
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    if any(row["outcome"] == STOPPED for row in report["trials"]):
        axis.plot([], [], "v", color=GREY, markerfacecolor="white", markersize=4.5, label="stopped, at its last value")
    axis.plot([], [], "o", color=ORANGE, markerfacecolor="none", markersize=9, label="best")
    axis.legend(fontsize=7.5, framealpha=0.85, edgecolor="none")
    return figure


def parallel(report: Report) -> Figure | None:
    """A line per trial through the values of its fields to the metric, darker where it is worse."""
    fields = list(report["space"])
    rows = [row for row in report["trials"] if row["value"] is not None]
    figure, (axis,) = plots.make_figure(width=max(4.2, 1.35 * (len(fields) + 1)), height=3.2)
    scales = [_scale(report, rows, name) for name in fields]
    scales.append(_Scale([row["value"] for row in rows], False, is_even=False))
    order = np.argsort([row["value"] for row in rows])
    for row in [rows[k] for k in (order if report["mode"] == "max" else order[::-1])]:
        ends = [scale(value) for scale, value in zip(scales, [*row["values"].values(), row["value"]], strict=True)]
        is_best, height = row["number"] == report["best"], ends[-1] if report["mode"] == "max" else 1 - ends[-1]
        colour = ORANGE if is_best else _colour(0.95 * (1 - height))
        axis.plot(ends, color=colour, linewidth=2.4 if is_best else 0.9, zorder=3 if is_best else 2)
    for place, (name, scale) in enumerate(zip([*fields, report["metric"]], scales, strict=True)):
        _vertical(axis, place, name, scale)
    axis.set(xlim=(-0.3, len(fields) + 0.5), ylim=(-0.04, 1.04), yticks=[], xticks=[])
    axis.spines[["left", "bottom"]].set_visible(False)
    axis.grid(visible=False)
    return figure


def importance(report: Report) -> Figure | None:
    """Share of each field in the variance of the metric over the finished trials; None where there is none."""
    if not report["importance"]:
        return None
    figure = plots.bars(report["importance"], "importance (share of variance, f-ANOVA)")
    for bar in figure.axes[0].patches:
        bar.set_facecolor(BLUE)
    return figure


def slices(report: Report) -> Figure | None:
    """The metric over each field, a panel each, the most important ones first."""
    fields = sorted(report["space"], key=lambda name: -report["importance"].get(name, 0.0))[:MOST_PANELS]
    figure, axes = plots.make_figure(len(fields), width=max(2.1, 4.2 / len(fields)), height=2.8)
    for axis, name in zip(axes, fields, strict=True):
        _slice(axis, report, name)
    axes[0].set_ylabel(report["metric"])
    for axis in axes[1:]:
        axis.sharey(axes[0])
        axis.tick_params(labelleft=False)
    return figure


FURTHER: dict[str, tuple[Callable[[Report], Any], str]] = {
    "parallel_coordinates": (parallel, "Finished trials, worse ones paler; the best is the thick line"),
    "importance": (
        importance,
        "Importance of the searched fields for {metric} of the {phase}; of few trials it is rough",
    ),
    "slices": (slices, "{metric} of the {phase} over each field; discs: finished, triangles: stopped, square: trial 0"),
}


def _slice(axis: Axes, report: Report, name: str) -> None:
    values = list(dict.fromkeys(sorted((row["values"][name] for row in report["trials"]), key=_sortable)))
    is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    if is_number and len(values) > FEW:
        _marks(axis, report, lambda row: row["values"][name])
        if name in report["is_log"]:
            axis.set_xscale("log")
    else:
        places = {_key(value): k for k, value in enumerate(values)}
        _marks(axis, report, lambda row: places[_key(row["values"][name])])
        axis.set_xticks(range(len(values)), [_text(value) for value in values], rotation=30 if len(values) > 4 else 0)
        axis.set_xlim(-0.5, len(values) - 0.5)
    axis.set_xlabel(name, fontsize=8)
    axis.tick_params(labelsize=7.5)


def _marks(axis: Axes, report: Report, place: Callable[[Row], float]) -> None:
    """A mark per trial at its value, of a stopped one at its last."""
    for row in report["trials"]:
        value = _height(row)
        if row["outcome"] == FAILED or value is None:
            continue
        is_stopped = row["outcome"] == STOPPED
        shape = "s" if row["number"] == 0 else "v" if is_stopped else "o"
        colour = BLACK if row["number"] == 0 else GREY if is_stopped else BLUE
        axis.plot(
            place(row), value, shape, color=colour, markersize=4.5, markerfacecolor="white" if is_stopped else colour
        )
        if row["number"] == report["best"]:
            axis.plot(place(row), value, "o", color=ORANGE, markersize=11, markerfacecolor="none", markeredgewidth=1.8)


def _height(row: Row) -> float | None:
    return row["value"] if row["value"] is not None else row["curve"][-1][1] if row["curve"] else None


class _Scale:
    """Values of a field as heights in [0, 1]: numbers in proportion, words and few numbers evenly, in their order."""

    def __init__(self, values: Sequence[Any], is_log: bool, is_even: bool = True) -> None:
        listed = list({_key(value): value for value in sorted(values, key=_sortable)}.values())
        is_number = all(isinstance(value, int | float) and not isinstance(value, bool) for value in listed)
        self._places = {_key(value): k for k, value in enumerate(listed)} if is_even and len(listed) <= FEW else {}
        self._places = self._places if is_number else {_key(value): k for k, value in enumerate(listed)}
        self._is_log = is_log
        self.low, self.high = self._number(listed[0]), self._number(listed[-1])
        shown = listed if self._places else [listed[0], listed[-1]]
        self.labels = {_text(value): self(value) for value in shown}

    def __call__(self, value: Any) -> float:
        span = self.high - self.low
        return (self._number(value) - self.low) / span if span else 0.5

    def _number(self, value: Any) -> float:
        if self._places:
            return float(self._places[_key(value)])
        return math.log(value) if self._is_log else float(value)


def _scale(report: Report, rows: Sequence[Row], name: str) -> _Scale:
    is_log = name in report["is_log"]
    return _Scale([row["values"][name] for row in rows], is_log, is_even=not is_log)


def _vertical(axis: Axes, place: int, name: str, scale: _Scale) -> None:
    box = {"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    axis.axvline(place, color=GREY, linewidth=0.8, zorder=1)
    for text, height in scale.labels.items():
        at = {"textcoords": "offset points", "ha": "left", "va": "center", "size": 7, "bbox": box, "zorder": 5}
        axis.annotate(text, (place, height), (4, 0), **at)
    axis.annotate(name, (place, 1.04), (0, 6), textcoords="offset points", ha="center", va="bottom", size=7.5)


def _colour(share: float) -> Any:
    from matplotlib import colormaps

    return colormaps[MAP](share)


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _key(value: Any) -> str:
    return repr(value)


def _sortable(value: Any) -> Any:
    is_number = isinstance(value, int | float)
    return (not is_number, value if is_number else 0, str(value))
