"""Charts of an evaluation's report; shares in percent, 95 % intervals as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]
MODEL, RULE, CHANCE = plots.COLOURS[0], plots.COLOURS[1], plots.COLOURS[6]


def comparison(report: Report) -> Figure:
    """Goals reached by the navigator, the networks without recursion, the greedy rule, chance and exact search."""
    named = {**report["rows"], **report["baselines"]}
    rows = {name: 100 * row["success"] for name, row in named.items()}
    spans = {name: row["interval"] for name, row in named.items() if row.get("interval")}
    return plots.bars(rows, "goal reached, %", {name: (100 * low, 100 * high) for name, (low, high) in spans.items()})


def success(report: Report) -> Figure:
    """Goals reached by detour and by size, also by the greedy rule and chance."""
    figure, (left, right) = plots.make_figure(2)
    _buckets(left, report["by_detour"], "shortest path / distance without walls")
    _buckets(right, report["by_size"], "rows x columns of the map")
    left.set_ylabel("goal reached, %")
    handles, names = left.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=len(names), frameon=False, fontsize=8)
    return figure


def thinking(report: Report) -> Figure:
    """Share of optimal actions and of goals reached by recursion steps; the number used in training is marked.

    Solid: each cell holds its surest readout for a few segments; dashed: the last segment's readout.
    """
    points, trained = report["steps"]["points"], report["steps"]["trained"]
    figure, (axis,) = plots.make_figure()
    steps = [point["steps"] for point in points]
    axis.axvline(trained, color="#8a929b", linewidth=1, linestyle=":", label=f"as in training ({trained})")
    for name, label, colour, mark in (
        ("any_optimal", "optimal action, cells", MODEL, "o-"),
        ("success", "goal reached, starts", RULE, "s-"),
    ):
        axis.plot(steps, [100 * point[name] for point in points], mark, color=colour, label=label, markersize=4)
        raw = [100 * point[f"raw_{name}"] for point in points]
        axis.plot(steps, raw, "--", color=colour, linewidth=1)
    axis.plot([], [], "--", color=CHANCE, linewidth=1, label="last readout")
    axis.set(xlabel="recursion steps", ylabel="%", xlim=(0, None))
    figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    return figure


def halting(report: Report) -> Figure:
    """Share of entirely correct policies by predicted probability of the halting head, and steps used by map size."""
    found = report["halting"]
    figure, (left, right) = plots.make_figure(2)
    left.plot([0, 1], [0, 1], color=CHANCE, linewidth=0.8, linestyle="--")
    for each in found.get("bins", []):
        width = each["high"] - each["low"]
        left.bar(each["low"], each["accuracy"], width, align="edge", color=plots.COLOURS[5], edgecolor="white")
        left.plot(
            each["confidence"],
            each["accuracy"],
            "o",
            color=MODEL,
            markersize=2 + 6 * each["n"] / found["n"],
            clip_on=False,
        )
    title = f"ECE {found['ece']:.3f}" if found.get("bins") else ""
    left.set(
        xlabel="predicted P(all cells right)", ylabel="observed share of maps", xlim=(0, 1), ylim=(0, 1), title=title
    )
    sizes = found["steps_by_size"]
    right.bar(list(sizes), list(sizes.values()), color=MODEL, width=0.6)
    _tilt(right, list(sizes))
    right.set(xlabel="rows x columns of the map", ylabel="recursion steps used, mean", ylim=(0, None))
    return figure


def _buckets(axis: Axes, buckets: Mapping[str, Mapping[str, Any]], xlabel: str) -> None:
    places = np.arange(len(buckets))
    rows = list(buckets.values())
    for shift, key, label, colour, mark in (
        (-0.12, "success", "navigator", MODEL, "o"),
        (0.0, "greedy_success", "greedy rule", RULE, "s"),
        (0.12, "random_success", "chance", CHANCE, "x"),
    ):
        axis.plot(places + shift, [100 * row[key] for row in rows], mark, color=colour, label=label, markersize=5)
    for place, row in zip(places, rows, strict=True):
        if row["interval"]:
            axis.plot([place - 0.12] * 2, [100 * end for end in row["interval"]], color=MODEL, linewidth=1.2)
    _tilt(axis, [f"{name}\nn={row['n']:,}" for name, row in buckets.items()])
    axis.set(xlabel=xlabel, ylim=(-3, 103), xlim=(-0.5, len(rows) - 0.5))


def _tilt(axis: Axes, names: list[str]) -> None:
    """Set names as tick labels; slanted and small when there are many."""
    many = len(names) > 6
    style: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if many else {}
    axis.set_xticks(range(len(names)), [name.replace("\n", ", ") if many else name for name in names], size=8, **style)
