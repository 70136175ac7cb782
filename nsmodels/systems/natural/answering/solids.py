"""Programs of functions executed over a belief: counts, unions, intersections and comparisons beside references.

What a belief holds for sets of attributes becomes what the functions take: one value per type, as a solid has one
colour. Where it is certain, the answers are those of the exact executor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nsmodels.datasets.gqa.programs.parsing import Step
from nsmodels.layers import soft_programs
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.language.asking import nodes_of
from nsmodels.systems.natural.language.functions import NAMING
from nsmodels.systems.natural.reasoning.execution import Answer
from nsmodels.systems.natural.reasoning.operations import only_value

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class SolidFacts:
    """A belief as `layers.soft_programs.Facts`."""

    presence: Array
    attributes: Mapping[str, Array]
    relations: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.presence)


class FunctionExecutor:
    """Executes programs over one belief, whose words state the functions.

    Args:
        belief: about the image, in the words of the dataset of the programs.
    """

    def __init__(self, belief: Belief) -> None:
        self.facts = facts_of(belief)

    def answer(self, program: Sequence[Step]) -> Answer:
        """The distribution over answers; raise `InputError` for a program that gives none."""
        found = soft_programs.answer(nodes_of(program), self.facts)
        return Answer(found.distribution, found.best, found.confidence, found.well_posed)


def facts_of(belief: Belief) -> SolidFacts:
    """One name, and one value of each type, per object; each relation by what it and its inverse are believed to be."""
    words = belief.words
    tables = {kind: _one_of(only_value(table.astype(float))) for kind, table in belief.attributes.items()}
    tables[NAMING] = _one_of(belief.names.astype(float))
    stated = dict(zip(words.relations, belief.relations.astype(float), strict=True))
    # A belief has subject and object, the functions anchor and found one: the transpose. Of a pair both ways round are
    # read by themselves: their mean errs less.
    relations = {
        name: (table.T + stated[words.inverses[name]]) / 2 if name in words.inverses else table.T
        for name, table in stated.items()
    }
    return SolidFacts(belief.presence.astype(float), tables, relations)


def _one_of(table: Array) -> Array:
    """Rows that sum to 1; equal shares where nothing has any."""
    total = table.sum(1, keepdims=True)
    return np.divide(table, total, out=np.full_like(table, 1 / max(1, table.shape[1])), where=total > 0)
