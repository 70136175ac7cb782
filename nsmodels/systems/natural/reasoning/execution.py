"""Probabilistic execution of GQA programs over a belief: a distribution over answers of each program."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.operations import COMPARISONS, SHARED, Operation, operation_of
from nsmodels.datasets.gqa.programs.parsing import SCENE, Step
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.reasoning import operations as soft
from nsmodels.systems.natural.reasoning.comparison import compare
from nsmodels.systems.natural.reasoning.lexicon import Lexicon
from nsmodels.systems.natural.reasoning.scene import Scene
from nsmodels.systems.natural.reasoning.sets import Found, any_of
from nsmodels.systems.natural.reasoning.verdicts import Verdicts, kind_of

Value = Found | float | dict[str, float]
YES, NO = "yes", "no"


@dataclass(frozen=True)
class Answer:
    """Distribution over answers given that the question is well posed, with its best one and its confidence.

    Attributes:
        distribution: probability by answer; sums to 1, or is empty where no object has what is asked for.
        best: the most probable answer; empty where there is none.
        confidence: probability of `best`.
        posed: probability that each description by which the question refers to something meets something.
    """

    distribution: Mapping[str, float]
    best: str
    confidence: float
    posed: float


class SoftExecutor:
    """Executes programs over one belief; what one looks up serves the next.

    Args:
        belief: about the image.
        lexicon: of the belief's vocabulary; made where it is not given.
        verdicts: calibrate truths that are asked about; by default none is.
    """

    def __init__(self, belief: Belief, lexicon: Lexicon | None = None, verdicts: Verdicts | None = None) -> None:
        self.scene, self.verdicts = Scene(belief, lexicon), verdicts or Verdicts()

    def answer(self, program: Sequence[Step]) -> Answer:
        """The distribution over answers; raise `InputError` for a program that gives none.

        Equal to the exact executor where the belief is certain: products of zeros and ones are logical operations.
        """
        values, posed = self.trace(program)
        value = values[-1] if values else None
        if isinstance(value, float):
            value = {YES: value, NO: 1.0 - value}
        if not isinstance(value, dict):
            raise InputError(
                "program: its last step gives no answer; end on exist, verify, query, choose or a comparison"
            )
        best = max(value, key=lambda word: (value[word], word == NO), default="")
        return Answer(value, best, value.get(best, 0.0), posed)

    def trace(self, program: Sequence[Step]) -> tuple[list[Value], float]:
        """The value of each step, and the probability that what it refers to is there."""
        values: list[Value] = []
        posed = 1.0
        for step in program:
            operation = operation_of(step.operation)
            inputs: list[Any] = [values[k] for k in step.dependencies]
            if refers(operation):
                posed *= math.prod(any_of(each.members) for each in inputs)
            if not may_be_whole(operation):
                inputs = [soft.objects(self.scene, each) if isinstance(each, Found) else each for each in inputs]
            value = STEPS[operation.verb](self.scene, operation, step, *inputs)
            if isinstance(value, float):
                value = self.verdicts.probability(kind_of(step, program), value)
            values.append(value)
        return values, posed


def refers(operation: Operation) -> bool:
    """Whether an operation takes for granted that there is something in its sets."""
    return "objects" in operation.takes and operation.verb not in ("exist", "filter")


def refers_to_objects(program: Sequence[Step]) -> bool:
    """Whether a program takes for granted that some object is there."""
    return any(
        refers(operation_of(step.operation)) and program[k].name != SCENE for step in program for k in step.dependencies
    )


def may_be_whole(operation: Operation) -> bool:
    """Whether an operation can be about the image as a whole; to others it has no objects."""
    is_of_two = operation.verb in ("same", "different", "common") or operation.kind in COMPARISONS
    return not is_of_two and operation.name != "choose rel"


def answer(program: Sequence[Step], belief: Belief) -> Answer:
    """Execute one program over a belief; see `SoftExecutor.answer`."""
    return SoftExecutor(belief).answer(program)


def _verify(scene: Scene, operation: Operation, step: Step, found: Found) -> float:
    if operation.kind == "rel":
        return soft.verify_relation(scene, found, step.name, step.relations[0], step.role)
    return soft.verify(scene, found, operation.kind, step.value, step.is_negated)


def _choose(
    scene: Scene, operation: Operation, step: Step, found: Found, other: Found | None = None
) -> dict[str, float]:
    if operation.kind == "rel":
        return soft.choose_relation(scene, found, step.name, step.relations, step.role)
    if operation.kind in COMPARISONS:
        return compare(scene, found, other, operation.kind)
    return soft.choose(scene, found, operation.kind, step.options)


def _same(scene: Scene, operation: Operation, step: Step, found: Found, other: Found | None = None) -> float:
    return soft.share(scene, found, other, operation.kind or step.value or "color")


STEPS: Mapping[str, Callable[..., Value]] = {
    "select": lambda scene, _, step: soft.whole() if step.name == SCENE else scene.called(step.name),
    "relate": lambda scene, _, step, anchors: soft.relate(scene, anchors, step.name, step.relations[0], step.role),
    "filter": lambda scene, op, step, found: soft.keep(scene, found, op.kind, step.value, step.is_negated),
    "exist": lambda _, __, ___, found: any_of(found.members),
    "verify": _verify,
    "query": lambda scene, _, step, found: soft.query(scene, found, step.value),
    "choose": _choose,
    "same": _same,
    "different": lambda *given: 1.0 - _same(*given),
    "common": lambda scene, _, __, one, two: soft.common(scene, one, two, SHARED),
    "and": lambda _, __, ___, one, two: one * two,
    "or": lambda _, __, ___, one, two: 1.0 - (1.0 - one) * (1.0 - two),
}
