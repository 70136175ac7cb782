"""Pictures of proofs about an image: over the image with the steps beside it, and as a tree of steps.

What the steps and objects are is the system's; matplotlib is imported when drawing.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from jaxtyping import UInt8

from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Grey-blue and orange differ for colour-blind readers too; only the image shows the colours of objects.
ACCENT, QUIET, INK, PAPER = "#d95f02", "#5b6770", "#1b1f23", "#f4f5f6"
SUFFIXES = (".png", ".svg", ".pdf")
WIDTH = 92  # letters of a line of the panel


@dataclass(frozen=True)
class Mark:
    """An object in the image.

    Attributes:
        label: its number and name.
        centre: in pixels of the image that is drawn.
        size: width and height of its box in pixels; None: it is marked by a ring.
        is_chosen: whether the answer rests on it; only such ones are emphasised.
    """

    label: str
    centre: tuple[float, float]
    size: tuple[float, float] | None = None
    is_chosen: bool = False


@dataclass(frozen=True)
class Row:
    """A line beside the image: a step (`holds` None), or a fact that holds or does not."""

    text: str
    holds: bool | None = None


@dataclass(frozen=True)
class Node:
    """A step of the tree, with the numbers of the steps that it reads."""

    label: str
    inputs: tuple[int, ...]


def draw_over(
    image: UInt8[np.ndarray, "height width channels"],
    marks: Sequence[Mark],
    rows: Sequence[Row],
    title: str,
    path: Path,
) -> None:
    """Draw marks over an image of 3 or 4 channels and rows beside it, to `path` (.png, .svg or .pdf).

    Raises InputError for other suffixes.
    """
    lines = [line for row in rows for line in _wrapped(row)]
    figure = _figure(13.0, max(4.2, 0.9 + 0.17 * len(lines)), path)
    picture, panel = figure.subplots(1, 2, width_ratios=[1.25, 1.0])
    picture.imshow(image)
    picture.set_axis_off()
    picture.set_anchor("N")
    for mark in marks:
        _draw_mark(picture, mark)
    picture.set_title(title, fontsize=11, loc="left", color=INK)
    _list_rows(panel, lines)
    _save(figure, path)


def title_of(question: str, answer: str) -> str:
    """A title of two lines: the question, wrapped, and what follows of it."""
    return f"{textwrap.fill(question, 80)}\n{answer}" if question else answer


def draw_tree(nodes: Sequence[Node], path: Path) -> None:
    """Draw steps as a tree, the last one on top, to `path` (.png, .svg or .pdf); raise InputError for others."""
    levels = _levels(nodes)
    places = _places(nodes, levels)
    width = 3.4 * max(1.0, max(x for x, _ in places) + 1.0)
    figure = _figure(width, 0.85 * (max(levels) + 1.5), path)
    axes = figure.subplots()
    axes.set_axis_off()
    for number, node in enumerate(nodes):
        for source in node.inputs:
            axes.plot(*zip(places[source], places[number], strict=True), color=QUIET, linewidth=1.0, zorder=1)
    for node, place in zip(nodes, places, strict=True):
        edge = ACCENT if node is nodes[-1] else QUIET
        box = {"boxstyle": "round,pad=0.35", "facecolor": PAPER, "edgecolor": edge}
        axes.text(*place, node.label, ha="center", va="center", fontsize=8, color=INK, bbox=box, zorder=2)
    axes.set_xlim(-0.6, max(x for x, _ in places) + 0.6)
    axes.set_ylim(-0.7, max(levels) + 0.7)
    _save(figure, path)


def check_suffix(path: Path) -> None:
    """Raise `InputError` for a suffix other than .png, .svg and .pdf."""
    if Path(path).suffix not in SUFFIXES:
        raise InputError(f"{path}: cannot draw to this kind of file; name it .png, .svg or .pdf")


def _draw_mark(axes: Axes, mark: Mark) -> None:
    color, ring = (ACCENT, 260) if mark.is_chosen else (QUIET, 130)
    (x, y), above = mark.centre, 13 if mark.is_chosen else 9
    if mark.size is None:
        axes.scatter([x], [y], s=ring, facecolors="none", edgecolors=color, linewidths=2.0)
    else:
        from matplotlib.patches import Rectangle

        width, height = mark.size
        line = 2.2 if mark.is_chosen else 1.0
        corner = (x - width / 2, y - height / 2)
        axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=color, linewidth=line))
        y, above = corner[1], 2
    box = {"boxstyle": "round,pad=0.2", "facecolor": "white", "edgecolor": color, "alpha": 0.85, "linewidth": 0.8}
    style = {"textcoords": "offset points", "ha": "center", "va": "bottom", "fontsize": 6.5, "color": INK, "bbox": box}
    axes.annotate(mark.label, (x, y), (0, above), **style)


def _wrapped(row: Row) -> list[tuple[str, str]]:
    """The lines of a row with their colour."""
    color = INK if row.holds is None else ACCENT if row.holds else QUIET
    return [(line, color) for line in textwrap.wrap(row.text, WIDTH, subsequent_indent="      ", drop_whitespace=False)]


def _list_rows(axes: Axes, lines: Sequence[tuple[str, str]]) -> None:
    axes.set_axis_off()
    axes.set_ylim(len(lines) + 0.5, -0.5)
    for number, (line, color) in enumerate(lines):
        axes.text(0.0, number, line, fontsize=7.5, family="monospace", color=color, va="center")


def _levels(nodes: Sequence[Node]) -> list[int]:
    """Each step's height above the leaves: one more than its highest input."""
    levels: list[int] = []
    for node in nodes:
        levels.append(max((levels[i] + 1 for i in node.inputs), default=0))
    return levels


def _places(nodes: Sequence[Node], levels: Sequence[int]) -> list[tuple[float, float]]:
    """Position (x, y) of each step: chains straight, the two inputs of a step side by side, shared inputs once."""
    column: dict[int, float] = {}
    taken = [0.0]

    def assign(number: int) -> float:
        if number not in column:
            below = [assign(i) for i in nodes[number].inputs]
            if not below:
                below, taken[0] = [taken[0]], taken[0] + 1.0
            column[number] = sum(below) / len(below)
        return column[number]

    assign(len(nodes) - 1)
    return [(column.get(number, taken[0]), float(level)) for number, level in enumerate(levels)]


def _figure(width: float, height: float, path: Path) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check_suffix(path)
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Figure, path: Path) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    plots.keep_dollars(figure)
    figure.savefig(path, dpi=130, facecolor="white")
