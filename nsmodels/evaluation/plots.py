"""Figures that every system draws: training curves, calibration, histograms, bars; saved as PDF and PNG.

Each function returns a matplotlib Figure without touching pyplot's global state.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from nsmodels.core.errors import InputError
from nsmodels.evaluation.metrics import calibration_bins, expected_calibration_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito 2008
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
MARKERS = "os^DvPX"
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "++++")
SHARES = (
    "accuracy",
    "exact",
    "success",
    "recall",
    "precision",
    "coverage",
    "hits",
    "mrr",
)  # last words of their names
COLUMN, PAGE = 3.25, 6.75  # inches: width of a column of a printed page, and of its text
MARGIN = 0.1  # inches around a figure
CHARACTERS = 17  # of a caption, in an inch: text that matplotlib wraps is measured word by word in every pass


def make_figure(columns: int = 1, width: float = 5.0, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    """An empty figure with `columns` axes side by side; sizes in inches per column."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width * columns, height), layout="constrained")
    return figure, [styled(figure.add_subplot(1, columns, column + 1)) for column in range(columns)]


def stacked(heights: Sequence[float], width: float = 7.5) -> tuple[Figure, list[Axes]]:
    """An empty figure with axes below each other, `heights` inches high with their labels."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, sum(heights)), layout="constrained")
    grid = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    return figure, [styled(figure.add_subplot(grid[row])) for row in range(len(heights))]


def styled(axis: Axes) -> Axes:
    """The axes with a light grid, without a frame above and on the right."""
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_axisbelow(True)
    axis.grid(visible=True, alpha=0.25, linewidth=0.6)
    return axis


def line(number: int) -> dict[str, Any]:
    """Look of the line of a series, which differs also in grey: colour, dashes and marker."""
    place = number % len(COLOURS)
    return {"color": COLOURS[place], "linestyle": DASHES[place], "marker": MARKERS[place], "markersize": 4}


def fill(number: int) -> dict[str, Any]:
    """Look of the bars of a series, which differs also in grey: colour and hatch."""
    place = number % len(COLOURS)
    return {"color": COLOURS[place], "hatch": HATCHES[place], "edgecolor": "white", "linewidth": 0}


def words(name: str) -> str:
    """The name of what gives answers, as words of a legend."""
    return "CNN+LSTM" if name == "cnn_lstm" else name.replace("_", " ")


def draw_shares(axis: Axes, points: Sequence[tuple[float, Mapping[str, Any]]], name: str, number: int) -> None:
    """The series `number`: a line through accuracies in percent with intervals, hollow marks where images are few.

    `points`: place, and a row with "accuracy", "interval" and, where there are few images, "is_few".
    """
    look = line(number)
    label: str | None = words(name)
    for is_few in (False, True):
        kept = [(x, 100 * row["accuracy"]) for x, row in points if bool(row.get("is_few")) == is_few]
        how: dict[str, Any] = look | ({"linestyle": "none", "fillstyle": "none"} if is_few else {})
        if kept:
            axis.plot(*zip(*kept, strict=True), label=label, **how)
            label = None
    for x, row in points:
        draw_interval(axis, x, row, look["color"])


def draw_interval(axis: Axes, place: float, row: Mapping[str, Any], colour: str) -> None:
    """The interval of a row in percent, where it has one."""
    if row["interval"]:
        axis.plot([place, place], [100 * end for end in row["interval"]], color=colour, linewidth=1)


def save_figure(
    figure: Figure, path: Path, caption: str, source: str, is_printed: bool = False, width: float = COLUMN
) -> tuple[Path, Path]:
    """Write `path` as .pdf and .png with the caption and the data's source beneath; returns both paths.

    `source` is the origin of the numbers ("synthetic CLEVR, 1,000 validation images"); it must not be empty.
    `is_printed`: the figure is laid out for a page, `width` inches wide, see `printing.fit`, and the PDF embeds
    TrueType fonts, which takes longer; many journals refuse the usual ones, of type 3.
    """
    from matplotlib import rc_context

    from nsmodels.evaluation import printing

    if not source.strip():
        raise InputError(f"{path}: a figure needs its data source in the caption")
    text = f"{caption.rstrip('.')}. Data: {source}."
    keep_dollars(figure)
    if is_printed:
        printing.fit(figure, width)
    size = printing.SMALLEST if is_printed else 7
    lines = textwrap.fill(text, int(CHARACTERS * 7 / size * figure.get_figwidth()))
    figure.text(0.5, -0.02, lines, ha="center", va="top", fontsize=size, parse_math=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    pdf, png = path.with_suffix(".pdf"), path.with_suffix(".png")
    box = _arrange(figure, printing.MARGIN if is_printed else MARGIN)
    with rc_context({"pdf.fonttype": 42 if is_printed else 3}):
        figure.savefig(pdf, bbox_inches=box, metadata={"Title": path.stem, "Subject": text, "CreationDate": None})
    about = {"Title": path.stem, "Description": text}
    figure.savefig(png, bbox_inches=box, dpi=300 if is_printed else 160, metadata=about)
    return pdf, png


def keep_dollars(figure: Figure) -> None:
    """Names in texts are drawn as they are: what stands between two dollar signs is no formula."""
    from matplotlib.axis import Axis
    from matplotlib.text import Text
    from matplotlib.ticker import LogFormatter, LogitFormatter

    powers = set()  # labels that matplotlib sets as formulas
    for axis in figure.findobj(Axis):
        for is_minor in (False, True):
            formatter = axis.get_minor_formatter() if is_minor else axis.get_major_formatter()
            labels = axis.get_ticklabels(minor=is_minor)  # makes them, too
            powers |= {id(label) for label in labels if isinstance(formatter, LogFormatter | LogitFormatter)}
    for text in figure.findobj(Text):
        if id(text) not in powers:
            text.set_parse_math(False)


def _arrange(figure: Figure, margin: float) -> Bbox:
    """Lay the figure out, once for both files; returns what is drawn on with its margin, in inches."""
    from matplotlib import rc_context

    if engine := figure.get_layout_engine():
        engine.execute(figure)
    for legend in figure.legends:
        if legend.get_bbox_to_anchor() is figure.bbox:  # a file has that of what is drawn on, with the caption
            legend.set_bbox_to_anchor((0, 0, 1, 1), figure.transFigure)
    # Without any engine: for one that is only a placeholder each file would be drawn twice.
    with rc_context({"figure.autolayout": False, "figure.constrained_layout.use": False}):
        figure.set_layout_engine(None)
    return figure.get_tightbbox().padded(margin)


def training_curves(history: Sequence[Mapping[str, Any]], scores: Mapping[str, str] | None = None) -> Figure:
    """Losses by epoch, validation scores where there are some, and the learning rate, a panel each.

    `scores`: labels by name of the metric, which is a share; by default those that are shares by their names.
    """
    if not history:
        raise InputError("training_curves: the history is empty; train at least one epoch")
    shown = scores_of(history) if scores is None else {k: v for k, v in scores.items() if any(k in r for r in history)}
    figure, axes = make_figure(2 + bool(shown), width=4.2 if shown else 5.0)
    draw_losses(axes[0], history)
    if shown:
        draw_scores(axes[1], history, shown)
    rates = [(record["epoch"], record["lr"]) for record in history]
    axes[-1].plot(*zip(*rates, strict=True), **_by_epoch(0, len(rates)))
    axes[-1].set(ylabel="learning rate")
    mark_epochs(axes[-1], history)
    return figure


def scores_of(history: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Labels of the validation metrics of a history that are shares by their names, at most four."""
    names = dict.fromkeys(name for record in history for name in record if name.startswith("val/"))
    found = [name for name in names if name.rpartition("/")[2].rpartition("_")[2] in SHARES]
    return {name: name.removeprefix("val/").replace("_", " ") for name in found[:4]}


