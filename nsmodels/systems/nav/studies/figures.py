"""Figure of data scaling, from its report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]
SCORES = {"success": "goal reached, % of starts", "any_optimal": "optimal action, % of cells"}


def scaling(report: Report) -> Figure:
    """Both scores by number of training maps, with and without augmentation; greedy and chance as lines."""
    figure, axes = plots.make_figure(2)
    for axis, (name, label) in zip(axes, SCORES.items(), strict=True):
        for augment, colour in ((True, plots.COLOURS[0]), (False, plots.COLOURS[1])):
            _line(axis, [t for t in report["trials"] if t["settings"]["augment"] is augment], name, augment, colour)
        for style, (rule, row) in zip(("--", ":"), report["baselines"].items(), strict=True):
            axis.axhline(100 * row[name]["value"], color="grey", linewidth=1, linestyle=style, label=rule)
        axis.set(xlabel="training maps", ylabel=label, xscale="log", ylim=(0, 102))
        sizes = sorted({trial["settings"]["maps"] for trial in report["trials"]})
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30, ha="right")
        axis.minorticks_off()
    axes[1].legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _line(axis: Axes, trials: list[Any], name: str, augment: bool, colour: str) -> None:
    """Points with intervals; the two lines are slightly shifted so that their intervals do not overlap."""
    if not trials:
        return
    sizes = np.array([t["settings"]["maps"] for t in trials]) * (1.02 if augment else 0.98)
    values, ends = (np.array([t[name][what] for t in trials]) * 100 for what in ("value", "interval"))
    gaps = np.abs(ends.T - values)
    label = f"{'with' if augment else 'without'} augmentation"
    axis.errorbar(sizes, values, gaps, color=colour, marker="o", markersize=4, linewidth=1.2, capsize=2, label=label)
