"""Picture of what was imagined: states over time with intervals beside the simulator's, beliefs below them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nsmodels.core.disk import atomically, writing
from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots
from nsmodels.formats.clips.names import AFFORDANCES, PROPERTIES, STATES
from nsmodels.systems.world.imagination.imagine import Imagined
from nsmodels.systems.world.imagination.text import HALF_WIDTH, UNITS, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".png", ".svg", ".pdf")
PANELS = ("x", "y", "z", "vx", "vz", "contact_force", "pitch", "yaw", "neighbour_x", "tilt")
MODEL, TRUTH, CHANGED = plots.COLOURS[0], "#333333", plots.COLOURS[1]
STEP = 0.05  # s


def check_suffix(path: Path) -> None:
    """Raise InputError for a file that is no picture."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"--draw {path}: expected a name ending in {', '.join(SUFFIXES)}")


def draw(found: Imagined, path: Path) -> None:
    """Write the picture."""
    with writing(path), atomically(path) as beside:
        figure_of(found).savefig(beside, dpi=110, format=path.suffix[1:].lower())


def figure_of(found: Imagined) -> Figure:
    """States over time: blue the model with 90 % intervals, black the simulator, orange both under the change, dashed
    the simulator. Below: properties with intervals, and affordances; black: the truth."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(14, 8.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[2, 1.1], squeeze=False)[:, 0]
    for axis, name in zip(above.subplots(2, 5).flat, PANELS, strict=True):
        _state(axis, found, name)
    left, right = below.subplots(1, 2)
    _bars(left, PROPERTIES, found.properties[:, 0], found.true_properties, found.properties[:, 1] * HALF_WIDTH)
    _bars(right, AFFORDANCES, found.affordances, found.true_affordances)
    left.set_ylabel("properties")
    right.set_ylabel("probability of affordances")
    changed = f"; under do({found.changed.change}): orange, simulated dashed" if found.changed else ""
    figure.suptitle(
        f"{found.clip}: {found.verb}; {found.what}. Imagined with 90 % intervals: blue; simulated: black{changed}",
        fontsize=9,
    )
    plots.keep_dollars(figure)
    return figure


def _state(axis: Axes, found: Imagined, name: str) -> None:
    k, steps = STATES.index(name), np.arange(len(found.course.states))
    ahead = steps[found.context : found.context + len(found.mean)]
    low, high = interval(found.mean[:, k], found.std[:, k])
    axis.axvspan(0, found.context * STEP, color="0.93", linewidth=0)
    axis.plot((steps + 1) * STEP, found.course.states[:, k], color=TRUTH, linewidth=1)
    axis.fill_between((ahead + 1) * STEP, low, high, color=MODEL, alpha=0.25, linewidth=0)
    axis.plot((ahead + 1) * STEP, found.mean[:, k], color=MODEL, linewidth=1.4)
    if found.changed is not None:
        axis.plot((steps + 1) * STEP, found.changed.after.states[:, k], color=CHANGED, linewidth=1, linestyle="--")
        axis.plot((ahead + 1) * STEP, found.mean[:, k] + found.changed.states[:, k], color=CHANGED, linewidth=1.4)
    axis.set_title(f"{name.replace('_', ' ')} ({UNITS[name]})", fontsize=8)
    axis.set_xlabel("s", fontsize=7)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def _bars(
    axis: Axes, names: tuple[str, ...], values: np.ndarray, truth: np.ndarray | None, errors: np.ndarray | None = None
) -> None:
    places = np.arange(len(names))
    axis.bar(places, values, 0.6, yerr=errors, color=MODEL, alpha=0.6, ecolor=MODEL)
    if truth is not None:
        axis.plot(places, truth.astype(float), "_", color=TRUTH, markersize=18, markeredgewidth=2)
    axis.set_xticks(places, names, rotation=30, ha="right", fontsize=8)
    axis.set_ylim(0, 1.05)
    axis.spines[["top", "right"]].set_visible(False)
