"""How beliefs are taken: decided before a question is read, with what rules derive; and that each option acts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nsmodels.datasets.gqa.programs.parsing import parse_text, without_leaks
from nsmodels.formats.scenes.facts import ScenePredicates
from nsmodels.formats.scenes.graphs import Box, Relation, SceneGraph, Thing
from nsmodels.logic.answers import ask
from nsmodels.logic.program import load
from nsmodels.systems.natural.answering.premises import Premises, decided, implications, with_rules
from nsmodels.systems.natural.answering.reasoner import PLAIN
from nsmodels.systems.natural.beliefs import Belief, belief_of
from nsmodels.systems.natural.reasoning.execution import answer
from tests.systems.natural.examples import WORDS

ACTIONS = ("on", "riding", "sitting on", "standing on", "holding", "carrying", "next to", "beside", "near")
ACTING = replace(WORDS, relations=ACTIONS, inverses={})


def uncertain(num: int = 3, seed: int = 0) -> Belief:
    """A belief about so many objects in which every relation has a probability."""
    rng = np.random.default_rng(seed)
    things = tuple(Thing(str(k), "dog", Box(40 * k, 10, 30, 30)) for k in range(num))
    relations = rng.random((len(ACTIONS), num, num)).astype(np.float32)
    relations[:, np.arange(num), np.arange(num)] = 0
    return replace(belief_of(SceneGraph("1", 400, 300, things), ACTING), relations=relations)


def test_derived_relations_have_the_probability_of_the_distribution_semantics() -> None:
    """Against exact inference over all rules, of pairs in one direction: inverses are looked up by the execution."""
    belief, predicates, rules = uncertain(), ScenePredicates(ACTING), load("gqa")
    derived = with_rules(belief, implications(ACTING)).relations
    facts = {
        (predicates.of_relation(name), (f"o{i}", f"o{j}")): float(belief.relations[row, i, j])
        for row, name in enumerate(ACTIONS)
        for i, j in ((0, 1), (1, 2))
    }
    for row, name in enumerate(ACTIONS):
        found = {each.fact[1]: each.probability for each in ask(rules, facts, f"{predicates.of_relation(name)}(X, Y)")}
        for i, j in ((0, 1), (1, 2)):
            assert derived[row, i, j] == pytest.approx(found[f"o{i}", f"o{j}"], abs=1e-5), name
    assert (derived >= belief.relations - 1e-6).all()
    changed = {ACTIONS[row] for row in range(len(ACTIONS)) if not np.allclose(derived[row], belief.relations[row])}
    assert changed == {"on", "holding", "near", "next to"}


def test_a_decided_belief_is_the_most_likely_scene() -> None:
    graph = SceneGraph("1", 400, 300, (Thing("1", "dog", Box(10, 10, 30, 30), ("brown",), (Relation("near", "2"),)),
                                       Thing("2", "cat", Box(90, 10, 30, 30))), "beach", "sunny")  # fmt: skip
    truth, rng = belief_of(graph, WORDS), np.random.default_rng(0)

    def blurred(table: np.ndarray) -> np.ndarray:
        return (0.6 * table + 0.4 * rng.random(table.shape) * (table < 1)).astype(np.float32)

    names = blurred(truth.names)
    tables = {"names": names / names.sum(1, keepdims=True), "relations": blurred(truth.relations)}
    tables |= {
        "locations": blurred(truth.locations),
        "attributes": {k: blurred(t) for k, t in truth.attributes.items()},
    }
    found = decided(replace(truth, presence=np.array([0.8, 0.3], np.float32), **tables))
    alone = belief_of(SceneGraph("1", 400, 300, (replace(graph.things[0], relations=()),), "beach", "sunny"), WORDS)
    for name in ("presence", "boxes", "names", "locations", "weathers"):
        assert np.array_equal(getattr(found, name), getattr(alone, name)), name
    assert all(np.array_equal(found.attributes[kind], table) for kind, table in alone.attributes.items())
    assert found.relations.shape == alone.relations.shape


@pytest.mark.parametrize(
    ("premises", "relation", "expected"),
    [
        (PLAIN, "riding", pytest.approx(0.4)),
        (Premises(soft=False), "riding", 0.0),
        (PLAIN, "on", 0.0),
        (Premises(rules=True), "on", pytest.approx(0.4)),
        (Premises(soft=False, rules=True), "on", 0.0),
    ],
)
def test_each_option_changes_an_answer(premises: Premises, relation: str, expected: float) -> None:
    """Whether the boy is on the dog which he rides with probability 0.4."""
    things = (
        Thing("1", "boy", Box(10, 10, 30, 30), (), (Relation("riding", "2"),)),
        Thing("2", "dog", Box(10, 40, 30, 30)),
    )
    belief = belief_of(SceneGraph("1", 400, 300, things), ACTING)
    belief = replace(belief, relations=belief.relations * np.float32(0.4))
    program = without_leaks(parse_text(f"select: boy (1)->verify rel: dog,{relation},o (2) [0]"))
    found = answer(program, premises.reader(ACTING)(belief))
    assert found.distribution["yes"] == expected


def test_a_vocabulary_without_implied_relations_keeps_its_beliefs() -> None:
    assert implications(WORDS) == {}
    belief = belief_of(SceneGraph("1", 10, 10, ()), WORDS)
    assert Premises(rules=True).reader(WORDS)(belief) is belief