def draw_losses(axis: Axes, history: Sequence[Mapping[str, Any]]) -> None:
    """Losses of training and validation by epoch."""
    for number, name in enumerate(("train/loss", "val/loss")):
        points = [(record["epoch"], record[name]) for record in history if name in record]
        if points:
            axis.plot(*zip(*points, strict=True), label=name, **_by_epoch(number, len(points)))
    axis.set(ylabel="loss")
    axis.legend(frameon=False)
    mark_epochs(axis, history)


def draw_scores(axis: Axes, history: Sequence[Mapping[str, Any]], scores: Mapping[str, str]) -> None:
    """Shares of validation by epoch, in percent; `scores`: their labels by name."""
    for number, (name, label) in enumerate(scores.items()):
        points = [(record["epoch"], 100 * record[name]) for record in history if name in record]
        axis.plot(*zip(*points, strict=True), label=label, **_by_epoch(number, len(points)))
    axis.set(ylabel="score, %", ylim=(-2, 103))
    axis.legend(frameon=False, fontsize=8)
    mark_epochs(axis, history)


def _by_epoch(number: int, num_epochs: int) -> dict[str, Any]:
    """Look of a curve, with markers where there are few epochs: a single one is no line."""
    return line(number) | ({} if num_epochs < 30 else {"marker": ""})


