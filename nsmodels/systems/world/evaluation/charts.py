"""Figures of an evaluation's report, with 95 % intervals; a figure is left out where its metric was not scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nsmodels.evaluation import plots
from nsmodels.formats.clips.names import STATES
from nsmodels.systems.world.evaluation.scores import CHANCE, WORLD

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Report = Mapping[str, Any]
GREY, BLUE, FILL = plots.COLOURS[6], plots.COLOURS[0], plots.COLOURS[5]
# Form, colour and size of what is beside the model.
MARKS = {
    "best rival": ("o", plots.COLOURS[1], 5),
    "chance": ("|", GREY, 12),
    "ceiling": ("^", plots.COLOURS[2], 6),
}
WIDE = ("properties", "causal")  # in print as wide as the text of a page


def draw_all(report: Report, folder: Path, is_printed: bool = False) -> None:
    """Write every figure into `folder` as PDF and PNG; `is_printed`: see `plots.save_figure`."""
    data = report["data"]
    source = (
        f"{data['source']}, {', '.join(f'{number:,} clips of {split}' for split, number in data['num_clips'].items())}"
    )
    for name, (draw, needs, caption) in CHARTS.items():
        if needs(report):
            more = f". {data['twins']}" if name == "causal" else ""
            width = plots.PAGE if name in WIDE else plots.COLUMN
            plots.save_figure(draw(report), folder / name, f"{caption}{more}", source, is_printed, width)


def metrics(report: Report) -> Figure:
    """Every metric that is a share: model, best rival, chance and ceiling."""
    shares = {
        name: each
        for name, each in report["metrics"].items()
        if each["unit"] == "share" and each["direction"] == "higher"
    }
    figure, (axis,) = plots.make_figure(width=7.0, height=1.0 + 0.42 * len(shares))
    for place, each in enumerate(shares.values()):
        rows = {rival: row for rival, row in each["rows"].items() if rival not in (WORLD, each["ceiling"])}
        best = max(rows, key=lambda rival: rows[rival]["score"])
        axis.barh(place, 100 * each["rows"][WORLD]["score"], 0.7, color=FILL, label="world model" if not place else "")
        _line(axis, each["rows"][WORLD]["interval"], place)
        _mark(axis, rows[best], place, "best rival")
        if "chance" in rows:
            _mark(axis, rows["chance"], place, "chance")
        if each["ceiling"]:
            _mark(axis, each["rows"][each["ceiling"]], place, "ceiling")
    axis.set_yticks(range(len(shares)), [name.replace("_", " ") for name in shares], fontsize=8)
    axis.set(xlabel="%", xlim=(0, 104))
    axis.invert_yaxis()
    figure.legend(frameon=False, fontsize=8, loc="outside lower center", ncols=2)  # one of an axis would narrow it
    return figure


def property_scatter(report: Report) -> Figure:
    """Predicted against true properties from all modalities, and which modality shows which property."""
    found = report["details"]["properties"]
    from matplotlib.figure import Figure as Canvas

    figure, names = Canvas(figsize=(11, 6)), list(found["scatter"])
    grid, rows = figure.add_gridspec(3, 10, left=0.06, right=0.99, bottom=0.13, top=0.95, hspace=0.25), found["subsets"]
    everything = rows[list(rows)[-1]]
    for number, name in enumerate(names):
        axis = figure.add_subplot(grid[number // 3, 2 * (number % 3) : 2 * (number % 3) + 2])
        points = found["scatter"][name]
        axis.plot([0, 1], [0, 1], color=GREY, linewidth=0.7)
        axis.plot(points["truth"], points["predicted"], ".", color=BLUE, markersize=2.5, alpha=0.6)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axis.set_title(f"{name}, r = {everything[name]['r']:.2f}", fontsize=9)
        axis.set_xticks([0, 1], ["0", "1"] if number >= len(names) - 3 else ["", ""], fontsize=7)
        axis.set_yticks([0, 1], ["", ""] if number % 3 else ["0", "1"], fontsize=7)
    figure.text(0.33, 0.03, "true", fontsize=9, ha="center")
    figure.text(0.02, 0.5, "predicted", fontsize=9, va="center", rotation=90)
    _matrix(figure.add_subplot(grid[:, 7:]), found)
    return figure


def _matrix(axis: Axes, found: Report) -> None:
    """Correlations of the model by property and subset; in grey and brackets where no forest finds the property."""
    names, subsets = list(found["identifiability"]), found["subsets"]
    values = np.array([[rows[name]["r"] for rows in subsets.values()] for name in names])
    shown = np.array([[rows[name]["is_shown"] for rows in subsets.values()] for name in names])
    axis.imshow(np.where(shown, np.clip(values, 0, 1), np.nan), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        is_shown = shown[row, column]
        colour = "0.55" if not is_shown else "white" if value > 0.6 else "black"
        text = f"{value:.2f}" if is_shown else f"({value:.2f})"
        axis.text(column, row, text, ha="center", va="center", fontsize=7, color=colour)
    axis.set_xticks(range(len(subsets)), subsets, fontsize=7, rotation=25, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), names, fontsize=8)
    axis.set_title("r by modalities; in brackets: not identifiable", fontsize=9)


def retrieval(report: Report) -> Figure:
    """Recall among the first 1, 5 and 10 in both directions, of the model and its rivals."""
    figure, axes = plots.make_figure(2, width=4.6)
    for axis, direction in zip(axes, ("image_to_sound", "sound_to_image"), strict=True):
        depths = [depth for depth in (1, 5, 10) if f"{direction}_r{depth}" in report["metrics"]]
        rows = {depth: report["metrics"][f"{direction}_r{depth}"]["rows"] for depth in depths}
        ceiling = report["metrics"][f"{direction}_r{depths[0]}"]["ceiling"]
        for number, rival in enumerate(rows[depths[0]]):
            look, label = _look(number, rival, ceiling)
            # Side by side, so that no interval hides another.
            places = [depth + 0.1 * number - 0.15 for depth in depths]
            values = [100 * rows[depth][rival]["score"] for depth in depths]
            axis.plot(places, values, label=label, **look)
            for place, depth in zip(places, depths, strict=True):
                if rows[depth][rival]["interval"]:
                    ends = [100 * end for end in rows[depth][rival]["interval"]]
                    axis.plot([place] * 2, ends, color=look["color"], linewidth=1)
        axis.set(xlabel="among the first", ylabel="recall, %", ylim=(-3, 103), title=direction.replace("_", " "))
        axis.set_xticks(depths)
    both = axes[1].get_legend_handles_labels()
    figure.legend(*both, frameon=False, fontsize=7, loc="outside lower center")
    return figure


def _look(number: int, rival: str, ceiling: str | None) -> tuple[dict[str, Any], str]:
    """Look of the line of a rival, and its label: chance is black and dotted, without markers."""
    if rival == CHANCE:
        return {"color": GREY, "linestyle": ":"}, rival
    return plots.line(number), f"ceiling: {rival}" if rival == ceiling else rival


def dynamics(report: Report) -> Figure:
    """NMSE by horizon beside the rivals, and the coverage of the intervals beside what they promise."""
    found = report["details"]["dynamics"]
    figure, (left, right) = plots.make_figure(2)
    for number, (name, values) in enumerate(found["nmse"].items()):
        left.plot(found["horizons"], values, label=name, **plots.line(number))
    for number, (level, values) in enumerate(found["coverage"].items()):
        look = plots.line(number)
        right.plot(found["horizons"], [100 * value for value in values], label=f"{level} %", **look)
        right.axhline(float(level), color=look["color"], linewidth=0.8, linestyle=":")
    left.set(xlabel="horizon, steps", ylabel="squared error, of persistence", yscale="log")
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_formatter("{x:g}")
    right.set(xlabel="horizon, steps", ylabel="coverage, %", ylim=(0, 103))
    left.legend(frameon=False, fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    right.legend(frameon=False, fontsize=8, title="intervals", title_fontsize=8)
    return figure


def rollout(report: Report) -> Figure:
    """One clip: states as simulated and as imagined, with 90 % intervals; the context is shaded."""
    found = report["details"]["dynamics"]["example"]
    figure, axes = plots.make_figure(3, width=3.8)
    truth, mean, std = (np.array(found[key]) for key in ("truth", "mean", "std"))
    times, ahead = np.arange(1, len(truth) + 1) / found["frame_rate"], found["context"]
    groups = (("x", "z"), ("vx", "vz"), ("contact_force",))
    for axis, group in zip(axes, groups, strict=True):
        axis.axvspan(0, times[ahead - 1], color="0.92", linewidth=0)
        for colour, name in zip(plots.COLOURS, group, strict=False):
            k = STATES.index(name)
            later = times[ahead : ahead + len(mean)]
            axis.plot(times, truth[:, k], color=colour, label=f"{name.replace('_', ' ')}, simulated")
            axis.plot(later, mean[:, k], "--", color=colour, label=f"{name.replace('_', ' ')}, imagined")
            axis.fill_between(
                later,
                mean[:, k] - 1.645 * std[:, k],
                mean[:, k] + 1.645 * std[:, k],
                color=colour,
                alpha=0.2,
                linewidth=0,
            )
        axis.set(xlabel="time, s")
        axis.legend(frameon=False, fontsize=7)
    for axis, label in zip(axes, ("position, m", "velocity, m/s", "force, N"), strict=True):
        axis.set(ylabel=label)
    return figure


def causal(report: Report) -> Figure:
    """Share of right signs by variable, of the model and of its rivals."""
    rows = report["details"]["causal"]["by_variable"]
    rivals = [name for name in next(iter(rows.values())) if name != "n"]
    figure, (axis,) = plots.make_figure(width=8.0)
    width = 0.8 / len(rivals)
    for number, rival in enumerate(rivals):
        places = np.arange(len(rows)) + (number - (len(rivals) - 1) / 2) * width
        axis.bar(places, [100 * row[rival] for row in rows.values()], width, label=rival, **plots.fill(number))
    axis.axhline(50, color=GREY, linewidth=0.8, linestyle=":", label="chance")
    axis.set_xticks(range(len(rows)), [f"{name}\n{row['n']:,}" for name, row in rows.items()], fontsize=8)
    axis.set(ylabel="right signs, %", ylim=(0, 103))
    axis.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def modalities(report: Report) -> Figure:
    """Scores with each subset of the modalities, a panel for each metric."""
    found = report["details"]["modalities"]
    figure, axes = plots.make_figure(len(found), width=3.4)
    for axis, (name, each) in zip(axes, found.items(), strict=True):
        for place, (_, row) in enumerate(each["rows"].items()):
            axis.barh(place, row["score"], 0.7, color=FILL)
            _line(axis, row["interval"], place, 1.0)
        axis.set_yticks(range(len(each["rows"])), list(each["rows"]), fontsize=8)
        axis.invert_yaxis()
        chance = report["metrics"].get(name, {}).get("rows", {}).get(CHANCE)
        if chance:
            axis.axvline(chance["score"], color=GREY, linewidth=0.8, linestyle=":")
        better = "" if each["direction"] == "higher" else " (lower is better)"
        axis.set_title(f"{name.replace('_', ' ')}{better}", fontsize=9)
    return figure


def _mark(axis: Axes, row: Mapping[str, Any], place: int, name: str) -> None:
    """What is beside the model; the legend has the marks of the first metric."""
    form, colour, size = MARKS[name]
    label = "" if place else name
    axis.plot(100 * row["score"], place, form, color=colour, markersize=size, label=label)


def _line(axis: Axes, interval: Any, place: float, factor: float = 100.0) -> None:
    if interval:
        axis.plot([factor * end for end in interval], [place, place], color=GREY, linewidth=1.2)


def _has(name: str) -> Callable[[Report], bool]:
    return lambda report: bool(report["details"].get(name))


def _has_pairs(report: Report) -> bool:
    return any(each["family"] == "retrieval" for each in report["metrics"].values())


CHARTS: dict[str, tuple[Callable[[Report], Figure], Callable[[Report], bool], str]] = {
    "metrics": (metrics, lambda report: True, "The metrics that are shares, with the best rival, chance and ceiling"),
    "properties": (
        property_scatter,
        _has("properties"),
        "Properties of new objects, and what each subset of the modalities shows",
    ),
    "retrieval": (retrieval, _has_pairs, "Retrieval between pictures and sounds of events, one encoder each"),
    "dynamics": (
        dynamics,
        _has("dynamics"),
        "Imagined states by horizon; rivals read exact states, the model does not",
    ),
    "rollout": (
        rollout,
        _has("dynamics"),
        "A clip as simulated and as imagined from the shaded steps, with 90 % intervals",
    ),
    "causal": (
        causal,
        lambda report: bool(report["details"].get("causal", {}).get("by_variable")),
        "Signs of effects by variable, with the number of effects",
    ),
    "modalities": (modalities, _has("modalities"), "Scores with fewer modalities, the same network; dotted: chance"),
}
