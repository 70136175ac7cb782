"""What a question takes for granted: that there is exactly one object of each description by which it refers to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nsmodels.datasets.clevr.questions.executor import trace
from nsmodels.systems.visual.language.description import noun_phrase
from nsmodels.systems.visual.language.grammar import tree_of
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.execution import Program
from nsmodels.systems.visual.reasoning.worlds import most_likely_world


@dataclass(frozen=True)
class Presupposition:
    """Exactly one object meets the description that a `unique` step is given.

    Attributes:
        step: number of the `unique` step in the program.
        singular, plural: the description, "cube behind the gray sphere" and "cubes behind the gray sphere".
        probability: that it holds, in [0, 1].
        objects: numbers, from 1, of those that meet the description in the most likely world.
    """

    step: int
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


def weakest(program: Program, belief: SceneBelief, uniques: Sequence[float]) -> Presupposition | None:
    """The presupposition that fails first in the most likely world, else the least probable one; None without any.

    `uniques`: probability of each, in the order of the program, as in `Answer.uniques`.
    """
    steps = [number for number, node in enumerate(program) if node["function"] == "unique"]
    found: list[Presupposition] = []
    world = most_likely_world(belief)
    scene, numbers = world.scene(belief), np.flatnonzero(world.present) + 1
    for step, probability in zip(steps, uniques, strict=True):
        source = program[step]["inputs"][0]
        # The steps before it are executed: all earlier presuppositions hold, or the search would have ended.
        objects = tuple(int(numbers[i]) for i in trace(program[:step], scene)[source])
        counted = {"function": "count", "inputs": [source], "value_inputs": []}
        (tree,) = tree_of([*program[: source + 1], counted]).inputs
        found.append(Presupposition(step, noun_phrase(tree), noun_phrase(tree, True), probability, objects))
        if not found[-1].holds:
            return found[-1]
    return min(found, key=lambda each: each.probability, default=None)
