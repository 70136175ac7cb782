"""`nsmodels visual answer`: the answer with its proof, drawn, written and doubted, from a network that has learned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from nsmodels.__main__ import main
from nsmodels.datasets.clevr.files.format import image_path, read_questions
from nsmodels.systems.visual import SYSTEM
from nsmodels.systems.visual.config import debug
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
    """A question that can always be proved, its image and a checkpoint that has seen both."""

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
        }
    )
    orders.train(SYSTEM, config, data, model)
    questions = read_questions(data, "train")
    # Without `unique` a question is well posed in every world, so that there is a proof.
    easy = [q for q in questions if all(node["function"] != "unique" for node in q["program"])]
    question = max(easy, key=lambda q: len(q["program"]))
    return AnswerCase(model, image_path(data, "train", question), question["question"])


def test_the_answer_comes_with_confidence_and_a_proof_that_can_be_checked(
    capsys, case: AnswerCase, tmp_path: Path
) -> None:
    capsys.readouterr()
    assert main(case.command("--json", str(tmp_path / "proof.json"))) == 0
    out, err = capsys.readouterr()
    proof = Proof.from_json((tmp_path / "proof.json").read_text())
    check(proof)
    assert err == ""
    assert out.startswith("answer: ")
    assert f"proof of {proof.answer}   confidence {proof.confidence:.3f}   depth {proof.depth}" in out
    assert all(step.call in out for step in proof.steps)
    assert "program read from the question with probability " in out
    assert 0 < proof.confidence <= 1


def test_a_proof_is_drawn_over_the_image_and_as_a_tree(case: AnswerCase, tmp_path: Path) -> None:
    drawn, tree = tmp_path / "drawn.png", tmp_path / "tree.svg"
    assert main(case.command("--draw", str(drawn), "--tree", str(tree))) == 0
    assert drawn.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "<svg" in tree.read_text()


def test_without_a_fact_the_difference_is_printed(capsys, case: AnswerCase, tmp_path: Path) -> None:
    assert main(case.command("--json", str(tmp_path / "proof.json"))) == 0
    steps = json.loads((tmp_path / "proof.json").read_text())["steps"]
    held = [f["fact"] for step in steps for f in step["facts"] if "!=" not in f["fact"] and "absent" not in f["fact"]]
    capsys.readouterr()
    assert main(case.command("--without", held[0].replace(" ", ""))) == 0
    out = capsys.readouterr().out
    assert f"without {held[0]} (p " in out
    assert "a leaf fact of the proof" in out
    assert "  answer " in out


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
