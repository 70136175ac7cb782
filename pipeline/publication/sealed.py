"""What of the sealed trainings, evaluations, studies and figures stays, and what has to be made again."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Sequence
from pathlib import Path
from typing import Any

from nsmodels.core.artifact import Manifest
from nsmodels.core.errors import InputError
from nsmodels.core.sealed.manifest import manifest_of
from nsmodels.paper import recipes
from nsmodels.paper.contents import TRAININGS
from nsmodels.paper.results import REPLICATES, evaluations_of
from nsmodels.studies import figure
from nsmodels.studies.report import CSV
from pipeline.assets import comparison
from pipeline.lib.training import Training
from pipeline.publication.contents import GATHERED, beside_seeds
from pipeline.publication.step import Step

DEBUG = "debug"


def is_of_today(training: Training[Any, Any], evaluation: Path) -> bool:
    """Whether the code of today would make a seed and its score as they are."""
    system, model = training.system, manifest_of(evaluation.with_name("model"))
    is_other = not model or model.maker != system.package
    return is_other or code_of(evaluation) == (system.code_version, system.evaluation_version)


def code_of(evaluation: Path) -> tuple[str, ...]:
    """Versions of the code of a seed and of its score."""
    found = manifest_of(evaluation.with_name("model")), manifest_of(evaluation)
    return tuple(each.code_version for each in found if each)


def kept_seeds(root: Path, training: str, preset: str, due: Collection[str] = ()) -> dict[str, Path]:
    """The sealed evaluations of a training that stay, by seed: of the data that are or will be there."""
    found = evaluations_of(root / f"{training}{REPLICATES}")
    models = {seed: manifest_of(path.with_name("model")) for seed, path in found.items()}
    changed = {seed for seed, model in models.items() if model and is_outdated(root, model, due)}
    return {
        seed: path for seed, path in found.items() if seed not in changed and is_kept(path.with_name("model"), preset)
    }


def is_outdated(root: Path, manifest: Manifest, left: Container[str]) -> bool:
    """Whether an input of an artifact is to be made, or was made from something else since."""
    joined = (*comparison.REPLICATED, *comparison.STUDIES, *comparison.EVALUATIONS)
    if manifest.key == GATHERED and (any(key in left for key in joined) or not comparison.is_current(manifest)):
        return True
    there = {key: manifest_of(root / key) for key in manifest.inputs}
    marks = {key: found.fingerprint for key, found in there.items() if found}
    return any(key in left or marks.get(key, r.fingerprint) != r.fingerprint for key, r in manifest.inputs.items())


def is_kept(folder: Path, preset: str) -> bool:
    """Whether what is sealed in a folder stays.

    That of the preset for tests does not, where it is not asked for, nor a study that has not the form of today.
    """
    manifest = manifest_of(folder)
    is_wanted = manifest is not None and (preset == DEBUG or not recipes.has_preset(manifest, DEBUG))
    return is_wanted and _is_sound(folder)


def _is_sound(folder: Path) -> bool:
    """Whether a study of variants is one that its figure takes; true of everything else."""
    if not (folder / CSV).is_file():
        return True
    try:
        figure.require_sound(*figure.read(folder), folder.name)
    except InputError:
        return False
    return True


def other_preset(folder: Path, preset: str) -> str:
    """The preset of a sealed model or study where it is not `preset`; else empty."""
    manifest = manifest_of(folder)
    is_other = manifest and recipes.is_trained(manifest) and not recipes.has_preset(manifest, preset)
    return recipes.preset_of(manifest).label if manifest and is_other else ""


def kept_with_others(root: Path, seeds: Sequence[int], families: Sequence[str], preset: str) -> Iterator[str]:
    """A line for each sealed model and study that stays though its preset is a different one."""
    for family in families:
        seeded = [f"{name}{REPLICATES}/{seed}/model" for name in TRAININGS[family] for seed in seeds]
        for key in (*seeded, *beside_seeds(family)):
            if is_kept(root / key, preset) and (other := other_preset(root / key, preset)):
                yield f"{key}: kept as it is, of the preset {other}"


def made_again(root: Path, steps: Sequence[Step]) -> Iterator[str]:
    """A line for replicates whose sealed seeds cannot stay beside those that are left."""
    for step in steps:
        there = evaluations_of(root / step.name) if step.seeds else {}
        if again := [str(seed) for seed in step.seeds if str(seed) in there]:
            yield f"{step.name}: sealed before and made again, as data, code or preset differ: {' '.join(again)}"
