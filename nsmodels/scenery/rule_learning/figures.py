"""Figure of the study."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINES = {
    "rule_precision": "rules: precision",
    "rule_recall": "rules: recall",
    "labels_precision": "labels: precision",
    "labels_recall": "labels: recall",
    "perceived_recall": "labels as perceived: recall",
    "baseline_recall": "one literal: recall of labels",
}
PANELS = (
    ("by_scenes", "scenes", "scenes to learn from", "log"),
    ("by_wrong_facts", "wrong", "share of wrong facts", "linear"),
    ("by_perceived", "perceived", "scenes perceived by a model", "log"),
)


def curves(report: dict[str, Any]) -> Figure:
    """Precision and recall of rules and labels by number of scenes, share of wrong facts, and perceived scenes."""
    panels = [(key, name, label, scale) for key, name, label, scale in PANELS if report[key]]
    figure, axes = plots.make_figure(len(panels))
    for axis, (key, name, label, scale) in zip(axes, panels, strict=True):
        points = report[key]
        for colour, (score, label) in zip(plots.COLOURS, LINES.items(), strict=False):
            values = [100 * each[score] for each in points]
            style = "--" if score.endswith("recall") else "-"
            axis.plot([each[name] for each in points], values, style, color=colour, label=label, marker=".")
        axis.set(ylabel="%", ylim=(-2, 104), xlabel=label, xscale=scale)
    axes[-1].legend(frameon=False, fontsize=7, loc="lower left")
    return figure
