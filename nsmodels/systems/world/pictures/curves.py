"""Curves of a training: its loss and every monitored term by epoch, a panel for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 4
SPLITS = {"train": ("--", plots.COLOURS[5]), "val": ("-", plots.COLOURS[0])}


def monitored(history: Sequence[Mapping[str, Any]]) -> Figure:
    """A panel for the loss and for each term, training dashed and validation solid; where both are there, both."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if not history:
        raise InputError("monitored: the history is empty; train at least one epoch")
    every = [key.partition("/") for row in history for key in row]
    names = list(dict.fromkeys(["loss", *(name for split, _, name in every if split in SPLITS)]))
    num_rows = -(-len(names) // COLUMNS)
    figure = Figure(figsize=(2.7 * COLUMNS, 1.9 * num_rows))
    # Fixed margins: a layout that measures every label takes seconds.
    figure.subplots_adjust(
        left=0.05, right=0.99, bottom=0.35 / (1.9 * num_rows), top=1 - 0.3 / (1.9 * num_rows), wspace=0.3, hspace=0.45
    )
    for number, name in enumerate(names):
        axis = figure.add_subplot(num_rows, COLUMNS, number + 1)
        for split, (style, colour) in SPLITS.items():
            points = [(row["epoch"], row[f"{split}/{name}"]) for row in history if f"{split}/{name}" in row]
            if points:
                axis.plot(*zip(*points, strict=True), style, color=colour, marker="." if len(points) < 30 else "")
        axis.set_title(name.replace("_", " "), fontsize=9)
        plots.mark_epochs(axis, history)
        axis.set_xlabel("")  # the caption names it
        axis.xaxis.set_major_locator(MaxNLocator(3, integer=True, min_n_ticks=1))
        axis.yaxis.set_major_locator(MaxNLocator(3))
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    return figure
