"""Proofs: depth, leaves, worlds, and a replayer that finds every kind of forgery."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nsmodels.logic import replay
from nsmodels.logic.answers import Answer, ask
from nsmodels.logic.program import read, read_facts
from nsmodels.logic.proofs import Proof
from nsmodels.logic.syntax import Fact

DOCUMENT = Path(__file__).parents[2] / "docs/rules.md"
TEXT = """
concept a, b, c, d, e: object. type object. concept near: object, object.
symmetric near.
b(X) :- a(X).
c(X) :- b(X).
d(X) :- c(X), near(X, Y).
d(X) :- a(X), e(X).
0.5 :: e(X) :- b(X), not near(X, X).
"""
FACTS: dict[Fact, float] = {("a", ("o",)): 1.0, ("near", ("p", "o")): 0.5}


def one(text: str, query: str, facts: dict[Fact, float]) -> Answer:
    (answer,) = ask(read(text), facts, query)
    return answer


def proof_of(text: str, query: str, facts: dict[Fact, float]) -> Proof:
    proof = one(text, query, facts).proof
    assert proof is not None
    return proof


@pytest.mark.parametrize(("query", "depth"), [("a(o)", 0), ("near(o, p)", 0), ("b(o)", 1), ("c(o)", 2), ("e(o)", 2)])
def test_depth(query: str, depth: int) -> None:
    assert one(TEXT, query, FACTS).depth == depth


def test_symmetry_and_a_longer_way_round_add_no_depth() -> None:
    text = "concept n: object, object. concept p: object. type object. symmetric n. p(X) :- n(X, Y)."
    facts: dict[Fact, float] = {("n", ("a", "b")): 1.0}
    assert {each.depth for each in ask(read(text), facts, "p(X)")} == {1}
    longer = text.replace("concept p", "concept q, p") + "q(X) :- n(X, Y). p(X) :- q(X)."
    assert {each.depth for each in ask(read(longer), facts, "p(X)")} == {1}
    inverted = "r(1, 2). r(X, Y) :- r(Y, X). s(X, Y) :- r(Y, X)."
    assert [each.depth for each in ask(read(inverted), {}, "s(X, Y)")] == [1, 1]


def test_a_rule_that_is_there_twice_adds_no_depth() -> None:
    program = read("a(1). b(X) :- a(X).")
    twice = replace(program, rules=program.rules * 2)
    assert [each.depth for each in ask(twice, {}, "b(X)")] == [1]


def test_leaves_are_given_facts_and_absent_ones() -> None:
    proof = proof_of(TEXT, "e(o)", FACTS)
    assert {(step.kind, step.fact) for step in proof.leaves} == {
        ("given", ("a", ("o",))),
        ("absent", ("near", ("o", "o"))),
    }
    assert proof.fact == ("e", ("o",))


def test_a_shared_step_is_there_once_and_shown_once() -> None:
    text = "a(1). b(X) :- a(X). c(X) :- b(X), a(X). d(X) :- b(X), c(X)."
    proof = proof_of(text, "d(1)", {})
    assert len({step.fact for step in proof.steps}) == len(proof.steps) == 4
    lines = proof.text(read(text)).splitlines()
    assert sum("see above" in line for line in lines) == 1


def test_a_proof_holds_in_a_world_that_it_names() -> None:
    text = "concept a, b: object. type object. concept p, q: object. p(X) :- a(X), not q(X). 0.25 :: q(X) :- b(X)."
    facts: dict[Fact, float] = {("a", ("o",)): 1.0, ("b", ("o",)): 0.5}
    answer = one(text, "p(o)", facts)
    assert answer.probability == pytest.approx(1 - 0.125)
    assert answer.proof is not None
    assert answer.proof.assumed_idle == ((1, ("o",)),)
    assert replay.faults(answer.proof, read(text), facts) == []
    (fault,) = replay.faults(replace(answer.proof, assumed_idle=()), read(text), facts)
    assert "taken for absent, and derived" in fault


def test_the_likeliest_world_is_no_contradiction() -> None:
    text = "0.9 :: a. 0.4 :: b. c :- a. p :- a, not c. p :- b, not d. d :- a, b. p :- b, a, x. 0.01 :: x."
    answer = one(text, "p", {})
    assert answer.probability == pytest.approx(0.1 * 0.4 + 0.9 * 0.4 * 0.01)
    assert answer.proof is not None
    assert replay.faults(answer.proof, read(text), {}) == []


def forgeries(proof: Proof) -> dict[str, Proof]:
    """Proofs with one thing wrong."""
    (rule,) = [k for k, step in enumerate(proof.steps) if step.fact[0] == "d"]
    (given,) = [k for k, step in enumerate(proof.steps) if step.fact[0] == "a"]

    def changed(number: int, **values: object) -> Proof:
        steps = list(proof.steps)
        steps[number] = replace(steps[number], **values)  # type: ignore[arg-type]
        return replace(proof, steps=tuple(steps))

    step = proof.steps[rule]
    return {
        "no earlier step": changed(rule, premises=(rule, *step.premises[1:])),
        "a negative number": changed(rule, premises=(-1, *step.premises[1:])),
        "premises exchanged": changed(rule, premises=step.premises[::-1]),
        "a premise less": changed(rule, premises=step.premises[:1]),
        "a different fact": changed(rule, fact=("d", ("p",))),
        "a different binding": changed(rule, binding=(("X", "p"), ("Y", "o"))),
        "no binding": changed(rule, binding=()),
        "a different rule": changed(rule, rule=step.rule - 1 if step.rule else None),
        "no rule": changed(rule, rule=99),
        "a likelier rule": changed(rule, probability=0.5),
        "a fact that is not given": changed(given, fact=("a", ("x",))),
        "a fact that is assumed absent": replace(proof, assumed_absent=(("a", ("o",)),)),
        "absent though given": changed(given, kind="absent"),
    }


def test_the_replayer_finds_forgeries() -> None:
    program = read(TEXT)
    proof = proof_of(TEXT, "d(o)", {**FACTS, ("near", ("p", "o")): 1.0})
    facts: dict[Fact, float] = {**FACTS, ("near", ("p", "o")): 1.0}
    assert replay.faults(proof, program, facts) == []
    for name, forged in forgeries(proof).items():
        assert replay.faults(forged, program, facts), name


def test_the_replayer_checks_comparisons_and_negations() -> None:
    text = "p(1). p(5). r(5). q(X) :- p(X), X > 2, not s(X). s(X) :- r(X), X > 7."
    program, proof = (
        read(text),
        proof_of("p(1). p(5). r(5). q(X) :- p(X), X > 2, not s(X). s(X) :- r(X), X > 7.", "q(5)", {}),
    )
    assert replay.faults(proof, program, {}) == []
    assert replay.faults(proof, read(text.replace("X > 2", "X > 6")), {})
    assert replay.faults(proof, read(text.replace("X > 7", "X > 3")), {})


def test_a_proof_as_json_names_rules_lines_and_premises() -> None:
    answer = one(TEXT, "c(o)", FACTS)
    document = json.loads(json.dumps(answer.to_json(read(TEXT))))
    steps = document["proof"]["steps"]
    assert [step["kind"] for step in steps] == ["given", "rule", "rule"]
    assert steps[2] == {
        "fact": ["c", ["o"]],
        "kind": "rule",
        "rule": "c(X) :- b(X).",
        "line": 5,
        "binding": {"X": "o"},
        "premises": [1],
        "probability": 1.0,
    }


def test_the_worked_example_of_the_document(tmp_path: Path) -> None:
    rules, answers = (block.partition("```")[0] for block in DOCUMENT.read_text("utf-8").split("```text\n")[1:3])
    facts = DOCUMENT.read_text("utf-8").split("```json\n")[1].partition("```")[0]
    (tmp_path / "facts.json").write_text(facts)
    program = read(rules)
    found = ask(program, read_facts(tmp_path / "facts.json"), "wet(X)")
    assert "\n".join(answer.text(program) for answer in found) == answers.rstrip("\n")