def mark_epochs(axis: Axes, history: Sequence[Mapping[str, Any]]) -> None:
    """Whole epochs along an axis, also where there is one alone."""
    from matplotlib.ticker import MaxNLocator

    epochs = [record["epoch"] for record in history]
    axis.set(xlabel="epoch", xlim=(min(epochs, default=1) - 0.5, max(epochs, default=1) + 0.5))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def losses(histories: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Losses of each network by epoch, and validation scores of those that have some, a panel each."""
    scores = {name: found for name, history in histories.items() if (found := scores_of(history))}
    figure, axes = make_figure(len(histories) + len(scores), height=2.4)
    for axis, (name, history) in zip(axes, histories.items(), strict=False):
        draw_losses(axis, history)
        axis.set(title=name.replace("_", " "))
    for axis, (name, found) in zip(axes[len(histories) :], scores.items(), strict=True):
        draw_scores(axis, histories[name], found)
        axis.set(title=name.replace("_", " "))
    return figure


def reliability_diagram(confidence: ArrayLike, right: ArrayLike, num_bins: int = 15) -> Figure:
    """Accuracy by confidence beside the diagonal of perfect calibration, and how many predictions each bin holds."""
    bins = calibration_bins(confidence, right, num_bins)
    error = expected_calibration_error(confidence, right, num_bins)
    figure, (left, beside) = make_figure(2)
    width, filled = np.diff(bins.edges), bins.count > 0
    left.bar(bins.edges[:-1], np.nan_to_num(bins.accuracy), width, align="edge", color=COLOURS[5], edgecolor="white")
    left.plot([0, 1], [0, 1], color=COLOURS[6], linewidth=0.8, linestyle="--")
    left.plot(bins.confidence[filled], bins.accuracy[filled], "o", color=COLOURS[0], markersize=4)
    left.set(xlabel="confidence", ylabel="accuracy", xlim=(0, 1), ylim=(0, 1), title=f"ECE {error:.3f}")
    beside.bar(bins.edges[:-1], bins.count, width, align="edge", color=COLOURS[0], edgecolor="white")
    beside.set(xlabel="confidence", ylabel="predictions", xlim=(0, 1))
    return figure


def histogram(values: Mapping[str, ArrayLike], xlabel: str, ylabel: str = "share", num_bins: int = 20) -> Figure:
    """Share of each named group of values per bin; whole numbers of a small range get a bin each."""
    arrays = {name: np.asarray(group, float) for name, group in values.items()}
    edges = _edges(np.concatenate(list(arrays.values())), num_bins)
    figure, (axis,) = make_figure()
    for number, (name, group) in enumerate(arrays.items()):
        weights = np.full(len(group), 1 / max(len(group), 1))
        axis.hist(group, edges.tolist(), weights=weights, alpha=0.6, label=name, **fill(number))
    axis.set(xlabel=xlabel, ylabel=ylabel)
    if len(arrays) > 1:
        axis.legend(frameon=False)
    return figure


def _edges(values: np.ndarray, num_bins: int) -> np.ndarray:
    low, high = values.min(), values.max()
    if np.all(values == values.round()) and high - low < 60:
        return np.arange(low, high + 2) - 0.5
    return np.linspace(low, high if high > low else low + 1, num_bins + 1)


def row_bars(groups: Mapping[str, Mapping[str, Mapping[str, Any]]], ylabel: str, score: str = "accuracy") -> Figure:
    """Bars in percent of the rows of a report, shares in [0, 1] by `score`, with the `interval` of each if any.

    `groups`: rows by name, by what they are: "" for the model's own, else a word that is put behind the name.
    """
    named = {
        f"{name.replace('_', ' ')}{kind and f' ({kind})'}": row
        for kind, rows in groups.items()
        for name, row in rows.items()
    }
    intervals = {n: (100 * r["interval"][0], 100 * r["interval"][1]) for n, r in named.items() if r["interval"]}
    return bars({name: 100 * row[score] for name, row in named.items()}, ylabel, intervals)


def bars(rows: Mapping[str, float], ylabel: str, intervals: Mapping[str, tuple[float, float]] | None = None) -> Figure:
    """One horizontal bar per row with its number, in the order given, and a 95 % interval where there is one."""
    names, numbers = list(rows), np.array(list(rows.values()), float)
    figure, (axis,) = make_figure(height=0.6 + 0.34 * len(rows))
    axis.barh(names, numbers, color=[COLOURS[k % len(COLOURS)] for k in range(len(names))], height=0.65)
    ends = dict(rows)
    for name, (low, high) in (intervals or {}).items():
        axis.plot([low, high], [name, name], color="black", linewidth=1.2)
        ends[name] = max(ends[name], high)
    for name in names:
        axis.annotate(f"{rows[name]:.3g}", (ends[name], name), (4, 0), textcoords="offset points", va="center", size=8)
    axis.margins(x=0.12)
    axis.invert_yaxis()
    axis.set(xlabel=ylabel)
    return figure
