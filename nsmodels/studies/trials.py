"""The trials of a study of variants: a training and its scores each, in a folder of their own.

A trial is over when its folder contains the record `trial.json`, which is written atomically; its outcomes lie in
`scores/` beside it, its checkpoint, a sealed artifact, in `model/`. One without a record is resumed. Of a chain of
stages, the checkpoints before the last are in `stages/`; those that a variant does not change are the full model's.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core import artifact, disk
from nsmodels.core.config import Config, Given
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.core.sealed.removal import seal_without
from nsmodels.engine import checkpoint
from nsmodels.engine.system import System
from nsmodels.evaluation.outcomes import Outcomes, files_of, read_outcomes, write_outcomes
from nsmodels.studies.comparison import Cost, Counts, Size
from nsmodels.studies.config import SCORES
from nsmodels.studies.variant import FULL, WHOLE, Variant

RECORD, LOG, CLAIM = "trial.json", "epochs.log", ".claim"
MODEL, STAGES = "model", "stages"
LAST = ""  # the stage of an arm without a chain: the system's last one
Score = Callable[[Order[Any]], Sequence[Outcomes]]
Measure = Callable[[Path, Any], Size]
Count = Callable[[Any, Any], Counts]


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
        count: further quantities of a model, of the configurations of its training and of its evaluation.
        stages: names of the stages that are trained one after the other, each from the one before; `config` then has a
            section for each. Empty: the system's last stage alone.
    """

    name: str
    system: System[Any, Any]
    config: Config
    evaluation: Config
    data: Mapping[str, Path]
    variants: Mapping[str, Variant]
    score: Score | None = None
    measure: Measure | None = None
    count: Count | None = None
    stages: tuple[str, ...] = ()

    @property
    def all_variants(self) -> dict[str, Variant]:
        """The full model and its variants, by name."""
        return {FULL: WHOLE, **self.variants}

    def config_of(self, name: str, seed: int) -> Any:
        """Configuration of the training of a variant.

        Raises `InputError` for values that it cannot have, and for those that cannot act there.
        """
        given = Given(self.all_variants[name].values, f"variant '{name}'")
        seeds = {f"{stage}.training.seed".lstrip("."): seed for stage in self.chain}
        return self.config.with_given(given).with_values(seeds)

    @property
    def chain(self) -> tuple[str, ...]:
        """The stages in order; of an arm without a chain the one without a name."""
        return self.stages or (LAST,)

    def section(self, config: Any, stage: str) -> Any:
        """Configuration of one stage, of that of an arm."""
        return getattr(config, stage) if stage else config

    def trained_anew(self, name: str) -> tuple[str, ...]:
        """The stages that a variant does not share with the full model: those that it changes, and all after them."""
        if name == FULL:
            return self.chain
        full, own = self.config_of(FULL, 0), self.config_of(name, 0)
        same = [self.section(full, stage) == self.section(own, stage) for stage in self.chain]
        return self.chain[same.index(False) :] if not all(same) else ()

    def counts(self) -> dict[str, Counts]:
        """The further quantities of each variant, by its name."""
        if self.count is None:
            return {}
        return {name: self.count(self.config_of(name, 0), self.evaluation_of(name)) for name in self.all_variants}

    def evaluation_of(self, name: str) -> Any:
        """Configuration of the evaluation of a variant; raises `InputError` for values that it cannot have."""
        return self.evaluation.with_given(Given(self.all_variants[name].evaluation, f"variant '{name}'"))


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
    def own(self) -> tuple[str, ...]:
        """The stages that are trained for it; empty: it scores the checkpoint of the full model."""
        return self.arm.trained_anew(self.variant)

    @property
    def model(self) -> Path:
        """The checkpoint that it scores: of a variant that needs no training that of the full model."""
        return self.checkpoint(self.arm.chain[-1])

    def checkpoint(self, stage: str) -> Path:
        """The checkpoint of a stage: its own, or the full model's."""
        owner = self.variant if stage in self.own else FULL
        place = self.folder / self.arm.name / owner / str(self.seed)
        return place / MODEL if stage == self.arm.chain[-1] else place / STAGES / stage

    def taken(self) -> dict[str, Path]:
        """Folders of the phases that are those of the full model, by phase."""
        phases = self.arm.all_variants[self.variant].phases
        whole = self.folder / self.arm.name / FULL / str(self.seed) / MODEL
        return {path.name: path for path in whole.iterdir() if path.is_dir() and path.name in self._kept(phases)}

    def _kept(self, phases: tuple[str, ...]) -> set[str]:
        return set(self.arm.system.phases) - set(phases) if phases else set()


