"""GQA programs: read, written back, and rid of what leaks the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.operations import OPERATIONS
from nsmodels.datasets.gqa.programs.parsing import as_semantic, as_text, parse, parse_text, without_leaks
from tests.datasets.gqa.released import GOLDEN

REAL = list(GOLDEN["questions"].values())
# One of each form; every argument as it occurs in released questions.
ODD = [
    "select: fence (-) ->exist: ? [0]",
    "select: scene->query: place [0]",
    "select: table (1,22,3)->filter material: wood  [0]->same: color [1]",
    "select: man (7)->relate: _,same color,_ (9) [0]->query: name [1]",
    "select: food (1)->choose rel: plate,to the right of|to the left of,s (2) [0]",
    "select: boy (1)->select: man (2) ->choose older:  [0, 1]",
    "select: sky (1)->filter color: not(light blue) [0]->exist: ? [1]",
    "select: shirt (3)->select: hat (4) ->common:  [0, 1]",
    "select: man (1)->verify rel: _,wearing,o (-) [0]",
    "select: man (1)->filter: long sleeved [0]->verify age: little  [1]",
]


def test_there_are_138_operations_of_known_forms() -> None:
    assert len(OPERATIONS) == 138
    assert {each.form for each in OPERATIONS.values()} == {
        "selection", "relating", "value", "options", "kind", "nothing",
    }  # fmt: skip
    assert OPERATIONS["choose less healthy"].takes == ("objects", "objects")
    assert [OPERATIONS[name].gives for name in ("filter color", "verify rel", "query")] == [
        "objects",
        "truth",
        "answer",
    ]


@pytest.mark.parametrize("question", REAL, ids=lambda question: question["question"])
def test_real_programs_are_written_back_to_the_letter(question: dict[str, Any]) -> None:
    program = parse(question["semantic"])
    assert as_text(program) == question["semanticStr"]
    assert as_semantic(program) == question["semantic"]
    assert parse_text(question["semanticStr"]) == program


@pytest.mark.parametrize("text", ODD)
def test_arguments_of_all_forms_are_written_back(text: str) -> None:
    program = parse_text(text)
    assert as_text(program) == text
    bare = tuple(replace(step, argument="") for step in program)
    assert parse_text(as_text(bare)) == program


def test_what_a_step_says() -> None:
    steps = parse_text("select: food (1)->choose rel: plate,to the right of|to the left of,s (4274560) [0]")
    assert (steps[0].name, steps[0].ids) == ("food", ("1",))
    assert (steps[1].name, steps[1].role) == ("plate", "s")
    assert steps[1].relations == ("to the right of", "to the left of")
    step = parse_text("select: sky (-)->filter color: not(light blue) [0]->exist: ? [1]")[1]
    assert (step.value, step.is_negated) == ("light blue", True)
    assert parse_text("select: fence (-) ->exist: ? [0]")[0].ids == ()


@pytest.mark.parametrize("text", ODD)
def test_ids_and_the_order_of_options_are_gone(text: str) -> None:
    other = text.replace("(1,22,3)", "(5)").replace("(1)", "(-)")
    other = other.replace("to the right of|to the left of", "to the left of|to the right of")
    assert without_leaks(parse_text(other)) == without_leaks(parse_text(text))
    assert all(not step.ids and not step.argument for step in without_leaks(parse_text(text)))


def test_options_of_choose_are_sorted() -> None:
    first, second = (parse_text(f"select: hat (1)->choose color: {o} [0]") for o in ("black|pink", "pink|black"))
    assert first != second
    assert without_leaks(first) == without_leaks(second)


def step(operation: Any, argument: Any = "", dependencies: Any = ()) -> dict[str, Any]:
    return {"operation": operation, "dependencies": list(dependencies), "argument": argument}


FIRST = step("select", "man (1)")
FAULTS: list[tuple[Any, str]] = [
    ([FIRST, step("filter colour", "red", [0])], r"step 1 \(filter colour\): .*unknown operation.*filter color"),
    ([FIRST, step("exist", "?", [1])], r"step 1 \(exist\): field 'dependencies': \[1\], expected numbers of earlier"),
    ([FIRST, step("exist", "?", [-1])], r"numbers of earlier steps"),
    ([FIRST, step("and", "", [0, 0])], r"takes yes or no, but step 0 gives objects"),
    ([FIRST, step("same color", "", [0, 0]), step("query", "name", [1])], r"takes objects, but step 1 gives yes or no"),
    ([FIRST], r"step 0 \(select\): the last step gives objects, expected an answer"),
    ([FIRST, step("exist", "?", [])], r"expected 1 inputs"),
    ([FIRST, step("query", "", [0])], r"field 'argument': '', expected an attribute type"),
    ([FIRST, step("choose color", "red", [0])], r"expected options as 'a\|b'"),
    ([FIRST, step("relate", "dog,near (2)", [0])], r"expected 'name,relation,role \(id\)'"),
    ([FIRST, step("verify rel", "dog,near,x (2)", [0])], r"role s, o or _"),
    ([FIRST, step("exist", None, [0])], r"field 'argument': expected a string, got None"),
    ([FIRST, step("exist", "?", ["0"])], r"field 'dependencies': expected a list of numbers"),
    ([step("select", " (3)"), step("exist", "?", [0])], r"step 0 \(select\): field 'argument'"),
    ([7], r"step 0: expected an object"),
    ([], r"expected a list of 1 to"),
]


@pytest.mark.parametrize(("semantic", "line"), FAULTS)
def test_a_fault_is_one_line_with_its_step(semantic: Any, line: str) -> None:
    with pytest.raises(InputError, match=line) as caught:
        parse(semantic, "file.json: question '7'")
    assert str(caught.value).startswith("file.json: question '7': ")
