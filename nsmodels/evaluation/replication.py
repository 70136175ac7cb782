"""Replication: mean, interval, best and worst over several seeds of one training, and the seeds that are missing.

Only seeds of one configuration, code and data are taken together: those of the largest such group, among equals of the
newest. The others are listed with what differs; a missing seed is named, never counted as zero.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import MANIFEST, Manifest, Part
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.evaluation.ledger import ENTRY, Entry, enter
from nsmodels.evaluation.measure import SHARE, Measure
from nsmodels.evaluation.metrics import Interval
from nsmodels.evaluation.sources import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAKER = "nsmodels.engine"
CODE_VERSION = "5"
LEVEL = 0.95
REPLICATES, EVALUATION = "_replicates", "evaluation"  # end of a key of replicates; folder of a seed
ABOUT = {  # of the columns of `cells`, in order
    "training": "asset with a partition per seed",
    "mean": "over seeds, in percent where the metric is a share",
    "95 %": "interval of the mean over seeds, by Student's t",
    "n": "number of seeds taken together: those of the same configuration, code and data",
    "best (seed)": "score of the best seed",
    "worst (seed)": "score of the worst seed",
    "metric": "what the score counts, in which unit, and whether lower is better",
    "left out": "seeds that are missing, and those made otherwise with what differs",
}
Seeds = Mapping[str, Sequence[str]]  # partitions that there can be, by the key of the replicates


@dataclass(frozen=True)
class OverSeeds:
    """Scores of one training by one metric over seeds.

    Attributes:
        alike: the evaluations taken together, by seed.
    """

    alike: Mapping[str, Entry]

    @property
    def first(self) -> Entry:
        """The entry of the first seed, for what is the same in all."""
        return next(iter(self.alike.values()))

    @property
    def measure(self) -> Measure:
        """Name, unit, bounds and direction of the metric."""
        return self.first.measure

    @property
    def scores(self) -> list[float]:
        """Score of each seed."""
        return [entry.score for entry in self.alike.values()]

    @property
    def mean(self) -> float:
        """Mean score over seeds."""
        return statistics.fmean(self.scores)

    @property
    def interval(self) -> Interval | None:
        """95 % interval of that mean; None with a single seed, and where all are equal."""
        return student_interval(self.scores, measure=self.measure)


@dataclass(frozen=True)
class Replication(OverSeeds):
    """The replicates of one training, by the headline metric.

    Attributes:
        key: of the replicates.
        others: evaluations of another configuration, code or data by seed, each with what differs.
        missing: seeds without an evaluation, each with the reason, empty where it was not trained.
    """

    key: str
    others: Mapping[str, tuple[Entry, str]]
    missing: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        first, sign = self.first, self.measure.sign
        seeds = sorted(self.alike, key=lambda seed: sign * self.alike[seed].score)
        return {
            "system": first.system,
            "dataset": first.dataset,
            "source": first.source,
            "split": first.split,
            "metric": first.metric,
            "unit": first.unit,
            "direction": first.direction,
            "num_seeds": len(seeds),
            "mean": self.mean,
            "interval": self.interval,
            "deviation": statistics.stdev(self.scores) if len(seeds) > 1 else None,
            "best": {"seed": seeds[-1], "score": self.alike[seeds[-1]].score},
            "worst": {"seed": seeds[0], "score": self.alike[seeds[0]].score},
            "scores": {seed: _summary(entry) for seed, entry in self.alike.items()},
            "missing": dict(self.missing),
            "others": {seed: {**_summary(entry), "differs": why} for seed, (entry, why) in self.others.items()},
            "configuration": first.configuration,
        }


def student_interval(values: Sequence[float], level: float = LEVEL, measure: Measure | None = None) -> Interval | None:
    """Interval of the mean of independent, roughly normal `values` (Student 1908), cut to the bounds of `measure`.

    By default the bounds are those of a share, [0, 1]. None below two values, and where all are equal: they give no
    estimate of how much further values would differ.
    """
    from scipy import stats

    if len(set(values)) < 2:
        return None
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * statistics.stdev(values) / math.sqrt(len(values))
    mean = statistics.fmean(values)
    return (measure or Measure("share")).clipped(mean - half, mean + half)


# --- from the disk ---------------------------------------------------------------------------------------------------


def evaluations_of(replicates: Path) -> dict[str, Path]:
    """The sealed evaluations of replicates, by seed; none where there is no such folder."""
    known = replicates.iterdir() if replicates.is_dir() else ()
    seeds = sorted((path.name for path in known if path.name.isdecimal()), key=int)
    places = {seed: replicates / seed / EVALUATION for seed in seeds}
    return {seed: place for seed, place in places.items() if (place / MANIFEST).is_file()}


def evaluations(seeds: Seeds, root: Path | None = None) -> dict[str, Path]:
    """The evaluations that lie under a data root, by their key: `<key of the replicates>/<seed>/evaluation`."""
    root = root or artifact.data_root()
    found = {key: evaluations_of(root / key) for key in seeds}
    return {
        f"{key}/{seed}/{EVALUATION}": path
        for key, those in found.items()
        for seed, path in those.items()
        if seed in seeds[key]
    }


def replication(key: str, seeds: Sequence[str], root: Path | None = None) -> Replication | None:
    """The replicates of `key` that lie under a data root; None where there is not one."""
    root = root or artifact.data_root()
    known: dict[str, Entry] = {}
    missing: dict[str, str] = {}
    sealed = evaluations_of(root / key)
    for seed in seeds:
        if seed not in sealed:
            missing[seed] = ""
            continue
        try:
            text = (enter(sealed[seed], root) / ENTRY).read_text(encoding="utf-8")
            known[seed] = Entry.model_validate_json(text)
        except InputError as error:
            missing[seed] = str(error)
    return _together(key, known, missing) if known else None


def _together(key: str, known: Mapping[str, Entry], missing: Mapping[str, str]) -> Replication:
    recipes = {seed: settings(entry) for seed, entry in known.items()}
    seeds = largest_group(recipes, {seed: entry.created for seed, entry in known.items()})
    others = {
        seed: (entry, differing(recipes[seeds[0]], recipes[seed])) for seed, entry in known.items() if seed not in seeds
    }
    return Replication({seed: known[seed] for seed in seeds}, key, others, missing)


def largest_group(recipes: Mapping[str, Mapping[str, Any]], created: Mapping[str, str]) -> list[str]:
    """The names of the largest group of equal recipes, among equals of the newest."""
    groups: dict[str, list[str]] = {}
    for name, recipe in recipes.items():
        groups.setdefault(fingerprint(recipe), []).append(name)
    return max(groups.values(), key=lambda group: (len(group), max(created[name] for name in group)))


def settings(entry: Entry) -> dict[str, Any]:
    """Settings that must agree in all evaluations that are taken together, by dotted name."""
    data = {"data": entry.data_fingerprint, "split": entry.split, "metric": entry.metric, "unit": entry.unit}
    return {"system": entry.system, **data, **entry.settings()}


def differing(here: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    """In what the second settings differ from the first, the first four by name with their values there."""
    names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
    more = [f"+{len(names) - 4} more"] if len(names) > 4 else []
    return ", ".join([f"{name}={there.get(name)}" for name in names[:4]] + more)


def _summary(entry: Entry) -> dict[str, Any]:
    return {"score": entry.score, "interval": [entry.low, entry.high], "entry": entry.id, "n": entry.n}


# --- the report ------------------------------------------------------------------------------------------------------


def make_report(folder: Path, seeds: Seeds, key: str = "replication_report", is_forced: bool = False) -> Manifest:
    """Seal `report.json`, `table.txt` and the figure over all replicates that lie under the data root.

    An equal report is kept. Raises InputError when there is not one replicate.
    """
    found = evaluations(seeds)
    recipe: Any = {"config": config_of(seeds, found), "code_version": CODE_VERSION, "inputs": found}

    def fill(part: Part) -> None:
        parts = [each for name, those in seeds.items() if (each := replication(name, those))]
        if not parts:
            raise InputError(f"{key}: no seed was trained yet; {_how(next(iter(seeds), 'replicates'))}")
        report: dict[str, Any] = dict.fromkeys(seeds) | {each.key: each.to_dict() for each in parts}
        disk.write_json(part.path / "report.json", report)
        disk.write_atomic(part.path / "table.txt", table(parts, [name for name in seeds if not report[name]]) + "\n")
        _save(parts, part.path / "figures" / "replication")
        part.metrics |= {name: value for each in parts for name, value in _figures(each).items()}

    return artifact.made(folder, is_forced, fill, key=key, maker=MAKER, is_resumable=False, **recipe)


def config_of(seeds: Seeds, found: Mapping[str, Path]) -> dict[str, Any]:
    """Everything that decides the content of a report beside the evaluations themselves."""
    return {"seeds": {key: list(those) for key, those in seeds.items()}, "evaluations": sorted(found)}


def _how(key: str) -> str:
    return f"train some: dagster asset materialize --select {key} --partition-range 0...4"


def _figures(part: Replication) -> dict[str, Any]:
    ends = part.interval or (None, None)
    ordered = sorted(part.scores, key=lambda score: part.measure.sign * score)
    values = {"mean": part.mean, "low": ends[0], "high": ends[1], "best": ordered[-1], "worst": ordered[0]}
    values |= {"num_seeds": len(part.scores), "num_missing": len(part.missing), "num_others": len(part.others)}
    return {f"{part.key}/{name}": value for name, value in values.items() if value is not None}


def table(parts: Sequence[Replication], untrained: Sequence[str] = ()) -> str:
    """A line per training, shares in percent, then what is missing and was left out; last those without a seed."""
    width = max(len(key) for key in [*(part.key for part in parts), *untrained])
    lines = [f"{'':<{width}}  metric      n   mean  95 % interval   best (seed)  worst (seed)"]
    for part in parts:
        lines.append(_line(part, width))
        lines += [f"{'':<{width}}  {note}" for note in _notes(part)]
    return "\n".join(lines + [f"{key:<{width}}  no seed was trained yet" for key in untrained])


def _line(part: Replication, width: int) -> str:
    cell = _cells(part)
    return (
        f"{part.key:<{width}}  {part.measure.name:<9} {cell['n']:>3}  {cell['mean']:>5}  {cell['95 %']:<13} "
        f"{cell['best (seed)']:>12}  {cell['worst (seed)']:>12}"
    )


def cells(seeds: Seeds, root: Path | None = None) -> list[dict[str, str]]:
    """The trainings with at least one seed under a data root, as text by column of `ABOUT`."""
    parts = [each for key, those in seeds.items() if (each := replication(key, those, root))]
    return [{**_cells(part), "left out": "; ".join(_notes(part)) or "-"} for part in parts]


def _cells(part: Replication) -> dict[str, str]:
    values, text = part.to_dict(), part.measure.text
    none = "all equal" if len(part.scores) > 1 else "needs two"
    ends = "–".join(text(end) for end in part.interval) if part.interval else none
    best, worst = (f"{text(values[name]['score'])} ({values[name]['seed']})" for name in ("best", "worst"))
    head = {"training": part.key, "mean": text(part.mean), "95 %": ends, "n": str(values["num_seeds"])}
    return head | {"best (seed)": best, "worst (seed)": worst, "metric": part.measure.title}


def _notes(part: Replication) -> Iterator[str]:
    plain = [seed for seed, why in part.missing.items() if not why]
    if plain:
        yield f"missing: seed{'s' * (len(plain) > 1)} {', '.join(plain)}"
    for seed, why in part.missing.items():
        if why:
            yield f"missing: seed {seed}: {why}"
    for seed, (entry, why) in part.others.items():
        yield f"left out: seed {seed}, {entry.measure.text(entry.score)}: {why}"


def draw(parts: Sequence[Replication]) -> Figure:
    """A row per training: a dot per seed, the mean with its interval, crosses for those made otherwise.

    Shares have one axis in percent; every other unit has an axis of its own below.
    """
    from nsmodels.evaluation import plots

    panels: dict[str, list[Replication]] = {}
    for part in parts:
        panels.setdefault(part.measure.unit, []).append(part)
    figure, axes = plots.stacked([1.1 + 0.62 * len(those) for those in panels.values()], width=7.0)
    for axis, (unit, those) in zip(axes, panels.items(), strict=True):
        for row, part in enumerate(those):
            _draw(axis, row, part, 100 if unit == SHARE else 1)
        names = [f"{part.key}\n{part.measure.name}" for part in those]
        axis.set_yticks(range(len(those)), names, fontsize=7)
        label = "score, %" if unit == SHARE else f"score, {unit}" if unit else "score"
        axis.set(xlabel=label, ylim=(len(those) - 0.4, -0.6))
        axis.margins(x=0.08)
    return figure


def _draw(axis: Axes, row: int, part: Replication, scale: int) -> None:
    from nsmodels.evaluation.plots import COLOURS

    scores = [scale * score for score in part.scores]
    axis.plot(scores, [row] * len(scores), "o", color=COLOURS[5], markersize=5, alpha=0.8, markeredgewidth=0)
    for entry, _ in part.others.values():
        axis.plot([scale * entry.score], [row], "x", color="grey", markersize=5)
    if part.interval:
        axis.plot([scale * end for end in part.interval], [row + 0.18] * 2, color=COLOURS[0], linewidth=1.6)
    axis.plot([scale * part.mean], [row + 0.18], "D", color=COLOURS[0], markersize=5)
    absent = f"missing: {', '.join(part.missing)}" if part.missing else "none missing"
    others = f"; x made otherwise: {', '.join(part.others)}" if part.others else ""
    note, left = f"n = {len(scores)}; {absent}{others}", axis.get_yaxis_transform()
    axis.text(0.01, row - 0.3, note, fontsize=6.5, color="dimgrey", va="center", transform=left)


def _save(parts: Sequence[Replication], path: Path) -> None:
    from nsmodels.evaluation import plots

    source = listed(sorted({entry.source for part in parts for entry in part.alike.values()}))
    caption = "One dot per seed; diamond and line: mean over seeds and its 95 % interval (Student's t)"
    plots.save_figure(draw(parts), path, caption, source)
