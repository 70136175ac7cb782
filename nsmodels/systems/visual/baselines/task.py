"""Training of the CNN+LSTM baseline, and its answers to the questions of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.format import pair, read_questions, read_scenes
from nsmodels.datasets.clevr.vocabulary import ANSWERS
from nsmodels.engine.config import TrainingConfig
from nsmodels.layers.answers.batches import Pictures, Questions, numbered
from nsmodels.layers.answers.task import AnswerTask, answer_threads, mean_loss, predict
from nsmodels.systems.visual.baselines.cnn_lstm import CnnLstm, make_cnn_lstm
from nsmodels.systems.visual.config import BaselineConfig
from nsmodels.systems.visual.language.tokens import Vocabulary
from nsmodels.systems.visual.perception.images import read_images

Record = dict[str, Any]


@dataclass(frozen=True, eq=False)
class VqaSplit:
    """Images of a split, uint8 (n, h, w, 3), its questions in the released form, and their images' rows, int64 (q,).

    Raises `InputError` for an answer that is none of CLEVR's.
    """

    images: np.ndarray
    questions: list[Record]
    places: np.ndarray

    def __post_init__(self) -> None:
        for number, question in enumerate(self.questions):
            if question.get("answer", ANSWERS[0]) not in ANSWERS:
                raise InputError(f"question {number}: answer '{question['answer']}' is none of CLEVR's: {ANSWERS}")

    def encoded(self, vocabulary: Vocabulary) -> Questions:
        """As arrays. Raises `InputError` for a question without words; one that is not known is the unknown word."""
        words = [vocabulary.numbers(item["question"]) for item in self.questions]
        answers = numbered([item.get("answer") for item in self.questions], ANSWERS)
        return Questions(words, answers, self.places, Pictures.pixels(self.images))


def read_vqa_split(
    data: Path, split: str, config: BaselineConfig, scenes: list[Record], questions: list[Record], num_workers: int = 4
) -> VqaSplit:
    """Questions and images of `scenes` in a CLEVR tree, at the network's size; raise `InputError` for broken data."""
    row = {scene["image_index"]: number for number, scene in enumerate(scenes)}
    places = [row[scene["image_index"]] for _, scene in pair(questions, scenes, data, split)]
    images, _ = read_images(data, split, scenes, config.image_width, config.image_height, num_workers)
    return VqaSplit(images, questions, np.array(places, np.int64))


def cnn_lstm_task(splits: Mapping[str, VqaSplit], config: BaselineConfig, training: TrainingConfig) -> AnswerTask:
    """Training on "train" and "val", with the vocabulary of the training questions."""
    vocabulary = Vocabulary.from_questions(item["question"] for item in splits["train"].questions)
    return AnswerTask(
        {name: data.encoded(vocabulary) for name, data in splits.items()},
        lambda: make_cnn_lstm(config, vocabulary.words),
        {"baseline": config.model_dump(mode="json"), "words": list(vocabulary.words)},
        training,
        mean_loss,
        num_threads=answer_threads(config, training, config.use_image),
    )


def tree_task(
    data: Path, config: BaselineConfig, training: TrainingConfig, names: tuple[str, str] = ("train", "val")
) -> AnswerTask:
    """The same on a CLEVR tree, whose splits for training and validation are `names`."""
    splits = {
        split: read_vqa_split(
            data, name, config, read_scenes(data, name), read_questions(data, name), training.num_workers
        )
        for split, name in zip(("train", "val"), names, strict=True)
    }
    return cnn_lstm_task(splits, config, training)


def predict_answers(model: CnnLstm, data: VqaSplit) -> list[str]:
    """The network's answer to each question. Raises `InputError` for a question without words."""
    return [ANSWERS[number] for number in predict(model, data.encoded(Vocabulary(model.known_words))).tolist()]
