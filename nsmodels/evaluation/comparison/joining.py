"""Sealed studies of baselines and sealed evaluations of a model, joined to one table, and the figure drawn from it.

Seals `report.json`, `table.txt` and `scores/`, a folder per dataset with the outcomes of each row and seed.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Manifest, Part
from nsmodels.core.errors import InputError
from nsmodels.evaluation import plots
from nsmodels.evaluation.comparison import figure
from nsmodels.evaluation.comparison.rows import Row, read_rows, require_alike, write_rows
from nsmodels.evaluation.comparison.table import OURS, Compared, text
from nsmodels.evaluation.metrics import Interval
from nsmodels.evaluation.outcomes import Outcomes, files_of, read_model, read_outcomes
from nsmodels.evaluation.sealing import REPORT, TABLE
from nsmodels.evaluation.sources import listed

MAKER = "nsmodels.evaluation"
KIND, STUDY = "comparison", "study: baselines"
CODE_VERSION = "3"
SCORES = "scores"
Folders = Mapping[str, Path]  # by key
LeftOut = Mapping[str, Mapping[str, str]]  # by the key of a study: why an evaluation is not in its table, by its name
Levels = dict[str, tuple[float, Interval | None]]


def make_comparison(
    folder: Path, studies: Folders, evaluations: Folders, key: str, is_forced: bool, left_out: LeftOut | None = None
) -> Manifest:
    """Seal the table of all studies, each with the evaluations of a model on the same data; an equal one is kept.

    Raises `InputError` for folders that are none of that, two studies of data of one name, an evaluation on data of no
    study, and rows of different items, splits or metrics.
    """
    recipe: Any = {"config": config_of(studies, evaluations, left_out), "code_version": CODE_VERSION}
    recipe |= {"inputs": {**studies, **evaluations}, "kind": KIND}

    def fill(part: Part) -> None:
        compared = joined(studies, evaluations, left_out)
        for each in compared:
            write_rows(part.path / SCORES / each.name, each.rows)
        disk.write_json(part.path / REPORT, {"parts": {each.name: each.to_dict() for each in compared}})
        disk.write_atomic(part.path / TABLE, text(compared))
        part.metrics |= {f"{each.name}/{row.name}": row.mean for each in compared for row in each.rows}

    return artifact.made(folder, is_forced, fill, key=key, maker=MAKER, is_resumable=False, **recipe)


def config_of(studies: Folders, evaluations: Folders, left_out: LeftOut | None = None) -> dict[str, Any]:
    """Everything that decides the content of a comparison beside the folders themselves: also the order of studies."""
    reasons = {key: dict(those) for key, those in (left_out or {}).items() if those}
    return {"studies": list(studies), "evaluations": sorted(evaluations), "left_out": reasons}


def joined(studies: Folders, evaluations: Folders, left_out: LeftOut | None = None) -> list[Compared]:
    """What is compared, by study; see `make_comparison`."""
    if not studies:
        raise InputError(
            "comparison: expected at least one study of baselines; make one: nsmodels natural study baselines"
        )
    used: set[str] = set()
    compared: dict[str, Compared] = {}
    for key, path in studies.items():
        part, data = read_study(path)
        if part.name in compared:
            raise InputError(f"{path}: a second study of data named {part.name}; give one of each, or compare it alone")
        mine = [place for place in evaluations.values() if data in _data_of(place)]
        used |= {name for name, place in evaluations.items() if place in mine}
        found = _with_ours(part, mine)
        compared[part.name] = replace(found, left_out={**found.left_out, **(left_out or {}).get(key, {})})
    if unused := [evaluations[key] for key in evaluations if key not in used]:
        raise InputError(f"{unused[0]}: was scored on data of none of the studies; score the model on these data")
    return list(compared.values())


def read_study(path: Path) -> tuple[Compared, str]:
    """What a sealed study compares, and the fingerprint of its data. Raises `InputError` for a different folder."""
    manifest = artifact.require_intact(path, has_checksums=False)
    if manifest.kind != STUDY:
        raise InputError(f"{path}: is no study of baselines; give the folder of one (nsmodels natural study baselines)")
    (name, data), *_ = manifest.datasets.items()
    return _compared(name, _report(path), path / "scores"), data.fingerprint


def read_comparison(path: Path) -> list[Compared]:
    """What a sealed comparison holds, by dataset. Raises `InputError` for a different folder."""
    manifest = artifact.require_intact(path, has_checksums=False)
    if manifest.kind != KIND:
        raise InputError(f"{path}: is no comparison; give a folder made by nsmodels performance")
    return [_compared(name, part, path / SCORES / name) for name, part in _report(path)["parts"].items()]


def performance_comparison(comparison: Path, folder: Path, key: str) -> Manifest:
    """Seal the figure of a sealed comparison in `folder`; `key`: of the comparison.

    Raises `InputError` for one that a figure must not be drawn of; see `figure.require_sound`.
    """
    compared = read_comparison(comparison)
    figure.require_sound(compared, str(comparison))
    recipe: Any = {"config": {}, "code_version": CODE_VERSION, "inputs": {key: comparison}, "is_resumable": False}
    with artifact.build(folder, key=folder.name, maker=MAKER, kind="figure", **recipe) as part:
        disk.write_json(part.path / "numbers.json", figure.numbers(compared))
        # One split: `require_sound` refuses different ones.
        sources = f"{listed(each.source for each in compared)}, split {compared[0].rows[0].first.split}"
        text = figure.caption(compared)
        plots.save_figure(figure.draw(compared), part.path / folder.name, text, sources, is_printed=True)
    return artifact.read_manifest(folder)


def _compared(name: str, report: Mapping[str, Any], scores: Path) -> Compared:
    try:
        levels = {level: (each["score"], each["interval"]) for level, each in report["levels"].items()}
        rest = {"left_out": report["left_out"], "notes": report["notes"]}
        published = [(who, score, source) for who, score, source in report["published"]]
        return Compared(name, report["source"], read_rows(scores, report["rows"]), levels, published=published, **rest)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{scores.parent / REPORT}: cannot be read ({error!r}); make it again") from None


def _report(path: Path) -> Any:
    try:
        return json.loads((path / REPORT).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path / REPORT}: cannot be read ({error}); make it again") from None


def _data_of(evaluation: Path) -> set[str]:
    manifest = artifact.require_intact(evaluation, has_checksums=False)
    if manifest.kind != "evaluation":
        raise InputError(f"{evaluation}: is no evaluation of a model; give the folder of one")
    return {record.fingerprint for record in manifest.datasets.values()}


def _with_ours(part: Compared, evaluations: Sequence[Path]) -> Compared:
    """The same with the row of the model, over its seeds in their order, before that of people, and its levels."""
    if not evaluations:
        return replace(part, left_out={OURS: "no sealed evaluation of the model on these data", **part.left_out})
    models = {path: read_model(path) for path in evaluations}
    places: dict[str, Path] = {}
    for path in sorted(evaluations, key=lambda path: (models[path].seed is None, models[path].seed)):
        seed = str(models[path].seed)
        if seed in places:
            raise InputError(f"{path}: a second evaluation of seed {seed} on the same data; give one of each seed")
        places[seed] = path
    found = {seed: _outcomes(path, part.rows[0].first) for seed, path in places.items()}
    sizes = [size for model in models.values() if (size := model.metrics.get("num_parameters")) is not None]
    cost = {"parameters": statistics.fmean(sizes)} if len(sizes) == len(models) else {}
    ours = Row(OURS, "ours, image and question only", "ours", found, cost)
    others = [row for row in part.rows if row.kind != "people"]
    rows = [*others, ours, *(row for row in part.rows if row.kind == "people")]
    require_alike(rows, part.name)
    return replace(part, rows=rows, levels=_mean_levels(dict(_levels(_report(path))) for path in places.values()))


def _outcomes(evaluation: Path, wanted: Outcomes) -> Outcomes:
    """Those of the metric of the study."""
    known = [read_outcomes(path) for path in files_of(evaluation)]
    if found := [each for each in known if each.metric == wanted.metric]:
        return found[0]
    raise InputError(f"{evaluation}: is scored by {', '.join(each.metric for each in known)}, not by {wanted.metric}")


def _mean_levels(seeds: Iterable[Levels]) -> Levels:
    """Means over seeds of the levels that all of them have, and of the ends of their intervals.

    So an interval is at least as wide as that of the mean, for which the scores of single items would be needed.
    """
    every = list(seeds)
    found: Levels = {}
    for name in (name for name in every[0] if all(name in levels for levels in every)):
        values, ends = zip(*(levels[name] for levels in every), strict=True)
        known = [each for each in ends if each]
        interval = None
        if len(known) == len(every):
            low, high = (statistics.fmean(side) for side in zip(*known, strict=True))
            interval = (low, high)
        found[name] = (statistics.fmean(values), interval)
    return found


def _levels(report: Mapping[str, Any]) -> Iterable[tuple[str, tuple[float, Interval | None]]]:
    for name, row in report.get("rows", {}).items():
        score = row.get("accuracy", row.get("score"))
        if score is not None and name != report.get("headline"):
            yield name, (score, row.get("interval"))
