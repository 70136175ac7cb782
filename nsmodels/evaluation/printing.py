"""Layout of figures for a printed page: one column wide, letters that can be read at that width."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMALLEST, LARGEST = 6.0, 8.0  # points of letters in print
MARGIN = 0.05  # inches around what is drawn, within its width
SHRUNK = 0.8  # letters of a figure for a screen become so much smaller
NARROWEST = 0.4  # of the width: what is drawn beside the panels may take no more of it
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
            each.set_tick_params(labelsize=labels[0].get_fontsize() if labels else SMALLEST)


def _wrap_legends(figure: Figure, width: float) -> None:
    """Give a legend above or below all panels as many columns as have their place in `width` inches."""
    for wide in list(figure.legends):
        side, legend = getattr(wide, "_outside_loc", None), wide
        if side not in ("upper", "lower"):
            continue
        names, size = [text.get_text() for text in wide.get_texts()], wide.get_texts()[0].get_fontsize()
        for columns in range(len(names) - 1, 0, -1):
            if legend.get_window_extent().width <= width * figure.dpi:
                break
            legend.remove()
            how: Any = {"loc": f"outside {side} center", "ncols": columns, "frameon": False, "fontsize": size}
            legend = figure.legend([each for each in wide.legend_handles if each], names, **how)


def _turn_labels(figure: Figure) -> None:
    """Turn the labels below a panel that would lie on each other."""
    for axis in figure.axes:
        labels = [label for label in axis.get_xticklabels() if label.get_visible() and label.get_text()]
        boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.x0)
        if any(left.x1 > right.x0 for left, right in itertools.pairwise(boxes)):
            for label in labels:
                label.set(rotation=45, ha="right", rotation_mode="anchor")


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
