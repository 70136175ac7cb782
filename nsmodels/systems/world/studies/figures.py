"""Figure of the study of modalities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ablations(report: dict[str, Any]) -> Figure:
    """A panel per metric: a bar per subset, with its interval and the scores of the single seeds."""
    metrics = report["metrics"]
    figure, axes = plots.make_figure(len(metrics), width=3.4, height=3.0)
    for axis, (name, each) in zip(axes, metrics.items(), strict=True):
        for place, row in enumerate(each["rows"].values()):
            axis.barh(place, row["mean"], 0.7, color=plots.COLOURS[5])
            axis.plot(row["scores"], [place] * len(row["scores"]), "k|", markersize=6)
            if row["interval"]:
                axis.plot(row["interval"], [place, place], "k", linewidth=0.8)
        names = list(each["rows"]) if axis is axes[0] else [""] * len(each["rows"])
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.invert_yaxis()
        better = "" if each["direction"] == "higher" else " (lower is better)"
        axis.set_title(f"{name.replace('_', ' ')}{better}", fontsize=9)
    return figure
