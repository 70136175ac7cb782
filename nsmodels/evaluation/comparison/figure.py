"""The figure of a comparison: a bar per row and dataset, single seeds, intervals over seeds and by image."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable_count
from nsmodels.evaluation import plots
from nsmodels.evaluation.comparison.rows import Row
from nsmodels.evaluation.comparison.table import Compared
from nsmodels.evaluation.measure import FEWEST_SEEDS, SHARE
from nsmodels.evaluation.sources import require_one_kind, require_one_split

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REMEDY = {"ours": "make more of its replicates, or compare one alone"}
LETTERS = 24  # of a label, in a line
LINE = 0.22  # inches of a line of a label
SEEDS = 0.16  # of the height of a row: how far below its middle single seeds are drawn
COLOURS = {"guess": "#999999", "network": plots.COLOURS[5], "ours": plots.COLOURS[0], "people": plots.COLOURS[4]}
HATCHES = {"network": "////", "people": "...."}  # colours alone are lost in print


def require_sound(compared: Sequence[Compared], where: str) -> None:
    """Raise `InputError` for mixed sources, unequal splits, and too few seeds for an interval over them.

    Networks have several seeds; whatever else has more than one, as the model itself, needs as many.
    """
    require_one_kind({part.name: part.source for part in compared}, where, "compare those of one kind")
    splits = {f"{part.name}, row '{row.name}'": row.first.split for part in compared for row in part.rows}
    require_one_split(splits, where, "score all on one")
    for part in compared:
        for row in part.rows:
            num = len(row.seeds)
            if num < FEWEST_SEEDS and (row.kind == "network" or num > 1):
                raise InputError(
                    f"{where}: {part.name}, row '{row.name}' has {readable_count(num, 'seed')}, and an interval over "
                    f"seeds needs {FEWEST_SEEDS}; {REMEDY.get(row.kind, 'train it with more (seeds)')}"
                )


def caption(compared: Sequence[Compared]) -> str:
    """What the marks of `draw` mean."""
    seeds = _seeds(compared)
    over = f"; white dots and thick line: {seeds} and their 95 % interval" if seeds else ""
    return f"Scores on the same questions{over}; thin line: 95 % interval by image"


def _seeds(compared: Sequence[Compared]) -> str:
    """How many seeds the rows have: the most usual number, and which ones have a different one; empty for one each."""
    counts: dict[int, list[str]] = {}
    for part in compared:
        for row in (row for row in part.rows if row.seeds):
            where = f" on {part.name}" if len(compared) > 1 else ""
            counts.setdefault(len(row.seeds), []).append(f"{plots.words(row.name)}{where}")
    if max(counts, default=0) < 2:
        return ""
    usual = max(counts, key=lambda num: (len(counts[num]), num))
    others = [f"{num} of {', '.join(names)}" for num, names in sorted(counts.items()) if num != usual]
    return "; ".join([f"{readable_count(usual, 'seed')} of each network", *others])


def draw(compared: Sequence[Compared]) -> Figure:
    """A panel per dataset with a bar per row."""
    most = max(len(part.rows) for part in compared)
    named = [labels(part.rows) for part in compared]
    num_lines = max(label.count("\n") + 1 for each in named for label in each)
    figure, axes = plots.make_figure(len(compared), width=5.2, height=0.8 + max(0.36, LINE * num_lines) * most)
    for axis, part, names in zip(axes, compared, named, strict=True):
        for place, row in enumerate(part.rows):
            _draw(axis, place, row)
        axis.set_yticks(range(len(part.rows)), names, fontsize=7.5)
        axis.set(ylim=(most - 0.4, -0.6), xlabel=part.rows[0].measure.title.replace("_", " "), title=part.name)
        axis.margins(x=0.14)
    return figure


def labels(rows: Sequence[Row]) -> list[str]:
    """A different label for each row, in lines: its words up to a bracket or comma, as there is little room.

    All of its words, and its name behind them, where two rows would else have the same one.
    """
    short = [row.about.split(" (")[0].split(", ")[0] for row in rows]
    for longer in ([row.about for row in rows], [f"{row.about} ({row.name})" for row in rows]):
        taken = Counter(short)
        short = [more if taken[label] > 1 else label for label, more in zip(short, longer, strict=True)]
    return [textwrap.fill(label, LETTERS) for label in short]


def _draw(axis: Axes, place: int, row: Row) -> None:
    scale = 100 if row.measure.unit == SHARE else 1
    axis.barh(
        [place],
        [scale * row.mean],
        color=COLOURS[row.kind],
        hatch=HATCHES.get(row.kind),
        edgecolor="white",
        linewidth=0,
        height=0.62,
    )
    end = row.mean
    for ends, width, offset in ((row.by_cluster, 0.9, 0.0), (row.by_seed, 3.2, SEEDS)):
        if ends:
            axis.plot([scale * each for each in ends], [place + offset] * 2, color="black", linewidth=width)
            end = max(end, ends[1])
    if len(row.seeds) > 1:
        places = [place + SEEDS] * len(row.scores)
        axis.plot([scale * each for each in row.scores], places, "o", color="white", markersize=2.2, zorder=4)
    axis.annotate(
        row.measure.text(row.mean), (scale * end, place), (4, 0), textcoords="offset points", va="center", size=7.5
    )


def numbers(compared: Sequence[Compared]) -> Mapping[str, object]:
    """What is drawn, as plain values."""
    return {part.name: part.to_dict() for part in compared}
