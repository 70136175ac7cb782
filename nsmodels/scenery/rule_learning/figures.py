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


def curves(report: dict[str, Any]) -> Figure:
    """Precision and recall of rules and labels by number of scenes, and by share of wrong facts."""
    figure, (left, right) = plots.make_figure(2)
    for axis, key, name in ((left, "by_scenes", "scenes"), (right, "by_wrong_facts", "wrong")):
        points = report[key]
        for colour, (score, label) in zip(plots.COLOURS, LINES.items(), strict=False):
            values = [100 * each[score] for each in points]
            style = "--" if score.endswith("recall") else "-"
            axis.plot([each[name] for each in points], values, style, color=colour, label=label, marker=".")
        axis.set(ylabel="%", ylim=(-2, 104))
    left.set(xlabel="scenes to learn from", xscale="log")
    right.set(xlabel="share of wrong facts")
    right.legend(frameon=False, fontsize=7, loc="lower left")
    return figure
