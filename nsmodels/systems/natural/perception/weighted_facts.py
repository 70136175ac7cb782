"""Beliefs as weighted facts: what rules are applied to, and learnt from."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nsmodels.formats.scenes.facts import LOCATION, OBJECT, WEATHER, Fact, ScenePredicates, word_of
from nsmodels.formats.scenes.perceived import PerceivedScene
from nsmodels.systems.natural.beliefs import Belief

LEAST = 0.02  # facts of a lower probability are left out


def weighted_facts(belief: Belief) -> PerceivedScene:
    """The facts of a belief with their marginal probabilities; objects are `o1`, `o2` … in its order.

    A name or value of an object is as probable as that the object is there and has it, a relation as that both objects
    are there and have it. Rules take facts as independent, so that two facts about an unsure object count its presence
    twice: derived probabilities are a little too low rather than too high.
    """
    facts: dict[Fact, float] = {}
    for fact, probability in _facts(belief):
        if probability >= LEAST:
            facts[fact] = min(1.0, max(probability, facts.get(fact, 0.0)))
    boxes = {f"o{k + 1}": tuple(map(float, box)) for k, box in enumerate(belief.boxes)}
    names = {f"o{k + 1}": belief.words.names[int(row.argmax())] for k, row in enumerate(belief.names)}
    return PerceivedScene(facts, boxes, names)  # type: ignore[arg-type]  # boxes have four sides


def _facts(belief: Belief) -> Iterator[tuple[Fact, float]]:
    words, predicates = belief.words, ScenePredicates(belief.words)
    for kind, names, table in (
        (LOCATION, words.locations, belief.locations),
        (WEATHER, words.weathers, belief.weathers),
    ):
        yield from (((kind, (word_of(name),)), float(p)) for name, p in zip(names, table, strict=False))
    kinds = _kinds(belief)
    for row, presence in enumerate(belief.presence.tolist()):
        me = (f"o{row + 1}",)
        yield (OBJECT, me), presence
        yield from (((predicates.of_name(name), me), presence * float(p[row])) for name, p in kinds.items())
        for kind, table in belief.attributes.items():
            values = zip(words.attributes[kind], table[row].tolist(), strict=True)
            yield from (((predicates.of_attribute(value), me), presence * p) for value, p in values)
    both = np.outer(belief.presence, belief.presence)
    for name, table in zip(words.relations, belief.relations, strict=True):
        for i, j in np.argwhere(table * both >= LEAST).tolist():
            yield (predicates.of_relation(name), (f"o{i + 1}", f"o{j + 1}")), float(table[i, j] * both[i, j])


def _kinds(belief: Belief) -> dict[str, np.ndarray]:
    """Probability of each name and category for each object, (n,)."""
    words = belief.words
    found = {name: belief.names[:, column] for column, name in enumerate(words.names)}
    for column, name in enumerate(words.names):
        for parent in words.parents.get(name, ()):
            found[parent] = found.get(parent, np.zeros(len(belief))) + belief.names[:, column]
    return found
