"""Which evaluations of a model are its seeds in a comparison, and why others are left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.evaluation import replication
from nsmodels.evaluation.comparison.table import OURS
from nsmodels.evaluation.entry import entries_of
from nsmodels.evaluation.outcomes import read_model

ELSEWHERE = "was scored on data other than those of the study"


@dataclass(frozen=True)
class Replicates:
    """Evaluations of one model.

    Attributes:
        alike: those taken together, by key.
        left_out: in what each of the others differs, by a name for the table.
    """

    alike: Mapping[str, Path]
    left_out: Mapping[str, str]


@dataclass(frozen=True)
class _Scored:
    """What decides an evaluation but for seeds, the seed of its model, when it was sealed, and on which data."""

    settings: Mapping[str, Any]
    seed: str
    created: str
    data: frozenset[str]


def replicates_of(study: Path, own: Mapping[str, Path], others: Mapping[str, Path]) -> Replicates:
    """The evaluation `own` of a model, if there is one, with those of `others` that differ from it in seeds alone.

    Without it the largest group of the others that are alike and on the data of the `study`, among equals the newest.
    Of a seed the first evaluation is taken. Raises `InputError` for one that is broken, naming its file.
    """
    places = {**own, **others}
    found = {key: _read(path) for key, path in places.items()}
    first = next(iter(own), None) or _first(found, {each.fingerprint for each in _datasets(study)})
    if first is None:
        return Replicates({}, {_name(key, each): ELSEWHERE for key, each in found.items()})
    seeds: dict[str, str] = {}
    left_out = {}
    for key, each in found.items():
        if differs := replication.differing(found[first].settings, each.settings):
            left_out[_name(key, each)] = differs
        else:
            seeds.setdefault(each.seed, key)
    return Replicates({key: places[key] for key in seeds.values()}, left_out)


def _first(found: Mapping[str, _Scored], data: set[str]) -> str | None:
    """The first of the largest group on that data."""
    mine = {key: each for key, each in found.items() if data & each.data}
    recipes = {key: each.settings for key, each in mine.items()}
    return replication.largest_group(recipes, {key: each.created for key, each in mine.items()})[0] if mine else None


def _name(key: str, scored: _Scored) -> str:
    return f"{OURS}, seed {scored.seed} of {key.removesuffix(f'/{replication.EVALUATION}')}"


def _read(evaluation: Path) -> _Scored:
    (entry, _), *_ = entries_of(evaluation, artifact.data_root(), has_intervals=False)
    manifest, model = artifact.read_manifest(evaluation), read_model(evaluation)
    settings = replication.settings(entry) | {
        "evaluation.code": manifest.code_version,
        "training data": sorted(record.fingerprint for record in model.datasets.values()),
    }
    data = frozenset(record.fingerprint for record in manifest.datasets.values())
    return _Scored(settings, str(model.seed), manifest.created, data)


def _datasets(folder: Path) -> list[artifact.InputRecord]:
    return list(artifact.read_manifest(folder).datasets.values())
