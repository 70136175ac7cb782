"""Baselines on natural images: object attention on planted objects, the study on GQA and VQA folders, its command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.__main__ import main
from nsmodels.core import artifact
from nsmodels.datasets.gqa.files.format import each_question
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.engine import loop
from nsmodels.engine.config import TrainingConfig
from nsmodels.evaluation.outcomes import read_outcomes
from nsmodels.layers.answers.batches import Pictures, Questions, numbered
from nsmodels.layers.answers.config import ClassifierConfig
from nsmodels.layers.answers.task import AnswerTask, known_loss, predict
from nsmodels.systems.natural.answering.choosing.questions import read_asked
from nsmodels.systems.natural.evaluation.competition.config import debug
from nsmodels.systems.natural.evaluation.competition.object_attention import PARTS, ObjectAttention
from nsmodels.systems.natural.evaluation.competition.quizzes import quiz_of
from nsmodels.systems.natural.evaluation.vqa.scoring import ceilings
from tests.shared import Shared, Trained

pytestmark = pytest.mark.usefixtures("one_thread")

NAMES, VALUES, OBJECTS = 3, 4, 5
WIDTHS = {"features": 6, "names": NAMES, "values": VALUES, "boxes": 4}
RECORD = np.dtype(
    [(name, "<f4", (OBJECTS, width)) for name, width in WIDTHS.items()] + [("presence", "<f4", (OBJECTS,))]
)
TRAINING = TrainingConfig(epochs=12, batch_size=50, lr=1e-2, device="cpu", num_workers=0, weight_decay=0.0)


@pytest.fixture(scope="module")
def trained(shared: Shared) -> Trained:
    return shared.trained("natural", "gqa")


# --- planted objects -------------------------------------------------------------------------------------------------


def scenes(num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Images with a thing of each name in random places, of a random value each; and these values (num, names)."""
    rng, found, values = np.random.default_rng(seed), np.zeros(num, RECORD), np.zeros((num, NAMES), int)
    for image in range(num):
        places = rng.permutation(OBJECTS)[:NAMES]
        values[image] = rng.integers(0, VALUES, NAMES)
        for name, place in enumerate(places):
            found["names"][image, place, name] = 1
            found["values"][image, place, values[image, name]] = 1
            found["presence"][image, place] = 0.9
        found["features"][image] = rng.normal(size=(OBJECTS, WIDTHS["features"]))
        found["boxes"][image] = rng.random((OBJECTS, 4))
        absent = found["presence"][image] == 0
        found["values"][image, absent, 0] = 1  # what was read where nothing is: it must not be looked at
    return found, values


def asked(num: int, seed: int, shuffled: bool = False) -> Questions:
    """ "What value has name k" of each image: the answer needs the question and the object it is about."""
    found, values = scenes(num, seed)
    answers = np.array([str(value) for value in values.ravel()])
    if shuffled:
        answers = np.random.default_rng(7).permutation(answers)
    words = [[2 + name] for _ in range(num) for name in range(NAMES)]
    choices = [str(k) for k in range(VALUES)]
    return Questions(
        words, numbered(answers.tolist(), choices), np.repeat(np.arange(num), NAMES), Pictures.records(found)
    )


def accuracy(model: torch.nn.Module, data: Questions, pictures: Pictures | None = None) -> float:
    given = Questions([row.tolist() for row in data.words], data.answers, data.places, pictures or data.pictures)
    return float((predict(model, given) == data.answers(np.arange(len(data))).numpy()).mean())


def learnt(folder: Path, train: Questions, held_out: Questions) -> torch.nn.Module:
    sizes = ClassifierConfig(embedding_dim=8, hidden_dim=32, dropout=0.0)
    known = sum(WIDTHS.values()) + 1
    models = []

    def build() -> torch.nn.Module:
        models.append(ObjectAttention(sizes, 24, known, ["a", "b", "c"], [str(k) for k in range(VALUES)]))
        return models[-1]

    loop.fit(AnswerTask({"train": train, "val": held_out}, build, {}, TRAINING, known_loss), TRAINING, folder)
    return models[-1].eval()


def test_object_attention_finds_what_is_asked_about_and_falls_to_chance_with_other_images(tmp_path: Path) -> None:
    held_out = asked(150, 1)
    model = learnt(tmp_path / "plain", asked(400, 0), held_out)
    assert accuracy(model, held_out) > 0.9
    other = Pictures.records(scenes(150, 1)[0][::-1].copy())
    assert accuracy(model, held_out, other) < 1 / VALUES + 0.1


def test_object_attention_learns_nothing_from_shuffled_answers(tmp_path: Path) -> None:
    model = learnt(tmp_path, asked(400, 0, shuffled=True), asked(150, 1))
    assert accuracy(model, asked(150, 1)) < 1 / VALUES + 0.1


def test_an_image_without_objects_is_answered_all_the_same() -> None:
    model = ObjectAttention(ClassifierConfig(embedding_dim=4, hidden_dim=8), 8, 18, ["a"], ["0", "1"]).eval()
    empty = {name: torch.from_numpy(np.zeros(1, RECORD)[name]) for name in PARTS}
    glimpse = model.glimpse(torch.randn(2, 8), empty, torch.tensor([0, 0]))
    assert torch.equal(glimpse, torch.zeros_like(glimpse))


# --- the study -------------------------------------------------------------------------------------------------------


def test_the_command_scores_the_balanced_questions_of_the_evaluation(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "study"
    command = ["natural", "study", "baselines", "--preset", "debug", "--data", str(trained.data), "--out", str(out)]
    command += ["--checkpoint", str(trained.folder), "--seeds", "0", "--training.device", "cpu"]
    assert main([*command, "--networks", "blind", "object_attention", "vilt"]) == 0
    assert "left out: vilt: no checkpoint is configured" in capsys.readouterr().out
    manifest = artifact.verify(out)
    assert {record.role for record in manifest.inputs.values()} == {"data", "model"}
    report = json.loads((out / "report.json").read_text())
    assert list(report["rows"]) == [
        *("chance", "majority", "type_prior", "global_prior", "local_prior", "blind", "object_attention"),
    ]
    items = [f"val/{question.id}" for question in each_question(trained.data, "val")]
    for path in (out / "scores").glob("*.parquet"):
        assert list(read_outcomes(path).items) == items, path
    assert report["num_train_questions"] == debug().max_questions


def test_the_earlier_verb_is_the_study_and_without_a_model_object_attention_is_left_out_with_the_reason(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["natural", "baselines", "--preset", "debug", "--data", str(trained.data), "--out", str(tmp_path / "out")]
    command += ["--networks", "blind", "object_attention", "--seeds", "0", "--training.device", "cpu"]
    assert main(command) == 0
    assert "left out: object_attention: no model is given" in capsys.readouterr().out


def test_a_folder_of_clevr_is_sent_to_its_own_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
    command = [
        "natural",
        "study",
        "baselines",
        "--preset",
        "debug",
        "--data",
        str(data),
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*command, "--training.device", "cpu"]) == 2
    assert "nsmodels visual study baselines" in capsys.readouterr().err


def test_people_and_priors_of_vqa_are_those_of_the_evaluation(shared: Shared) -> None:
    data = shared.data("vqa")
    rows = {row.name: row for row in quiz_of(data, debug()).beside}
    wanted = ceilings(read_asked(data, "val"), AnswerVocabulary.read(data))["one_person"]
    assert rows["one_person"].kind == "people"
    assert rows["one_person"].mean == pytest.approx(wanted["score"])
    assert rows["majority"].first.metric == "vqa_score"
