"""Soft execution against the exact executor, and against worlds drawn from a belief."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.execution import IllPosed, compile, execute
from nsmodels.datasets.gqa.programs.operations import COMPARISONS, operation_of
from nsmodels.datasets.gqa.programs.parsing import Program, parse_text, without_leaks
from nsmodels.systems.natural.beliefs import Belief, belief_of
from nsmodels.systems.natural.language.programs.grammar import Grammar
from nsmodels.systems.natural.reasoning.execution import SoftExecutor, answer
from nsmodels.systems.natural.reasoning.lexicon import Lexicon
from tests.systems.natural.examples import WORDS, random_graph, random_program


def test_a_certain_belief_gives_the_answers_of_the_exact_executor() -> None:
    rng = np.random.default_rng(1)
    grammar, lexicon = Grammar(WORDS), Lexicon(WORDS)
    programs = [program for _ in range(800) if is_decided(program := random_program(rng, grammar))]
    operations: Counter[str] = Counter()
    for _ in range(40):
        graph = random_graph(rng)
        scene, soft = compile(graph, WORDS), SoftExecutor(belief_of(graph, WORDS), lexicon)
        for number in rng.integers(len(programs), size=150):
            program = programs[number]
            try:
                wanted = execute(program, scene)
            except IllPosed:
                continue
            found = soft.answer(program)
            assert (found.best, round(found.confidence, 6)) == (wanted, 1.0), program
            operations[program[-1].operation] += 1
    assert len(operations) > 25
    assert sum(operations.values()) > 500


def is_decided(program: Program) -> bool:
    """Whether the exact executor's answer needs no order: of attributes of two types, or of members of one set."""
    last = program[-1]
    if operation_of(last.operation).kind in COMPARISONS:
        return len(last.dependencies) == 2
    return last.operation != "choose" or len({WORDS.type_of[each] for each in last.options}) == 1


def scene() -> Belief:
    """Two dogs, the first surely, the second perhaps; a table that the first is under."""
    graph = random_graph(np.random.default_rng(0))
    names = np.zeros((3, len(WORDS.names)), np.float32)
    names[[0, 1, 2], [0, 0, 6]] = 1
    relations = np.zeros((len(WORDS.relations), 3, 3), np.float32)
    relations[3, 0, 2] = 0.8
    attributes = {kind: np.zeros((3, len(values)), np.float32) for kind, values in WORDS.attributes.items()}
    attributes["color"][0, 2], attributes["color"][1, 0] = 0.9, 0.9
    boxes = np.array([[0, 0, 10, 10], [300, 0, 10, 10], [0, 100, 90, 90]], np.float32)
    belief = belief_of(replace(graph, things=()), WORDS)
    presence = np.array([1, 0.25, 1], np.float32)
    return replace(belief, presence=presence, boxes=boxes, names=names, attributes=attributes, relations=relations)


def ask(text: str, belief: Belief | None = None) -> dict[str, float]:
    return dict(answer(without_leaks(parse_text(text)), belief or scene()).distribution)


def test_the_dog_is_the_one_that_is_there() -> None:
    # Given exactly one dog: it is the first, as the second cannot be the only one.
    assert ask("select: dog (1)->verify color: brown [0]")["yes"] == pytest.approx(0.9)
    assert ask("select: dog (1)->query: color [0]")["brown"] == pytest.approx(1)


def test_a_relation_is_a_noisy_or_over_its_anchors() -> None:
    assert ask("select: dog (1)->relate: table,on,s (2) [0]->exist: ? [1]")["yes"] == pytest.approx(0.8)
    assert ask("select: table (1)->relate: dog,under,s (2) [0]->exist: ? [1]")["yes"] == pytest.approx(0.8)
    assert ask("select: animal (1)->exist: ? [0]->select: cat (-) ->exist: ? [2]->and:  [1, 3]")["yes"] == 0
    assert ask("select: dog (1)->filter color: red [0]->exist: ? [1]")["yes"] == pytest.approx(0.25 * 0.9)


def test_a_category_narrows_the_name() -> None:
    belief = scene()
    belief.names[2] = 0
    belief.names[2, [4, 5, 6]] = 0.5, 0.2, 0.3  # apple, cake, table
    found = ask("select: food (-)->query: name [0]", belief)
    assert found == {"apple": pytest.approx(5 / 7), "cake": pytest.approx(2 / 7)}


def test_options_in_any_order_have_equal_answers() -> None:
    one, two = (f"select: dog (7)->choose color: {pair} [0]" for pair in ("red|brown", "brown|red"))
    assert ask(one) == ask(two)
    assert ask(one)["brown"] == pytest.approx(1)


def test_a_description_of_nothing_is_not_well_posed() -> None:
    found = answer(without_leaks(parse_text("select: cat (-)->query: color [0]")), scene())
    assert (found.best, found.posed) == ("", 0)


def test_a_program_without_an_answer_is_refused() -> None:
    with pytest.raises(InputError, match="gives no answer"):
        answer(without_leaks(parse_text("select: cat (-)->exist: ? [0]"))[:1], scene())
