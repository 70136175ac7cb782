"""Learning: planted rules are found again from noisy labels; what is written down means what was learnt."""

from __future__ import annotations

import random

import numpy as np
import pytest

from nsmodels.logic.chaining import chain
from nsmodels.logic.config import LearnConfig
from nsmodels.logic.learning import Learnt, learn
from nsmodels.logic.literals import Feature, Scene, count, gather, packed, table, unpacked
from nsmodels.logic.program import read
from nsmodels.logic.syntax import Atom, Fact

KINDS = [f"k{k}" for k in range(12)]
COLOURS = [f"c{k}" for k in range(6)]


def scenes(number: int, seed: int) -> list[Scene]:
    chance = random.Random(seed)
    found = []
    for _ in range(number):
        objects = [f"o{k}" for k in range(chance.randint(4, 8))]
        facts: set[Fact] = {("sky", (chance.choice(["blue", "grey"]),))}
        for each in objects:
            facts |= {(chance.choice(KINDS), (each,)), (chance.choice(COLOURS), (each,))}
            facts |= {("big", (each,))} if chance.random() < 0.5 else set()
            other = chance.choice(objects)
            facts |= {(chance.choice(["on", "near"]), (each, other))} if other != each else set()
        found.append(Scene(tuple(objects), frozenset(facts)))
    return found


RULES = {
    "one": "t(X) :- k1(X), c2(X).",
    "with the scene": "t(X) :- k1(X), sky(grey).",
    "negated": "t(X) :- k1(X), not big(X).",
    "with a related object": "t(X) :- big(X), on(X, Y), k3(Y).",
    "the other way round": "t(X) :- c1(X), near(Y, X).",
    "two": "t(X) :- k1(X), big(X). t(X) :- c4(X), on(X, Y), big(Y).",
    "three": "t(X) :- k2(X), sky(blue). t(X) :- k5(X), c3(X). t(X) :- k7(X), near(X, Y), k2(Y).",
    "no related object": "t(X) :- k1(X), not some(X). some(X) :- on(X, Y).",
}
DECLARED = (
    "type object. type colour. concept sky: colour. concept t, some, big, "
    + ", ".join(KINDS + COLOURS)
    + ": object. concept on, near: object, object.\n"
)


def labels(rules: str, examples: list[Scene]) -> np.ndarray:
    """Truth of t(X) by the engine."""
    program, found = read(DECLARED + rules), []
    for scene in examples:
        certain = chain(program, dict.fromkeys(scene.facts, 1.0), "t").certain
        found += [("t", (each,)) in certain for each in scene.objects]
    return np.array(found)


def learnt_from(rules: str, seed: int = 0, config: LearnConfig | None = None) -> Learnt:
    examples = scenes(500, seed)
    truth, drawn = labels(rules, examples), np.random.default_rng(seed).random(sum(len(s.objects) for s in examples))
    noisy = np.where(truth, drawn > 0.08, drawn < 0.003)
    return learn(table(examples, 5), packed(noisy), config)


@pytest.mark.parametrize("name", RULES)
def test_planted_rules_are_found_again(name: str) -> None:
    found = learnt_from(RULES[name])
    held_out = scenes(200, 99)
    again = "\n".join(str(rule).partition(":: ")[2] or str(rule) for rule in found.rules("t"))
    heads = dict.fromkeys(rule.head.predicate for rule in found.rules("t"))
    own = f"concept {', '.join(each for each in heads if each != 't')}: object.\n" if len(heads) > 1 else ""
    assert (labels(own + again, held_out) == labels(RULES[name], held_out)).all(), again
    assert len(found.clauses) == RULES[name].count("t(X) :-")
    assert all(0.85 < found.precision(clause) < 0.99 for clause in found.clauses)
    assert found.bits_saved > 50


def test_nothing_is_learnt_from_labels_without_a_reason() -> None:
    examples = scenes(500, 0)
    total = sum(len(scene.objects) for scene in examples)
    for seed in range(3):
        noise = np.random.default_rng(seed).random(total) < 0.05
        assert learn(table(examples, 5), packed(noise)).clauses == ()
    assert learn(table(examples, 5), packed(np.zeros(total, bool))).clauses == ()


def test_learning_has_no_chance_in_it() -> None:
    first, second = (learnt_from(RULES["three"]).rules("t") for _ in range(2))
    assert first == second


def test_a_precision_bound_holds_for_each_clause() -> None:
    found = learnt_from(RULES["one"], config=LearnConfig(min_precision=0.97))
    assert all(count(c.bits & found.positive) >= 0.97 * count(c.bits) for c in found.clauses)


def test_the_table_holds_what_the_facts_state() -> None:
    scene = Scene(("a", "b"), frozenset({("red", ("a",)), ("on", ("a", "b")), ("big", ("b",)), ("age", ("b", 3))}))
    other = Scene(("c",), frozenset({("sky", ("grey",))}))
    found = table([scene, other])
    holds = {str(f): unpacked(bits, 3).tolist() for f, bits in zip(found.features, found.bits, strict=True)}
    assert holds["red(X)"] == [True, False, False]
    assert holds["sky(grey)"] == [False, False, True]
    assert holds["age(X, 3)"] == [False, True, False]
    assert len(holds) == 3  # others hold for the same examples: "big(X)", "on(X, Y), big(Y)"
    assert found.num_literals == 2 * len(found.features)
    assert "red(X)" not in map(str, found.without(["red"]).features)


def test_gathered_features_agree_with_the_table() -> None:
    examples = scenes(50, 3)
    found = table(examples)
    again = gather(examples)
    assert all((again.bits(f) == bits).all() for f, bits in zip(found.features, found.bits, strict=True))
    assert not again.bits(Feature((Atom("zzz"),))).any()


def test_of_fewer_examples_than_a_clause_has_literals_nothing_is_learnt() -> None:
    lone = Scene(("o0",), frozenset({("k1", ("o0",)), ("c1", ("o0",)), ("big", ("o0",))}))
    for label in (False, True):
        assert learn(table([lone], 1), packed(np.array([label])), LearnConfig(max_literals=4)).clauses == ()
