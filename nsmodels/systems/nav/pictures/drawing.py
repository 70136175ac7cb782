"""Maps with paths and policies as text and pictures; the recursion as a strip and an animation.

matplotlib is imported when drawing. Blue is the network's output, orange an error or, where labelled, exact search.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.disk import atomically
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import ARROWS, OFFSETS
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, action_sets
from nsmodels.evaluation import plots
from nsmodels.systems.nav.network.readout import REACHABLE_THRESHOLD, Policy
from nsmodels.systems.nav.planning.plan import Plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
WALL, OPEN, UNDECIDED, WRONG = "#39424e", "#ffffff", "#d9dde2", "#f6c9a8"
MODEL, EXACT, START, GOAL = plots.COLOURS[0], plots.COLOURS[1], plots.COLOURS[2], plots.COLOURS[3]
FAILED = "#B00020"
LONGEST = 7.0  # inches of the longer side of a picture
MOST_ARROWS = 40  # arrows along a side; larger maps have one for every second, third... cell
Steps = Sequence[tuple[int, Policy]]


def as_text(maps: Maps, k: int, plan: Plan | None = None) -> str:
    """Map k as lines of text: # wall, . free, S start, G goal, and the moves of `plan` as arrows."""
    cells = np.where(maps.free[k], ".", "#")
    if plan is not None:
        for (row, column), action in zip(plan.path, plan.actions, strict=False):
            cells[row, column] = ARROWS[action]
    cells[tuple(maps.start[k])], cells[tuple(maps.goal[k])] = "S", "G"
    return "\n".join("".join(line) for line in cells)


def check_suffix(path: Path) -> None:
    """Raise `InputError` for a suffix other than .png, .svg and .pdf."""
    if Path(path).suffix not in SUFFIXES:
        raise InputError(f"{path}: cannot draw to this kind of file; name it .png, .svg or .pdf")


def draw_plan(plan: Plan, maps: Maps, k: int, path: Path, best: NDArray | None = None, heading: str = "") -> None:
    """Draw `plan` on map k to `path` (.png, .svg or .pdf), over a second path with the cells `best` (m, 2).

    A path that does not reach the goal has a different colour, and a cross where it ends, also if a fallback replaced
    it. `heading`: first line of the title. Raises `InputError` for a different suffix.
    """
    check_suffix(path)
    figure, (axis,) = make_panels(1, maps.shape, LONGEST)
    paint_map(axis, maps, k)
    paint_ticks(axis)
    if best is not None:
        paint_path(axis, best, EXACT, "A* path", is_dashed=True)
    if plan.is_found:
        name = "A* path" if plan.source == "astar" else "path of the network"
        paint_path(axis, plan.path, EXACT if plan.source == "astar" else MODEL, name)
    if len(plan.failed_path):
        paint_failure(axis, plan.failed_path)
    elif not plan.is_found:
        paint_failure(axis, plan.path)
    paint_ends(axis, maps, k)
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    cost = f", cost {plan.cost:.6g}" if plan.is_found else ""
    axis.set_title("\n".join(text for text in (heading, f"{plan.why}{cost}") if text), fontsize=9)
    save(figure, path)


def draw_policy(policy: Policy, maps: Maps, k: int, path: Path, labels: Labels | None = None) -> None:
    """Draw one arrow per cell of map k to `path`, the darker the more confident; with `labels`, wrong ones are orange.

    Raises `InputError` for a suffix other than .png, .svg and .pdf.
    """
    check_suffix(path)
    figure, (axis,) = make_panels(1, maps.shape, LONGEST)
    paint_policy(axis, policy, maps, k, labels)
    paint_ticks(axis)
    paint_ends(axis, maps, k, is_ring=True)
    axis.set_title(describe(policy, maps, k, labels), fontsize=9)
    save(figure, path)


