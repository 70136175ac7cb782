"""What the paper is made from: the sealed evaluations over seeds with their models, studies of parts, and searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.evaluation.replication import REPLICATES, evaluations_of
from nsmodels.paper.contents import SEEDS, TRAININGS, NothingSealed
from nsmodels.paper.recipes import materialize
from nsmodels.paper.results import Result, Results, read_results
from nsmodels.paper.searches import Search, read_searches
from nsmodels.studies import figure
from nsmodels.studies.comparison import Row
from nsmodels.studies.report import CSV

MAKER = "nsmodels.paper"


@dataclass(frozen=True)
class Inputs:
    """Everything that the paper reads.

    Attributes:
        root: the data root.
        results: over seeds, one per training and metric.
        studies: rows and sources by part, of every sealed study of variants by key.
        searches: outcomes of searches.
        left_out: trainings and studies that are not sound, with the reason and the command that mends it.
        folders: every folder that was read, by key.
    """

    root: Path
    results: Sequence[Result]
    studies: Mapping[str, tuple[Mapping[str, Sequence[Row]], Mapping[str, str]]]
    searches: Sequence[Search]
    left_out: Mapping[str, str]
    folders: Mapping[str, Path]


def read_inputs(root: Path, is_strict: bool = False) -> Inputs:
    """What is sealed under a data root.

    Raises `InputError` for evaluations of one training that are not alike, for what is not as it was sealed, where
    nothing has enough seeds, and with `is_strict` for the first training or study that would be left out.
    """
    results = read_results(root)
    studies, unsound = _studies(root)
    left_out = {**results.left_out, **unsound}
    if is_strict and left_out:
        raise InputError(next(iter(left_out.values())))
    if not results.found:
        first = next(iter(left_out.values()), "")
        (name,) = TRAININGS["nav"]
        raise NothingSealed(first or f"{root}: no training over seeds: {materialize(name + REPLICATES, SEEDS)}")
    searches = list(read_searches(root))
    folders = {**_evaluations(root, results), **{key: root / key for key in studies}}
    folders |= {search.key: root / search.key for search in searches}
    for folder in folders.values():
        artifact.require_intact(folder)
    return Inputs(root, results.found, studies, searches, left_out, folders)


def _studies(root: Path) -> tuple[dict[str, tuple[dict[str, list[Row]], dict[str, str]]], dict[str, str]]:
    """The sound studies of variants, and why the others are left out."""
    found, unsound = {}, {}
    for place in sorted(root.glob(f"[!.]*/{CSV}")):
        folder = place.parent
        if manifest_of(folder) is None:
            continue
        try:
            parts, sources = figure.read(folder)
            figure.require_sound(parts, sources, folder.name)
        except InputError as error:
            unsound[folder.name] = f"{error}; {materialize(folder.name)}"
        else:
            found[folder.name] = (parts, sources)
    return found, unsound


def _evaluations(root: Path, results: Results) -> dict[str, Path]:
    """Models, their parents and evaluations of every training with a result, by key."""
    found: dict[str, Path] = {}
    for training in dict.fromkeys(result.training for result in results.found):
        for evaluation in evaluations_of(root / f"{training}{REPLICATES}").values():
            for place in sorted(evaluation.parent.glob("[!.]*")):
                if manifest_of(place):
                    found[place.relative_to(root).as_posix()] = place
    return found


def recipe(inputs: Inputs) -> dict[str, object]:
    """Everything that decides the content of what is made from them, beside the folders themselves."""
    trainings = sorted({result.training for result in inputs.results})
    return {"trainings": trainings, "studies": sorted(inputs.studies), "left_out": dict(inputs.left_out)}


def manifests(inputs: Inputs) -> dict[str, Manifest]:
    """Manifest of every folder that was read, by key."""
    return {key: manifest for key, folder in inputs.folders.items() if (manifest := manifest_of(folder))}
