"""Figure of a study of variants, from its sealed folder alone: the gain of every part with its interval."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots
from nsmodels.evaluation.measure import FEWEST_SEEDS, SHARE
from nsmodels.evaluation.sealing import REPORT
from nsmodels.evaluation.sources import listed, require_one_kind, require_one_split
from nsmodels.studies import groups
from nsmodels.studies.comparison import Row
from nsmodels.studies.config import TRIALS
from nsmodels.studies.variant import FULL, Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAKER = "nsmodels.studies"
CODE_VERSION = "5"
COLOUR = {"helps": plots.COLOURS[0], "hurts": plots.COLOURS[1]}  # any other verdict: grey
MARK = {"helps": "o", "hurts": "s"}  # colours alone are lost in print
GREY = "#666666"
WIDTH = 5.4  # inches, of a panel
HIGHEST = 8.0  # inches of panels below each other; where they need more, two are side by side
TALLEST = 13.8  # inches of a figure, of which 9 are left in print, the height of a page
LINE, AROUND = 0.23, 0.9  # inches: of a line of a label, of what is above and below all of them
LETTERS = 24  # of a label, in a line: in one column of print there is no place for more
LETTERS_OF_TWO = 44  # where two panels have the same labels, which stand beside the first one
FLAT = 1.4  # lines of a row there, at least
NOTHING = 1e-9  # a gain that is smaller comes from rounding


class Panel(NamedTuple):
    """Gains of the parts of a model in one unit."""

    title: str
    rows: list[Row]

    def labels(self, letters: int = LETTERS) -> list[str]:
        """Name of the part in each row, and the metric where rows have different ones, in lines of so many letters."""
        has_one = len({row.metric for row in self.rows}) == 1
        parts = [[row.about] if has_one else [row.about, _words(row.metric)] for row in self.rows]
        return ["\n".join(textwrap.fill(text, letters) for text in texts) for texts in parts]

    def height(self, letters: int = LETTERS) -> float:
        """In inches, with labels in lines of so many letters."""
        num_lines = max(label.count("\n") + 1 for label in self.labels(letters))
        return LINE * max(2.0 if letters == LETTERS else FLAT, num_lines) * len(self.rows) + AROUND


def ablation_study(study: Path, folder: Path, key: str, together: Sequence[Group] = ()) -> Manifest:
    """Seal the figure of a sealed study in `folder`; `key`: of the study.

    `together`: groups of variants whose best ones are compared, in `groups.json` and, by the headline, in the caption.
    Raises `InputError` for a study that is none, and for one that a figure must not be made of; see `require_sound`.
    """
    parts, sources = read(study)
    require_sound(parts, sources, str(study))
    num_seeds = len(next(iter(parts.values()))[0].seeds)
    caption = f"Gain by each part: full model less the one without it, paired by item and seed; {num_seeds} seeds"
    compared = groups.compared(study / TRIALS, parts, together)
    caption = "; ".join([caption, *_lines(compared, parts)])
    drawn = draw(parts)
    width = plots.PAGE if drawn.get_figwidth() > WIDTH else plots.COLUMN
    recipe: Any = {"config": {}, "code_version": CODE_VERSION, "inputs": {key: study}, "is_resumable": False}
    with artifact.build(folder, key=folder.name, maker=MAKER, **recipe) as part:
        disk.write_json(part.path / "numbers.json", {n: [row.to_dict() for row in rows] for n, rows in parts.items()})
        if compared:
            disk.write_json(part.path / "groups.json", compared)
        source = listed(sources.values())
        plots.save_figure(drawn, part.path / folder.name, caption, source, is_printed=True, width=width)
    return artifact.read_manifest(folder)


def _lines(compared: Sequence[Mapping[str, Any]], parts: Mapping[str, Sequence[Row]]) -> Iterator[str]:
    """Comparisons of groups by the first metric of each part."""
    for found in compared:
        rows = {row.metric: row for row in reversed(parts[found["part"]])}
        if found["metric"] == parts[found["part"]][0].metric:
            yield groups.line(found, rows[found["metric"]])


def read(study: Path) -> tuple[dict[str, list[Row]], dict[str, str]]:
    """Rows and sources of a sealed study, by part. Raises `InputError` for a folder that is none."""
    artifact.require_intact(study)
    try:
        report = json.loads((study / REPORT).read_text(encoding="utf-8"))
        parts = {name: [Row(**row) for row in part["rows"]] for name, part in report["parts"].items()}
        return parts, {name: part["source"] for name, part in report["parts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{study / REPORT}: is of no study of variants; give the folder of one") from None


def require_sound(parts: Mapping[str, Sequence[Row]], sources: Mapping[str, str], where: str) -> None:
    """Raise `InputError` for mixed sources, unequal splits, too few seeds for an interval, and the full model alone."""
    if not any(panels_of(name, rows) for name, rows in parts.items()):
        raise InputError(f"{where}: has no variant beside the full model; make the study with some")
    require_one_kind(sources, where, "draw studies of one kind of data alone")
    splits: dict[str, dict[str, str]] = {}
    for name, rows in parts.items():
        for row in rows:
            splits.setdefault(row.metric, {})[f"{name}, '{row.variant}'"] = row.split
    for metric, of_rows in splits.items():
        require_one_split(of_rows, f"{where}: {metric}", "score all variants on one")
    few = min((len(row.seeds) for rows in parts.values() for row in rows), default=0)
    if few < FEWEST_SEEDS:
        raise InputError(
            f"{where}: has {few} seed{'s' * (few != 1)}; expected at least {FEWEST_SEEDS} for intervals over seeds: "
            "make the study with more (preset quick)"
        )


def draw(parts: Mapping[str, Sequence[Row]]) -> Figure:
    """Panels, in one column or two, with the gain of each variant and its interval, over the single seeds."""
    from matplotlib.figure import Figure

    panels = [panel for name, rows in parts.items() for panel in panels_of(name, rows)]
    num = 2 if len(panels) > 1 and sum(panel.height() for panel in panels) > HIGHEST else 1
    lines = [panels[start : start + num] for start in range(0, len(panels), num)]
    are_alike = num == 2 and all(those[0].labels() == those[-1].labels() for those in lines)
    letters = LETTERS_OF_TWO if are_alike else LETTERS
    sizes = [max(panel.height(letters) for panel in those) for those in lines]
    drawn = Figure(figsize=(num * WIDTH, min(TALLEST, sum(sizes) + 0.2)), layout="constrained")
    grid = drawn.add_gridspec(len(lines), num, height_ratios=sizes)
    for row, those in enumerate(lines):
        for column, panel in enumerate(those):
            labels = [""] * len(panel.rows) if are_alike and column else panel.labels(letters)
            _draw_panel(plots.styled(drawn.add_subplot(grid[row, column])), panel, labels)
    return drawn


def panels_of(part: str, rows: Sequence[Row]) -> list[Panel]:
    """The panels of a part of a study: one, or one per metric where units differ or a variant has several verdicts."""
    shown = [row for row in rows if row.is_judged and row.variant != FULL]
    if not shown:
        return []
    if len({row.variant for row in shown}) == len(shown) and len({row.unit for row in shown}) == 1:
        return [Panel(part, shown)]
    metrics = dict.fromkeys(row.metric for row in shown)
    return [Panel(f"{part}: {_words(name)}", [row for row in shown if row.metric == name]) for name in metrics]


def _draw_panel(axis: Axes, panel: Panel, labels: Sequence[str]) -> None:
    for place, row in enumerate(panel.rows):
        _draw(axis, place, row)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_yticks(range(len(panel.rows)), labels, fontsize=8)
    axis.set_ylim(len(panel.rows) - 0.4, -0.6)
    axis.set_title(panel.title, fontsize=9)
    axis.set_xlabel(_unit(panel.rows), fontsize=8)
    axis.tick_params(axis="x", labelsize=8)
    axis.margins(x=0.08)
    if max(map(abs, axis.dataLim.intervalx)) < NOTHING:
        axis.set_xlim(-0.5, 0.5)


def _draw(axis: Axes, place: int, row: Row) -> None:
    scale = 100 if row.unit == SHARE else 1
    colour = COLOUR.get(row.verdict, GREY)
    gains = [scale * gain for gain in row.gains]
    axis.plot(gains, [place + 0.16] * len(gains), "|", color=colour, markersize=5, alpha=0.7)
    low, high = row.gain_ends
    if low is not None and high is not None:
        axis.plot([scale * low, scale * high], [place] * 2, color=colour, linewidth=1.6)
    axis.plot([scale * (row.gain or 0)], [place], MARK.get(row.verdict, "D"), color=colour, markersize=5)
    text, beside = f"{row.measure.difference(row.gain or 0)}  {row.verdict}", axis.get_yaxis_transform()
    axis.annotate(text, (1.02, place), xycoords=beside, va="center", fontsize=7, color=colour)


def _words(metric: str) -> str:
    return metric.replace("_", " ")


def _unit(rows: Sequence[Row]) -> str:
    units, metrics = {row.unit for row in rows}, {row.metric for row in rows}
    points = ", points" if units == {SHARE} else ""
    return f"gain by the part{points}" + (f": {_words(*metrics)}" if len(metrics) == 1 else "")
