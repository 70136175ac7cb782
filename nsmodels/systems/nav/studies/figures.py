"""Figures of the two studies, from their reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nsmodels.evaluation import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]
SCORES = {"success": "goal reached, % of starts", "any_optimal": "optimal action, % of cells"}


def grid(report: Report) -> Figure:
    """Success by width and depth, a panel per dropout; trials that were stopped are hatched, the best one is framed."""
    values = {name: sorted({t["settings"][name] for t in report["trials"]}) for name in ("dim", "depth", "dropout")}
    figure, axes = plots.make_figure(len(values["dropout"]), width=1.3 + 0.95 * len(values["dim"]), height=3.4)
    shades = [_shade(trial) for trial in report["trials"]]
    limits = (min(shades) - 0.05, max(shades) + 0.05)
    for axis, dropout in zip(axes, values["dropout"], strict=True):
        shown = [trial for trial in report["trials"] if trial["settings"]["dropout"] == dropout]
        _panel(axis, shown, values["dim"], values["depth"], limits, report["best"])
        axis.set(title=f"dropout {dropout:g}", xlabel="dim")
    axes[0].set_ylabel("depth")
    below = ", ".join(f"{name} {100 * row['success']['value']:.1f} %" for name, row in report["baselines"].items())
    title = f"goal reached, % of starts ({below}); framed: best, hatched: stopped as hopeless, colour: log of failures"
    figure.suptitle(title, fontsize=8)
    return figure


def _shade(trial: Any) -> float:
    """Rarity of failures, −log10 of their share, on which 99 % and 99.9 % are as far apart as 90 % and 99 %."""
    success = trial["success"]
    return -float(np.log10(1 - success["value"] + 0.5 / success["n"]))


def _panel(
    axis: Axes, trials: list[Any], dims: list[int], depths: list[int], limits: tuple[float, float], best: str
) -> None:
    from matplotlib.patches import Rectangle

    image = np.full((len(depths), len(dims)), np.nan)
    for trial in trials:
        x, y = dims.index(trial["settings"]["dim"]), depths.index(trial["settings"]["depth"])
        image[y, x] = _shade(trial)
        low, high = (100 * end for end in trial["success"]["interval"])
        is_dark = image[y, x] < sum(limits) / 2
        text = f"{100 * trial['success']['value']:.1f}\n[{low:.1f}, {high:.1f}]"
        axis.text(x, y, text, ha="center", va="center", size=7, color="white" if is_dark else "black")
        if trial["outcome"] == "stopped":
            mark = "white" if is_dark else "black"
            axis.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, hatch="///", edgecolor=mark, alpha=0.35))
        if trial["name"] == best:
            frame = {"edgecolor": plots.COLOURS[1], "linewidth": 2.5, "zorder": 3}
            axis.add_patch(Rectangle((x - 0.47, y - 0.47), 0.94, 0.94, fill=False, **frame))
    axis.imshow(image, cmap="viridis", vmin=limits[0], vmax=limits[1], aspect="auto", origin="lower")
    axis.set_xticks(range(len(dims)), [str(dim) for dim in dims])
    axis.set_yticks(range(len(depths)), [str(depth) for depth in depths])
    axis.grid(visible=False)
    for edge in np.arange(max(len(dims), len(depths)) - 1) + 0.5:
        axis.axvline(edge, color="white", linewidth=1.5)
        axis.axhline(edge, color="white", linewidth=1.5)
    axis.set(xlim=(-0.5, len(dims) - 0.5), ylim=(-0.5, len(depths) - 0.5))


def scaling(report: Report) -> Figure:
    """Both scores by number of training maps, with and without augmentation; greedy and chance as lines."""
    figure, axes = plots.make_figure(2)
    for axis, (name, label) in zip(axes, SCORES.items(), strict=True):
        for augment, colour in ((True, plots.COLOURS[0]), (False, plots.COLOURS[1])):
            _line(axis, [t for t in report["trials"] if t["settings"]["augment"] is augment], name, augment, colour)
        for style, (rule, row) in zip(("--", ":"), report["baselines"].items(), strict=True):
            axis.axhline(100 * row[name]["value"], color="grey", linewidth=1, linestyle=style, label=rule)
        axis.set(xlabel="training maps", ylabel=label, xscale="log", ylim=(0, 102))
        sizes = sorted({trial["settings"]["maps"] for trial in report["trials"]})
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30, ha="right")
        axis.minorticks_off()
    axes[1].legend(frameon=False, fontsize=8, loc="lower right")
    return figure


def _line(axis: Axes, trials: list[Any], name: str, augment: bool, colour: str) -> None:
    """Points with intervals; the two lines are slightly shifted so that their intervals do not overlap."""
    if not trials:
        return
    sizes = np.array([t["settings"]["maps"] for t in trials]) * (1.02 if augment else 0.98)
    values, ends = (np.array([t[name][what] for t in trials]) * 100 for what in ("value", "interval"))
    gaps = np.abs(ends.T - values)
    label = f"{'with' if augment else 'without'} augmentation"
    axis.errorbar(sizes, values, gaps, color=colour, marker="o", markersize=4, linewidth=1.2, capsize=2, label=label)
