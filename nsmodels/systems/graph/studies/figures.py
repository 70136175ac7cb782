"""Figures of the studies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def ablations(report: dict[str, Any]) -> Figure:
    """A panel per dataset: a bar per variant and split, with the scores of the single seeds."""
    parts = report["datasets"]
    most = max(len(part["rows"]) for part in parts.values())
    figure, axes = plots.make_figure(len(parts), width=6.0, height=0.8 + 0.45 * most)
    for axis, (key, part) in zip(axes, parts.items(), strict=True):
        places = np.arange(len(part["rows"]))[::-1]
        splits = list(part["data"]["splits"])
        for number, split in enumerate(splits):
            scores = [each["splits"][split] for each in part["rows"].values()]
            heights = places + 0.19 * (len(splits) - 1) - 0.38 * number
            means = [100 * score["mean"] for score in scores]
            axis.barh(heights, means, height=0.36, color=plots.COLOURS[number], label=split, alpha=0.75)
            for place, score in zip(heights, scores, strict=True):
                axis.plot(100 * np.array(score["scores"]), [place] * len(score["scores"]), "k|", markersize=6)
        axis.set_yticks(places, [each["removed"] for each in part["rows"].values()], fontsize=8)
        axis.set(xlabel="both twins right, %", xlim=(0, 102), title=key)
        axis.legend(frameon=False, fontsize=8, loc="lower right")
    return figure
