"""What surrounds the question parser: typos, the meaning of words beside that of a program, programs in English."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from nsmodels.datasets.clevr.questions.executor import execute
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTE_OF, ATTRIBUTES
from nsmodels.systems.visual.language.clauses import presupposed
from nsmodels.systems.visual.language.coverage import MEANINGS, differences, meanings
from nsmodels.systems.visual.language.description import describe
from nsmodels.systems.visual.language.notation import program
from nsmodels.systems.visual.language.paraphrases import FRAMES, Paraphrase, paraphrases
from nsmodels.systems.visual.language.tokens import words_of
from nsmodels.systems.visual.language.typos import nearest

DATA = Path(__file__).parents[2] / "data"
RED = "filter_color[red](scene)"
CUBES = "filter_shape[cube](scene)"
METAL_BIG = "filter_material[metal](filter_size[large](scene))"


@pytest.mark.parametrize(
    ("calls", "text"),
    [
        (f"count({METAL_BIG})", "the number of large metal things"),
        (f"exist(filter_shape[cube]({RED}))", "whether there is a red cube"),
        (f"count(union({CUBES}, {RED}))", "the number of cubes or red things"),
        (f"count(filter_shape[cube](union({CUBES}, {RED})))", "the number of cubes that are a cube or red"),
        (f"exist(intersect({RED}, {CUBES}))", "whether the red thing is a cube"),
        (f"exist(intersect({CUBES}, relate[left](unique({RED}))))", "whether the cube is left of the red thing"),
        (f"equal_integer(count({CUBES}), count(filter_color[red]({CUBES})))", "whether all cubes are red"),
        (f"query_color(unique(relate[behind](unique({CUBES}))))", "the color of the thing behind the cube"),
        (f"equal_size(query_size(unique({RED})), query_size(unique({CUBES})))",
         "whether the red thing and the cube have the same size"),
        (f"greater_than(count({RED}), count({CUBES}))", "whether there are more red things than cubes"),
    ],
)  # fmt: skip
def test_a_program_in_plain_english(calls: str, text: str) -> None:
    assert describe(program(calls)) == text


@pytest.mark.parametrize(
    ("question", "calls", "doubt"),
    [
        ("How many red things are there?", f"count({RED})", ""),
        ("How many things are red?", f"count({CUBES})", "the word 'red' is not in the program"),
        ("How many things are there?", f"count({RED})", "no word of the question means 'red'"),
        ("How many cubes or spheres?", "count(filter_shape[sphere](filter_shape[cube](scene)))", "'or'"),
        ("Is the red thing a cube?", f"query_material(unique(filter_shape[cube]({RED})))", "means the material"),
        ("How big is the cube?", f"query_size(unique({CUBES}))", ""),
        ("Are all cubes red?", f"equal_integer(count({CUBES}), count(filter_color[red]({CUBES})))", ""),
        ("How many things are red in color?", f"count({RED})", ""),
        ("Is the cube red or blue?", f"query_color(unique({CUBES}))", ""),
        ("Is the color of the cube red?", f"query_color(unique(filter_color[red]({CUBES})))", "means the color"),
        ("Are are are", f"count({CUBES})", "counts"),
    ],
)
def test_words_that_a_program_lacks_and_values_that_a_question_lacks(question: str, calls: str, doubt: str) -> None:
    found = differences(words_of(question), program(calls))
    assert any(doubt in line for line in found) if doubt else not found


def test_official_questions_and_programs_have_no_differences(official_questions: list[dict]) -> None:
    assert [q for q in official_questions if differences(words_of(q["question"]), q["program"])] == []


def test_a_question_about_the_one_thing_presupposes_it() -> None:
    assert presupposed(program(f"exist(intersect({RED}, {CUBES}))")) == program(f"count({RED})")
    assert presupposed(program(f"exist({RED})")) is None


@pytest.mark.parametrize(
    ("typed", "read"),
    [("cubess", "cubes"), ("mettal", "metal"), ("spehre", "sphere"), ("gren", "green"), ("yelow", "yellow"),
     ("black", ""), ("tall", ""), ("light", ""), ("three", ""), ("cubist", ""), ("elephant", ""), ("bl", "")],
)  # fmt: skip
def test_typos_are_one_edit_from_one_known_word(typed: str, read: str) -> None:
    known = ["cube", "cubes", "metal", "sphere", "green", "yellow", "block", "ball", "right", "there", "blue", "gray"]
    assert nearest(typed, known) == read


# --- paraphrases -------------------------------------------------------------------------------------------------


@cache
def sample() -> list[Paraphrase]:
    """Four thousand paraphrases, made by the first test that looks at them."""
    return paraphrases(4000, seed=5)


def test_every_word_of_a_paraphrase_is_in_its_program_and_back() -> None:
    assert [p for p in sample() if differences(words_of(p.question), p.program)] == []
    assert {p.kind for p in sample()} == FRAMES.keys()


def mentioned(words: list[str]) -> set[str]:
    return {value for _, value in meanings(words)}


def having(things: list[dict], values: set[str]) -> list[dict]:
    return [thing for thing in things if values <= {thing[name] for name in ATTRIBUTES}]


def read_plainly(p: Paraphrase, things: list[dict]) -> str | None:
    """The answer by the words alone, of a question whose groups are not related: what its nouns name, and the rest."""
    words = words_of(p.question)
    things_and_shapes = {"thing", "object", "item", "anything", "everything"}
    things_and_shapes |= {word for word, value in MEANINGS.items() if value in ATTRIBUTES["shape"]}
    nouns = [k for k, word in enumerate(words) if {word, word.rstrip("s")} & things_and_shapes]
    named = having(things, mentioned(words[: nouns[0] + 1])) if nouns else things
    both = having(things, mentioned(words))
    match p.kind.split()[0]:
        case "count":
            return str(len(both))
        case "exist":
            return "yes" if both else "no"
        case "universal":
            return "yes" if named == both else "no"
        case "statement" if len(named) == 1:
            return "yes" if both else "no"
        case "query" if len(both) == 1:
            return both[0][p.program[-1]["function"].removeprefix("query_")]
    return None


def test_paraphrases_have_the_answer_of_their_words(official_scenes: list[dict]) -> None:
    compared: Counter[str] = Counter()
    for p in sample():
        is_plain = not {node["function"] for node in p.program} & {"relate", "union"} and " same " not in p.question
        for scene in official_scenes if is_plain and not {"that", "which", "made"} & set(words_of(p.question)) else []:
            if (wanted := read_plainly(p, scene["objects"])) is not None:
                assert execute(p.program, scene) == wanted, p.question
                compared[p.kind] += 1
    assert min(compared[kind] for kind in ("count", "exist", "exist anything", "universal", "statement", "query")) > 50


def skeleton(question: str) -> str:
    """A question with its groups left out: how it is worded."""
    text = " ".join(words_of(question))
    values = "|".join(word for word, value in MEANINGS.items() if value in ATTRIBUTE_OF)
    nouns = "|".join(word for word, value in MEANINGS.items() if value in ATTRIBUTES["shape"])
    named = re.sub(rf"\b((?:{values}) )*({nouns}|(thing|object|item)s?)\b", "N", text)
    return re.sub(rf"\b({values})\b", "V", named)


def test_the_forms_of_the_held_out_questions_are_never_generated() -> None:
    questions = json.loads((DATA / "free_form_questions.json").read_text())["questions"]
    held_out = {skeleton(item["question"]) for item in questions if item["group"] != "training"}
    generated = {skeleton(p.question) for p in sample()}
    assert len(questions) >= 300
    assert held_out & generated == set()
    assert all(item["program"] is None or program(item["program"]) for item in questions)