def draw_recursion(steps: Steps, maps: Maps, k: int, labels: Labels) -> Figure:
    """Figure of the policies of map k in `steps`, side by side: wrong cells orange, undecided grey."""
    rows = -(-len(steps) // 4)
    figure, axes = make_panels(len(steps), maps.shape, 2.6, columns=-(-len(steps) // rows))
    for axis, (number, policy) in zip(axes, steps, strict=True):
        _paint_moment(axis, number, policy, maps, k, labels)
    return figure


def animate(steps: Steps, maps: Maps, k: int, labels: Labels, path: Path, source: str) -> None:
    """Write the policies of map k in `steps` as an animated GIF, with `source`, the name of the data, beneath it."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    frames = []
    for number, policy in steps:
        figure, (axis,) = make_panels(1, maps.shape, 4.0)
        _paint_moment(axis, number, policy, maps, k, labels)
        figure.supxlabel(f"Data: {source}", fontsize=7)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
        frames.append(Image.fromarray(pixels).quantize(64, Image.Quantize.MAXCOVERAGE))
    path.parent.mkdir(parents=True, exist_ok=True)
    durations = [600] * (len(frames) - 1) + [2500]
    with atomically(path) as beside:
        frames[0].save(beside, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)


def describe(policy: Policy, maps: Maps, k: int, labels: Labels | None) -> str:
    """Summary of a policy: recursion steps, or with labels the share of correct cells."""
    if labels is None:
        return f"{policy.steps[k]} recursion steps"
    right, wrong, undecided = classify_cells(policy, maps, k, labels)
    total = max(1, int((right | wrong | undecided).sum()))
    return f"{100 * right.sum() / total:.1f} % of {total} cells right"


def classify_cells(policy: Policy, maps: Maps, k: int, labels: Labels) -> tuple[NDArray, NDArray, NDArray]:
    """Cells of map k with an optimal action, with a different one, and undecided ones, each bool (h, w).

    Undecided: predicted that the goal cannot be reached. Cells from which it cannot, and the goal, are in none of them.
    """
    sets = action_sets(labels.optimal[k : k + 1], maps.connectivity)[0]
    is_counted = sets.any(0)
    is_optimal = np.take_along_axis(sets, policy.actions[k][None].astype(np.int64), 0)[0]
    is_decided = policy.reachable[k] >= REACHABLE_THRESHOLD
    return is_counted & is_decided & is_optimal, is_counted & is_decided & ~is_optimal, is_counted & ~is_decided


def make_panels(num: int, shape: tuple[int, int], longest: float, columns: int = 0) -> tuple[Figure, list[Axes]]:
    """Figure with `num` panels for maps of `shape`, each at most `longest` inches wide or high; columns 0: one row."""
    from matplotlib.figure import Figure

    columns = columns or num
    rows = -(-num // columns)
    height, width = (max(1.6, longest * side / max(shape)) for side in shape)
    figure = Figure(figsize=(columns * width + 0.3, rows * (height + 0.45) + 0.3), layout="constrained")
    axes = [figure.add_subplot(rows, columns, number + 1) for number in range(num)]
    for axis in axes:
        axis.set(xticks=[], yticks=[], aspect="equal")
    return figure, axes


def paint_map(axis: Axes, maps: Maps, k: int) -> None:
    """Draw walls dark, free cells white, or the greyer the higher their cost."""
    pixels = np.where(maps.free[k][..., None], _rgb(OPEN), _rgb(WALL))
    if maps.cost is not None:
        share = (maps.cost[k].astype(float) - 1) / max(1, int(maps.cost.max()) - 1)
        shade = 1 - 0.35 * share[..., None]
        pixels = np.where(maps.free[k][..., None], pixels * shade, pixels)
    _show(axis, pixels)


def paint_policy(axis: Axes, policy: Policy, maps: Maps, k: int, labels: Labels | None = None) -> None:
    """Draw the map with an arrow in each decided cell; see `draw_policy`."""
    from matplotlib.colors import LinearSegmentedColormap

    paint_map(axis, maps, k)
    shown = maps.free[k] & (policy.reachable[k] >= REACHABLE_THRESHOLD)
    shown[tuple(maps.goal[k])] = False
    wrong = np.zeros_like(shown)
    if labels is not None:
        _, wrong, undecided = classify_cells(policy, maps, k, labels)
        _overlay(axis, undecided, UNDECIDED)
        _overlay(axis, wrong, WRONG)
    stride = -(-max(maps.shape) // MOST_ARROWS)
    chosen = np.zeros_like(shown)
    chosen[stride // 2 :: stride, stride // 2 :: stride] = True
    blues = LinearSegmentedColormap.from_list("sure", ["#a9cbe3", MODEL, "#00324f"])
    for where, colour in ((chosen & shown & ~wrong, blues), (chosen & shown & wrong, EXACT)):
        _arrows(axis, policy, k, where, colour, stride)


def paint_path(axis: Axes, path: NDArray, colour: str, label: str, is_dashed: bool = False) -> None:
    """Draw a line through the cells of `path` (m, 2)."""
    style: dict[str, Any] = {"linestyle": (0, (2, 1.2)), "linewidth": 4.0} if is_dashed else {"linewidth": 2.2}
    axis.plot(path[:, 1], path[:, 0], color=colour, label=label, solid_joinstyle="round", **style)


def paint_failure(axis: Axes, path: NDArray) -> None:
    """Draw where a path (m, 2) that does not reach the goal went, and a cross where it ended."""
    if len(path) > 1:
        paint_path(axis, path, FAILED, "failed path of the network")
    end = path[-1][::-1]
    name = "it ends here" if len(path) > 1 else "no path was tried"
    style: dict[str, Any] = {"markersize": 11, "markeredgewidth": 2.5, "linestyle": "", "zorder": 5}
    axis.plot(*end, "x", color=FAILED, label=name, **style)


def paint_ticks(axis: Axes) -> None:
    """Number rows and columns from 0 on, as in `--start` and `--goal`."""
    from matplotlib.ticker import MaxNLocator

    for one, name in ((axis.xaxis, "column"), (axis.yaxis, "row")):
        one.set_major_locator(MaxNLocator(nbins=10, integer=True))
        one.set_label_text(name, fontsize=8)
    axis.tick_params(labelsize=7, length=2)


def paint_ends(axis: Axes, maps: Maps, k: int, size: float = 8.0, is_ring: bool = False) -> None:
    """Draw a disc on the start, or a ring around its arrow, and a star on the goal; `size` in points."""
    place: dict[str, Any] = {"linestyle": "", "zorder": 4}
    ring = {"markerfacecolor": "none", "markeredgecolor": START, "markeredgewidth": 0.25 * size, "markersize": 2 * size}
    disc = {"color": START, "markeredgecolor": "white", "markersize": size}
    axis.plot(*maps.start[k][::-1], "o", label="start", **(ring if is_ring else disc), **place)
    axis.plot(*maps.goal[k][::-1], "*", color=GOAL, markersize=2 * size, markeredgecolor="white", label="goal", **place)


def save(figure: Figure, path: Path) -> None:
    """Write a picture in the format of its suffix; raise `InputError` for one other than .png, .svg and .pdf."""
    check_suffix(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    plots.keep_dollars(figure)
    figure.savefig(path, dpi=130, facecolor="white", bbox_inches="tight")


def _paint_moment(axis: Axes, number: int, policy: Policy, maps: Maps, k: int, labels: Labels) -> None:
    paint_policy(axis, policy, maps, k, labels)
    paint_ends(axis, maps, k, 6.0, is_ring=True)
    axis.set_title(f"{number} steps\n{describe(policy, maps, k, labels)}", fontsize=8)


def _arrows(axis: Axes, policy: Policy, k: int, where: NDArray, colour: Any, stride: int) -> None:
    rows, columns = np.nonzero(where)
    if not len(rows):
        return
    moves = np.array(OFFSETS, float)[policy.actions[k][rows, columns]]
    moves *= 0.62 * stride / np.linalg.norm(moves, axis=1, keepdims=True)
    by_confidence = not isinstance(colour, str)
    values = [policy.confidence[k][rows, columns]] if by_confidence else []
    paint = {"cmap": colour, "clim": (0.0, 1.0)} if by_confidence else {"color": colour}
    shape = {"angles": "xy", "scale_units": "xy", "scale": 1, "pivot": "mid", "units": "xy"}
    head = {"width": 0.09 * stride, "headwidth": 4.2, "headlength": 4.0, "headaxislength": 3.6, "minlength": 0}
    axis.quiver(columns, rows, moves[:, 1], moves[:, 0], *values, **paint, **shape, **head, zorder=3)


def _overlay(axis: Axes, where: NDArray, colour: str) -> None:
    pixels = np.zeros((*where.shape, 4))
    pixels[where] = (*_rgb(colour), 1.0)
    _show(axis, pixels)


def _show(axis: Axes, pixels: NDArray) -> None:
    """Cells as an image, its upper left cell at row 0 and column 0."""
    axis.imshow(pixels, interpolation="nearest" if max(pixels.shape) <= 900 else "antialiased")


def _rgb(colour: str) -> NDArray[np.float64]:
    from matplotlib.colors import to_rgb

    return np.array(to_rgb(colour))
