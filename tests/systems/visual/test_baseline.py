"""The learned baseline: CNN+LSTM from image and question to answer."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.format import read_questions
from nsmodels.datasets.clevr.vocabulary import ANSWERS
from nsmodels.engine import checkpoint, loop
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.layers.answers.classifier import Unseen
from nsmodels.layers.answers.config import debug as study_debug
from nsmodels.systems.visual.baselines.cnn_lstm import CnnLstm, from_checkpoint
from nsmodels.systems.visual.baselines.priors import Prior
from nsmodels.systems.visual.baselines.task import VqaSplit, cnn_lstm_task, predict_answers
from nsmodels.systems.visual.config import BaselineConfig, debug
from nsmodels.systems.visual.evaluation.competition import clevr_quiz
from nsmodels.systems.visual.evaluation.report import report, table
from nsmodels.systems.visual.evaluation.scoring import Predictions, baseline_rows, outcomes_of
from nsmodels.systems.visual.phases import make_trial
from nsmodels.systems.visual.reasoning.belief import SceneBelief

TINY = BaselineConfig(embedding_dim=16, hidden_dim=32, channels=[8, 8], image_width=24, image_height=16)
TRAINING = TrainingConfig(
    epochs=10, batch_size=48, lr=1e-2, device="cpu", num_workers=0, monitor="val/accuracy", monitor_mode="max"
)
OFFICIAL = Path(__file__).parents[2] / "data" / "clevr_official" / "CLEVR_v1.0"
PAINTS = {"red": (200, 30, 30), "green": (30, 160, 30), "blue": (30, 30, 200)}


def squares(num_images: int, seed: int) -> VqaSplit:
    """A coloured square, left or right, large or small, on noise; three questions that all need the image."""
    rng = np.random.default_rng(seed)
    images, questions = rng.integers(90, 130, (num_images, 16, 24, 3)).astype(np.uint8), []
    for number, image in enumerate(images):
        color, is_left, is_large = str(rng.choice(list(PAINTS))), bool(rng.integers(2)), bool(rng.integers(2))
        half, x = 6 if is_large else 3, 6 if is_left else 18
        image[8 - half : 8 + half, x - half : x + half] = PAINTS[color]
        answers = {
            "What color is the thing?": color,
            "Is the thing on the left?": "yes" if is_left else "no",
            "How big is the thing?": "large" if is_large else "small",
        }
        questions += [{"question": text, "answer": word, "image_index": number} for text, word in answers.items()]
    return VqaSplit(images, questions, np.repeat(np.arange(num_images), 3))


def accuracy(model: CnnLstm, data: VqaSplit) -> float:
    predicted = predict_answers(model, data)
    return float(np.mean([word == q["answer"] for word, q in zip(predicted, data.questions, strict=True)]))


def by_question_prior(train: VqaSplit, data: VqaSplit) -> float:
    """The score of the most frequent training answer to the same words: what is to be had without the image."""
    counts: dict[str, Counter[str]] = {}
    for q in train.questions:
        counts.setdefault(q["question"], Counter())[q["answer"]] += 1
    best = {text: found.most_common(1)[0][0] for text, found in counts.items()}
    return float(np.mean([best[q["question"]] == q["answer"] for q in data.questions]))


def trained(folder: Path, splits: dict[str, VqaSplit], config: BaselineConfig = TINY) -> CnnLstm:
    loop.fit(cnn_lstm_task(splits, config, TRAINING), TRAINING, folder)
    return from_checkpoint(checkpoint.load(folder / "best.pt"))


@pytest.fixture(scope="module")
def splits() -> dict[str, VqaSplit]:
    return {"train": squares(300, 0), "val": squares(100, 1)}


@pytest.fixture(scope="module")
def folder(splits, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    trained(folder, splits)
    return folder


def test_it_learns_to_look(splits, folder):
    model = from_checkpoint(checkpoint.load(folder / "best.pt"))
    assert accuracy(model, splits["val"]) > 0.9 > by_question_prior(splits["train"], splits["val"]) + 0.3


def test_the_best_checkpoint_alone_gives_the_recorded_accuracy(splits, folder):
    payload = checkpoint.load(folder / "best.pt")
    again = accuracy(from_checkpoint(payload), splits["val"])
    assert again == pytest.approx(payload["val_metrics"]["val/accuracy"])


def test_without_the_image_it_is_no_better_than_the_prior_by_question(splits, tmp_path):
    blind = trained(tmp_path, splits, TINY.model_copy(update={"use_image": False}))
    assert isinstance(blind.viewer, Unseen)
    assert accuracy(blind, splits["val"]) < by_question_prior(splits["train"], splits["val"]) + 0.08


def test_shuffled_answers_teach_nothing_but_the_majority(splits, tmp_path):
    data = splits["train"].questions
    order = np.random.default_rng(2).permutation(len(data))
    mixed = [{**q, "answer": data[k]["answer"]} for q, k in zip(data, order, strict=True)]
    model = trained(tmp_path, {**splits, "train": VqaSplit(splits["train"].images, mixed, splits["train"].places)})
    majority = max(Counter(q["answer"] for q in mixed).values()) / len(mixed)
    assert accuracy(model, VqaSplit(splits["val"].images, mixed[:300], splits["val"].places)) < majority + 0.1


def test_an_unknown_word_is_read_as_the_unknown_word(splits, folder):
    model = from_checkpoint(checkpoint.load(folder / "best.pt"))
    strange = [
        {**q, "question": q["question"].replace("thing", word)}
        for word in ("gizmo", "doodad")
        for q in splits["val"].questions[:3]
    ]
    predicted = predict_answers(model, VqaSplit(splits["val"].images, strange, np.zeros(6, np.int64)))
    assert predicted[:3] == predicted[3:]
    assert set(predicted) <= set(ANSWERS)


def test_broken_questions_are_refused(splits, folder):
    model = from_checkpoint(checkpoint.load(folder / "best.pt"))
    images, place = splits["val"].images, np.zeros(1, np.int64)
    with pytest.raises(InputError, match="expected words"):
        predict_answers(model, VqaSplit(images, [{"question": "?!"}], place))
    with pytest.raises(InputError, match="answer 'pink' is none"):
        VqaSplit(images, [{"question": "What color?", "answer": "pink"}], place)


def test_answers_come_in_the_order_of_the_questions(splits, folder):
    model = from_checkpoint(checkpoint.load(folder / "best.pt"))
    data = splits["val"]
    order = np.random.default_rng(3).permutation(len(data.questions))
    mixed = VqaSplit(data.images, [data.questions[k] for k in order], data.places[order])
    straight = predict_answers(model, data)
    assert predict_answers(model, mixed) == [straight[k] for k in order]


def test_a_batch_holds_each_image_once_and_an_epoch_each_question_once(splits):
    task = cnn_lstm_task(splits, TINY, TRAINING)
    batches = list(task.batches("train", 0, Shard()))
    assert sum(len(batch.answers) for batch in batches) == 900
    assert all(len(batch.images) <= 17 for batch in batches), "48 questions at 3 per image touch 16 or 17 images"
    assert not torch.equal(batches[0].images, next(iter(task.batches("train", 1, Shard()))).images)


def test_it_reads_a_clevr_tree():
    trial = make_trial("baseline", debug(), OFFICIAL)
    task, training = trial.task, trial.training
    assert training.seed == debug().training.seed
    batch = next(iter(task.batches("train", 0, Shard())))
    loss, terms = task.loss(task.build(), batch)
    assert batch.images.shape[1:] == (32, 48, 3)
    assert torch.isfinite(loss)
    assert 0.0 <= terms["accuracy"] <= 1.0


def test_the_report_has_its_row(official_scenes, official_questions):
    beliefs = [SceneBelief.from_scene(scene) for scene in official_scenes]
    data = Predictions(official_scenes, beliefs, official_questions, [q["program"] for q in official_questions])
    answers = ["yes" if k % 2 else q["answer"] for k, q in enumerate(official_questions)]
    result = report(data, Prior.fitted(official_questions), learned={"cnn_lstm": answers})
    row = result["baselines"]["cnn_lstm"]
    assert row["accuracy"] == np.mean([a == q["answer"] for a, q in zip(answers, official_questions, strict=True)])
    assert (row["interval"], row["is_few"]) == (None, True)  # eight images
    assert sum(kind["n"] for kind in row["by_type"].values()) == len(official_questions)
    assert "baseline: cnn_lstm" in table(result)


def test_the_study_of_baselines_has_the_questions_and_priors_of_the_evaluation():
    quiz = clevr_quiz(OFFICIAL, study_debug().with_values({"split": "train"}))
    questions = read_questions(OFFICIAL, "train")
    perfect = quiz.score([question["answer"] for question in questions])
    assert perfect.mean == 1
    assert list(perfect.items) == list(outcomes_of([None] * len(questions), questions, "train").items)
    wanted = baseline_rows(Prior.fitted(questions), questions)
    rows = {row.name: row.mean for row in quiz.beside}
    assert rows["type_prior"] == pytest.approx(wanted["question_type_prior"]["accuracy"])
    assert rows["majority"] == pytest.approx(wanted["majority"]["accuracy"])
    assert len(quiz.train) == min(len(questions), study_debug().max_questions)
    side = quiz.scored
    assert [side.paths[k].name for k in side.places] == [question["image_filename"] for question in questions]
