"""The probability that a question is well posed: what it refers to is there; fitted on questions about other images."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.execution import Compiled, IllPosed, execute
from nsmodels.datasets.gqa.programs.parsing import Program
from nsmodels.systems.natural.language.asking import Question
from nsmodels.systems.natural.language.task import program_of
from nsmodels.systems.natural.perception.calibration import logistic_fit
from nsmodels.systems.natural.reasoning.execution import SoftExecutor, refers_to_objects

FILE = "posing.json"  # in a checkpoint
LARGEST = 13.8  # logit of a probability of 1 - 1e-6
NUM_TRIES = 10


@dataclass(frozen=True)
class Posing:
    """A logistic map from the probability that all referred objects are there, as executed, to the calibrated one."""

    slope: float = 1.0
    intercept: float = 0.0

    def probability(self, posed: float) -> float:
        """The calibrated probability; `posed`: as executed."""
        return 1 / (1 + math.exp(-(self.slope * logit(posed) + self.intercept)))

    def write(self, folder: Path) -> None:
        """Write it into a checkpoint folder."""
        disk.write_json(folder / FILE, {"slope": self.slope, "intercept": self.intercept})

    @classmethod
    def read(cls, folder: Path) -> Posing:
        """That of a checkpoint folder; raise `InputError` when the file is missing or broken."""
        path = folder / FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(float(content["slope"]), float(content["intercept"]))
        except (OSError, ValueError, KeyError, TypeError):
            raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None


def fit_posing(
    questions: Sequence[Question], scenes: Mapping[str, Compiled], executors: Mapping[str, SoftExecutor], seed: int
) -> Posing:
    """The map fitted to questions about their own images, and about others in which they are ill-posed."""
    rng, images = np.random.default_rng(seed), sorted(executors)
    found: list[tuple[float, bool]] = []
    for question in questions:
        program = program_of(question, executors[question.image].scene.lexicon.words)
        if not refers_to_objects(program):
            continue
        others = rng.permutation(images)[:NUM_TRIES].tolist()
        ill = next((other for other in others if is_ill_posed(program, scenes[other])), None)
        if ill is not None:
            found += [(executors[image].answer(program).posed, image != ill) for image in (question.image, ill)]
    if not found:
        return Posing()
    posed, labels = zip(*found, strict=True)
    return Posing(*logistic_fit(np.array([logit(p) for p in posed]), np.array(labels)))


def is_ill_posed(program: Program, scene: Compiled) -> bool:
    """Whether a question has no answer in a true scene."""
    try:
        execute(program, scene)
    except IllPosed:
        return True
    return False


def logit(probability: float) -> float:
    """log p / (1 − p), within ± `LARGEST`."""
    if probability <= 0 or probability >= 1:
        return math.copysign(LARGEST, probability - 0.5)
    return min(LARGEST, max(-LARGEST, math.log(probability / (1 - probability))))
