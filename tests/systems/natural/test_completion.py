"""Attributes of a question that the released form of its program has no place for."""

from __future__ import annotations

import pytest
import torch

from nsmodels.datasets.gqa.files.format import Question, each_question, read_graphs
from nsmodels.datasets.gqa.programs.execution import compile, execute
from nsmodels.datasets.gqa.programs.parsing import as_semantic, parse_text, without_leaks
from nsmodels.datasets.gqa.vocabulary.building import read_vocabulary
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.systems.natural.config import ParserConfig
from nsmodels.systems.natural.language.completion import completed, left_out_of
from nsmodels.systems.natural.language.derivation import Derivation
from nsmodels.systems.natural.language.grammar import Frame, Grammar, normal
from nsmodels.systems.natural.language.network import ParserNetwork
from nsmodels.systems.natural.language.parser import Parser
from nsmodels.systems.natural.language.task import ParserTask, asked
from nsmodels.systems.natural.language.tokens import words_of
from tests.shared import Shared
from tests.systems.natural.examples import WORDS

GRAMMAR = Grammar(WORDS)
BESIDE = "select: table (2)->verify rel: apple,to the left of,s (1) [0]"
RELATED = "select: table (2)->relate: apple,to the left of,s (1) [0]"
SIDES = "to the left of|to the right of"


def program(text: str) -> tuple:
    return normal(without_leaks(parse_text(text)), WORDS)


def complete(question: str, text: str) -> tuple:
    words = words_of(question)
    return completed(program(text), words, GRAMMAR.phrases.mentions(words), WORDS)


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Is the red apple to the left of the table?", f"{RELATED}->filter color: red [1]->exist: ? [2]"),
        ("Is the apple that is red to the left of the table?", f"{RELATED}->filter color: red [1]->exist: ? [2]"),
        (
            "Is the apple that is not red to the left of the table?",
            f"{RELATED}->filter color: not(red) [1]->exist: ? [2]",
        ),
        ("Is the apple made of wood to the left of the table?", f"{RELATED}->filter material: wood [1]->exist: ? [2]"),
        (
            "Is the small red apple to the left of the table?",
            f"{RELATED}->filter color: red [1]->filter size: small [2]->exist: ? [3]",
        ),
        ("Is the apple to the left of the table?", BESIDE),
    ],
)
def test_an_object_that_is_verified_keeps_its_attributes(question: str, wanted: str) -> None:
    assert complete(question, BESIDE) == program(wanted)


def test_attributes_of_the_other_object_stay_where_they_are() -> None:
    text = "select: apple (2)->filter color: red [0]->verify rel: apple,near,s (1) [1]"
    assert complete("Is the apple near the red apple?", text) == program(text)
    green = (
        "select: apple (2)->filter color: red [0]->relate: apple,near,s (1) [1]->filter color: green [2]->exist: ? [3]"
    )
    assert complete("Is the green apple near the red apple?", text) == program(green)
    either = "select: dog (1)->verify rel: cat,near,s (2) [0]->select: boy (3)->exist: ? [2]->and:  [1, 3]"
    both = "select: dog (1)->relate: cat,near,s (2) [0]->filter color: brown [1]->exist: ? [2]"
    both += "->select: boy (3)->exist: ? [4]->and:  [3, 5]"
    assert complete("Is the brown cat near the dog and is there a boy?", either) == program(both)


def test_a_side_is_chosen_from_the_object_that_has_attributes() -> None:
    text = f"select: table (1)->choose rel: apple,{SIDES},s (2) [0]"
    turned = f"select: apple (2)->filter color: red [0]->choose rel: table,{SIDES},o (1) [1]"
    question = "Is the red apple to the left or to the right of the table?"
    assert complete(question, text) == program(turned)
    both = f"select: table (1)->filter color: brown [0]->choose rel: apple,{SIDES},s (2) [1]"
    question = "Is the red apple to the left or to the right of the brown table?"
    assert complete(question, both) == program(both)
    words = words_of(question)
    mentions = GRAMMAR.phrases.mentions(words)
    unread = [each for each in mentions if each.entry.word == "red"]
    assert [each.entry.word for each in left_out_of(program(both), unread, mentions, WORDS)] == ["red"]


