"""Premises: what of a belief programs are executed over. As it is; decided; or with what rules derive from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from nsmodels.formats.scenes.facts import ScenePredicates
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.logic.program import load
from nsmodels.logic.syntax import Rule
from nsmodels.systems.natural.beliefs import Belief

RULES = "gqa"  # of those that ship with the package
SURE = 0.5  # probability from which a decided belief has a fact


@dataclass(frozen=True)
class Premises:
    """How a belief is taken.

    Attributes:
        soft: with its probabilities; else every fact is decided before a question is read.
        rules: with the relations that follow from others by the shipped rules on meanings of words.
    """

    soft: bool = True
    rules: bool = False

    def reader(self, words: SceneVocabulary) -> Callable[[Belief], Belief]:
        """The function from a belief of a vocabulary to the one to execute over."""
        implied = implications(words) if self.rules else {}

        def read(belief: Belief) -> Belief:
            derived = with_rules(belief, implied) if implied else belief
            return derived if self.soft else decided(derived)

        return read


def num_degrees(premises: Premises, num: int = 101) -> int:
    """How many of so many different probabilities of a fact are told apart."""
    given = np.linspace(0, 1, num, dtype=np.float32)
    return len(np.unique(given if premises.soft else _sure(given)))


def num_rules(premises: Premises) -> int:
    """Number of the shipped rules that derive relations."""
    return sum(_implied(rule) is not None for rule in load(RULES).rules) if premises.rules else 0


def decided(belief: Belief) -> Belief:
    """The most likely scene as a belief of zeros and ones: objects that are rather there, and their likeliest facts."""
    kept = np.flatnonzero(belief.presence >= SURE)
    return replace(
        belief,
        presence=np.ones(len(kept), np.float32),
        boxes=belief.boxes[kept],
        names=_one_hot(belief.names[kept]),
        attributes={kind: _sure(table[kept]) for kind, table in belief.attributes.items()},
        relations=_sure(belief.relations[:, kept][:, :, kept]),
        locations=_one_hot(belief.locations),
        weathers=_one_hot(belief.weathers),
    )


def with_rules(belief: Belief, implied: Mapping[int, Sequence[int]]) -> Belief:
    """The belief with the relations that others imply, as of `implications`: who rides a horse is on it.

    Facts are independent, so that one which has several causes has the probability 1 − Π (1 − p). Inverses are left to
    the execution, which looks them up.
    """
    relations = belief.relations.copy()
    for row, causes in implied.items():
        relations[row] = 1 - np.prod(1 - belief.relations[[row, *causes]], axis=0)
    return replace(belief, relations=relations)


def implications(words: SceneVocabulary) -> Mapping[int, tuple[int, ...]]:
    """The rows of the relations that imply a relation by the shipped rules, by its row; those without any left out."""
    heads: dict[str, set[str]] = {}
    for head, cause in filter(None, map(_implied, load(RULES).rules)):
        heads.setdefault(head, set()).add(cause)
    predicates = ScenePredicates(words)
    row = {predicates.of_relation(name): number for number, name in enumerate(words.relations)}
    found = {own: sorted(row[cause] for cause in _causes(name, heads) if cause in row) for name, own in row.items()}
    return {own: tuple(causes) for own, causes in found.items() if causes}


def _implied(rule: Rule) -> tuple[str, str] | None:
    """Head and cause of a rule by which one relation implies another of the same objects, for certain."""
    if len(rule.body) != 1 or len(rule.literals) != 1 or rule.probability < 1 or len(rule.head.arguments) != 2:
        return None
    (cause,) = rule.literals
    is_same = cause.atom.arguments == rule.head.arguments and not cause.is_negated
    return (rule.head.predicate, cause.atom.predicate) if is_same else None


def _causes(name: str, heads: Mapping[str, set[str]]) -> set[str]:
    """All relations that imply `name`, over any number of rules, without itself."""
    found, pending = set[str](), [name]
    while pending:
        fresh = heads.get(pending.pop(), set()) - found
        found |= fresh
        pending += fresh
    return found - {name}


def _sure(table: np.ndarray) -> np.ndarray:
    return (table >= SURE).astype(np.float32)


def _one_hot(table: np.ndarray) -> np.ndarray:
    """Ones at the greatest value of each row; an empty table stays."""
    if not table.size:
        return table
    return (np.arange(table.shape[-1]) == table.argmax(-1)[..., None]).astype(np.float32)
