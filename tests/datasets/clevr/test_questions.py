"""Generated questions: CLEVR's rules hold, answers are balanced, nothing depends on the number of workers."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.format import QUESTION_KEYS, read_questions, write_scenes
from nsmodels.datasets.clevr.programs import normalise
from nsmodels.datasets.clevr.questions.executor import IllPosed, execute, trace
from nsmodels.datasets.clevr.questions.families import FAMILIES
from nsmodels.datasets.clevr.questions.generation import CHUNK, generate, generate_split
from nsmodels.datasets.clevr.questions.phrases import parse, realise
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, RELATIONS

OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
ORDER = {"compare_integer": 9, "comparison": 16, "three_hop": 6, "single_and": 5, "same_relate": 28, "single_or": 8}
ORDER |= {"one_hop": 6, "two_hop": 6, "zero_hop": 6}

Record = dict[str, Any]


def make_scene(index: int) -> Record:
    rng = Random(index)
    count = rng.randint(3, 10)
    objects: list[Record] = [{name: rng.choice(values) for name, values in ATTRIBUTES.items()} for _ in range(count)]
    for thing in objects:
        thing |= {"3d_coords": [rng.uniform(-3, 3), rng.uniform(-3, 3), 0.7], "pixel_coords": [0, 0, 0.0]}

    def along(i: int, j: int, axis: int) -> float:
        return objects[j]["3d_coords"][axis] - objects[i]["3d_coords"][axis]

    sides = {"right": (0, 1), "left": (0, -1), "behind": (1, 1), "front": (1, -1)}
    relationships = {
        name: [[j for j in range(count) if sign * along(i, j, axis) > 0.2] for i in range(count)]
        for name, (axis, sign) in sides.items()
    }
    return {
        "image_index": index,
        "objects": objects,
        "relationships": relationships,
        "image_filename": f"CLEVR_val_{index:06d}.png",
        "split": "val",
        "directions": {},
    }


SCENES = [make_scene(index) for index in range(2 * CHUNK)]


@pytest.fixture(scope="module")
def questions() -> list[Record]:
    return generate(SCENES, per_scene=10, seed=3, split="val")


def family_of(question: Record) -> Any:
    return FAMILIES[question["question_family_index"]]


def test_families_stand_in_the_released_order() -> None:
    assert [(family.template) for family in FAMILIES] == [name for name, count in ORDER.items() for _ in range(count)]


def test_records_are_in_the_released_form(questions: list[Record]) -> None:
    assert len(questions) == 10 * len(SCENES)
    assert [question["question_index"] for question in questions] == list(range(len(questions)))
    for question in questions:
        assert tuple(question) == QUESTION_KEYS
        assert question["split"] == "val"
        assert question["image_filename"] == f"CLEVR_val_{question['image_index']:06d}.png"
        assert normalise(question["program"]) == question["program"]
        assert question["program"][-1]["function"] == family_of(question).function
        assert re.fullmatch(r"[A-Z][a-z ;]+\?", question["question"]), question["question"]
        assert "  " not in question["question"]


def test_answers_are_right_and_every_reference_unique(questions: list[Record]) -> None:
    for question in questions:  # a reference that is not unique would raise
        assert execute(question["program"], SCENES[question["image_index"]]) == question["answer"]


def chain(program: list[Record], number: int) -> list[int]:
    """The steps that select the set which step `number` stands on, back to where the set begins."""
    steps = []
    while program[number]["function"].startswith(("filter_", "unique", "count", "exist", "query_")):
        steps.append(number)
        number = program[number]["inputs"][0]
    return [*steps, number]


def filtered(program: list[Record], number: int) -> set[str]:
    """Attributes named in the description of the set which step `number` stands on."""
    names = [program[step]["function"] for step in chain(program, number)]
    return {name.removeprefix("filter_") for name in names if name.startswith("filter_")}


def test_no_description_names_what_is_asked_for(questions: list[Record]) -> None:
    for question in questions:
        program = question["program"]
        for number, node in enumerate(program):
            verb, _, name = node["function"].partition("_")
            if verb in ("query", "same"):
                assert name not in filtered(program, number if verb == "query" else node["inputs"][0])
        shared = [node["function"].removeprefix("same_") for node in program if node["function"].startswith("same_")]
        assert not shared or shared[0] not in filtered(program, len(program) - 1), question["question"]


def test_no_object_is_referred_to_twice(questions: list[Record]) -> None:
    for question in questions:
        if family_of(question).template in ("compare_integer", "single_or"):
            continue  # two separate sets
        program = question["program"]
        values = trace(program, SCENES[question["image_index"]])
        objects = [value for value, node in zip(values, program, strict=True) if node["function"] == "unique"]
        assert len(objects) == len(set(objects)), question["question"]


def selects(program: list[Record], number: int) -> int:
    """The last step of the set that begins at step `number`: after intersections and filters."""
    for later, node in enumerate(program):
        if number in node["inputs"] and node["function"].startswith(("filter_", "intersect")):
            return selects(program, later)
    return number


def test_no_tie_is_idle(questions: list[Record]) -> None:
    for question in questions:
        program, scene = question["program"], SCENES[question["image_index"]]
        for number, node in enumerate(program):
            if node["function"] != "relate" and not node["function"].startswith("same_"):
                continue
            without = [
                *program[:number],
                {"inputs": [], "function": "scene", "value_inputs": []},
                *program[number + 1 :],
            ]
            last = selects(program, number)
            try:
                dropped = trace(without[: last + 1], scene)[last]
            except IllPosed:
                continue
            assert trace(program, scene)[last] != dropped, question["question"]


def test_answers_and_families_are_balanced(questions: list[Record]) -> None:
    answers = defaultdict(Counter)
    for question in questions:
        answers[question["question_family_index"]][question["answer"]] += 1
    sizes = {family: counts.total() for family, counts in answers.items()}
    assert len(sizes) == len(FAMILIES) == 90
    assert min(sizes.values()) > 0.5 * max(sizes.values())
    for family, counts in answers.items():
        (_, most), (_, next_most) = counts.most_common(2)
        assert most <= 0.62 * sizes[family], (FAMILIES[family], counts)
        assert most <= 1.1 * next_most + 8, (FAMILIES[family], counts)
    assert len(answers[88]) == 8  # every color is asked for


def test_the_same_seed_gives_the_same_questions(questions: list[Record]) -> None:
    assert generate(SCENES[:CHUNK], 10, 3, "val") == questions[: 10 * CHUNK]
    assert generate(SCENES[:30], 10, 4, "val") != questions[:300]
    assert generate(SCENES[:30], 10, 3, "train") != [q | {"split": "train"} for q in questions[:300]]


def test_workers_do_not_change_a_split(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    scenes = SCENES[: CHUNK + 20]
    texts = []
    for workers in (1, 2):
        write_scenes(tmp_path / str(workers), "val", scenes)
        written = generate_split(tmp_path / str(workers), "val", per_scene=3, seed=3, workers=workers)
        texts.append(written.read_text())
    assert texts[0] == texts[1]
    assert json.loads(texts[0])["info"]["split"] == "val"
    assert read_questions(tmp_path / "1", "val") == generate(scenes, 3, 3, "val")
    assert capsys.readouterr().err.count("generating questions, val: 2 of 2 chunks, ") == 2


def test_a_split_without_scenes_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"CLEVR_val_scenes\.json: no such file"):
        generate_split(tmp_path, "val")


@pytest.mark.parametrize("count", [0, 1, 2])
def test_small_scenes_give_what_they_can(count: int) -> None:
    scene = make_scene(5)
    scene["objects"] = scene["objects"][:count]
    scene["relationships"] = {
        name: [[j for j in row if j < count] for row in scene["relationships"][name][:count]] for name in RELATIONS
    }
    questions = generate([scene], per_scene=90)
    assert bool(questions) == bool(count)
    assert all(execute(question["program"], scene) == question["answer"] for question in questions)


NOUN = re.compile(
    r"\b(?:(?:large|big|small|tiny) )?(?:(?:gr[ae]y|red|blue|green|brown|purple|cyan|yellow) )?"
    r"(?:(?:metal|metallic|shiny|rubber|matte) )?(?:thing|object|cube|block|sphere|ball|cylinder)(s?)\b"
)
RELATION = re.compile(r"\b(?:(?:to the |on the )?(?:left|right)(?: side)? of|in front of|behind)\b")


def frame(question: str) -> str:
    """A question with its nouns and relations abstracted."""
    text = question.rstrip("?").replace(" an object", " a object")
    return RELATION.sub("R", NOUN.sub(r"N\1", text))


def functions(question: Record) -> list[str]:
    names = [node["function"] for node in question["program"]]
    return [name for name in names if not name.startswith("filter_")]


def test_official_wording_is_within_our_grammar() -> None:
    official = [question for split in ("train", "val") for question in read_questions(OFFICIAL, split)]
    ours = generate(SCENES[:CHUNK], per_scene=60, seed=0)
    words = {word for question in ours for word in question["question"].lower().rstrip("?").split()}
    assert not {word for q in official for word in q["question"].lower().rstrip("?").split()} - words
    pairs = {(frame(question["question"]), *functions(question)) for question in ours}
    spoken = [(frame(question["question"]), *functions(question)) in pairs for question in official]
    assert sum(spoken) >= 0.97 * len(official), [
        q["question"] for q, is_covered in zip(official, spoken, strict=True) if not is_covered
    ]


def test_no_wording_stands_for_two_programs(questions: list[Record]) -> None:
    meant: dict[str, list[Record]] = {}
    for question in questions:
        assert meant.setdefault(question["question"], question["program"]) == question["program"]


def test_phrases_weigh_their_choices() -> None:
    counts = Counter(realise(parse("[9:a|b{slot}[c|]]"), str.upper, Random(seed)) for seed in range(1000))
    assert set(counts) == {"a", "bSLOTc", "bSLOT"}
    assert 860 < counts["a"] < 940


@pytest.mark.parametrize("text", ["[a|b", "a]", "[[a]"])
def test_unbalanced_phrases_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="bracket"):
        parse(text)
