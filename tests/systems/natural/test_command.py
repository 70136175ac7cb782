"""`nsmodels natural answer` and `nsmodels visual answer`: each answers by the system whose checkpoint it is given."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nsmodels.__main__ import main
from nsmodels.commands.delegation import system_for
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import each_question
from nsmodels.datasets.gqa.files.places import image_path
from nsmodels.formats.images.commands import KEYS, checkpoint_of
from nsmodels.systems.natural.answering.posing import Posing
from nsmodels.systems.natural.beliefs import belief_of
from nsmodels.systems.natural.reasoning.counterfactual import remove_fact
from nsmodels.systems.natural.reasoning.drawing import draw_proof, draw_tree
from nsmodels.systems.natural.reasoning.lexicon import Lexicon
from nsmodels.systems.natural.reasoning.proof import prove
from tests.shared import Shared, Trained
from tests.systems.natural.test_proof import WORDS, kitchen, program

QUESTIONS = ["Is there a dog?", "What color is the cat?"]


@pytest.fixture(scope="module")
def trained(shared: Shared) -> Trained:
    return shared.trained("natural", "gqa")


@pytest.fixture(scope="module")
def image(trained: Trained) -> Path:
    return image_path(trained.data, next(each_question(trained.data, "val")).image)


def printed(capsys: pytest.CaptureFixture[str], words: list[str]) -> tuple[int, str, str]:
    capsys.readouterr()
    status = main(words)
    return status, *capsys.readouterr()


def test_both_commands_answer_by_the_checkpoint_they_are_given(trained: Trained, image: Path, capsys) -> None:
    rest = ["--image", str(image), "--device", "cpu", QUESTIONS[0], "--question", QUESTIONS[1]]
    found = {
        (name, flag, form): printed(capsys, [name, "answer", flag, str(trained.folder), *rest, *form])
        for name in ("natural", "visual")
        for flag, form in (("--checkpoint", ()), ("--model", ("--json", "-")))
    }
    for flag, form in (("--checkpoint", ()), ("--model", ("--json", "-"))):
        assert found["natural", flag, form] == found["visual", flag, form]
    records = [json.loads(line) for line in found["visual", "--model", ("--json", "-")][1].splitlines()]
    assert [record["question"] for record in records] == QUESTIONS
    assert all(set(KEYS) <= set(record) for record in records)
    lines = found["visual", "--checkpoint", ()][1].splitlines()
    heads = [line for line in lines if line.startswith(("answer: ", "no answer: "))]
    assert [head.startswith("answer: ") for head in heads] == [record["is_proved"] for record in records]
    shown = re.findall(r"confidence (\d\.\d+)", "\n".join(line for line in lines if "proof of" not in line))
    assert [float(each) for each in shown] == pytest.approx([record["confidence"] for record in records], abs=6e-4)


def test_a_checkpoint_of_clevr_refuses_a_photograph_under_either_name(
    shared: Shared, trained: Trained, image: Path, capsys
) -> None:
    folder = shared.trained("visual", "clevr").folder
    rest = [
        "answer",
        "--checkpoint",
        str(folder),
        "--image",
        str(image),
        "How many cubes are there?",
        "--device",
        "cpu",
    ]
    status, out, err = printed(capsys, ["visual", *rest])
    assert (status, out, err) == printed(capsys, ["natural", *rest])
    assert status == 1
    assert out.startswith("no answer: this image is unlike the training images (distance ")
    (record,) = map(json.loads, printed(capsys, ["visual", *rest, "--json", "-"])[1].splitlines())
    assert list(record["parts"]) == ["image", "reading", "well posed", "answer"]
    assert set(KEYS) <= set(record)


def test_only_the_verb_that_both_have_goes_to_the_other_system(trained: Trained, tmp_path: Path) -> None:
    folder = str(trained.folder)
    assert system_for("visual", ["answer", f"--checkpoint={folder}", "Why?"]) == "natural"
    assert system_for("visual", ["evaluate", "--checkpoint", folder]) == "visual"
    assert system_for("nav", ["answer", "--checkpoint", folder]) == "nav"
    assert system_for("visual", ["answer", "--checkpoint", str(trained.data)]) == "visual"
    assert system_for("visual", ["answer", "--model", str(tmp_path / "none")]) == "visual"
    assert checkpoint_of(["answer", "--checkpoint"]) is None


def test_a_proof_is_drawn_and_a_fact_removed(trained: Trained, image: Path, capsys, tmp_path: Path) -> None:
    drawn, written = tmp_path / "drawn.png", tmp_path / "answer.jsonl"
    words = ["visual", "answer", "--model", str(trained.folder), "--image", str(image), "--device", "cpu"]
    question = "Is this indoors or outdoors?"
    status, out, _ = printed(capsys, [*words, question, "--draw", str(drawn), "--json", str(written)])
    record = json.loads(written.read_text())
    assert status == (0 if record["is_proved"] else 1)
    assert drawn.exists() == (record["proof"] is not None)
    assert (record["counterfactual"], record["question"]) == (None, question)
    for flags, message in (
        (["--draw", str(tmp_path / "drawn.docx")], "cannot draw to this kind of file"),
        ([question, "--draw", str(drawn)], "--draw goes with one question about one image"),
    ):
        status, out, err = printed(capsys, [*words, question, *flags])
        assert (status, out, err.count("\n")) == (2, "", 1)
        assert message in err


def test_pictures_of_a_proof_show_its_objects_and_steps(tmp_path: Path) -> None:
    belief = belief_of(kitchen(), WORDS)
    proof = prove(program("select: table (2)->relate: dog,under,s (1) [0]->query: color [1]"), belief)
    pixels = np.zeros((belief.size[1] * 2, belief.size[0] * 2, 3), np.uint8)
    draw_proof(pixels, proof, tmp_path / "over.svg", "What color is the dog?")
    draw_tree(proof, tmp_path / "tree.svg")
    draw_proof(pixels, proof, tmp_path / "over.png")
    over, tree = ((tmp_path / name).read_text() for name in ("over.svg", "tree.svg"))
    for each in proof.objects:
        assert f"<!-- o{each.number} {each.name} -->" in over
    for step in proof.steps:
        assert f"<!-- {step.call} -->" in tree
    assert over.count("#d95f02") > 0
    with Image.open(tmp_path / "over.png") as drawn:
        assert drawn.width > 1000
    with pytest.raises(InputError, match="cannot draw"):
        draw_tree(proof, tmp_path / "tree.gif")


def test_a_removed_fact_is_judged_by_the_calibration_of_the_answer() -> None:
    belief = belief_of(kitchen(), WORDS)
    asked = program("select: dog (1)->verify color: brown [0]")
    calibrate = Posing(slope=1.0, intercept=-10.0).probability
    changed = remove_fact(asked, belief, "color(o1) = brown", Lexicon(WORDS), calibrate)
    assert changed.before.posed == pytest.approx(calibrate(1.0))
    there = program("select: dog (1)->exist: ? [0]")
    assert remove_fact(there, belief, "color(o1) = brown", Lexicon(WORDS), calibrate).before.posed == 1