def test_what_is_asked_for_keeps_the_name_it_is_given() -> None:
    text, named = "select: table (1)->relate: {},near,s (2) [0]->query: name [1]", "What is the {} near the table?"
    assert complete("Who is the boy near the table?", text.format("_")) == program(text.format("boy"))
    assert complete(named.format("animal"), text.format("_")) == program(text.format("animal"))
    assert complete("Who is near the table?", text.format("_")) == program(text.format("person"))
    assert complete("What is near the table?", text.format("_")) == program(text.format("_"))
    color = "select: table (1)->relate: _,near,s (2) [0]->query: color [1]"
    assert complete("What color is the thing near the table?", color) == program(color)
    words = words_of("Who is the boy near the table?")
    mentions = GRAMMAR.phrases.mentions(words)
    assert left_out_of(program(text.format("boy")), mentions[:1], mentions, WORDS) == []
    assert left_out_of(program(text.format("_")), mentions[:1], mentions, WORDS) == mentions[:1]


def test_a_choice_has_two_different_options() -> None:
    mentions = GRAMMAR.phrases.mentions(words_of("Is the table red or green, near or under the cat?"))
    derivation = Derivation(GRAMMAR, mentions)
    number = {each.entry.word: len(GRAMMAR.tokens) + k for k, each in enumerate(mentions)}
    derivation.push(GRAMMAR.numbers[Frame("choose color", 1)])
    assert derivation.excluded == frozenset()
    derivation.push(number["red"])
    assert derivation.excluded == {number["red"]}
    related = Derivation(GRAMMAR, mentions)
    for symbol in (GRAMMAR.numbers[Frame("choose rel", 1, "s")], number["cat"]):
        assert related.excluded == frozenset()
        related.push(symbol)
    assert related.excluded == frozenset()
    related.push(number["near"])
    assert related.excluded == {number["near"]}
    alone = Derivation(GRAMMAR, [each for each in mentions if each.entry.word in ("red", "cat")])
    alone.push(GRAMMAR.numbers[Frame("choose color", 1)])
    alone.push(len(GRAMMAR.tokens))
    assert alone.excluded == frozenset()  # nothing else is left


def test_what_a_program_has_as_often_is_not_left_out() -> None:
    words = words_of("Are there either red apples or red cakes on the left side of the photo?")
    mentions = GRAMMAR.phrases.mentions(words)
    text = (
        "select: apple (1)->filter color: red [0]->exist: ? [1]->select: cake (2)->filter color: red [3]->exist: ? [4]"
    )
    either = program(f"{text}->or:  [2, 5]")
    second = [each for each in mentions if each.entry.word == "red"][1:]
    idle = [each for each in mentions if each.entry.word == "on"]
    assert left_out_of(either, [*second, *idle], mentions, WORDS) == []
    once = program("select: apple (1)->filter color: red [0]->exist: ? [1]")
    assert len(left_out_of(once, second, mentions, WORDS)) == 1


def test_completed_programs_have_the_answers_of_the_twin(shared: Shared) -> None:
    data = shared.data("gqa")
    words, num_completed = read_vocabulary(data), 0
    grammar = Grammar(words)
    for split in ("train", "val"):
        scenes = {image: compile(graph, words) for image, graph in read_graphs(data, split).items()}
        for question in each_question(data, split):
            each = asked(question, grammar)
            found = completed(each.program, each.words, each.mentions, words)
            num_completed += found != each.program
            assert execute(found, scenes[question.image], is_guessing=True) == question.answer, question.text
    assert num_completed > 5


def test_the_parser_gives_completed_programs_and_keeps_the_released_ones() -> None:
    torch.manual_seed(0)
    questions = [f"Is the {value} apple {side} the table?" for value in ("red", "green") for side in ("near", "under")]
    texts = [f"select: table (1)->verify rel: apple,{side},s (2) [0]" for _ in range(2) for side in ("near", "under")]
    parser = Parser(trained_on(questions, texts))
    for parse, text, value in zip(parser.parse(questions), texts, ("red", "red", "green", "green"), strict=True):
        assert parse.released == program(text)
        assert [step.operation for step in parse.program] == ["select", "relate", "filter color", "exist"]
        assert parse.program[2].value == value
        assert parse.doubts == ()


def trained_on(questions: list[str], texts: list[str]) -> ParserNetwork:
    """A network that has learnt a few questions by heart."""
    pairs = zip(questions, texts, strict=True)
    records = [
        Question(id=str(k), image="1", text=question, answer="yes", semantic=tuple(as_semantic(parse_text(text))))
        for k, (question, text) in enumerate(pairs)
    ]
    config = ParserConfig(embedding_dim=32, hidden_dim=64, hidden_names=0.0)
    task = ParserTask(records, records, WORDS, config, TrainingConfig(batch_size=4, lr=0.02))
    network = task.build()
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for epoch in range(30):
        for batch in task.batches("train", epoch, Shard()):
            optimizer.zero_grad()
            task.loss(network, batch)[0].backward()
            optimizer.step()
    return network
