"""Results over seeds: the sealed evaluations of each training under a data root, taken together only where alike."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nsmodels.core.artifact import MANIFEST, Manifest, read_manifest
from nsmodels.core.errors import InputError
from nsmodels.evaluation.entry import Entry, entries_of
from nsmodels.evaluation.measure import FEWEST_SEEDS
from nsmodels.evaluation.outcomes import MODEL as SCORED
from nsmodels.evaluation.replication import REPLICATES, OverSeeds, evaluations_of
from nsmodels.evaluation.sources import kind_of, require_one_kind, require_one_split
from nsmodels.paper.recipes import MODEL, labels, materialize

CHANCE = ("chance", "random")  # names of what answers at random


@dataclass(frozen=True)
class Result(OverSeeds):
    """The score of one training by one metric over its seeds.

    The entries are as they come into the ledger, all of one recipe, without the intervals of single seeds.

    Attributes:
        training: as "nav".
        manifests: of the evaluations, by seed.
    """

    training: str
    manifests: Mapping[str, Manifest]

    @property
    def preset(self) -> str:
        """Preset of the models that were scored, and of their data where it is a different one."""
        return labels(self.manifests.values())

    @property
    def baselines(self) -> dict[str, float]:
        """Mean over seeds of what was scored beside the model in every evaluation, chance among it."""
        every = [entry.baselines for entry in self.alike.values()]
        return {name: statistics.fmean(e[name] for e in every) for name in every[0] if all(name in e for e in every)}

    @property
    def chance(self) -> float | None:
        """Score of answers at random; None where the evaluation has none."""
        return next((self.baselines[name] for name in CHANCE if name in self.baselines), None)

    @property
    def best_baseline(self) -> tuple[str, float] | None:
        """Name and score of the best that was scored beside it, chance apart; None where there is none."""
        others = {name: score for name, score in self.baselines.items() if name not in CHANCE}
        return max(others.items(), key=lambda pair: self.measure.sign * pair[1], default=None)

    @property
    def ceiling(self) -> tuple[str, float] | None:
        """Name and score of the best that cannot be beaten, mean over seeds; None where it is not known."""
        metric = self.first.metric
        found: dict[str, list[float]] = {}
        for manifest in self.manifests.values():
            for key, value in manifest.metrics.items():
                name = key.removeprefix("ceiling/")
                is_own = name == metric or (self.first.is_headline and not _is_metric(name, manifest))
                if name != key and is_own and isinstance(value, int | float):
                    found.setdefault("" if name == metric else name, []).append(float(value))
        means = {name: statistics.fmean(values) for name, values in found.items() if len(values) == len(self.alike)}
        return max(means.items(), key=lambda pair: self.measure.sign * pair[1], default=None)


def _is_metric(name: str, manifest: Manifest) -> bool:
    """Whether a ceiling is named after the metric that it bounds, and not after what reaches it."""
    return name in manifest.metrics


@dataclass(frozen=True)
class Results:
    """What the evaluations under a data root come to.

    Attributes:
        found: a result per training and metric, the headline of each first.
        left_out: why a training has no result, by its name: a line with the command that mends it.
    """

    found: list[Result]
    left_out: Mapping[str, str]


def read_results(root: Path) -> Results:
    """The results of all replicates under a data root; trainings of too few seeds are left out.

    Raises `InputError` that names the artifacts and the command where evaluations of one training are not alike: of
    different code versions, configurations, data, splits or kinds of source; and for an evaluation that was changed
    since it was sealed, or whose model was made again since.
    """
    found: list[Result] = []
    left_out: dict[str, str] = {}
    for folder in sorted(root.glob(f"[!.]*{REPLICATES}")):
        evaluations = evaluations_of(folder)
        training = folder.name.removesuffix(REPLICATES)
        if 0 < len(evaluations) < FEWEST_SEEDS:
            left_out[training] = _too_few(folder.name, list(evaluations))
        elif evaluations:
            found += _results(training, evaluations, root)
    return Results(found, left_out)


def require_alike(training: str, manifests: Mapping[str, Manifest], entries: Mapping[str, Entry]) -> None:
    """Raise `InputError` unless the evaluations of a training, by seed, are of one recipe but for the seed."""
    key, seeds = f"{training}{REPLICATES}", list(entries)
    again = f"make them again alike: {materialize(key, f'{seeds[0]}...{seeds[-1]}')}"
    names = {seed: f"{key}/{seed}" for seed in seeds}
    require_one_kind({names[s]: entry.source for s, entry in entries.items()}, key, again)
    require_one_kind({names[s]: entry.trained_on for s, entry in entries.items()}, key, again)
    require_one_split({names[s]: entry.split for s, entry in entries.items()}, key, again)
    for what, values in {
        "code versions": {s: f"{manifests[s].code_version} of a model of {entries[s].code_version}" for s in seeds},
        "data": {s: entries[s].data_fingerprint for s in seeds},
        "metrics": {s: entries[s].measure.title for s in seeds},
        "configurations": {s: entries[s].settings() for s in seeds},
    }.items():
        other = next((s for s in seeds if values[s] != values[seeds[0]]), None)
        if other is not None:
            raise InputError(
                f"{names[seeds[0]]} and {names[other]}: of different {what} ({_differing(values, seeds[0], other)}), "
                f"and cannot be taken together; {again}"
            )


def _results(training: str, evaluations: Mapping[str, Path], root: Path) -> list[Result]:
    manifests = {seed: read_manifest(place) for seed, place in evaluations.items()}
    entries: dict[str, dict[str, Entry]] = {}
    for seed, place in evaluations.items():
        _require_of_this_model(place, f"{training}{REPLICATES}", seed)
        # Of the outcomes themselves, whose checksums are compared: an entry of the ledger has no seal.
        for entry, _ in entries_of(place, root, has_intervals=False):
            entries.setdefault(entry.metric, {})[seed] = entry
    for metric, each in entries.items():
        if absent := [evaluations[seed] for seed in evaluations if seed not in each]:
            raise InputError(f"{absent[0]}: is not scored by {metric}, as other seeds are; make the evaluation again")
        require_alike(training, manifests, each)
    return [Result(each, training, manifests) for each in entries.values()]


def _require_of_this_model(evaluation: Path, key: str, seed: str) -> None:
    """Raise `InputError` where the model beside an evaluation is not the one that it scored."""
    model, scored = evaluation.with_name(MODEL) / MANIFEST, evaluation / SCORED
    if model.is_file() and scored.is_file() and model.read_bytes() != scored.read_bytes():
        raise InputError(
            f"{evaluation}: its model was made again since; score it: {materialize(key)} --partition {seed}"
        )


def _differing(values: Mapping[str, object], one: str, other: str) -> str:
    first, second = values[one], values[other]
    if not isinstance(first, dict) or not isinstance(second, dict):
        return f"{first}, {second}"
    names = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    return ", ".join(f"{name} {first.get(name)}, {second.get(name)}" for name in names[:3])


def _too_few(key: str, seeds: list[str]) -> str:
    return (
        f"{key}: {len(seeds)} seed{'s' * (len(seeds) != 1)} ({', '.join(seeds)}), and an interval over seeds needs "
        f"{FEWEST_SEEDS}: {materialize(key, f'0...{FEWEST_SEEDS - 1}')}"
    )


def kinds_of(results: Iterable[Result]) -> list[str]:
    """The kinds of source among results, "synthetic" before "released"."""
    return sorted({kind_of(result.first.source) for result in results}, reverse=True)
