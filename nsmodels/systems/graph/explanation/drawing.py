"""Pictures of an explanation: the graph with what carried the answer, and the rounds as a strip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots
from nsmodels.formats.graphs import pictures
from nsmodels.systems.graph.explanation.explain import Explanation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
PANELS, CHANNELS = 8, 3  # rounds and channels of the trace that the strip has at most
STRIP = (
    "believed after each round, the darker the more probable; orange: the oracle disagrees, pale ring: not decidable"
)
SUPPORTING, OPPOSING, WRONG = plots.COLOURS[0], plots.COLOURS[1], plots.COLOURS[1]


def check_suffix(path: Path) -> None:
    """Raise InputError for a file that is no picture."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--draw {path}: expected a name ending in {', '.join(SUFFIXES)}")


def draw(found: Explanation, path: Path) -> None:
    """Write the picture of an explanation."""
    figure_of(found).savefig(path, dpi=110)


def figure_of(found: Explanation) -> Figure:
    """Above, the graph: thick edges carry the answer (blue) or speak against it (orange). Below, the rounds.

    In the strip each line is a truth of the trace, the darker a node the more probable; an orange ring: the oracle
    disagrees; without ring the truth is not decidable by then.
    """
    from matplotlib.figure import Figure

    rounds, channels = _chosen_rounds(len(found.steps)), _chosen_channels(found)
    figure = Figure(figsize=(12, 4.4 + 1.7 * len(channels)), layout="constrained")
    lines = 2 if channels else 1
    above, *below = figure.subfigures(lines, 1, height_ratios=[4.4, 1.7 * len(channels)][:lines], squeeze=False)[:, 0]
    places = pictures.positions(found.graph)
    _carried(above.subplots(1, 1), found, places)
    pictures.legend(above, found.words, [found.graph])
    if channels:
        below[0].suptitle(STRIP, fontsize=8)
        axes = below[0].subplots(len(channels), len(rounds), squeeze=False)
        for line, channel in enumerate(channels):
            for column, number in enumerate(rounds):
                _state(axes[line, column], found, places, number, channel)
                if line == 0:
                    axes[line, column].set_title(f"round {found.steps[number].round}", fontsize=8)
            axes[line, 0].text(
                -0.1, 0.5, found.words.channels[channel], rotation=90, ha="right", va="center", fontsize=8
            )
    plots.keep_dollars(figure)
    return figure


def _carried(axis: Axes, found: Explanation, places: NDArray) -> None:
    greatest = max(float(np.abs(found.by_edge).max(initial=0)), 1e-9)
    share = np.abs(found.by_edge) / greatest
    colours = [
        pictures.GREY if part < 0.1 else SUPPORTING if change > 0 else OPPOSING
        for part, change in zip(share, found.by_edge, strict=True)
    ]
    pictures.paint(axis, found.words, found.graph, places, colours, 0.6 + 3.4 * share, size=110)
    words = found.words
    label = f", the oracle's {words.classes[found.graph.label]}" if found.graph.label >= 0 else ""
    axis.set_title(
        f"{found.graph.id}: {words.kinds[found.graph.kind]}; answer {words.classes[found.answer]} "
        f"({found.confidence:.3f}){label}; thick edges carry it, orange ones speak against it",
        fontsize=9,
    )


def _state(axis: Axes, found: Explanation, places: NDArray, number: int, channel: int) -> None:
    """One truth after one round."""
    believed, truth = found.believed[number, :, channel], found.truth[number, :, channel]
    is_decidable = found.is_decidable[number, :, channel]
    fills: list[Any] = [str(1 - 0.9 * value) for value in believed.astype(float)]
    rings = [
        "0.85" if not known else WRONG if (value > 0.5) != right else "black"
        for known, value, right in zip(is_decidable, believed, truth, strict=True)
    ]
    widths, colours = np.full(len(found.graph.sources), 0.3), ["0.8"] * len(found.graph.sources)
    pictures.paint(axis, found.words, found.graph, places, colours, widths, fills, rings, 22, has_names=False)


def _chosen_rounds(number: int) -> list[int]:
    """At most `PANELS` of the states, evenly spaced, with the first and the last."""
    return sorted(set(np.linspace(0, number - 1, min(PANELS, number)).round().astype(int).tolist())) if number else []


def _chosen_channels(found: Explanation) -> list[int]:
    """The channels with the most decidable truths at the end; without a trace the first ones."""
    if not len(found.steps):
        return []
    counts = found.is_decidable[-1].sum(0)
    order = np.argsort(-counts, kind="stable")
    wanted = [int(k) for k in order if counts[k]] or order.tolist()
    return sorted(wanted[:CHANNELS])
