"""The exact executor: scenes whose answers a person can read off, real questions, and shuffled leaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nsmodels.__main__ import main
from nsmodels.datasets.gqa.files.format import each_question, read_graphs
from nsmodels.datasets.gqa.programs.execution import IllPosed, compile, execute, trace
from nsmodels.datasets.gqa.programs.operations import OPERATIONS
from nsmodels.datasets.gqa.programs.parsing import Program, Step, argument_of, parse, parse_text
from nsmodels.datasets.gqa.vocabulary.building import Builder, build, read_vocabulary
from nsmodels.formats.scenes.graphs import LEFT, RIGHT, Box, Relation, SceneGraph, Thing, read_graph
from tests.datasets.gqa.released import GOLDEN, GRAPHS, release
from tests.shared import Shared


def thing(key: str, name: str, box: tuple[int, int, int, int], attributes: str = "", relations: Any = ()) -> Thing:
    stated = tuple(Relation(relation, target) for relation, target in relations)
    return Thing(key, name, Box(*box), tuple(a for a in attributes.split(", ") if a), stated)


KITCHEN = SceneGraph(
    "1",
    100,
    100,
    (
        thing("1", "table", (10, 60, 60, 30), "brown, wood", [("in front of", "9")]),
        thing("2", "banana", (15, 50, 10, 8), "yellow, ripe", [("on", "1"), (LEFT, "3")]),
        thing("3", "pizza", (40, 50, 14, 8), "round, baked", [("on", "1"), (RIGHT, "2")]),
        thing("4", "man", (70, 20, 20, 60), "old, tall", [("wearing", "5"), ("near", "1")]),
        thing("5", "shirt", (72, 30, 16, 20), "brown"),
        thing("6", "boy", (2, 30, 10, 40), "young, short, walking", [("holding", "7")]),
        thing("7", "cup", (8, 45, 4, 4), "white, plastic, small"),
        thing("8", "cups", (60, 52, 8, 6), "white, glass"),
        thing("9", "wall", (0, 0, 100, 50), "white"),
        thing("10", "dogs", (30, 80, 20, 15), "brown, black"),
    ),
    "kitchen",
)
STREET = SceneGraph(
    "2",
    200,
    100,
    (
        thing("a", "car", (10, 50, 40, 20), "red, clean"),
        thing("b", "car", (60, 50, 40, 20), "red, dirty"),
        thing("c", "truck", (120, 40, 70, 40), "red, dark"),
        thing("d", "sky", (0, 0, 200, 30), "cloudy, gray"),
        thing("e", "bicycle", (20, 75, 10, 10), "metal, blue"),
    ),
    "street",
    "rainy",
)


def vocabulary() -> Any:
    builder = Builder()
    for graph in (KITCHEN, STREET):
        builder.add_graph(graph)
    return builder.finish()


SCENES = {graph.image: compile(graph, vocabulary()) for graph in (KITCHEN, STREET)}
ANSWERS = [
    ("1", "select: banana (2)->query: color [0]", "yellow"),
    ("1", "select: fruit (2)->query: name [0]", "banana"),
    ("1", "select: furniture (1)->query: material [0]", "wood"),
    ("1", "select: bananas (2)->exist: ? [0]", "yes"),
    ("1", "select: dog (10)->exist: ? [0]", "yes"),
    ("1", "select: animals (10)->exist: ? [0]", "yes"),
    ("1", "select: vehicle (-)->exist: ? [0]", "no"),
    ("1", "select: vehicle (-)->exist: ? [0]->select: fast food (3) ->exist: ? [2]->or:  [1, 3]", "yes"),
    ("1", "select: vehicle (-)->exist: ? [0]->select: food (3) ->exist: ? [2]->and:  [1, 3]", "no"),
    ("1", "select: cup (7)->query: material [0]", "plastic"),
    ("1", "select: cups (8)->query: material [0]", "glass"),
    ("1", "select: cup (7)->filter material: glass [0]->exist: ? [1]", "yes"),
    ("1", "select: cup (7)->filter material: not(plastic) [0]->query: material [1]", "glass"),
    ("1", "select: pizza (3)->filter material: not(wood) [0]->exist: ? [1]", "yes"),
    ("1", "select: table (1)->relate: food,on,s (2) [0]->filter: baked [1]->query: name [2]", "pizza"),
    ("1", "select: boy (6)->relate: _,holding,o (7) [0]->query: name [1]", "cup"),
    ("1", "select: cup (7)->relate: person,holding,s (6) [0]->query: name [1]", "boy"),
    ("1", "select: wall (9)->relate: table,behind,o (-) [0]->exist: ? [1]", "yes"),
    ("1", "select: table (1)->relate: wall,behind,s (-) [0]->exist: ? [1]", "yes"),
    ("1", "select: table (1)->relate: man,near,o (-) [0]->exist: ? [1]", "yes"),
    ("1", "select: shirt (5)->relate: _,same color,_ (1) [0]->filter material: wood [1]->query: name [2]", "table"),
    ("1", "select: man (4)->verify rel: _,wearing,o (5) [0]", "yes"),
    ("1", "select: boy (6)->verify rel: _,wearing,o (-) [0]", "no"),
    ("1", "select: man (4)->verify rel: hat,wearing,o (-) [0]", "no"),
    ("1", "select: pizza (3)->choose rel: banana,to the left of|to the right of,s (2) [0]", "left"),
    ("1", "select: pizza (3)->choose rel: banana,to the left of|to the right of,o (2) [0]", "right"),
    ("1", "select: table (1)->choose rel: pizza,on|under,s (3) [0]", "on"),
    ("1", "select: man (4)->choose rel: boy,to the left of|to the right of,s (6) [0]", "left"),
    ("1", "select: man (4)->verify rel: boy,to the left of,s (6) [0]", "no"),
    ("1", "select: man (4)->verify rel: boy,to the right of,s (6) [0]", "no"),
    ("1", "select: man (4)->select: boy (6) ->choose older:  [0, 1]", "man"),
    ("1", "select: man (4)->select: boy (6) ->choose younger:  [0, 1]", "boy"),
    ("1", "select: man (4)->select: dogs (10) ->choose older:  [0, 1]", "man"),
    ("1", "select: man (4)->select: boy (6) ->choose shorter:  [0, 1]", "boy"),
    ("1", "select: man (4)->select: boy (6) ->choose taller:  [0, 1]", "man"),
    ("1", "select: banana (2)->select: pizza (3) ->choose healthier:  [0, 1]", "banana"),
    ("1", "select: banana (2)->select: pizza (3) ->choose less healthy:  [0, 1]", "pizza"),
    ("1", "select: table (1)->select: pizza (3) ->choose larger:  [0, 1]", "table"),
    ("1", "select: table (1)->select: pizza (3) ->choose smaller:  [0, 1]", "pizza"),
    ("1", "select: table (1)->select: wall (9) ->choose higher:  [0, 1]", "wall"),
    ("1", "select: table (1)->select: wall (9) ->choose lower:  [0, 1]", "table"),
    ("1", "select: table (1)->select: cup (7) ->choose longer:  [0, 1]", "table"),
    ("1", "select: table (1)->select: shirt (5) ->same color:  [0, 1]", "yes"),
    ("1", "select: table (1)->select: shirt (5) ->different color:  [0, 1]", "no"),
    ("1", "select: table (1)->select: cup (7) ->same material:  [0, 1]", "no"),
    ("1", "select: table (1)->select: shirt (5) ->common:  [0, 1]", "color"),
    ("1", "select: dogs (10)->filter color: black [0]->filter color: brown [1]->exist: ? [2]", "yes"),
    ("1", "select: boy (6)->query: hposition [0]", "left"),
    ("1", "select: wall (9)->query: vposition [0]", "top"),
    ("1", "select: man (4)->choose hposition: left|right [0]", "right"),
    ("1", "select: dogs (10)->verify vposition: top [0]", "no"),
    ("1", "select: person (4)->filter hposition: right [0]->query: name [1]", "man"),
    ("1", "select: this (1)->choose name: pizza|hamburger [0]", "pizza"),
    ("1", "select: this (2)->choose name: fruit|banana [0]", "banana"),
    ("1", "select: food (2)->filter color: yellow [0]->choose name: fruit|vegetable [1]", "fruit"),
    ("1", "select: he (6)->filter pose: walking [0]->query: age [1]", "young"),
    ("1", "select: boy (6)->choose: young|old [0]", "young"),
    ("1", "select: pizza (3)->verify: baked [0]", "yes"),
    ("1", "select: scene->query: room [0]", "kitchen"),
    ("1", "select: scene->query: place [0]", "kitchen"),
    ("1", "select: scene->query: location [0]", "indoors"),
    ("1", "select: scene->choose location: indoors|outdoors [0]", "indoors"),
    ("1", "select: scene->verify location: outdoors [0]", "no"),
    ("1", "select: scene->verify room: kitchen [0]", "yes"),
    ("2", "select: scene->query: weather [0]", "rainy"),
    ("2", "select: scene->choose weather: sunny|rainy [0]", "rainy"),
    ("2", "select: scene->choose place: beach|street [0]", "street"),
    ("2", "select: scene->verify: outdoors [0]", "yes"),
    ("2", "select: car (a,b)->same: color [0]", "yes"),
    ("2", "select: cars (a,b)->different: cleanliness [0]", "yes"),
    ("2", "select: car (a,b)->same: type [0]", "yes"),
    ("2", "select: vehicle (a,b,c)->same: type [0]", "no"),
    ("2", "select: truck (c)->verify color: dark [0]", "yes"),
    ("2", "select: sky (d)->filter weather: cloudy [0]->query: color [1]", "gray"),
    ("2", "select: car (a)->query: color [0]", "red"),
    ("2", "select: bicycle (e)->relate: car,to the left of,s (-) [0]->exist: ? [1]", "no"),
    ("2", "select: truck (c)->relate: car,to the left of,s (b) [0]->query: cleanliness [1]", "dirty"),
    ("2", "select: car (a)->filter cleanliness: clean [0]->relate: car,to the right of,s (b) [1]->exist: ? [2]", "yes"),
]


@pytest.mark.parametrize(("scene", "text", "answer"), ANSWERS, ids=[f"{scene} {text}" for scene, text, _ in ANSWERS])
def test_the_answer_is_what_the_graph_says(scene: str, text: str, answer: str) -> None:
    assert execute(parse_text(text), SCENES[scene]) == answer


ILL_POSED = [
    ("1", "select: cat (-)->query: color [0]", r"step 1 \(query\): there is no such object"),
    ("1", "select: man (4)->query: color [0]", r"step 1 \(query\): no object states its color"),
    ("2", "select: car (a)->query: cleanliness [0]", r"2 objects may be meant, with different answers: clean, dirty"),
    ("1", "select: scene->query: weather [0]", r"the scene states no weather"),
    (
        "1",
        "select: banana (2)->choose color: red|blue [0]",
        r"no object states red or blue|no object states blue or red",
    ),
    ("1", "select: table (1)->select: cup (7) ->common:  [0, 1]", r"share nothing"),
    ("1", "select: table (1)->choose rel: pizza,under|behind,s (3) [0]", r"0 of .* hold, expected one"),
]


@pytest.mark.parametrize(("scene", "text", "line"), ILL_POSED)
def test_a_question_without_one_answer_is_ill_posed(scene: str, text: str, line: str) -> None:
    with pytest.raises(IllPosed, match=line):
        execute(parse_text(text), SCENES[scene])


def test_the_largest_object_decides_on_request() -> None:
    program = parse_text("select: vehicle (c)->query: name [0]")
    with pytest.raises(IllPosed, match="4 objects may be meant"):
        execute(program, SCENES["2"])
    assert execute(program, SCENES["2"], is_guessing=True) == "truck"


def test_stated_sides_leave_no_room_for_geometry() -> None:
    """In a graph that states sides, what is not stated does not hold, though the boxes are beside each other."""
    program = parse_text("select: car (a)->filter cleanliness: clean [0]->verify rel: car,to the right of,s (b) [1]")
    assert execute(program, SCENES["2"]) == "yes"
    stated = replace(STREET.things[2], relations=(Relation(RIGHT, "b"),))
    graph = replace(STREET, things=(*STREET.things[:2], stated, *STREET.things[3:]))
    assert execute(program, compile(graph, vocabulary())) == "no"


def test_the_trace_has_the_objects_of_each_step() -> None:
    values = trace(parse_text("select: food (2)->filter color: yellow [0]->query: name [1]"), SCENES["1"])
    assert [values[0].mask, values[1].mask, values[2]] == [0b110, 0b010, "banana"]  # pyright: ignore[reportAttributeAccessIssue]


def test_real_questions_follow_from_their_graphs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    questions = {str(n): case["question"] for n, case in enumerate(GOLDEN["grounding"]["cases"])}
    root = release(tmp_path, {key: {**question, "isBalanced": True} for key, question in questions.items()})
    words = build(root)
    for question in questions.values():
        graph = read_graph(question["imageId"], GRAPHS[question["imageId"]], "here")
        assert execute(parse(question["semantic"]), compile(graph, words)) == question["answer"]
    assert main(["gqa", "execute", "--data", str(root)]) == 0
    assert "val: 6 of 6 questions agree with their graphs (100.00%)" in capsys.readouterr().out


def shuffled(step: Step, number: int, rng: Random) -> dict[str, Any]:
    """A released step with its ids changed and its options in a different order."""
    options, relations = (tuple(rng.sample(values, len(values))) for values in (step.options, step.relations))
    ids = tuple(str(rng.randrange(10**6)) for _ in range(rng.randrange(3)))
    changed = replace(step, options=options, relations=relations, ids=ids, argument="")
    return {
        "operation": step.operation,
        "dependencies": list(step.dependencies),
        "argument": argument_of(changed, number),
    }


def test_every_twin_question_has_the_executed_answer_whatever_leaks(shared: Shared) -> None:
    root, rng, seen = shared.data("gqa"), Random(0), set[str]()
    words, graphs = read_vocabulary(root), read_graphs(root, "train")
    scenes = {image: compile(graph, words) for image, graph in graphs.items()}
    for question in each_question(root, "train", "all"):
        program: Program = question.program
        seen.update(step.operation for step in program)
        leakless = parse([shuffled(step, number, rng) for number, step in enumerate(program)])
        for each in (program, leakless):
            assert execute(each, scenes[question.image]) == question.answer, question.text
    assert len(seen & OPERATIONS.keys()) >= 40


def test_a_wrong_answer_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = GOLDEN["grounding"]["cases"][0]["question"]
    root = release(tmp_path, {"7": {**case, "isBalanced": True, "answer": "no"}})
    assert main(["gqa", "execute", "--data", str(root), "--split", "val"]) == 1
    out = capsys.readouterr().out
    assert "0 of 1 questions agree" in out
    assert "7 (image 2354786) 'Is the sky dark?': recorded no, executed yes" in out