def run(trial: Trial) -> dict[str, Any]:
    """Train and score a trial, and return its record; of one that is over, only read it.

    Raises `InputError`, with the name of the trial, when the training fails or is interrupted; the next call resumes
    it.
    """
    path = trial.place / RECORD
    if not trial.is_over:
        trial.place.mkdir(parents=True, exist_ok=True)
        # The engine's line for each epoch goes to a file: a study prints one line for each trial.
        with (trial.place / LOG).open("a", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
            try:
                manifests = _train(trial)
                scored = _score(trial)
            except InputError as error:
                error.args = (f"{trial.name}: {error}",)
                raise
        disk.write_json(path, _record(trial, manifests, scored))
    return record_of(trial)


def record_of(trial: Trial) -> dict[str, Any]:
    """The record of a trial that is over."""
    return json.loads((trial.place / RECORD).read_text(encoding="utf-8"))


def outcomes_of(trial: Trial) -> list[Outcomes]:
    """The outcomes of a trial that is over, the headline first. Raises `InputError` for a broken file."""
    return [read_outcomes(path) for path in files_of(trial.place / SCORES)]


def cost_of(record: Mapping[str, Any]) -> Cost:
    """What a trial that is over cost."""
    return Cost(Size(record["parameters"], record["operations"]), record["cpu_seconds"])


def spent_of(trial: Trial, record: Mapping[str, Any]) -> float:
    """Processor seconds of what was trained for a trial that is over."""
    whole = record["cpu_seconds"] if trial.own else 0.0  # earlier records have that of the whole model alone
    return record.get("spent_cpu_seconds", whole)


def shorten(trial: Trial) -> None:
    """Remove from the checkpoints of a trial what only a resume needs; their seals stay true."""
    for folder in map(trial.checkpoint, trial.own):
        if not (folder / artifact.MANIFEST).is_file():
            continue
        files = [path for path in folder.glob("*/*.pt") if path.name != checkpoint.BEST]
        seal_without(folder, files)
        for path in (*files, artifact.beside(folder, "lock")):
            path.unlink(missing_ok=True)


def _train(trial: Trial) -> dict[str, artifact.Manifest]:
    """The sealed checkpoints of all stages, by stage; those of a different trial are only read."""
    arm, found, before = trial.arm, {}, None
    config = arm.config_of(trial.variant, trial.seed)
    for stage in arm.chain:
        folder = trial.checkpoint(stage)
        if stage in trial.own:
            folder.parent.mkdir(parents=True, exist_ok=True)
            inputs = Inputs.of(dict(arm.data), parent=before)
            order: Order[Any] = Order(stage or MODEL, arm.section(config, stage), inputs, folder)
            taken = trial.taken() if trial.variant != FULL else {}
            found[stage] = arm.system.train(order, stage or None, taken=taken)
        else:
            found[stage] = artifact.read_manifest(folder)
        before = stage or MODEL, folder
    return found


def _score(trial: Trial) -> list[Outcomes]:
    arm, config = trial.arm, trial.arm.evaluation_of(trial.variant)
    inputs = Inputs.of(dict(arm.data), model=(MODEL, trial.model))
    order: Order[Any] = Order("scores", config, inputs, trial.place / SCORES)
    found = list(arm.score(order) if arm.score else arm.system.score(order).outcomes)
    if not found:
        raise InputError("was scored on nothing")
    (trial.place / SCORES).mkdir(exist_ok=True)
    write_outcomes(trial.place / SCORES, found, trial.model)
    return found


def _record(trial: Trial, manifests: Mapping[str, artifact.Manifest], scored: Sequence[Outcomes]) -> dict[str, Any]:
    measure, config = trial.arm.measure, trial.arm.evaluation_of(trial.variant)
    last = manifests[trial.arm.chain[-1]]
    size = measure(trial.model, config) if measure else Size(last.metrics["num_parameters"], None)
    return {
        "variant": trial.variant,
        "seed": trial.seed,
        "source": last.source,
        "scores": {each.metric: each.mean for each in scored},
        "parameters": size.parameters,
        "operations": size.operations,
        "cpu_seconds": round(sum(each.metrics["train_cpu_seconds"] for each in manifests.values()), 1),
        "spent_cpu_seconds": round(_spent(trial, manifests), 1),
    }


def _spent(trial: Trial, manifests: Mapping[str, artifact.Manifest]) -> float:
    """Processor seconds of what was trained for a trial, without what it takes from the full model."""
    taken = trial.taken() if trial.own and trial.variant != FULL else {}
    seconds = 0.0
    for stage in [each for each in trial.own if not manifests[each].copy_of]:
        metrics = manifests[stage].metrics
        seconds += metrics["train_cpu_seconds"] - sum(metrics.get(f"{phase}/cpu_seconds", 0.0) for phase in taken)
    return max(seconds, 0.0)
