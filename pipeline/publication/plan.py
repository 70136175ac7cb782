"""What has to be made for the paper, in which order."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.paper.contents import ABLATIONS
from nsmodels.paper.results import REPLICATES
from pipeline.assets import datasets
from pipeline.lib.training import Training
from pipeline.publication import costs, data, sealed
from pipeline.publication.contents import AFTER, COPYING, SHOWN, STUDIES, beside_seeds, trainings_of
from pipeline.publication.costs import QUICK, Cost
from pipeline.publication.step import Step


def plan(root: Path, seeds: Sequence[int], families: Sequence[str], preset: str = QUICK) -> Iterator[Step]:
    """The steps that are to do: data, replicates, then of each system its ablations, and models, baselines, figures.

    Raises `InputError` where sealed seeds of a training are of a different preset than those that are left would be.
    """
    datasets.load()
    given = list(data.synthetic(root, families, preset))
    yield from given
    due = {key for step in given for key in step.keys} | data.too_small(root, families, preset)
    before: dict[str, list[str]] = {family: [] for family in families}
    for family in families:
        for training in trainings_of([family]):
            if step := _over_seeds(root, training, seeds, preset, due):
                before[family].append(step.name)
                yield replace(step, after=tuple(each.name for each in given if each.name in training.all_datasets))
    due |= {name for names in before.values() for name in names}
    for family in families:
        left = _left(root, family, preset, due)
        due |= {*left}
        images = [step.name for step in given if family == "natural"]
        alone = {key: [key, *(each for each in SHOWN[key] if each in left)] for key in left if key in ABLATIONS}
        for key, keys in alone.items():  # they need nothing but data
            after = [name for name in (f"{COPYING.get(key)}{REPLICATES}",) if name in before[family]]
            yield replace(_of_keys(tuple(keys), preset, {}), after=(*after, *images))
        if rest := tuple(key for key in left if not any(key in keys for keys in alone.values())):
            after = [name for each in (family, *AFTER.get(family, ())) for name in before.get(each, ())]
            step = replace(_beside_seeds(root, family, rest, seeds, preset), after=(*after, *images))
            before[family].append(step.name)
            yield step


def _over_seeds(
    root: Path, training: Training[Any, Any], seeds: Sequence[int], preset: str, due: Collection[str]
) -> Step | None:
    """The seeds of a training that have no sealed evaluation yet, or none of today's data.

    With them those that were made by other code, as they could not be taken together. `due`: what is made before.
    """
    place, made = root / f"{training.name}{REPLICATES}", sealed.kept_seeds(root, training.name, preset, due)
    left = tuple(seed for seed in seeds if str(seed) not in made)
    if not left and len({sealed.code_of(path) for path in made.values()}) < 2:
        return None
    for seed, path in made.items():
        if left and (other := sealed.other_preset(path.with_name("model"), preset)):
            raise InputError(
                f"{place.name}/{seed}: sealed with the preset {other}, and seed {left[0]} with {preset} cannot be "
                "taken together with it; give that --preset, or a data root of its own (NSMODELS_DATA), or move "
                f"{place} away where its configuration is no more wanted"
            )
    each = costs.of_seed(made, training.name, preset)
    made = {seed: path for seed, path in made.items() if sealed.is_of_today(training, path)}
    if not (left := tuple(seed for seed in seeds if str(seed) not in made)):
        return None
    if each is None:
        return Step((place.name,), left, unmeasured=(place.name,))
    num_bytes = None if each.num_bytes is None else len(left) * each.num_bytes
    return Step((place.name,), left, len(left) * each.cpu_seconds, num_bytes)


def _beside_seeds(root: Path, family: str, keys: tuple[str, ...], seeds: Sequence[int], preset: str) -> Step:
    """The step that makes the models, baselines and figures of a system that are left.

    A model has the first seed, and is then a copy of that replicate, which costs disk alone, unless the one that is
    there is of a different preset.
    """
    given: dict[str, dict[str, Any]] = {}
    trained: dict[str, Cost | None] = {}
    for each in trainings_of([family]) if seeds else []:
        own = [part.model_key for part in each.chain if part.model_key in keys]
        given |= {key: {"training": {"seed": seeds[0]}} for key in own}
        made = sealed.kept_seeds(root, each.name, preset)
        there = made.get(str(seeds[0]))
        if own and there and sealed.other_preset(there.with_name("model"), preset):
            trained[own[-1]] = costs.expected(each.name, preset)
        elif own and (cost := costs.of_seed(made, each.name, preset)):
            trained[own[-1]] = Cost(0.0, cost.num_bytes)
    return replace(_of_keys(keys, preset, trained), given=given)


def _of_keys(keys: tuple[str, ...], preset: str, trained: Mapping[str, Cost | None]) -> Step:
    """The step that makes these, with the costs of `trained` models and those of the studies among them."""
    studies = [key for several in STUDIES.values() for key in several if key in keys]
    each = {**trained, **{key: costs.expected(key, preset) for key in studies}}
    known = [cost for cost in each.values() if cost is not None]
    seconds, num_bytes = sum(cost.cpu_seconds for cost in known), costs.total(cost.num_bytes for cost in known)
    unmeasured = tuple(key for key, cost in each.items() if cost is None)
    return Step(keys, cpu_seconds=seconds, num_bytes=num_bytes, unmeasured=unmeasured)


def _left(root: Path, family: str, preset: str, due: Collection[str]) -> tuple[str, ...]:
    """Models, evaluations, studies and figures that are not sealed, or not of what is or will be there.

    `due`: names of the steps before them, replicates among them.
    """
    left: dict[str, None] = {}
    for key in beside_seeds(family):
        manifest = manifest_of(root / key)
        if not manifest or not sealed.is_kept(root / key, preset) or sealed.is_outdated(root, manifest, {*left, *due}):
            left[key] = None
    return tuple(left)
