"""Rule files: what is read, what it means, and every fault with its line and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from nsmodels.core.errors import InputError
from nsmodels.logic.answers import ask
from nsmodels.logic.config import AskConfig
from nsmodels.logic.program import ProgramError, load, read, read_facts, shipped
from nsmodels.logic.syntax import Fact

WORDS = """
type object. type weather: rainy, sunny.
concept person, covered, wet: object.
concept near: object, object.
concept weather: weather.
concept age: object, number.
"""


def holds(text: str, query: str, facts: dict[Fact, float] | None = None) -> list[tuple[object, ...]]:
    return [answer.fact[1] for answer in ask(read(text), facts or {}, query)]


def faults(text: str) -> list[str]:
    with pytest.raises(ProgramError) as raised:
        read(text, "f")
    return raised.value.faults


def only_fault(statement: str) -> str:
    (found,) = faults(f"{WORDS}{statement}")
    line, _, message = found.removeprefix("f:").partition(": ")
    assert int(line) == WORDS.count("\n") + 1
    return message


def test_the_example_of_the_format() -> None:
    text = f"{WORDS}0.9 :: wet(X) :- person(X), weather(rainy), not covered(X).  # a remark\ncovered(b)."
    facts: dict[Fact, float] = {("person", ("a",)): 1.0, ("person", ("b",)): 1.0, ("weather", ("rainy",)): 0.5}
    (answer,) = ask(read(text), facts, "wet(X)")
    assert answer.fact == ("wet", ("a",))
    assert answer.probability == pytest.approx(0.45)


def test_a_program_is_read_again_from_its_text() -> None:
    text = "0.25 :: 'two words'(X, Y) :- r(X, Y), r(_, Y), not s(Y), X \\= Y, Y >= -1.5."
    text += "\nr(1, 'A b\\'c').\ns(x).\nt.\n0.5 :: q."
    program = read(text)
    assert read(str(program)).rules == program.rules


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("p(a). p('B'). q(X) :- p(X), X \\= a.", "q(X)", [("B",)]),
        ("p(1). p(2.5). p(-3). q(X) :- p(X), X < 2, X >= -3.", "q(X)", [(-3,), (1,)]),
        ("p(1). p(2). q(X, Y) :- p(X), p(Y), X =< Y, X != Y.", "q(X, Y)", [(1, 2)]),
        ("e(1, 1). e(1, 2). q(X) :- e(X, X).", "q(X)", [(1,)]),
        ("p(a). p(b). r(a). q(X) :- p(X), not(r(X)).", "q(X)", [("b",)]),
        ("p(a). q(X) :- p(X), \\+ r(X). r(zzz).", "q(X)", [("a",)]),
        ("indoors. q :- indoors.", "q", [()]),
        ("p(a). q :- not r. r :- p(b).", "q", [()]),
        ("größe(ä). ähnlich(X) :- größe(X). 猫(小). 狗(X) :- 猫(X). 🐈(x).", "狗(X)", [("小",)]),
        ("p(a)  .q(X)\n:-\n  p(X)\n.", "q(X)", [("a",)]),
        ("e(a, b). e(b, c). p(X, Y) :- e(X, Y). p(X, Y) :- p(X, Z), p(Z, Y).", "p(a, X)", [("b",), ("c",)]),
        ("type(x). concept(X) :- type(X).", "concept(X)", [("x",)]),
    ],
)
def test_what_rules_derive(text: str, query: str, expected: list[tuple[object, ...]]) -> None:
    found = holds(text, query)
    assert [each[-1:] for each in found] == [each[-1:] for each in expected]


def test_declarations_stand_for_rules() -> None:
    text = """
    concept dog, animal, thing: object. type object.
    concept near, left, right: object, object.
    parent animal: dog. parent thing: animal.
    symmetric near. inverse left: right.
    dog(a). near(a, b). left(a, b).
    """
    assert holds(text, "thing(X)") == [("a",)]
    assert holds(text, "near(X, Y)") == [("a", "b"), ("b", "a")]
    assert holds(text, "right(X, Y)") == [("b", "a")]


@pytest.mark.parametrize(
    ("statement", "parts"),
    [
        ("wet(X) :- persn(X).", ("unknown predicate 'persn'", "did you mean person?", "concept persn: object.")),
        ("wett(X) :- person(X).", ("unknown predicate 'wett'", "did you mean wet?")),
        ("wet(X) :- near(X).", ("'near' has 2 arguments, got 1",)),
        ("wet(X) :- weather(rany), person(X).", ("'rany' is not of type weather", "did you mean rainy?")),
        ("wet(X) :- weather(X).", ("X is a object, and in weather(X) a weather", "two variables")),
        ("wet(X) :- person(X), age(X, old).", ("expected a number, got old",)),
        ("wet(X) :- person(X), near(X, 3).", ("expected a name of type object, got the number 3",)),
        ("wet(X) :- person(X), near(X, Y), X < Y.", ("compares numbers, got a object",)),
        ("wet(X) :- person(Y).", ("unsafe variable X in 'wet(X)'",)),
        ("wet(X).", ("unsafe variable X in 'wet(X)'", "constants, or a body")),
        ("wet(X) :- person(X), not near(X, Y).", ("unsafe variable Y in 'not near(X, Y)'",)),
        ("wet(X) :- person(X), not near(X, _).", ("unsafe variable _", "some(X) :- near(X, _).")),
        ("wet(X) :- person(X), age(X, Y), Y < Z.", ("unsafe variable Z in 'Y < Z'",)),
        ("wet(X) :- person(X), not wet(X).", ("negative cycle", "wet ← wet")),
        ("1.2 :: wet(X) :- person(X).", ("probability 1.2; expected a number from 0 to 1",)),
        ("-0.1 :: wet(a).", ("probability -0.1",)),
        ("concept wet: object.", ("duplicate: concept 'wet' of line 3",)),
        ("concept dry: objct.", ("unknown type 'objct'", "did you mean object?")),
        ("concept dry(object).", ("`concept on: object, object.`",)),
        ("type number.", ("'number' is always there",)),
        ("parent wet.", ("`parent animal: dog, cat.`",)),
        ("wet(X) :- person(X)", ("expected ',' or '.', got the end of the file",)),
        ("wet(X) : - person(X).", ("expected ':-' or '.', got ':'",)),
        ("Wet(X) :- person(X).", ("capital letter are variables; quote them",)),
        ("wet(a) :- .", ("expected a predicate, got '.'",)),
        ("0.9 : wet(a).", ("expected '::', got ':'",)),
        ("wet('a).", ("got '''",)),
        ("wet(a), person(a).", ("expected ':-' or '.', got ','",)),
    ],
)
def test_a_fault_has_its_line_and_its_remedy(statement: str, parts: tuple[str, ...]) -> None:
    message = only_fault(statement)
    assert all(part in message for part in parts), message


def test_duplicates_are_recognised_under_other_names_and_orders() -> None:
    first = "0.5 :: wet(X) :- near(X, Y), near(Y, Z), person(Y)."
    (found,) = faults(f"{WORDS}{first}\n0.5 :: wet(A) :- person(C), near(C, B), near(A, C).")
    assert "duplicate of line 7" in found
    assert "both together are 0.75" in found
    (found,) = faults("0.5 :: a(x).\n0.5 :: a(x).")
    assert "f:2: duplicate of line 1" in found
    (found,) = faults("a(1, x).\na(1.0, 'x').")
    assert "f:2: duplicate of line 1" in found
    read(f"{WORDS}{first}\n0.5 :: wet(X) :- near(X, Y), near(Z, Y), person(Y).")


def test_a_cycle_of_negations_over_several_rules() -> None:
    (found,) = faults("p(a).\nq(X) :- p(X), not s(X).\nr(X) :- q(X).\ns(X) :- r(X).")
    assert "f:2" in found
    assert "q ← s ← r ← q" in found


def test_all_faults_are_reported_in_order_of_lines() -> None:
    found = faults(f"{WORDS}wet(X) :- persn(X), not near(X, Y).\n2 :: wet(a).\nwet(b) person(b).\n1.5 :: wet(c).")
    assert [each.split(":")[1] for each in found] == ["7", "7", "8", "9", "10"]


def test_a_large_file_is_checked_statement_by_statement() -> None:
    lines = [f"p({k}, {k + 1})." for k in range(5_000)]
    assert len(read("\n".join(lines)).rules) == 5_000
    lines[4_321] = "p(4321, 4322"
    (found,) = faults("\n".join(lines))
    assert found.startswith("f:4323: ")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "x.rules"
    with pytest.raises(InputError, match=r"x\.rules: .*; give a rule file, or one of gqa, scenery, seeds"):
        load(path)
    path.write_bytes(b"p(\xff).")
    with pytest.raises(InputError, match=r"not UTF-8 text \(byte 2\)"):
        load(path)
    path.write_bytes("\ufeffp(ä). # BOM".encode())
    assert holds(str(load(path)), "p(X)") == [("ä",)]


@pytest.mark.parametrize("name", shipped())
def test_shipped_files_have_no_fault(name: str) -> None:
    assert load(name).notes


def test_the_seeds_are_complete() -> None:
    program = load("seeds")
    assert len(program.concepts.keys() - {"truck", "motorcycle", "moving_object", "living_thing"}) == 78
    assert len(program.rules) >= 21
    assert "unsupported by data" in program.notes[0]
    facts: dict[Fact, float] = {("car", ("o",)): 1.0, ("running", ("o",)): 1.0, ("person", ("p",)): 1.0}
    found = ask(program, {**facts, ("near", ("p", "o")): 1.0}, "urgent(X)")
    assert [(each.fact[1], round(each.probability, 6), each.depth) for each in found] == [(("o",), 0.72, 3)]


def test_facts_from_json(tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text('[["on", ["o3", 5]], ["on", ["o3", "ä"], 0.5], "0.25 :: wet(o3)", "dry"]', encoding="utf-8")
    expected = {("on", ("o3", 5)): 1.0, ("on", ("o3", "ä")): 0.5, ("wet", ("o3",)): 0.25, ("dry", ()): 1.0}
    assert read_facts(path) == expected
    for text, part in [
        ("{}", "expected a list of facts"),
        ('[["on", ["a"], 1.5]]', "fact 0: expected a probability from 0 to 1, got 1.5"),
        ('[["on", ["a"], true]]', "expected a probability"),
        ('[["on", [["a"]]]]', "expected constants"),
        ('[["on", ["a"]], ["on", ["a"], 0.3]]', "fact 1: duplicate of on(a)"),
        ('["p(X) :- q(X)"]', "expected one fact"),
        ("[3]", "expected"),
        ("[", "cannot be read as JSON"),
    ]:
        path.write_text(text, encoding="utf-8")
        with pytest.raises(InputError) as raised:
            read_facts(path)
        assert part in str(raised.value)


@pytest.mark.parametrize(
    ("facts", "query", "part"),
    [
        ({("person", ("a", "b")): 1.0}, "wet(X)", "'person' has 1 arguments"),
        ({("weather", ("foggy",)): 1.0}, "wet(X)", "'foggy' is not of type weather; expected rainy, sunny"),
        ({}, "wett(X)", "no predicate 'wett'; did you mean wet?"),
        ({}, "wet(X, Y)", "'wet' has 1 arguments, got 2"),
        ({}, "wet(X", "expected ',' or ')', got the end"),
        ({}, "not wet(X)", "write it as 'wet(X)'"),
    ],
)
def test_questions_that_do_not_fit(facts: dict[Fact, float], query: str, part: str) -> None:
    with pytest.raises(InputError) as raised:
        ask(read(f"{WORDS}wet(X) :- person(X), weather(rainy)."), facts, query)
    assert part in str(raised.value)


def test_comparing_what_is_no_number_is_an_error_with_its_line() -> None:
    with pytest.raises(InputError, match="rules:2: 'X < 3' compares 'a' with 3; expected numbers"):
        holds("p(a). p(1).\nq(X) :- p(X), X < 3.", "q(X)")


def test_the_budget_names_the_rule_that_exceeds_it() -> None:
    program = read("".join(f"p({k})." for k in range(50)) + "\nq(X, Y) :- p(X), p(Y).")
    with pytest.raises(InputError, match=r"more than 1,000 derivations, .* \d+ derivations by line 2, 'q\(X, Y\)"):
        ask(program, {}, "q(X, Y)", AskConfig(budget=1000))
