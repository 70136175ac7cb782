"""Proofs, their replay from leaf facts, and counterfactuals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.execution import IllPosed, compile, execute
from nsmodels.datasets.gqa.programs.parsing import Program, parse_text, without_leaks
from nsmodels.formats.scenes.graphs import Box, Relation, SceneGraph, Thing
from nsmodels.systems.natural.beliefs import Belief, belief_of
from nsmodels.systems.natural.language.programs.grammar import Grammar
from nsmodels.systems.natural.reasoning.execution import SoftExecutor
from nsmodels.systems.natural.reasoning.facts import parse, with_probability
from nsmodels.systems.natural.reasoning.lexicon import Lexicon
from nsmodels.systems.natural.reasoning.proofs.counterfactual import remove_fact
from nsmodels.systems.natural.reasoning.proofs.proof import NoProof, Proof, prove
from nsmodels.systems.natural.reasoning.proofs.replay import ProofError, check
from nsmodels.systems.natural.reasoning.proofs.worlds import likely_worlds, most_likely, topic_of
from tests.systems.natural.examples import WORDS, random_graph, random_program

LEXICON = Lexicon(WORDS)


def program(text: str) -> Program:
    return without_leaks(parse_text(text))


def noisy(belief: Belief, rng: np.random.Generator, share: float = 0.15) -> Belief:
    """The belief mixed with noise: no fact is certain any more."""

    def mixed(table: np.ndarray) -> np.ndarray:
        return ((1 - share) * table + share * rng.random(table.shape)).astype(np.float32)

    names, relations = mixed(belief.names), mixed(belief.relations)
    relations[:, np.arange(len(belief)), np.arange(len(belief))] = 0
    return replace(
        belief,
        presence=mixed(belief.presence),
        names=names / names.sum(1, keepdims=True),
        attributes={kind: mixed(table) for kind, table in belief.attributes.items()},
        relations=relations,
    )


def kitchen() -> SceneGraph:
    """A brown dog under a table with a red apple on it, and a cat beside them."""
    return SceneGraph(
        "1",
        400,
        300,
        (
            Thing("1", "dog", Box(100, 200, 50, 40), ("brown", "small"), (Relation("under", "2"),)),
            Thing("2", "table", Box(80, 150, 120, 100), ("wood",)),
            Thing("3", "apple", Box(120, 130, 20, 20), ("red",), (Relation("on", "2"),)),
            Thing("4", "cat", Box(300, 200, 50, 40), ("brown",)),
        ),
        "kitchen",
    )


def test_every_proof_replays_and_survives_json() -> None:
    rng, grammar, proved = np.random.default_rng(2), Grammar(WORDS), 0
    programs = [random_program(rng, grammar) for _ in range(300)]
    for _ in range(16):
        belief = noisy(belief_of(random_graph(rng), WORDS), rng)
        soft = SoftExecutor(belief, LEXICON)
        for number in rng.integers(len(programs), size=20):
            found = soft.answer(programs[number])
            try:
                proof = prove(programs[number], belief, LEXICON, found, max_worlds=20)
            except NoProof:
                continue
            check(proof, WORDS)
            assert proof.answer == found.best
            assert Proof.from_json(proof.to_json()) == proof
            proved += 1
    assert proved > 30


def test_a_certain_proof_is_certain() -> None:
    belief = belief_of(kitchen(), WORDS)
    proof = prove(program("select: table (2)->relate: fruit,on,s (3) [0]->query: color [1]"), belief)
    assert (proof.answer, proof.confidence) == ("red", pytest.approx(1))
    assert "+ on(o3, o2)" in proof.text()
    assert "- not is(o1, fruit)" in proof.text()
    assert [each.number for each in proof.evidence] == [2, 3]
    assert [each.box for each in proof.evidence][1] == (120, 130, 20, 20)


@pytest.mark.parametrize(
    ("old", "altered"),
    [
        ('"value": "brown"', '"value": "red"'),
        ('"answer": "brown"', '"answer": "green"'),
        ('"name": "dog"', '"name": "cat"'),
        ('"holds": true', '"holds": false'),
    ],
)
def test_an_altered_proof_is_found_out(old: str, altered: str) -> None:
    proof = prove(program("select: dog (1)->query: color [0]"), belief_of(kitchen(), WORDS))
    text = proof.to_json()
    assert old in text
    with pytest.raises((ProofError, InputError)):
        check(Proof.from_json(text.replace(old, altered)), WORDS)


def test_worlds_come_in_order_and_the_first_is_the_most_likely_one() -> None:
    rng = np.random.default_rng(0)
    belief = noisy(belief_of(kitchen(), WORDS), rng, 0.6)
    topic = topic_of(program("select: table (2)->relate: apple,on,s (3) [0]->query: color [1]"), LEXICON)
    worlds = list(likely_worlds(belief, topic, 50))

    def probability(world) -> float:
        present = np.where(world.present, belief.presence, 1 - belief.presence).prod()
        names = belief.names[np.arange(len(belief)), world.names].prod()
        colors, table = world.values["color"], belief.attributes["color"]
        pairs = 1.0
        for i in range(len(belief)):
            for k in range(len(belief)):
                if i != k:
                    p = max(belief.relations[2, i, k], belief.relations[3, k, i])
                    pairs *= p if ("on", i, k) in world.related else 1 - p
        return float(present * names * np.where(colors, table, 1 - table).prod() * pairs)

    found = [probability(world) for world in worlds]
    assert found == sorted(found, reverse=True)
    assert worlds[0].related == most_likely(belief, topic).related


def test_removing_a_fact_changes_what_rests_on_it() -> None:
    belief = belief_of(kitchen(), WORDS)
    asked = program("select: dog (1)->verify color: brown [0]")
    changed = remove_fact(asked, belief, "color(o1) = brown")
    assert (changed.is_used, changed.before.best, changed.after.best) == (True, "yes", "no")
    other = remove_fact(asked, belief, "color(o4) = brown")
    assert (other.is_used, other.is_changed) == (False, False)
    assert "unchanged" in other.text()
    apple = program("select: fruit (3)->filter color: red [0]->query: size [1]")
    vague = replace(belief, attributes={**belief.attributes, "size": np.full_like(belief.attributes["size"], 0.9)})
    none = remove_fact(apple, vague, "color(o3) = red")
    assert (none.before.best, none.after.posed, none.is_given, none.is_changed) == (none.before.best, 0, False, True)
    assert "not given any more" in none.text() or "→ none" in none.text()
    gone = remove_fact(asked, belief, "present(o1)")
    assert gone.after.posed == 0
    assert "no such object" in gone.reason
    under = remove_fact(program("select: table (2)->relate: _,under,s (1) [0]->exist: ? [1]"), belief, "under(o1, o2)")
    assert (under.before.best, under.after.best) == ("yes", "no")


@pytest.mark.parametrize("text", ["color(o3)", "red apple", "on(o1)", "color(o3) = blue", "is(o3)", "location = moon"])
def test_a_text_that_is_no_fact_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="fact"):
        parse(text, WORDS)


@pytest.mark.parametrize(
    "text",
    [
        *("present(o1)", "absent(o1)", "is(o1, animal)", "not is(o1, red pepper)", "name(o2) = table"),
        *("color(o1) != red", "to the left of(o1, o2)", "not on(o1, o2)", "location = kitchen", "weather != sunny"),
    ],
)
def test_facts_are_written_as_they_are_read(text: str) -> None:
    assert str(parse(text, WORDS)) == text


def test_a_fact_that_is_not_believed_or_not_there_is_refused() -> None:
    belief = belief_of(kitchen(), WORDS)
    with pytest.raises(InputError, match="not believed"):
        remove_fact(program("select: dog (1)->verify color: brown [0]"), belief, "color(o1) = red")
    with pytest.raises(InputError, match="o1 to o4"):
        with_probability(parse("present(o9)", WORDS), belief, LEXICON)


def test_answers_of_a_certain_belief_are_proved_as_the_exact_executor_has_them() -> None:
    rng, grammar, num = np.random.default_rng(5), Grammar(WORDS), 0
    programs = [random_program(rng, grammar) for _ in range(200)]
    for _ in range(10):
        graph = random_graph(rng)
        if not any(each.name.startswith("to the") for thing in graph for each in thing.relations):
            continue  # the exact executor takes sides from boxes there
        scene, belief = compile(graph, WORDS), belief_of(graph, WORDS)
        for each in programs:
            try:
                wanted = execute(each, scene)
                proof = prove(each, belief, LEXICON, max_worlds=1)
            except (IllPosed, NoProof):
                continue
            num += 1
            assert proof.answer == wanted
    assert num > 50


def test_a_world_without_what_is_taken_for_granted_proves_nothing() -> None:
    belief = belief_of(kitchen(), WORDS)
    names = belief.names.copy()
    row, dog, cat = 0, WORDS.names.index("dog"), WORDS.names.index("cat")
    names[row, dog], names[row, cat] = 0.4, 0.6
    unsure = replace(belief, names=names)
    asked = program("select: dog (1)->verify rel: apple,near,o (2) [0]")
    proof = prove(asked, unsure)
    assert (proof.answer, proof.steps[0].output) == ("no", (1,))  # not of the likelier world, which has no dog
    assert proof.confidence == pytest.approx(0.4, abs=1e-6)
    check(proof, WORDS)
    names[row, dog], names[row, cat] = 0.0, 1.0
    with pytest.raises(NoProof, match=r"step 1 \(verify rel: apple,near,o \(s0\)\): nothing is as s0 \(select: dog\)"):
        prove(asked, replace(belief, names=names))
    there = prove(program("select: dog (1)->exist: ? [0]"), replace(belief, names=names))
    assert there.answer == "no"  # which takes nothing for granted


def test_a_question_about_the_place_does_not_rest_on_the_weather() -> None:
    graph = replace(kitchen(), weather="sunny")
    belief = belief_of(graph, WORDS)
    for text, facts in (
        ("select: scene->query: place [0]", ["location = kitchen"]),
        ("select: scene->query: weather [0]", ["weather = sunny"]),
        ("select: scene->verify weather: rainy [0]", ["weather = sunny"]),
        ("select: scene->choose place: kitchen|beach [0]", ["location = kitchen"]),
    ):
        proof = prove(program(text), belief)
        assert [str(fact) for fact in proof.facts] == facts
        check(proof, WORDS)


def test_a_short_text_shows_what_a_result_rests_on() -> None:
    belief = belief_of(kitchen(), WORDS)
    lines = prove(program("select: dog (1)->verify color: red [0]"), belief).text(has_negative=False).splitlines()
    assert [line.split("  p ")[0].strip() for line in lines[1:]] == [
        "s0 select: dog → {o1}",
        "+ present(o1)",  # not that of the others, which are there, too
        "+ is(o1, dog)",
        "s1 verify color: red (s0) → no",
        "- color(o1) != red",
    ]
    none = prove(program("select: woman (1)->exist: ? [0]"), belief).text(has_negative=False)
    assert none.count("- not is(") == 3
    assert "… " in none
