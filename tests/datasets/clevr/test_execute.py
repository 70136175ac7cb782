"""The exact executor against a second engine that shares nothing with it."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nsmodels.core import cli
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.__main__ import main
from nsmodels.datasets.clevr.files.format import read_questions, read_scenes, write_questions, write_scenes
from nsmodels.datasets.clevr.questions.executor import (
    IllPosed,
    agreement,
    compile,
    derived_facts,
    execute,
    relational_hops,
    symbolic_depth,
    trace,
)
from nsmodels.datasets.clevr.questions.generation import generate

DATA = Path(__file__).parents[2] / "data"
OFFICIAL = DATA / "clevr_official" / "CLEVR_v1.0"
RIGHT, BEHIND = (0.6563112735748291, 0.7544902563095093), (-0.754490315914154, 0.6563112735748291)
AXES = {"right": (RIGHT, 1), "left": (RIGHT, -1), "behind": (BEHIND, 1), "front": (BEHIND, -1)}
VALUES = {
    "size": ["large", "small"],
    "color": ["gray", "red", "blue", "green", "brown", "purple", "cyan", "yellow"],
    "material": ["rubber", "metal"],
    "shape": ["cube", "sphere", "cylinder"],
}


def stands(scene: dict[str, Any], other: int, relation: str, one: int) -> bool:
    """Whether `other` is `relation` of `one`, from the coordinates alone."""
    axis, sign = AXES[relation]
    here, there = scene["objects"][one]["3d_coords"], scene["objects"][other]["3d_coords"]
    return sign * sum((there[k] - here[k]) * axis[k] for k in (0, 1)) > 0.2


def second_engine(scene: dict[str, Any], program: list[dict[str, Any]], number: int = -1) -> Any:
    """The value of a step: Python sets of object numbers, recursion, relations from coordinates."""
    node = program[number]
    things = scene["objects"]
    given = [second_engine(scene, program, index) for index in node["inputs"]]
    verb, _, noun = node["function"].partition("_")
    if verb == "scene":
        return frozenset(range(len(things)))
    if verb == "unique":
        (only,) = given[0]
        return only
    if verb == "filter":
        return frozenset(i for i in given[0] if things[i][noun] in node["value_inputs"])
    if verb == "relate":
        return frozenset(i for i in range(len(things)) if stands(scene, i, node["value_inputs"][0], given[0]))
    if verb == "same":
        return frozenset(i for i in range(len(things)) if i != given[0] and things[i][noun] == things[given[0]][noun])
    if verb in ("union", "intersect"):
        return given[0].union(given[1]) if verb == "union" else given[0].intersection(given[1])
    if verb == "query":
        return things[given[0]][noun]
    return {"count": len, "exist": bool}[verb](given[0]) if len(given) == 1 else compare(verb, *given)


def compare(verb: str, one: Any, two: Any) -> bool:
    return {"equal": one == two, "less": one < two, "greater": one > two}[verb]


def spoken(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def random_scene(index: int) -> dict[str, Any]:
    """A scene in the released form; its relations come from the same plain definition."""
    rng = Random(index)
    count = rng.randint(3, 10)
    objects = [{name: rng.choice(values) for name, values in VALUES.items()} for _ in range(count)]
    for thing in objects:
        thing |= {"3d_coords": [rng.uniform(-3, 3), rng.uniform(-3, 3), 0.7], "pixel_coords": [0, 0, 0.0]}
    scene: dict[str, Any] = {"image_index": index, "objects": objects, "image_filename": f"{index}.png", "split": "val"}
    scene["relationships"] = {
        name: [[j for j in range(count) if stands(scene, j, name, i)] for i in range(count)] for name in AXES
    }
    return scene


def step(function: str, *inputs: int, value: str = "") -> dict[str, Any]:
    return {"inputs": list(inputs), "function": function, "value_inputs": [value] if value else []}


RED_BALLS = [step("scene"), step("filter_color", 0, value="red"), step("filter_shape", 1, value="sphere")]
ROW = random_scene(0) | {
    "objects": [
        {"size": "large", "color": "red", "material": "metal", "shape": "sphere", "3d_coords": [0, 0, 0.7]},
        {"size": "small", "color": "red", "material": "metal", "shape": "cube", "3d_coords": [1, 1, 0.35]},
        {"size": "small", "color": "blue", "material": "rubber", "shape": "cube", "3d_coords": [2, 2, 0.35]},
    ],
    "relationships": {"right": [[1, 2], [2], []], "left": [[], [0], [0, 1]], "front": [[]] * 3, "behind": [[]] * 3},
}


def test_agrees_with_the_second_engine_on_generated_questions() -> None:
    scenes = {index: random_scene(index) for index in range(220)}
    questions = generate(list(scenes.values()), per_scene=10, seed=1, split="val")
    assert len(questions) >= 2_000
    assert {node["function"] for q in questions for node in q["program"]} >= {"union", "intersect", "same_color"}
    for question in questions:
        scene, program = scenes[question["image_index"]], question["program"]
        assert execute(program, scene) == spoken(second_engine(scene, program)) == question["answer"]


@pytest.mark.parametrize("split", ["train", "val"])
def test_official_scenes_give_the_recorded_answers(split: str) -> None:
    scenes = {scene["image_index"]: scene for scene in read_scenes(OFFICIAL, split)}
    questions = read_questions(OFFICIAL, split)
    assert agreement(OFFICIAL, split) == (len(questions), [])
    for question in questions:
        assert spoken(second_engine(scenes[question["image_index"]], question["program"])) == question["answer"]


def test_frozen_triples() -> None:
    frozen = json.loads((DATA / "clevr_triples.json").read_text())
    functions = {node["function"] for triple in frozen["triples"] for node in triple["program"]}
    assert len(functions) == 26  # every function of the release
    for triple in frozen["triples"]:
        assert execute(triple["program"], frozen["scenes"][triple["scene"]]) == triple["answer"], triple["question"]


def test_trace_gives_every_step() -> None:
    program = [*RED_BALLS, step("unique", 2), step("relate", 3, value="right"), step("count", 4)]
    assert trace(program, ROW) == [[0, 1, 2], [0, 1], [0], 0, [1, 2], 2]
    assert trace([*RED_BALLS, step("exist", 2)], compile(ROW))[-1] is True


def test_same_leaves_out_the_object_itself() -> None:
    program = [*RED_BALLS, step("unique", 2), step("same_color", 3)]
    assert trace(program, ROW)[-1] == [1]


@pytest.mark.parametrize(("value", "found"), [("red", 2), ("green", 0)])
def test_unique_refuses_other_sets_than_of_one(value: str, found: int) -> None:
    program = [step("scene"), step("filter_color", 0, value=value), step("unique", 1), step("query_shape", 2)]
    with pytest.raises(IllPosed, match=rf"node 2 .*exactly one object, found {found}"):
        execute(program, ROW)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ([], "at least one function"),
        ([step("scene"), step("paint", 0)], r"node 1 \(paint\).*unknown function 'paint'"),
        ([step("scene"), step("filter_color", 0, value="pink")], r"node 1 .*'pink'"),
        ([step("scene"), step("count", 7)], r"node 1 \(count\).*\[7\] do not fit, expected numbers of earlier nodes"),
    ],
)
def test_malformed_programs_are_explained(program: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        execute(program, ROW)


def test_measures_of_reasoning() -> None:
    hop = [*RED_BALLS, step("unique", 2), step("relate", 3, value="right")]
    both = [*hop, step("scene"), step("intersect", 4, 5), step("count", 6)]
    assert symbolic_depth(both) == 6  # filter, filter, unique, relate, intersect, count; the second scene is shorter
    assert relational_hops(both) == 1
    # Objects: two red, one of them a ball, it, two to its right, two of them in the scene; then the count.
    assert derived_facts(both, ROW) == 2 + 1 + 1 + 2 + 2 + 1
    assert symbolic_depth([step("scene")]) == 0


def command(capsys: pytest.CaptureFixture[str], folder: Path) -> tuple[int, str, str]:
    status = cli.run(lambda: main(["execute", "--data", str(folder)]))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_command_finds_splits_by_their_annotations(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenes = [random_scene(index) for index in range(2)]
    for split in ("train", "val"):
        write_scenes(tmp_path, split, scenes)
        write_questions(tmp_path, split, generate(scenes, per_scene=3, split=split))
    unanswered = [{"image_index": 0, "question_index": 0, "image_filename": "a.png", "question": "What?"}]
    write_scenes(tmp_path, "test", scenes)
    write_questions(tmp_path, "test", unanswered)
    (tmp_path / "images" / "test").mkdir(parents=True)
    status, out, _ = command(capsys, tmp_path)
    assert status == 0
    lines = ["train: 6 questions, 0 disagreements", "val: 6 questions, 0 disagreements"]
    assert out.splitlines() == [*lines, "total: 12 questions, 0 disagreements"]


@pytest.mark.parametrize("name", ["empty", "nowhere"])
def test_the_command_does_not_pass_when_there_is_nothing_to_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "empty").mkdir()
    status, out, err = command(capsys, tmp_path / name)
    assert (status, out) == (2, "")
    assert err.startswith(f"error: {tmp_path / name}: no questions with answers; ")
    assert err.count("\n") == 1


def test_agreement_lists_what_does_not_fit(tmp_path: Path) -> None:
    scenes = [random_scene(index) for index in range(3)]
    questions = generate(scenes, per_scene=4, split="val")
    wrong = questions[5] | {"answer": "7" if questions[5]["answer"] != "7" else "8"}
    write_scenes(tmp_path, "val", scenes)
    write_questions(tmp_path, "val", [*questions[:5], wrong, *questions[6:]])
    count, disagreements = agreement(tmp_path, "val")
    assert count == 12
    assert [item["question_index"] for item in disagreements] == [5]
    assert disagreements[0]["executed"] == questions[5]["answer"]
