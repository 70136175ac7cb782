"""`nsmodels visual answer`: the answer with its proof, drawn, written and doubted, from a network that has learned."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from nsmodels.__main__ import main
from nsmodels.datasets.clevr.files.format import image_path, read_questions
from nsmodels.systems.visual import SYSTEM
from nsmodels.systems.visual.answering.decoder import NumpyParser
from nsmodels.systems.visual.config import ParserConfig, debug
from nsmodels.systems.visual.language.parser import Parser
from nsmodels.systems.visual.model import VisualReasoner
from nsmodels.systems.visual.reasoning.proof import Proof
from nsmodels.systems.visual.reasoning.replay import check
from tests.shared import Shared
from tests.systems import orders


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@dataclass(frozen=True)
class AnswerCase:
    """A question that is answered and proved, its image and a checkpoint that has seen both."""

    checkpoint: Path
    image: Path
    question: str

    def command(self, *flags: str) -> list[str]:
        places = ["--checkpoint", str(self.checkpoint), "--image", str(self.image), "--device", "cpu"]
        return ["visual", "answer", *places, self.question, *flags]


@pytest.fixture(scope="module")
def case(shared: Shared, tmp_path_factory) -> AnswerCase:
    data, model = shared.data("clevr"), tmp_path_factory.mktemp("answer") / "model"
    sizes = {"backbone_channels": [16, 16, 32, 32], "feature_dim": 32, "head_dim": 64, "augment": 0}
    config = debug().with_values(
        {
            "perception": sizes,
            "training": {"epochs": 12, "batch_size": 4, "lr": 5e-3, "warmup_epochs": 1, "eval_interval": 12},
            "training.device": "cpu",
            "parser.hidden_dim": 64,
            "parser_training": {"epochs": 24, "lr": 1e-2, "eval_interval": 24},
            "baseline.is_enabled": False,
            "has_export": True,
        }
    )
    orders.train(SYSTEM, config, data, model)
    questions = read_questions(data, "train")
    # Without `unique` a question is well posed in every world, so that there is a proof.
    easy = [q for q in questions if all(node["function"] != "unique" for node in q["program"])]
    reasoner = VisualReasoner.load(model, "cpu")
    for question in sorted(easy, key=lambda q: -len(q["program"])):
        case = AnswerCase(model, image_path(data, "train", question), question["question"])
        if reasoner.answer(case.image, case.question).proof:
            return case
    raise AssertionError("the network has not learned to answer a single question")


def test_the_answer_comes_with_confidence_and_a_proof_that_can_be_checked(
    capsys, case: AnswerCase, tmp_path: Path
) -> None:
    capsys.readouterr()
    assert main(case.command("--json", str(tmp_path / "answer.json"))) == 0
    out, err = capsys.readouterr()
    record = json.loads((tmp_path / "answer.json").read_text())
    proof = Proof.from_json(json.dumps(record["proof"]))
    check(proof)
    assert err == ""
    assert out.startswith(f"answer: {record['answer']}   confidence {record['confidence']:.3f}\n")
    assert f"proof of {proof.answer}   confidence {proof.confidence:.3f}   depth {proof.depth}" in out
    assert all(step.call in out for step in proof.steps)
    assert f"read as: {record['reading']}" in out
    parts = record["confidence_reading"] * record["posed"] * record["confidence_answer"]
    assert 0.5 <= record["confidence"] == pytest.approx(parts)
    assert (record["refusal"], record["no_proof_reason"], record["is_familiar"]) == (None, None, True)


def test_a_proof_is_drawn_over_the_image_and_as_a_tree(case: AnswerCase, tmp_path: Path) -> None:
    drawn, tree = tmp_path / "drawn.png", tmp_path / "tree.svg"
    assert main(case.command("--draw", str(drawn), "--tree", str(tree))) == 0
    assert drawn.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "<svg" in tree.read_text()


def test_without_a_fact_the_difference_is_printed(capsys, case: AnswerCase, tmp_path: Path) -> None:
    assert main(case.command("--json", str(tmp_path / "answer.json"))) == 0
    steps = json.loads((tmp_path / "answer.json").read_text())["proof"]["steps"]
    held = [f["fact"] for step in steps for f in step["facts"] if "!=" not in f["fact"] and "absent" not in f["fact"]]
    capsys.readouterr()
    assert main(case.command("--without", held[0].replace(" ", ""))) == 0
    out = capsys.readouterr().out
    assert f"without {held[0]} (p " in out
    assert "a leaf fact of the proof" in out
    assert "  answer " in out
    assert main(case.command("--without", held[0].replace(" ", ""), "--json", "-")) == 0
    change = json.loads(capsys.readouterr().out)["counterfactual"]
    assert (change["fact"], change["is_used"]) == (held[0], True)
    assert change["text"] in out


@pytest.mark.parametrize(
    ("fact", "line"),
    [("color(o99)=red", "o99"), ("colour of the sphere", "color(o3) = red"), ("color(o1)=mauve", "mauve")],
)
def test_a_fact_that_cannot_be_taken_away_is_one_line(capsys, case: AnswerCase, fact: str, line: str) -> None:
    capsys.readouterr()
    assert main(case.command("--without", fact)) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert line in err


def test_a_drawing_of_an_unknown_kind_is_one_line(capsys, case: AnswerCase, tmp_path: Path) -> None:
    capsys.readouterr()
    assert main(case.command("--draw", str(tmp_path / "drawn.docx"))) == 2
    err = capsys.readouterr().err
    assert (err.startswith("error: "), err.count("\n")) == (True, 1)
    assert not (tmp_path / "drawn.docx").exists()


def test_many_questions_are_answered_in_one_process(capsys, monkeypatch, case: AnswerCase, tmp_path: Path) -> None:
    (tmp_path / "questions.txt").write_text(f"{case.question}\n\nare are are\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(case.question + "\n"))
    capsys.readouterr()
    assert main(case.command("--questions", str(tmp_path / "questions.txt"), "--json", "-")) == 1
    asked, again, senseless = map(json.loads, capsys.readouterr().out.splitlines())
    assert asked == again
    assert (asked["question"], asked["image"]) == (case.question, str(case.image))
    assert senseless["answer"] is None
    assert senseless["refusal"].startswith("not sure what you ask: I read it as ")
    assert senseless["no_proof_reason"] == f"no answer: {senseless['refusal']}"
    assert main(case.command("--image", str(case.image), "--questions", "-")) == 0
    out = capsys.readouterr().out
    assert out.count(f"{case.image}: {case.question}\nanswer: {asked['answer']}   confidence ") == 4


def test_an_image_unlike_the_training_images_gets_no_answer(capsys, case: AnswerCase, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.png")
    alone = [str(tmp_path / "noise.png") if word == str(case.image) else word for word in case.command()]
    assert main([*alone, "--draw", str(tmp_path / "drawn.png")]) == 1
    assert capsys.readouterr().err == "no answer, no proof: nothing is drawn or removed\n"
    assert not (tmp_path / "drawn.png").exists()
    words = [*case.command("--json", "-"), "--image", str(tmp_path / "noise.png")]
    capsys.readouterr()
    assert main(words) == 1
    seen, noise = map(json.loads, capsys.readouterr().out.splitlines())
    assert (seen["is_familiar"], noise["is_familiar"]) == (True, False)
    assert seen["distance"] < 2 * seen["usual_distance"] < noise["distance"]
    assert (noise["answer"], noise["confidence"], noise["proof"]) == (None, 0.0, None)
    assert noise["refusal"].startswith("this image is unlike the training images (distance ")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--questions", "missing.txt"], "missing.txt: cannot be read"),
        (["more", "--draw", "a.png"], "--draw goes with one question about one image"),
        (["--question", "more", "--without", "color(o1)=red"], "--without goes with one question about one image"),
    ],
)
def test_flags_that_do_not_fit_are_one_line(capsys, case: AnswerCase, words: list[str], line: str) -> None:
    capsys.readouterr()
    assert main(case.command(*words)) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert line in err


# --- exported models ---------------------------------------------------------------------------------------------

# Answers a question, then prints whether torch was imported on the way.
WITHOUT_TORCH = """
import sys
from nsmodels.__main__ import main
status = main(sys.argv[1:])
print(status, "torch" in sys.modules)
"""


def test_a_model_starts_without_torch_and_gives_the_same_answers(capsys, case: AnswerCase, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    assert main(["visual", "export", "--checkpoint", str(case.checkpoint), "--out", str(folder)]) == 0
    trained, exported = SYSTEM.load(case.checkpoint, "cpu"), SYSTEM.load(folder)
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3), np.uint8)
    mine, theirs = exported.read_out(images), trained.read_out(images)
    for name in ("logits", "points", "ground", "features"):
        np.testing.assert_allclose(getattr(mine, name), getattr(theirs, name), rtol=1e-3, atol=1e-3, err_msg=name)
    questions = [case.question, "are are are", "What colour is the big cubee?"]
    for parse, other in zip(exported.parse(questions), trained.parse(questions), strict=True):
        assert (parse.program, parse.corrections, parse.doubts) == (other.program, other.corrections, other.doubts)
        assert parse.probability == pytest.approx(other.probability, rel=1e-3)
    words = [sys.executable, "-c", WITHOUT_TORCH, *case.command("--json", "-")]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    found, wanted = json.loads(printed[0]), trained.answer(case.image, case.question)
    assert printed[1] == "0 False"
    assert (found["answer"], found["program"]) == (wanted.answer.best, wanted.parse.program)
    assert found["confidence"] == pytest.approx(wanted.confidence, rel=1e-3)
    assert found["distance"] == pytest.approx(wanted.sight.distance, rel=1e-3)


def test_a_deeper_encoder_decodes_alike_in_numpy() -> None:
    torch.manual_seed(0)
    words = ["how", "many", "red", "cubes", "are", "there"]
    parser = Parser(ParserConfig(embedding_dim=8, hidden_dim=12, num_layers=2), words).eval()
    arrays = {name: value.numpy() for name, value in parser.state_dict().items()}
    numpy_parser = NumpyParser(arrays, words, (), parser.config.max_program_length)
    for question in ("how many red cubes", "cubes", "are there many many red cubes there"):
        (found,), (wanted,) = numpy_parser.parse([question]), parser.parse([question])
        assert found.program == wanted.program
        assert found.probability == pytest.approx(wanted.probability, rel=1e-4)
