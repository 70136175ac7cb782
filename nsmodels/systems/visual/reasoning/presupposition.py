"""What a question takes for granted: that there is exactly one object of each description by which it refers to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nsmodels.datasets.clevr.questions.executor import trace
from nsmodels.systems.visual.language.clauses import presupposed
from nsmodels.systems.visual.language.description import noun_phrase
from nsmodels.systems.visual.language.grammar import tree_of
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.execution import Program, soft_trace
from nsmodels.systems.visual.reasoning.worlds import World, most_likely_world


@dataclass(frozen=True)
class Presupposition:
    """Exactly one object meets a description: that of a `unique` step, or "the cube" in "is the cube red?".

    Attributes:
        singular, plural: the description, "cube behind the gray sphere" and "cubes behind the gray sphere".
        probability: that it holds, in [0, 1].
        objects: numbers, from 1, of those that meet the description in the most likely world.
    """

    singular: str
    plural: str
    probability: float
    objects: tuple[int, ...]

    @property
    def holds(self) -> bool:
        """Whether exactly one object meets the description in the most likely world."""
        return len(self.objects) == 1

    def text(self) -> str:
        """What is wrong with it, in a line: "there are 2 cubes: which one?"."""
        if not self.objects:
            return f"there is no {self.singular}"
        if self.holds:
            return f"it is not certain that there is one {self.singular}, and only one ({self.probability:.3f})"
        return f"there are {len(self.objects)} {self.plural}: which one?"


def probabilities(program: Program, belief: SceneBelief, uniques: tuple[float, ...]) -> tuple[float, ...]:
    """The probability of each presupposition: of the `unique` steps in order, and of the subject of a statement.

    `uniques`: those of the steps, as in the `Answer` to the program.
    """
    subject = _subject(program)
    return uniques if subject is None else (*uniques, soft_trace(subject, belief)[1][-1])


def weakest(program: Program, belief: SceneBelief, probable: Sequence[float]) -> Presupposition | None:
    """The presupposition that fails first in the most likely world, else the least probable one; None without any.

    `probable`: the probability of each, from `probabilities`.
    """
    asked = [(program, number) for number, node in enumerate(program) if node["function"] == "unique"]
    subject = _subject(program)
    asked += [] if subject is None else [(subject, len(subject) - 1)]
    world, found = most_likely_world(belief), []
    for (nodes, step), probability in zip(asked, probable, strict=True):
        # The steps before it can be executed: all earlier presuppositions hold, or the search would have ended.
        found.append(_at(nodes, step, belief, world, probability))
        if not found[-1].holds:
            return found[-1]
    return min(found, key=lambda each: each.probability, default=None)


def _at(program: Program, step: int, belief: SceneBelief, world: World, probability: float) -> Presupposition:
    """What the `unique` step of this number takes for granted."""
    (source,) = program[step]["inputs"]
    numbers = np.flatnonzero(world.present) + 1
    objects = tuple(int(numbers[i]) for i in trace(program[:step], world.scene(belief))[source])
    counted = {"function": "count", "inputs": [source], "value_inputs": []}
    (tree,) = tree_of([*program[: source + 1], counted]).inputs
    return Presupposition(noun_phrase(tree), noun_phrase(tree, True), probability, objects)


def _subject(program: Program) -> Program | None:
    """The program that ends in the one thing of which a question asks whether a statement holds."""
    counted = presupposed(program)
    return counted and [*counted[:-1], {**counted[-1], "function": "unique"}]
