"""How sure a reading is: signs that count, the search for a program with all the words, parsers without known forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nsmodels.systems.visual.config import ParserConfig
from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.confidence import SURE, Evidence
from nsmodels.systems.visual.language.fluency import Fluency
from nsmodels.systems.visual.language.grammar import TOKEN_IDS, Derivation, Token
from nsmodels.systems.visual.language.notation import program
from nsmodels.systems.visual.language.parser import Parser
from nsmodels.systems.visual.language.search import beam_search
from nsmodels.systems.visual.language.tokens import words_of

KNOWN = Fluency.from_questions([words_of("How many red cubes are there?"), words_of("Is the ball behind the cube?")])


def evidence(probability: float = 1.0, question: str = "how many blue balls are there", doubts: tuple = ()) -> Evidence:
    return Evidence(program("count(scene)"), probability, *KNOWN.strange(words_of(question)), doubts, ())


def test_each_sign_of_a_bad_reading_costs_confidence() -> None:
    garbled = "are there balls many"
    ordered = [evidence(), evidence(0.7), evidence(0.7, garbled), evidence(0.7, garbled, ("a doubt",))]
    found = [each.confidence() for each in ordered]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.98
    assert found[3] < 0.05
    assert evidence(1.0, doubts=("a doubt",)).confidence() < SURE


def test_a_doubtful_reading_has_a_reason() -> None:
    assert evidence().parse().doubts == ()
    assert evidence(0.4, "are there balls many").parse().doubts[0].startswith("the words 'are'")


@pytest.mark.parametrize(
    ("question", "strange"),
    [("How many small metal balls are there?", False), ("Is the cube behind the ball?", False),
     ("are are are", True), ("how many behind", True)],
)  # fmt: skip
def test_forms_are_known_by_their_classes_of_words(question: str, strange: bool) -> None:
    assert any(KNOWN.strange(words_of(question))) is strange
    assert not any(Fluency(()).strange(words_of(question))), "what knows nothing finds nothing strange"


def test_beam_search_finds_the_likeliest_programs_not_the_greedy_one() -> None:
    tokens = (Token("count", ""), Token("exist", ""), Token("scene", ""), Token("filter_color", "red"))
    count, exist, scene, red = (TOKEN_IDS[token] for token in tokens)
    after = {(): {count: 0.6, exist: 0.4}, (count,): {red: 0.5, scene: 0.5}, (exist,): {scene: 1.0}}

    def score(rows: list[int], beam: list[Derivation]) -> np.ndarray:
        chances = np.full((len(beam), len(grammar.TOKENS)), 1e-12)
        for row, derivation in zip(chances, beam, strict=True):
            for token, chance in after.get(tuple(derivation.tokens), {scene: 1.0}).items():
                row[token] = chance
        return np.log(chances)

    found = beam_search(score)
    assert found[0] == ([exist, scene], pytest.approx(0.4))
    assert sorted(tokens for tokens, _ in found[1:]) == sorted([[count, scene], [count, red, scene]])
    assert math.isclose(sum(chance for _, chance in found), 1.0, rel_tol=1e-6)


def test_a_checkpoint_without_known_forms_is_read() -> None:
    config = ParserConfig(embedding_dim=8, hidden_dim=8)
    parser = Parser(config, ["cube", "how", "many"], ["how many"])
    payload = {"config": {"parser": config.model_dump(), "words": ["cube", "how", "many"]}}
    older = Parser.from_checkpoint(payload | {"model_state_dict": parser.state_dict()})
    assert older.fluency.known == frozenset()
    assert older.parse(["how many cube"])[0].program == parser.eval().parse(["how many cube"])[0].program
