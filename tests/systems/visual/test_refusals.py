"""What a question takes for granted, and answers that are refused with their reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.questions.executor import execute
from nsmodels.datasets.clevr.questions.generation import generate
from nsmodels.datasets.clevr.rendering.scenes import sample_scene
from nsmodels.systems.visual.answering.answer import Sight, VisualAnswer
from nsmodels.systems.visual.answering.calibration import Calibration
from nsmodels.systems.visual.answering.fitting import fit_posed, posed_answers
from nsmodels.systems.visual.answering.posing import posed_pairs
from nsmodels.systems.visual.answering.reasoner import conclude
from nsmodels.systems.visual.language.confidence import Parse
from nsmodels.systems.visual.perception.familiarity import Familiarity
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.proof import prove

COLORS = {"red": 1, "green": 3, "gray": 0}


def scene(*things: str) -> SceneBelief:
    """A certain belief: things as "red cube", large and of metal, from left to right and from back to front."""
    shapes = ("cube", "sphere", "cylinder")
    words = [thing.split() for thing in things]
    num = len(words)
    attributes = {
        "size": np.tile(np.eye(2)[0], (num, 1)),
        "color": np.eye(8)[[COLORS[color] for color, _ in words]],
        "material": np.tile(np.eye(2)[1], (num, 1)),
        "shape": np.eye(3)[[shapes.index(shape) for _, shape in words]],
    }
    # To the right and to the front of the image, in scene units: along (0.66, 0.75) and (0.75, -0.66).
    steps = np.arange(num)[:, None] * (np.array([0.66, 0.75]) + np.array([0.75, -0.66]))
    coords = np.column_stack([steps, np.full(num, 0.7)])
    pixels = np.linspace([100.0, 120.0], [400.0, 250.0], num)
    return SceneBelief.from_predictions(np.ones(num), attributes, coords, pixels, (480, 320))


def program(*steps: str) -> list[dict[str, Any]]:
    """A chain of steps on the scene: "filter_color red", "count"."""
    nodes: list[dict[str, Any]] = [{"function": "scene", "inputs": [], "value_inputs": []}]
    for number, step in enumerate(steps):
        function, *values = step.split()
        nodes.append({"function": function, "inputs": [number], "value_inputs": values})
    return nodes


COLOR_OF_CUBE = program("filter_shape cube", "unique", "query_color")
BEHIND_SPHERE = program("filter_shape sphere", "unique", "relate behind", "unique", "query_color")

# "Is the cube red?": there is a thing that is one of the cubes and one of the red things.
IS_CUBE_RED = [
    *program("filter_shape cube"),
    {"function": "filter_color", "inputs": [0], "value_inputs": ["red"]},
    {"function": "intersect", "inputs": [1, 2], "value_inputs": []},
    {"function": "exist", "inputs": [3], "value_inputs": []},
]


def concluded(nodes: list[dict[str, Any]], belief: SceneBelief, probability: float = 0.9, **more: Any) -> VisualAnswer:
    parse = Parse(nodes, probability, more.pop("corrections", ()), more.pop("doubts", ()))
    return conclude("?", Sight(Path("a.png"), belief, **more), parse, Calibration())


@pytest.mark.parametrize(
    ("nodes", "things", "refusal", "listed"),
    [
        (COLOR_OF_CUBE, ("red cube", "gray sphere", "green cube"), "there are 2 cubes: which one?", (1, 3)),
        (COLOR_OF_CUBE, ("red sphere", "gray sphere"), "there is no cube", (1, 2)),
        (BEHIND_SPHERE, ("red cube", "gray cube"), "there is no sphere", (1, 2)),
        (BEHIND_SPHERE, ("red cube", "gray cube", "gray sphere"), "2 things behind the sphere: which one?", (1, 2)),
        (BEHIND_SPHERE, ("gray sphere", "red cube"), "there is no thing behind the sphere", (1, 2)),
        (BEHIND_SPHERE, ("red sphere", "red cube", "gray sphere"), "there are 2 spheres: which one?", (1, 3)),
        (IS_CUBE_RED, ("red cube", "gray sphere", "green cube"), "there are 2 cubes: which one?", (1, 3)),
    ],
)
def test_what_a_question_takes_for_granted_and_is_not_so_is_named(
    nodes: list[dict[str, Any]], things: tuple[str, ...], refusal: str, listed: tuple[int, ...]
) -> None:
    given = concluded(nodes, scene(*things))
    assert (given.is_given, given.proof, given.listed) == (False, None, listed)
    assert given.refusal.endswith(refusal)
    record = given.record()
    assert (record["answer"], record["posed"] < 0.01) == (None, True)
    lines = given.text().splitlines()
    assert lines[0] == f"no answer: {given.refusal}"
    assert [line.split()[0] for line in lines[1 : 1 + len(listed)]] == [f"o{number}" for number in listed]
    with pytest.raises(InputError, match="a drawing, a tree or removing a fact needs a proof"):
        _ = given.needed_proof


def test_listed_objects_have_attributes_and_a_place() -> None:
    lines = concluded(COLOR_OF_CUBE, scene("red cube", "gray sphere", "green cube")).text().splitlines()
    assert lines[1:3] == [
        "  o1 large red metal cube at 100,120 (middle left)",
        "  o3 large green metal cube at 400,250 (bottom right)",
    ]


def test_the_confidence_is_joint_and_its_parts_are_printed() -> None:
    belief = scene("red cube", "gray sphere")
    belief.presence[0] = 0.9
    given = concluded(COLOR_OF_CUBE, belief, probability=0.8)
    assert (given.answer.best, given.answer.confidence) == ("red", 1.0)
    assert given.confidence == pytest.approx(0.8 * 0.9)
    lines = given.text().splitlines()
    assert lines[0] == "answer: red   confidence 0.720"
    assert lines[1] == "  image 1.000 x reading 0.800 x well posed 0.900 x answer 1.000"
    assert lines[2] == "  read as: the color of the cube"
    assert "how far the image is from those of the training is not known" in lines[3]  # an older checkpoint
    assert lines[4:] == prove(COLOR_OF_CUBE, belief).text(has_negative=False).splitlines()


def test_a_statement_about_one_thing_is_answered() -> None:
    given = concluded(IS_CUBE_RED, scene("red cube", "green sphere"))
    assert (given.answer.best, given.posed > 0.99) == ("yes", True)
    assert (concluded(IS_CUBE_RED, scene("green cube", "red sphere"))).answer.best == "no"


def test_in_an_empty_scene_there_is_nothing_to_refer_to() -> None:
    empty = scene()
    assert concluded(COLOR_OF_CUBE, empty).refusal == "there is no cube"
    assert concluded(IS_CUBE_RED, empty).refusal == "there is no cube"
    assert concluded(program("count"), empty).answer.best == "0"


def test_a_doubtful_reading_is_no_answer() -> None:
    given = concluded(program("count"), scene("red cube"), 0.1, doubts=("the word 'or' is not in the program",))
    assert given.refusal == "not sure what you ask: I read it as the number of things"
    assert "  doubt: the word 'or' is not in the program" in given.text().splitlines()
    assert concluded(program("count"), scene("red cube"), 0.6).answer.best == "1"


def test_an_uncertain_presupposition_is_named_with_its_probability() -> None:
    belief = scene("red cube", "gray sphere")
    belief.presence[0] = 0.52
    given = concluded(COLOR_OF_CUBE, belief, probability=0.9)
    assert given.refusal == "it is not certain that there is one cube, and only one (0.520)"
    assert given.listed == (1,)


def test_an_unfamiliar_image_comes_before_everything_else() -> None:
    sight = {"distance": 9.0, "usual": 1.2, "is_familiar": False}
    given = concluded(COLOR_OF_CUBE, scene("gray sphere"), **sight)
    assert given.refusal == "this image is unlike the training images (distance 9.0, 99.9 % of those below 1.2)"
    assert (given.confidence, given.listed) == (0.0, ())


def test_distances_are_about_one_where_the_features_are_alike() -> None:
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(12, 12))
    first, second = (rng.normal(size=(400, 12)) @ mixing + 3 for _ in range(2))
    found = Familiarity.fitted(first, second)
    again = Familiarity.from_json(found.to_json())
    assert np.sqrt(np.square(again.distance(second)).mean()) == pytest.approx(1, abs=0.15)
    assert (again.distance(second) < again.usual).mean() >= 0.99
    assert again.distance(second[:1] + 12 * mixing[:1])[0] > again.limit


# --- calibration of the well-posedness ---------------------------------------------------------------------------


def test_ill_posed_questions_are_those_that_the_exact_executor_refuses(blurred: Any) -> None:
    scenes = [sample_scene(np.random.default_rng(number), "val", number)[0] for number in range(30)]
    questions = generate(scenes, 6, 0, "val")
    pairs = posed_pairs(scenes, questions, 60, seed=0)
    assert [pair.is_well_posed for pair in pairs] == [True, False] * 60
    assert all(execute(questions[p.question]["program"], scenes[p.scene]) for p in pairs if p.is_well_posed)
    beliefs = [blurred(each, np.random.default_rng(number), 8.0) for number, each in enumerate(scenes)]
    calibration = Calibration(posed_map=fit_posed(scenes, beliefs, questions))
    found = posed_answers(pairs, beliefs, questions)
    posed = np.array([calibration.posed(each.well_posed, len(each.uniques)) for each in found])
    truth = np.array([pair.is_well_posed for pair in pairs])
    assert posed[truth].mean() > 0.8 > 0.2 > posed[~truth].mean()
    assert posed.mean() == pytest.approx(0.5, abs=0.05)


def test_a_question_that_refers_to_nothing_is_always_well_posed() -> None:
    assert Calibration(posed_map=(0.5, -2.0)).posed(1.0, 0) == 1.0
    assert 0 < Calibration(posed_map=(0.5, -2.0)).posed(0.0, 1) < 1e-3
