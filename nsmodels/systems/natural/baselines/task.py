"""Training of the classifiers of answers, and their answers to the questions of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.engine.batching import Batches, epoch_order, split_order
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.formats.images.cache import read_images
from nsmodels.systems.natural.baselines.network import AnswerClassifier
from nsmodels.systems.natural.config import BaselineConfig
from nsmodels.systems.natural.language.asking import Question, places_of
from nsmodels.systems.natural.language.tokens import PAD, Vocabulary, words_of

ANSWER_BATCH = 256
UNKNOWN = -1  # an answer that is not among those to choose from


@dataclass(frozen=True)
class AnswerBatch:
    """Questions as word numbers, their answer numbers, the distinct images, and each question's image."""

    words: Int[Tensor, "b s"]
    lengths: Int[Tensor, " b"]
    answers: Int[Tensor, " b"]
    images: UInt8[Tensor, "i h w 3"]
    places: Int[Tensor, " b"]


@dataclass(frozen=True, eq=False)
class AskedImages:
    """Questions with their images, uint8 (n, h, w, 3), and the row of each question's image, int64 (q,)."""

    questions: Sequence[Question]
    images: np.ndarray
    places: np.ndarray

    def order_by_image(self, ranks: np.ndarray) -> np.ndarray:
        """Order of the questions, int64 (q,), by the `ranks` (n,) of their images; those of one image are adjacent."""
        return np.argsort(ranks[self.places], kind="stable")


def read_asked(
    data: Path, questions: Sequence[Question], config: BaselineConfig, has_image: bool, num_workers: int = 4
) -> AskedImages:
    """Questions and their images at the network's size; no pixels without `has_image`. Raises `InputError`."""
    names = list(dict.fromkeys(question.image for question in questions))
    row = {name: number for number, name in enumerate(names)}
    places = np.array([row[question.image] for question in questions], np.int64)
    if not has_image:
        return AskedImages(questions, np.zeros((len(names), 1, 1, 3), np.uint8), places)
    images, _ = read_images(places_of(data, names), config.image_width, config.image_height, num_workers)
    return AskedImages(questions, images, places)


class EncodedQuestions:
    """Questions as padded word numbers and answer numbers, collated to batches with their images."""

    def __init__(self, data: AskedImages, vocabulary: Vocabulary, answers: Sequence[str]) -> None:
        rows = [vocabulary.numbers(words_of(question.text)) for question in data.questions]
        if not rows or not all(rows):
            raise InputError("questions: expected at least one, each of at least one word; check the question file")
        number = {answer: k for k, answer in enumerate(answers)}
        self.data = data
        self.lengths = np.array([len(row) for row in rows], np.int64)
        self.answers = np.array([number.get(question.answer, UNKNOWN) for question in data.questions], np.int64)
        self.words = np.full((len(rows), max(self.lengths)), PAD, np.int32)
        for line, row in zip(self.words, rows, strict=True):
            line[: len(row)] = row

    def batch(self, rows: np.ndarray) -> AnswerBatch:
        """The questions `rows`, int (b,), with their distinct images."""
        needed, places = np.unique(self.data.places[rows], return_inverse=True)
        return AnswerBatch(
            words=torch.from_numpy(self.words[rows, : self.lengths[rows].max()]).long(),
            lengths=torch.from_numpy(self.lengths[rows]),
            answers=torch.from_numpy(self.answers[rows]),
            images=torch.from_numpy(np.asarray(self.data.images[needed])),
            places=torch.from_numpy(places),
        )


@final
class AnswerTask(Task):
    """Training of the answer, end to end.

    Args:
        splits: "train" and "val".
        config: the network.
        training: its batch size and seed are used.
        has_image: whether the network sees the image.
    """

    def __init__(
        self, splits: Mapping[str, AskedImages], config: BaselineConfig, training: TrainingConfig, has_image: bool
    ) -> None:
        self.config, self.training, self.has_image = config, training, has_image
        asked = splits["train"].questions
        counts = Counter(question.answer for question in asked)
        ranked = sorted(counts, key=lambda answer: (-counts[answer], answer))
        self.answers = tuple(ranked[: config.num_answers])
        self.vocabulary = Vocabulary.from_questions(words_of(question.text) for question in asked)
        self.splits = {name: EncodedQuestions(data, self.vocabulary, self.answers) for name, data in splits.items()}

    def settings(self) -> dict[str, Any]:
        """The configuration, words and answers that rebuild the network."""
        return {
            "baseline": self.config.model_dump(mode="json"),
            "words": list(self.vocabulary.words),
            "answers": list(self.answers),
            "has_image": self.has_image,
        }

    def build(self) -> AnswerClassifier:
        """A network with random weights, words and answers of the training questions."""
        return AnswerClassifier(self.config, self.vocabulary.words, self.answers, self.has_image)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Questions in this epoch's order; with images those of one image together."""
        encoded, is_training = self.splits[split], split == "train"
        if self.has_image:
            ranks = epoch_order(len(encoded.data.images), self.training.seed, epoch, shuffle=is_training)
            order = encoded.data.order_by_image(ranks)
        else:
            order = epoch_order(len(encoded.answers), self.training.seed, epoch, shuffle=is_training)
        return Batches(split_order(order, self.training.batch_size, shard, even=is_training), encoded.batch)

    def loss(self, model: nn.Module, batch: AnswerBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy of the answers among those to choose from, and the accuracy."""
        logits = model(batch.words, batch.lengths, batch.images, batch.places)
        right = (logits.argmax(-1) == batch.answers).float().mean()
        surprise = F.cross_entropy(logits.float(), batch.answers, ignore_index=UNKNOWN, reduction="sum")
        return surprise / len(batch.answers), {"accuracy": right}


@torch.inference_mode()
def predict_answers(model: AnswerClassifier, data: AskedImages) -> list[str]:
    """The network's answer to each question. Raises `InputError` for a question without words."""
    encoded, device = EncodedQuestions(data, model.vocabulary, model.answers), model.words.weight.device
    order = data.order_by_image(np.arange(len(data.images)))
    answers = np.empty(len(order), np.int64)
    model.eval()
    for rows in split_order(order, ANSWER_BATCH, even=False):
        batch = encoded.batch(rows)
        given = (batch.words, batch.lengths, batch.images, batch.places)
        answers[rows] = model(*(tensor.to(device) for tensor in given)).argmax(-1).cpu().numpy()
    return [model.answers[number] for number in answers]
