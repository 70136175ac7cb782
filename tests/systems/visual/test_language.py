"""What surrounds the question parser: typos, the meaning of words beside that of a program, programs in English."""

from __future__ import annotations

import pytest

from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.clauses import presupposed
from nsmodels.systems.visual.language.coverage import differences
from nsmodels.systems.visual.language.description import describe
from nsmodels.systems.visual.language.grammar import Program, Tree
from nsmodels.systems.visual.language.tokens import words_of
from nsmodels.systems.visual.language.typos import nearest


def program(text: str) -> Program:
    """A program from its calls, as "count(filter_color[red](scene))"."""

    def read(rest: str) -> tuple[Tree, str]:
        name = rest[: min(rest.find(mark) if mark in rest else len(rest) for mark in "(,)")]
        rest, inputs = rest[len(name) :], []
        if rest.startswith("("):
            rest = "," + rest[1:]
            while rest.startswith(","):
                tree, rest = read(rest[1:].lstrip())
                inputs.append(tree)
            rest = rest[1:]
        function, _, value = name.rstrip("]").partition("[")
        return Tree(grammar.Token(function, value), tuple(inputs)), rest

    return grammar.nodes_of(read(text)[0])


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
        (f"equal_integer(count({CUBES}), count(filter_color[red]({CUBES})))", "whether all cubes are red cubes"),
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
