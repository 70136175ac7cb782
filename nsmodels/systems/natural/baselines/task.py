"""Training of the classifiers of answers on questions with programs, and their answers to those of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nsmodels.engine import checkpoint
from nsmodels.engine.config import TrainingConfig
from nsmodels.formats.images.cache import read_images
from nsmodels.layers.answers import batches
from nsmodels.layers.answers.batches import Pictures, numbered
from nsmodels.layers.answers.task import AnswerTask, answer_threads, known_loss, predict
from nsmodels.systems.natural.baselines.network import Classifier, from_checkpoint, make_classifier
from nsmodels.systems.natural.config import BaselineConfig
from nsmodels.systems.natural.language.asking import Question, places_of
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of


@dataclass(frozen=True, eq=False)
class AskedImages:
    """Questions with what is seen of their images, and the row of each question's image, int64 (q,)."""

    questions: Sequence[Question]
    pictures: Pictures
    places: np.ndarray

    def encoded(self, vocabulary: Vocabulary, answers: Sequence[str]) -> batches.Questions:
        """As arrays. Raises `InputError` for a question without words."""
        words = [vocabulary.numbers(words_of(question.text)) for question in self.questions]
        given = numbered([question.answer for question in self.questions], answers)
        return batches.Questions(words, given, self.places, self.pictures)


def images_of(questions: Sequence[Question]) -> tuple[list[str], np.ndarray]:
    """The distinct images of questions, and the row of each question's image among them, int64 (q,)."""
    names = list(dict.fromkeys(question.image for question in questions))
    row = {name: number for number, name in enumerate(names)}
    return names, np.array([row[question.image] for question in questions], np.int64)


def read_asked(
    data: Path, questions: Sequence[Question], config: BaselineConfig, has_image: bool, num_workers: int = 4
) -> AskedImages:
    """Questions and their images at the network's size; no pixels without `has_image`. Raises `InputError`."""
    names, places = images_of(questions)
    if not has_image:
        return AskedImages(questions, Pictures.none(len(names)), places)
    images, _ = read_images(places_of(data, names), config.image_width, config.image_height, num_workers)
    return AskedImages(questions, Pictures.pixels(images), places)


def frequent_answers(questions: Sequence[Question], most: int) -> tuple[str, ...]:
    """The `most` frequent answers of training questions, of equals the first in the alphabet first."""
    counts = Counter(question.answer for question in questions)
    return tuple(sorted(counts, key=lambda answer: (-counts[answer], answer))[:most])


def answer_task(
    splits: Mapping[str, AskedImages], config: BaselineConfig, training: TrainingConfig, has_image: bool
) -> AnswerTask:
    """Training of a classifier on "train" and "val", with the words and answers of the training questions."""
    asked = splits["train"].questions
    answers = frequent_answers(asked, config.num_answers)
    vocabulary = Vocabulary.from_questions(words_of(question.text) for question in asked)
    return AnswerTask(
        {name: data.encoded(vocabulary, answers) for name, data in splits.items()},
        lambda: make_classifier(config, vocabulary.words, answers, has_image),
        settings(config, vocabulary, answers, has_image),
        training,
        known_loss,
        by_image=has_image,
        num_threads=answer_threads(config, training, has_image),
    )


def settings(config: BaselineConfig, vocabulary: Vocabulary, answers: Sequence[str], has_image: bool) -> dict[str, Any]:
    """The configuration, words and answers that rebuild a classifier."""
    return {
        "baseline": config.model_dump(mode="json"),
        "words": list(vocabulary.words),
        "answers": list(answers),
        "has_image": has_image,
    }


def predict_answers(model: Classifier, data: AskedImages) -> list[str]:
    """The network's answer to each question. Raises `InputError` for a question without words."""
    found = predict(model, data.encoded(Vocabulary(model.known_words), model.answers))
    return [model.answers[number] for number in found.tolist()]


def trained_answers(
    model: Path, names: Sequence[str], data: Path, questions: Sequence[Question], device: torch.device
) -> dict[str, list[str]]:
    """Answers to questions of the baselines in a checkpoint folder, by name; without those that were not trained."""
    found = {}
    for name in names:
        path = model / name / checkpoint.BEST
        if path.exists():
            network = from_checkpoint(checkpoint.load(path), str(path)).to(device)
            asked = read_asked(data, questions, network.config, network.viewer is not None)
            found[name] = predict_answers(network, asked)
    return found
