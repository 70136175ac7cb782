"""Precision and recall of learnt rules: of their labels, and of the rules themselves by what they hold for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from nsmodels.logic.learning import Learnt
from nsmodels.logic.literals import Gathered, unpacked

Labels = Bool[np.ndarray, " objects"]


@dataclass(frozen=True)
class Agreement:
    """How many of what was found is right, and how many of what should be found was.

    Attributes:
        num_right: found and right.
        num_found: found.
        num_true: what should be found.
    """

    num_right: int
    num_found: int
    num_true: int

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 where nothing was found."""
        return self.num_right / self.num_found if self.num_found else 1.0

    @property
    def recall(self) -> float:
        """Share of what should be found that was; 1 where nothing should be."""
        return self.num_right / self.num_true if self.num_true else 1.0

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(
            self.num_right + other.num_right, self.num_found + other.num_found, self.num_true + other.num_true
        )

    def text(self) -> str:
        """Both shares in words."""
        return (
            f"precision {self.precision:.3f}, recall {self.recall:.3f} on held-out objects "
            f"({self.num_right:,} right, {self.num_found:,} found, {self.num_true:,} true)"
        )


def agreement(found: Labels, truth: Labels) -> Agreement:
    """Agreement of labels."""
    return Agreement(int((found & truth).sum()), int(found.sum()), int(truth.sum()))


def covered(learnt: Learnt, held_out: Gathered) -> list[Labels]:
    """Objects of scenes that each clause holds for."""
    features, total = learnt.table.features, held_out.num_examples
    found = []
    for clause in learnt.clauses:
        labels = np.ones(total, bool)
        for number, is_negated in clause.literals:
            labels &= unpacked(held_out.bits(features[number]), total) != is_negated
        found.append(labels)
    return found


def predicted(learnt: Learnt, held_out: Gathered) -> Labels:
    """Objects of scenes that some clause holds for."""
    return np.logical_or.reduce([np.zeros(held_out.num_examples, bool), *covered(learnt, held_out)])


def equal_rules(learnt: Sequence[Labels], planted: Sequence[Labels]) -> tuple[int, int]:
    """Rules that hold for exactly the objects of one of the others: among the learnt, and among the planted."""
    right = sum(any(np.array_equal(one, other) for other in planted) for one in learnt)
    found = sum(any(np.array_equal(one, other) for other in learnt) for one in planted)
    return right, found
