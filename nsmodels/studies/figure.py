"""Figure of a study of variants, from its sealed folder alone: the gain of every part with its interval."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots
from nsmodels.evaluation.measure import SHARE
from nsmodels.evaluation.sealing import REPORT
from nsmodels.studies.comparison import Row
from nsmodels.studies.config import FEWEST_SEEDS
from nsmodels.studies.variant import FULL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAKER = "nsmodels.studies"
CODE_VERSION = "1"
COLOUR = {"helps": plots.COLOURS[0], "hurts": plots.COLOURS[1]}  # any other verdict: grey
MARK = {"helps": "o", "hurts": "s"}  # colours alone are lost in print
GREY = "#666666"


def ablation_study(study: Path, folder: Path, key: str) -> Manifest:
    """Seal the figure of a sealed study in `folder`; `key`: of the study.

    Raises `InputError` for a study that is none, and for one that a figure must not be made of; see `require_sound`.
    """
    parts, sources = read(study)
    require_sound(parts, sources, str(study))
    num_seeds = len(next(iter(parts.values()))[0].seeds)
    caption = f"Gain by each part: full model less the one without it, paired by item and seed; {num_seeds} seeds"
    recipe: Any = {"config": {}, "code_version": CODE_VERSION, "inputs": {key: study}, "is_resumable": False}
    with artifact.build(folder, key=folder.name, maker=MAKER, **recipe) as part:
        disk.write_json(part.path / "numbers.json", {n: [row.to_dict() for row in rows] for n, rows in parts.items()})
        plots.save_figure(
            draw(parts), part.path / folder.name, caption, ", ".join(dict.fromkeys(sources.values())), is_printed=True
        )
    return artifact.read_manifest(folder)


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
    """Raise `InputError` for mixed sources, unequal splits, or too few seeds for an interval."""
    if len(kinds := {_kind(source) for source in sources.values()}) > 1:
        raise InputError(f"{where}: parts of {', '.join(sorted(kinds))} data; draw studies of one kind of data alone")
    splits = {row.split for rows in parts.values() for row in rows}
    if len(splits) > 1:
        raise InputError(f"{where}: scored on splits {', '.join(sorted(splits))}; expected one split")
    few = min((len(row.seeds) for rows in parts.values() for row in rows), default=0)
    if few < FEWEST_SEEDS:
        raise InputError(
            f"{where}: has {few} seed{'s' * (few != 1)}; expected at least {FEWEST_SEEDS} for intervals over seeds: "
            "make the study with more (preset quick)"
        )


def _kind(source: str) -> str:
    return "synthetic" if "synthetic" in source else "released"


def draw(parts: Mapping[str, Sequence[Row]]) -> Figure:
    """A panel per part of the study: the gain of each variant with its interval, over the single seeds."""
    shown = {name: [row for row in rows if row.is_judged and row.variant != FULL] for name, rows in parts.items()}
    shown = {name: rows for name, rows in shown.items() if rows}
    if not shown:
        raise InputError("ablation study: no variant beside the full model")
    most = max(map(len, shown.values()))
    figure, axes = plots.make_figure(len(shown), width=5.4, height=1.0 + 0.42 * most)
    for axis, (name, rows) in zip(axes, shown.items(), strict=True):
        for place, row in enumerate(rows):
            _draw(axis, place, row)
        axis.axvline(0, color="black", linewidth=0.8)
        axis.set_yticks(range(len(rows)), [_label(row) for row in rows], fontsize=8)
        axis.set(ylim=(len(rows) - 0.4, -0.6), title=name, xlabel=_unit(rows))
        axis.margins(x=0.08)
    return figure


def _draw(axis: Axes, place: int, row: Row) -> None:
    scale = 100 if row.unit == SHARE else 1
    colour = COLOUR.get(row.verdict, GREY)
    gains = [scale * gain for gain in row.gains]
    axis.plot(gains, [place + 0.16] * len(gains), "|", color=colour, markersize=5, alpha=0.7)
    if row.gain_low is not None and row.gain_high is not None:
        axis.plot([scale * row.gain_low, scale * row.gain_high], [place] * 2, color=colour, linewidth=1.6)
    axis.plot([scale * (row.gain or 0)], [place], MARK.get(row.verdict, "D"), color=colour, markersize=5)
    text, beside = f"{row.measure.difference(row.gain or 0)}  {row.verdict}", axis.get_yaxis_transform()
    axis.annotate(text, (1.02, place), xycoords=beside, va="center", fontsize=7, color=colour)


def _label(row: Row) -> str:
    return f"{row.about}\n{row.metric.replace('_', ' ')}"


def _unit(rows: Sequence[Row]) -> str:
    units = {row.unit for row in rows}
    return "gain by the part, points" if units == {SHARE} else "gain by the part"
