"""Truths that are asked about: from the probability by the facts to that of "yes"; kept in `verdicts.json`.

Whether there is a dog is asked about as often where there is one as where there is none, but few images have a dog.
What perception gives, with the odds of all images, is moved to the odds of questions: by a constant in the logit where
only the odds differ (Saerens et al. 2002), with a slope where products of independent facts are too sure (Platt 1999).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.operations import operation_of
from nsmodels.datasets.gqa.programs.parsing import SCENE, Program, Step

FILE = "verdicts.json"  # in a checkpoint
LEAST = 1e-6  # logits are those of probabilities of at least this, and of the opposite
JUDGING = ("exist", "verify", "same", "different")


@dataclass(frozen=True)
class Verdicts:
    """Slope and intercept of a logistic map by kind of truth, as of `kind_of`; kinds that are not there stay."""

    maps: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def probability(self, kind: str, truth: float) -> float:
        """The probability of "yes" to a question of a kind; what is certain stays so."""
        if kind not in self.maps or not 0 < truth < 1:
            return truth
        slope, intercept = self.maps[kind]
        return 1 / (1 + math.exp(-(slope * logit(truth) + intercept)))

    def write(self, folder: Path) -> None:
        """Write them into a checkpoint folder."""
        disk.write_json(folder / FILE, {"maps": {kind: list(each) for kind, each in self.maps.items()}})

    @classmethod
    def read(cls, folder: Path) -> Verdicts:
        """Those of a checkpoint folder; raise `InputError` when the file is missing or broken."""
        path = folder / FILE
        try:
            maps = json.loads(path.read_text(encoding="utf-8"))["maps"]
            return cls({str(kind): (float(slope), float(intercept)) for kind, (slope, intercept) in maps.items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None


def kind_of(step: Step, program: Program | Sequence[Step]) -> str:
    """The kind of the truth that a step decides about objects; empty for other steps, and about the whole image."""
    operation = operation_of(step.operation)
    if operation.verb not in JUDGING or any(program[k].name == SCENE for k in step.dependencies):
        return ""
    if operation.verb == "exist":  # the more is said of a thing, the more factors are multiplied
        return f"exist {operation_of(program[step.dependencies[0]].operation).verb}"
    return "verify rel" if operation.verb == "verify" and operation.kind == "rel" else operation.verb


def logit(probability: float) -> float:
    """log p / (1 − p), finite."""
    p = min(1 - LEAST, max(LEAST, probability))
    return math.log(p / (1 - p))
