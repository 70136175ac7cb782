"""Figures of an evaluation's report; shares in percent, 95 % intervals as lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsmodels.evaluation import plots
from nsmodels.systems.graph.config import REASONER
from nsmodels.systems.graph.evaluation.rivals import title
from nsmodels.systems.graph.evaluation.summary import Report, accuracy_by_length

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GREY, FILL = plots.COLOURS[6], plots.COLOURS[5]
CENTRED_GOAL, SEMANTIC_GOAL = 0.2, 0.98


def draw_all(report: Report, folder: Path, is_printed: bool = False) -> None:
    """Write every figure into `folder` as PDF and PNG; each caption names the data and what training used.

    `is_printed`: see `plots.save_figure`.
    """
    data = report["data"]
    source = f"{data['source']}, split {data['split']}, {report['rows'][REASONER]['n']:,} graphs"
    charts = {name: chart for name, chart in CHARTS.items() if name != "cycle" or report["cycle"]}
    for name, (draw, caption) in charts.items():
        about = f"{caption}; {report['supervision']['caption']}"
        plots.save_figure(draw(report), folder / name, about, source, is_printed)


def comparison(report: Report) -> Figure:
    """The headline metric of the reasoner, of other networks, of classifiers of counts and colours, and of chance."""
    metric = report["metric"]
    rows = {**report["rows"], **report["baselines"]}
    values = {title(name): 100 * row[metric] for name, row in rows.items() if row[metric] is not None}
    ends = {title(name): row["interval"] for name, row in rows.items() if row.get("interval")}
    spans = {name: (100 * low, 100 * high) for name, (low, high) in ends.items()}
    return plots.bars(values, f"{_what(metric)}, %", spans)


def confusion(report: Report) -> Figure:
    """Number of graphs by label and prediction of the reasoner, and their share of the label."""
    row, classes = report["rows"][REASONER], report["data"]["classes"]
    counts = np.array(row["confusion"])
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure, (axis,) = plots.make_figure(width=3.6, height=3.2)
    axis.grid(visible=False)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (label, predicted), count in np.ndenumerate(counts):
        text = f"{count:,}\n{100 * shares[label, predicted]:.1f} %"
        colour = "white" if shares[label, predicted] > 0.5 else "black"
        axis.text(predicted, label, text, ha="center", va="center", color=colour)
    axis.set_xticks(range(len(classes)), classes)
    axis.set_yticks(range(len(classes)), classes)
    axis.set(xlabel="predicted", ylabel="label, by the oracle")
    return figure


def confidence(report: Report) -> Figure:
    """Accuracy of the reasoner by its confidence beside the diagonal, and how many graphs have it."""
    part = report["splits"][report["data"]["split"]]
    figure, (left, right) = plots.make_figure(2)
    left.plot([0.5, 1], [0.5, 1], color=GREY, linewidth=0.8, linestyle="--")
    for each in part["reliability"]:
        width = each["high"] - each["low"]
        left.bar(each["low"], each["accuracy"], width, align="edge", color=FILL, edgecolor="white")
        left.plot(each["confidence"], each["accuracy"], "o", color=plots.COLOURS[0], markersize=4, clip_on=False)
        right.bar(each["low"], each["n"], width, align="edge", color=plots.COLOURS[0], edgecolor="white")
    left.set(xlabel="confidence", ylabel="accuracy", xlim=(0.45, 1), ylim=(0, 1))
    left.set_title(f"ECE {report['rows'][REASONER]['ece']:.3f}")
    right.set(xlabel="confidence", ylabel="graphs", xlim=(0.45, 1))
    return figure


def difficulty(report: Report) -> Figure:
    """The headline metric of the reasoner by length and by rounds, each kind of query a line, in all scored splits."""
    figure, (left, right) = plots.make_figure(2)
    metric = report["metric"]
    for number, kind in enumerate(report["data"]["kinds"]):
        points: dict[int, Any] = {}
        for part in report["splits"].values():
            points |= {int(k): each for k, each in part["by_length_and_kind"].get(kind, {}).items()}
        _curve(left, points, metric, kind, plots.line(number))
    by_rounds: dict[int, Any] = {}
    for part in report["splits"].values():
        by_rounds |= {int(k): each for k, each in part["by_rounds"][REASONER].items()}
    _curve(right, by_rounds, "accuracy", "all kinds", plots.line(0) | {"color": GREY})
    for axis, level in ((left, _by_chance(metric)), (right, 50)):
        axis.axhline(level, color=GREY, linewidth=0.8, linestyle=":", label="chance")
    left.set(xlabel=report["data"]["length"], ylabel=f"{_what(metric)}, %", ylim=(-3, 103))
    right.set(xlabel="rounds that the structure demands", ylabel="accuracy, %", ylim=(-3, 103))
    left.legend(frameon=False, fontsize=8)
    return figure


def lengths(report: Report) -> Figure:
    """The headline metric of every network by length; the lengths of training are shaded."""
    curves, name = accuracy_by_length(report)
    figure, (axis,) = plots.make_figure(width=6, height=4.6)
    if trained := report["data"]["trained_lengths"]:
        axis.axvspan(trained[0], trained[1], color=FILL, alpha=0.25, linewidth=0, label="trained")
    for number, (row, curve) in enumerate(curves.items()):
        _curve(axis, curve, report["metric"], title(row), plots.line(number))
    axis.axhline(_by_chance(report["metric"]), color=GREY, linewidth=0.8, linestyle=":", label="chance")
    axis.set(xlabel=name, ylabel=f"{_what(report['metric'])}, %", ylim=(-3, 103))
    _legend_above(figure, axis)
    return figure


def cycle(report: Report) -> Figure:
    """What networks with levels lose on the way up and down again; the goals are marked."""
    figure, (left, right) = plots.make_figure(2)
    networks = {title(phase): measures for phase, measures in report["cycle"].items()}
    _beside(left, networks, {"centred_error": "relative to the variance", "plain_error": "as in the source"})
    _beside(right, networks, {"semantic": "truths about nodes", "node_types": "types of nodes"})
    left.axhline(CENTRED_GOAL, color=GREY, linewidth=0.8, linestyle="--")
    right.axhline(SEMANTIC_GOAL, color=GREY, linewidth=0.8, linestyle="--")
    left.set(ylabel="squared error of the restored nodes", ylim=(0, None))
    right.set(ylabel="share recovered", ylim=(0, 1.03))
    _legend_above(figure, left)
    return figure


CHARTS: dict[str, tuple[Callable[[Report], Figure], str]] = {
    "comparison": (comparison, "Both twins right (or accuracy, of graphs without twins), with 95 % intervals"),
    "confusion": (confusion, "Labels and predictions of the reasoner"),
    "confidence": (confidence, "Accuracy by confidence of the reasoner, and number of graphs by confidence"),
    "difficulty": (difficulty, "Scores of the reasoner by length and by rounds, on all scored splits"),
    "lengths": (lengths, "Scores over length, longer than in training too; the trained lengths are shaded"),
    "cycle": (cycle, "What comes back of the nodes from the levels above them; dashed: the goals"),
}


def _beside(axis: Axes, networks: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> None:
    """Bars of several measures, the networks side by side."""
    width = 0.8 / len(networks)
    for number, (network, measures) in enumerate(networks.items()):
        places = np.arange(len(names)) + (number - (len(networks) - 1) / 2) * width
        values = [np.nan if measures[name] is None else measures[name] for name in names]
        axis.bar(places, values, width, label=network, **plots.fill(number))
    axis.set_xticks(range(len(names)), list(names.values()))
    axis.set_xlim(-0.5, len(names) - 0.5)


def _legend_above(figure: Figure, axis: Axes) -> None:
    """The legend above all panels: within one it would lie on what is drawn."""
    handles, names = axis.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=2, frameon=False, fontsize=8)


def _curve(axis: Axes, points: Mapping[int, Any], metric: str, label: str, look: Mapping[str, Any]) -> None:
    known = {length: each for length, each in sorted(points.items()) if each[metric] is not None}
    if not known:
        return
    axis.plot(list(known), [100 * e[metric] for e in known.values()], label=label, **look)
    if metric == "paired_accuracy":
        for length, each in known.items():
            axis.plot([length] * 2, [100 * end for end in each["paired_interval"]], color=look["color"], linewidth=1)


def _by_chance(metric: str) -> int:
    return 25 if metric == "paired_accuracy" else 50


def _what(metric: str) -> str:
    return "both twins right" if metric == "paired_accuracy" else "accuracy"
