"""Layout of figures for a printed page: one column wide, letters that can be read at that width."""

from __future__ import annotations

import itertools
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

SMALLEST, LARGEST = 6.0, 8.0  # points of letters in print
MARGIN = 0.05  # inches around what is drawn, within its width
SHRUNK = 0.8  # letters of a figure for a screen become so much smaller
NARROWEST = 0.4  # of the width: what is drawn beside the panels may take no more of it
LETTERS = 16  # of a turned label, in a line: a longer one would take the height of its panel
TRIES = 4  # what is narrower may be laid out differently
LEAST_WIDTH = 0.55  # of the width of a panel on a screen
LEAST_PANEL = 0.8  # inches of a panel beside what is written; a figure that needs more is wider than its column
LEAST_HEIGHT = 0.62  # of the height of a panel on a screen, when it becomes narrower


def fit(figure: Figure, width: float) -> None:
    """Lay a figure out `width` inches wide, with letters of 6 to 8 points.

    Panels go below each other where they would be too narrow. Their height shrinks less than their width: labels of
    rows need their place.
    """
    _arrange_panels(figure, width)
    before, height = figure.get_size_inches().tolist()
    figure.set_size_inches(width, height * max(LEAST_HEIGHT, width / before))
    figure.set_layout_engine("constrained")
    _set_letters(figure)
    for axis in figure.axes:
        for drawn in axis.lines:
            drawn.set(markersize=0.75 * drawn.get_markersize(), linewidth=0.8 * drawn.get_linewidth())
    _wrap_legends(figure, width - 2 * MARGIN)
    _pull_in(figure, width - 2 * MARGIN)
    _turn_labels(figure)


def _arrange_panels(figure: Figure, width: float) -> None:
    """Give a figure whose panels are all of one size as many columns as have their place in `width` inches."""
    from matplotlib.gridspec import GridSpec

    specs = [spec for axis in figure.axes if (spec := axis.get_subplotspec())]
    if len(specs) < 2 or len(specs) < len(figure.axes) or any(spec.num1 != spec.num2 for spec in specs):
        return
    grid, (whole, height) = specs[0].get_gridspec(), figure.get_size_inches().tolist()
    panel = whole / grid.ncols
    columns = min(grid.ncols, max(1, int(width / (LEAST_WIDTH * panel))))
    if columns == grid.ncols:
        return
    rows = -(-len(specs) // columns)
    figure.set_size_inches(panel * columns, height / grid.nrows * rows)
    places = GridSpec(rows, columns, figure=figure)
    for number, axis in enumerate(figure.axes):
        axis.set_subplotspec(places[number])


def _set_letters(figure: Figure) -> None:
    from matplotlib.text import Text

    def size(before: float) -> float:
        return min(LARGEST, max(SMALLEST, SHRUNK * before))

    for text in figure.findobj(Text):
        text.set_fontsize(size(text.get_fontsize()))  # type: ignore[attr-defined]
    for axis in figure.axes:  # ticks are made as they are needed
        for each in (axis.xaxis, axis.yaxis):
            labels = each.get_ticklabels()
            each.set_tick_params(which="both", labelsize=labels[0].get_fontsize() if labels else SMALLEST)


def _wrap_legends(figure: Figure, width: float) -> None:
    """Give a legend above or below all panels as many columns as have their place in `width` inches.

    Where one column is too wide, too, its words go on in further lines. The figure becomes so much higher.
    """
    for legend in figure.legends:
        if getattr(legend, "_outside_loc", None) not in ("upper", "lower"):
            continue
        before = legend.get_window_extent().height
        for columns in range(_set_columns(legend) - 1, 0, -1):
            if legend.get_window_extent().width > width * figure.dpi:
                _set_columns(legend, columns)
        excess = legend.get_window_extent().width - width * figure.dpi
        for text in legend.get_texts() if excess > 0 else ():
            taken = text.get_window_extent().width
            letters = max(1, int(len(text.get_text()) * (1 - excess / taken))) if taken > excess else 1
            text.set_text(textwrap.fill(text.get_text(), max(LETTERS, letters)))
        more = (legend.get_window_extent().height - before) / figure.dpi
        figure.set_figheight(figure.get_figheight() + more)


def _set_columns(legend: Legend, num: int | None = None) -> int:
    """Pack the entries of a legend, drawn as they are, in `num` columns; returns how many it has. None: as before.

    `Legend.set_ncols` does not pack them again, and a second legend of the drawn handles would lack their markers.
    """
    from matplotlib.offsetbox import HPacker, VPacker

    row: Any = next(box for box in legend.get_children()[0].get_children() if isinstance(box, HPacker))
    columns = row.get_children()
    if num is None:
        return len(columns)
    entries, first = [entry for column in columns for entry in column.get_children()], columns[0]
    most, more = divmod(len(entries), num)
    ends = list(itertools.accumulate([most + 1] * more + [most] * (num - more), initial=0))
    parts = [entries[start:end] for start, end in itertools.pairwise(ends)]
    row._children = [VPacker(pad=0, sep=first.sep, align=first.align, children=part) for part in parts]
    row.set_figure(legend.get_figure(root=False))
    legend.set_ncols(num)
    return num


def _turn_labels(figure: Figure) -> None:
    """Turn the labels below a panel that would lie on each other."""
    for axis in figure.axes:
        if _are_crowded(axis):
            _wrap_names(axis)
            for label in axis.get_xticklabels(which="both"):
                label.set(rotation=45, ha="right", rotation_mode="anchor")


def _are_crowded(axis: Axes) -> bool:
    """Whether labels below a panel, those of small ticks among them, lie on each other."""
    labels = [label for label in axis.get_xticklabels(which="both") if label.get_visible() and label.get_text()]
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
    return any(left.x1 > right.x0 for left, right in itertools.pairwise(boxes))


def _wrap_names(axis: Axes) -> None:
    """Set long names below a panel in several lines; numbers are shorter, and stay as they are."""
    labels = axis.get_xticklabels()
    names = [label.get_text() for label in labels]
    wrapped = [
        name if label.get_parse_math() else textwrap.fill(name, LETTERS)
        for name, label in zip(names, labels, strict=True)
    ]
    if wrapped != names:
        axis.set_xticks(axis.get_xticks(), wrapped)


def _pull_in(figure: Figure, width: float) -> None:
    """Make a figure narrower until what is written beside its panels has its place in `width`, too.

    Where that would leave no place for the panels, what is drawn is wider.
    """
    for _ in range(TRIES):
        figure.draw_without_rendering()
        narrowest = min((axis.get_position().width for axis in figure.axes), default=1.0) * figure.get_figwidth()
        beyond = min(figure.get_tightbbox().width - width, narrowest - LEAST_PANEL)
        if beyond <= 0:
            return
        figure.set_figwidth(max(NARROWEST * width, figure.get_figwidth() - beyond))
