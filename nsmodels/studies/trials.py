"""The trials of a study of variants: a training and its scores each, in a folder of their own.

A trial is over when its folder contains the record `trial.json`, which is written atomically; its outcomes lie in
`scores/` beside it, its checkpoint, a sealed artifact, in `model/`. One without a record is resumed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.core.sealed.removal import seal_without
from nsmodels.engine import checkpoint
from nsmodels.engine.system import System
from nsmodels.evaluation.outcomes import Outcomes, files_of, read_outcomes, write_outcomes
from nsmodels.studies.comparison import Cost, Size
from nsmodels.studies.variant import FULL, WHOLE, Variant

RECORD, LOG = "trial.json", "epochs.log"
MODEL, SCORES = "model", "scores"
Score = Callable[[Order[Any]], Sequence[Outcomes]]
Measure = Callable[[Path, Any], Size]


@dataclass(frozen=True)
class Arm:
    """One system on one set of data, with its variants: a part of the table.

    Attributes:
        name: of the part, as "gqa_mini".
        system: trains and scores.
        config: of the full model.
        evaluation: of its scores.
        data: folders by key.
        variants: by name, without the full model.
        score: the outcomes of a model, the headline first; None: those of the system's evaluation.
        measure: the size of what is scored, of a checkpoint folder with an evaluation's configuration; None: the
            parameters of the checkpoint.
    """

    name: str
    system: System[Any, Any]
    config: Config
    evaluation: Config
    data: Mapping[str, Path]
    variants: Mapping[str, Variant]
    score: Score | None = None
    measure: Measure | None = None

    @property
    def all_variants(self) -> dict[str, Variant]:
        """The full model and its variants, by name."""
        return {FULL: WHOLE, **self.variants}

    def config_of(self, name: str, seed: int) -> Any:
        """Configuration of the training of a variant; raises `InputError` for values that it cannot have."""
        values = {**self.all_variants[name].values, "training.seed": seed}
        return self.config.with_values(values, f"variant '{name}'")

    def evaluation_of(self, name: str) -> Any:
        """Configuration of the evaluation of a variant; raises `InputError` for values that it cannot have."""
        return self.evaluation.with_values(dict(self.all_variants[name].evaluation), f"variant '{name}'")


@dataclass(frozen=True, eq=False)
class Trial:
    """A variant of an arm with a seed, in the folder of the study's trials."""

    arm: Arm
    variant: str
    seed: int
    folder: Path

    @property
    def name(self) -> str:
        """Name of its folder, "gqa_mini/fusion/0"."""
        return f"{self.arm.name}/{self.variant}/{self.seed}"

    @property
    def place(self) -> Path:
        """Its folder."""
        return self.folder / self.name

    @property
    def is_over(self) -> bool:
        """Whether it was trained and scored."""
        return (self.place / RECORD).is_file()

    @property
    def trained(self) -> str:
        """The variant whose checkpoint is scored."""
        return self.variant if self.arm.all_variants[self.variant].is_trained else FULL

    @property
    def model(self) -> Path:
        """The checkpoint that it scores: of a variant that needs no training that of the full model."""
        return self.folder / self.arm.name / self.trained / str(self.seed) / MODEL

    def taken(self) -> dict[str, Path]:
        """Folders of the phases that are those of the full model, by phase."""
        phases = self.arm.all_variants[self.variant].phases
        whole = self.folder / self.arm.name / FULL / str(self.seed) / MODEL
        return {path.name: path for path in whole.iterdir() if path.is_dir() and path.name in self._kept(phases)}

    def _kept(self, phases: tuple[str, ...]) -> set[str]:
        return set(self.arm.system.phases) - set(phases) if phases else set()


def run(trial: Trial) -> dict[str, Any]:
    """Train and score a trial, and return its record; of one that is over, only read it.

    Raises `InputError` when the training fails or is interrupted; the next call resumes it.
    """
    path = trial.place / RECORD
    if not trial.is_over:
        trial.place.mkdir(parents=True, exist_ok=True)
        # The engine's line for each epoch goes to a file: a study prints one line for each trial.
        with (trial.place / LOG).open("a", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
            manifest = _train(trial)
            scored = _score(trial)
        disk.write_json(path, _record(trial, manifest, scored))
    return json.loads(path.read_text(encoding="utf-8"))


def outcomes_of(trial: Trial) -> list[Outcomes]:
    """The outcomes of a trial that is over, the headline first. Raises `InputError` for a broken file."""
    return [read_outcomes(path) for path in files_of(trial.place / SCORES)]


def cost_of(record: Mapping[str, Any]) -> Cost:
    """What a trial that is over cost."""
    return Cost(Size(record["parameters"], record["operations"]), record["cpu_seconds"])


def shorten(trial: Trial) -> None:
    """Remove from the model of a trial what only a resume needs; its seal stays true."""
    folder = trial.place / MODEL
    if not (folder / artifact.MANIFEST).is_file():
        return
    files = [path for path in folder.glob("*/*.pt") if path.name != checkpoint.BEST]
    seal_without(folder, files)
    for path in (*files, artifact.beside(folder, "lock")):
        path.unlink(missing_ok=True)


def _train(trial: Trial) -> artifact.Manifest:
    arm = trial.arm
    if trial.trained != trial.variant:
        return artifact.read_manifest(trial.model)
    config = arm.config_of(trial.variant, trial.seed)
    order: Order[Any] = Order(MODEL, config, Inputs.of(dict(arm.data)), trial.model)
    return arm.system.train(order, taken=trial.taken() if trial.variant != FULL else {})


def _score(trial: Trial) -> list[Outcomes]:
    arm, config = trial.arm, trial.arm.evaluation_of(trial.variant)
    inputs = Inputs.of(dict(arm.data), model=(MODEL, trial.model))
    order: Order[Any] = Order("scores", config, inputs, trial.place / SCORES)
    found = list(arm.score(order) if arm.score else arm.system.score(order).outcomes)
    if not found:
        raise InputError(f"{trial.name}: was scored on nothing")
    (trial.place / SCORES).mkdir(exist_ok=True)
    write_outcomes(trial.place / SCORES, found, trial.model)
    return found


def _record(trial: Trial, manifest: artifact.Manifest, scored: Sequence[Outcomes]) -> dict[str, Any]:
    measure, config = trial.arm.measure, trial.arm.evaluation_of(trial.variant)
    size = measure(trial.model, config) if measure else Size(manifest.metrics["num_parameters"], None)
    return {
        "variant": trial.variant,
        "seed": trial.seed,
        "source": manifest.source,
        "scores": {each.metric: each.mean for each in scored},
        "parameters": size.parameters,
        "operations": size.operations,
        "cpu_seconds": round(manifest.metrics["train_cpu_seconds"], 1),
    }
