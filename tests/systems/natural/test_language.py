"""Mentions, grammar, derivations and the parser."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.execution import IllPosed, compile, execute
from nsmodels.datasets.gqa.programs.parsing import check, parse_text, without_leaks
from nsmodels.engine.batching import Part
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.systems.natural.config import ParserConfig
from nsmodels.systems.natural.language.derivation import Derivation, choices
from nsmodels.systems.natural.language.encoding import Reader
from nsmodels.systems.natural.language.grammar import Grammar, normal, program_of, tree_of
from nsmodels.systems.natural.language.mentions import Entry, Phrases
from nsmodels.systems.natural.language.parser import Parser
from nsmodels.systems.natural.language.task import ParserTask
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of
from nsmodels.systems.natural.language.trees import leaves_of
from tests.systems.natural.examples import WORDS, asked, random_graph, random_program

GRAMMAR = Grammar(WORDS)


def test_mentions_are_longest_phrases_of_each_class() -> None:
    found = Phrases.of(WORDS).mentions(words_of("Is the red pepper to the left of the people?"))
    entries = [(each.start, each.end, *each.entry) for each in found]
    assert (2, 4, "name", "red pepper") in entries
    assert (2, 3, "color", "red") in entries  # may be an adjective of a pepper, which the vocabulary does not have
    assert (4, 8, "relation", "to the left of") in entries
    assert (9, 10, "name", "person") in entries


def test_random_derivations_are_programs_of_the_release() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        program = random_program(rng, GRAMMAR)
        assert without_leaks(check(program)) == program


def test_the_normal_form_keeps_the_answer() -> None:
    rng = np.random.default_rng(0)
    scenes, same = [compile(random_graph(rng), WORDS) for _ in range(30)], 0
    for _ in range(300):
        program = random_program(rng, GRAMMAR)
        plain = normal(program, WORDS)
        assert normal(plain, WORDS) == plain
        for scene in scenes[:: len(program)]:
            try:
                wanted = execute(program, scene)
            except IllPosed:
                continue
            same += 1
            assert execute(plain, scene) == wanted
    assert same > 100


def test_the_symbols_of_a_program_lead_back_to_it() -> None:
    text = "select: table (3)->relate: cat,on,s (4) [0]->choose color: red|green [1]"
    program = normal(without_leaks(parse_text(text)), WORDS)
    mentions = GRAMMAR.phrases.mentions(words_of("Is the cat that is on the table green or red?"))
    derivation = Derivation(GRAMMAR, mentions)
    for choice in choices(tree_of(program, WORDS), GRAMMAR, mentions):
        derivation.push(choice[0])
    assert derivation.num_open == 0
    assert normal(program_of(derivation.tree(), WORDS), WORDS) == program


@pytest.mark.parametrize("operation", ["filter: bare", "filter size: red", "filter tone: shiny"])
def test_values_without_a_type_or_of_a_different_one_are_constants(operation: str) -> None:
    program = normal(without_leaks(parse_text(f"select: dog (1)->{operation} [0]->exist: ? [1]")), WORDS)
    entry = next(leaf for leaf in leaves_of(tree_of(program, WORDS)) if leaf != Entry("name", "dog"))
    assert isinstance(entry, Entry)
    grammar, mentions = Grammar(WORDS, (entry,)), GRAMMAR.phrases.mentions(["dog"])
    derivation = Derivation(grammar, mentions)
    for choice in choices(tree_of(program, WORDS), grammar, mentions):
        derivation.push(choice[0])
    assert normal(program_of(derivation.tree(), WORDS), WORDS) == program


def test_a_word_that_is_nowhere_is_refused() -> None:
    program = without_leaks(parse_text("select: sofa (3)->exist: ? [0]"))
    with pytest.raises(InputError, match="sofa"):
        choices(tree_of(program, WORDS), GRAMMAR, ())


def trained(num: int, epochs: int, without: str = "") -> tuple[ParserTask, Parser]:
    """A parser trained on questions, none of which has the word `without`."""
    rng = np.random.default_rng(0)
    questions = [each for each in asked(rng, num) if not without or without not in words_of(each.text)]
    config = ParserConfig(embedding_dim=32, hidden_dim=64)
    task = ParserTask(questions, asked(rng, 100), WORDS, config, TrainingConfig(batch_size=32))
    torch.manual_seed(0)
    network = task.build()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for epoch in range(epochs):
        for batch in task.batches("train", epoch, Shard()):
            optimizer.zero_grad()
            task.loss(network, batch)[0].backward()
            optimizer.step()
    return task, Parser(network)


def test_the_parser_reads_a_name_that_no_training_question_has() -> None:
    _, parser = trained(800, 3, without="cake")
    questions = [f"Is there a {value} cake?" for value in ("red", "green", "small", "round")]
    wanted = [
        normal(without_leaks(parse_text(f"select: cake (1)->filter {kind}: {value} [0]->exist: ? [1]")), WORDS)
        for kind, value in (("color", "red"), ("color", "green"), ("size", "small"), ("shape", "round"))
    ]
    assert [each.program for each in parser.parse(questions)] == wanted
    assert not any(each.doubts for each in parser.parse(questions))
    known, unknown, garbled = parser.parse(["Is there a red apple?", "Is there a red gizmo?", "Red there a is apple"])
    assert unknown.doubts[0] == "unknown word 'gizmo'"
    assert "are not as in a known question" in garbled.doubts[-1]
    assert known.probability > 3 * max(unknown.probability, garbled.probability)


def test_an_untrained_parser_gives_programs_too() -> None:
    task, parser = trained(60, 0)
    for each in parser.read([question.words for question in task.val_questions]):
        assert without_leaks(check(each.program)) == each.program
        assert len(each.program) <= 40


def test_a_batch_does_not_depend_on_how_it_is_split() -> None:
    task, parser = trained(64, 0)
    whole = task.loss(parser.network, task._batch("val", 0, _part(np.arange(8))))[0]
    halves = [task.loss(parser.network, task._batch("val", 0, _part(rows)))[0] for rows in np.split(np.arange(8), 2)]
    assert torch.stack(halves).mean().item() == pytest.approx(whole.item(), rel=1e-5)


def _part(rows: np.ndarray):

    return Part(rows, rows)


def test_entries_are_told_apart_by_class() -> None:
    reader = Reader(GRAMMAR, Vocabulary(["a", "red"]))
    words = words_of("a red apple")
    questions = reader.questions([words], [GRAMMAR.phrases.mentions(words)])
    assert questions.classes[0].any(-1).tolist() == [False, True, True]
    assert Entry("name", "apple") in [each.entry for each in GRAMMAR.phrases.mentions(words)]
