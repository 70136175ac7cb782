"""The question parser: its grammar, its decoding, its training task."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.systems.visual.config import ParserConfig
from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.parser import Parser
from nsmodels.systems.visual.language.task import ParserTask
from nsmodels.systems.visual.language.tokens import Vocabulary, words_of

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official"
SMALL = ParserConfig(embedding_dim=32, hidden_dim=64, dropout=0.0, paraphrases=0)


def official_questions() -> list[dict]:
    files = sorted(OFFICIAL.rglob("*questions.json"))
    assert files, OFFICIAL
    return [question for path in files for question in json.loads(path.read_text())["questions"]]


QUESTIONS = official_questions()


def shortest(count: int) -> list[dict]:
    return sorted(QUESTIONS, key=lambda question: len(question["program"]))[:count]


def trained(task: ParserTask, epochs: int, lr: float = 1e-2) -> Parser:
    torch.manual_seed(0)
    model = task.build()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        for batch in task.batches("train", epoch, Shard()):
            loss, _ = task.loss(model, batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return model


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: str(question["question_index"]))
def test_official_programs_survive_linearisation(question: dict) -> None:
    assert grammar.program_of(grammar.linearise(question["program"])) == question["program"]


def test_a_node_used_twice_becomes_two_branches() -> None:
    nodes = [([], "scene", []), ([0], "filter_color", ["red"]), ([1, 1], "intersect", []), ([2], "count", [])]
    program = [{"inputs": i, "function": f, "value_inputs": v} for i, f, v in nodes]
    written = grammar.program_of(grammar.linearise(program))
    assert [node["function"] for node in written].count("scene") == 2
    assert written[-2]["inputs"] == [1, 3]


@pytest.mark.parametrize(
    ("nodes", "word"),
    [
        ([([], "scene", []), ([0], "unique", [])], "cannot fill a slot of type 'answer'"),
        ([([], "scene", []), ([0], "query_color", [])], "cannot fill a slot of type 'object'"),
        ([([], "scene", []), ([0], "filter_color", ["pink"]), ([1], "count", [])], "filter_color[pink]"),
        ([([], "scene", []), ([0, 0], "count", [])], "do not fit"),
        ([([1], "count", []), ([0], "count", [])], "slot"),
        ([([0], "count", [])], "do not fit"),
        ([], "empty"),
    ],
)
def test_ill_formed_programs_are_refused(nodes: list[tuple], word: str) -> None:
    program = [{"inputs": i, "function": f, "value_inputs": v} for i, f, v in nodes]
    with pytest.raises(InputError) as error:
        grammar.linearise(program)
    assert word in str(error.value)


def assert_well_typed(program: list[dict]) -> None:
    outputs = []
    for number, node in enumerate(program):
        takes, gives = FUNCTIONS[node["function"]]
        assert all(i < number for i in node["inputs"])
        assert tuple(outputs[i] for i in node["inputs"]) == takes
        outputs.append(gives)
    used = sorted(i for node in program for i in node["inputs"])
    assert used == list(range(len(program) - 1)), "each value but the answer is used once"
    assert outputs[-1] not in ("set", "object")


@pytest.mark.parametrize("limit", [4, 9, 48])
def test_random_weights_still_write_well_typed_programs_within_the_limit(limit: int) -> None:
    torch.manual_seed(limit)
    vocabulary = Vocabulary.from_questions(question["question"] for question in QUESTIONS)
    config = ParserConfig(embedding_dim=16, hidden_dim=16, max_program_length=limit)
    parser = Parser(config, vocabulary.words)
    for weights in parser.parameters():
        torch.nn.init.normal_(weights)
    for parse in parser.parse([question["question"] for question in QUESTIONS[:12]]):
        assert_well_typed(parse.program)
        assert len(parse.program) <= limit
        assert 0 <= parse.probability <= 1


def test_overfits_a_few_questions_and_is_rebuilt_from_its_state() -> None:
    questions = shortest(16)
    task = ParserTask(questions, questions, SMALL, TrainingConfig(batch_size=16))
    model = trained(task, epochs=90)
    assert task.validate(model, 0) == {"val/program_exact": 1.0}
    again = Parser.from_checkpoint({"config": task.settings(), "model_state_dict": model.state_dict()})
    parses = again.parse([question["question"] for question in questions])
    assert [parse.program for parse in parses] == [question["program"] for question in questions]
    assert min(parse.probability for parse in parses) > 0.8


def test_a_parse_depends_neither_on_its_batch_nor_on_case_and_punctuation() -> None:
    torch.manual_seed(0)
    texts = [question["question"] for question in QUESTIONS[:10]]
    parser = Parser(SMALL, Vocabulary.from_questions(texts).words)
    together = parser.parse(texts)
    alone = [parser.parse([text.upper().replace("?", " ...")])[0] for text in texts]
    assert [parse.program for parse in alone] == [parse.program for parse in together]
    assert [p.probability for p in alone] == pytest.approx([p.probability for p in together], rel=1e-4)


def counting_questions() -> list[dict]:
    """How many <size> <color> <material> <shape>s are there, all 96, in random order."""
    questions = []
    for values in itertools.product(*ATTRIBUTES.values()):
        chain = [("scene", []), *((f"filter_{n}", [v]) for n, v in zip(ATTRIBUTES, values, strict=True)), ("count", [])]
        program = [{"inputs": [i - 1] if i else [], "function": f, "value_inputs": v} for i, (f, v) in enumerate(chain)]
        questions.append({"question": f"How many {' '.join(values)}s are there?", "program": program})
    random.Random(0).shuffle(questions)
    return questions


@pytest.mark.parametrize(("is_shuffled", "low", "high"), [(False, 0.6, 1.0), (True, 0.0, 0.15)])
def test_what_is_learned_is_the_meaning_of_the_words(is_shuffled: bool, low: float, high: float) -> None:
    questions = counting_questions()
    programs = [question["program"] for question in questions]
    if is_shuffled:
        random.Random(1).shuffle(programs)
    pairs = [question | {"program": program} for question, program in zip(questions, programs, strict=True)]
    task = ParserTask(pairs[:64], pairs[64:], SMALL, TrainingConfig(batch_size=8))
    assert low <= task.validate(trained(task, epochs=25), 0)["val/program_exact"] <= high


def test_curriculum_begins_with_short_programs_and_ends_with_all() -> None:
    training = TrainingConfig(epochs=10, batch_size=8, curriculum=True)
    task = ParserTask(QUESTIONS, QUESTIONS, SMALL, training)
    plain = ParserTask(QUESTIONS, QUESTIONS, SMALL, TrainingConfig(epochs=10, batch_size=8))

    def mean_length(task: ParserTask, epoch: int) -> float:
        return float(task.splits["train"].program_lengths[task.order(epoch)].mean())

    assert mean_length(task, 0) < 0.8 * mean_length(plain, 0)
    assert mean_length(task, 9) == mean_length(plain, 9)
    assert len(task.order(0)) == len(task.order(9)) == len(QUESTIONS)
    limits = [task.curriculum(epoch)["curriculum/max_program_length"] for epoch in range(10)]
    assert limits == sorted(limits)
    assert limits[-1] == max(len(question["program"]) for question in QUESTIONS)
    assert plain.curriculum(0) == {}


def test_batches_depend_on_seed_and_epoch_alone_and_shards_share_them() -> None:
    config = ParserConfig(word_dropout=0.2, paraphrases=0)
    task = ParserTask(QUESTIONS, QUESTIONS, config, TrainingConfig(batch_size=8, seed=3))
    again = ParserTask(QUESTIONS, QUESTIONS, config, TrainingConfig(batch_size=8, seed=3))
    first = [batch.words for batch in task.batches("train", 1, Shard())]
    resumed = [batch.words for batch in again.batches("train", 1, Shard(start=4))]
    assert all(torch.equal(a, b) for a, b in zip(first[4:], resumed, strict=True))
    other = [batch.words for batch in task.batches("train", 2, Shard())]
    assert any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(first, other, strict=True))
    halves = [sum(len(b.words) for b in task.batches("train", 0, Shard(rank, 2))) for rank in (0, 1)]
    assert halves[0] == halves[1] == len(QUESTIONS) // 2


def test_typos_are_corrected_and_unknown_words_are_doubts() -> None:
    parser = Parser(SMALL, Vocabulary.from_questions(question["question"] for question in QUESTIONS).words)
    typed, right, unknown, polite = parser.parse(
        ["Hwo many cubess?", "how many cubes", "How many purple unicorns are there?", "Tell me how many cubes, please."]
    )
    assert (polite.program, polite.doubts) == (right.program, right.doubts)
    assert typed.corrections == (("hwo", "how"), ("cubess", "cubes"))
    assert (typed.program, right.corrections) == (right.program, ())
    assert unknown.doubts[0].startswith("unknown word 'unicorns'")
    assert unknown.probability < 0.1
    with pytest.raises(InputError, match="at least one word"):
        parser.parse(["How many things are there?", " ?! "])


def test_words_ignore_case_and_punctuation() -> None:
    assert words_of("What's the BIG, blue-ish thing?") == ["what", "is", "the", "big", "blue", "ish", "thing"]
