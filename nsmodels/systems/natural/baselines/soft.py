"""Training of the baselines on VQA: the classifiers of answers with soft targets, and their answers to questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.engine.batching import Batches, epoch_order, split_order
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.formats.images.cache import read_images
from nsmodels.systems.natural.answers.questions import AskedQuestions, EncodedQuestions, QuestionBatch
from nsmodels.systems.natural.answers.task import soft_loss
from nsmodels.systems.natural.baselines.network import AnswerClassifier
from nsmodels.systems.natural.config import BaselineConfig
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of

BATCH = 256


@final
class SoftAnswerTask(Task):
    """Training of a classifier of answers, end to end, with soft targets.

    Args:
        splits: questions of "train" and "val".
        answers: those to choose from.
        config: the network.
        training: its batch size, seed and workers are used.
        has_image: whether the network sees the image.
    """

    def __init__(
        self,
        splits: Mapping[str, AskedQuestions],
        answers: AnswerVocabulary,
        config: BaselineConfig,
        training: TrainingConfig,
        has_image: bool,
    ) -> None:
        self.config, self.training, self.has_image, self.answers = config, training, has_image, answers
        self.vocabulary = Vocabulary.from_questions(words_of(each.text) for each in splits["train"].questions)
        self.splits = {
            name: encoded(asked, self.vocabulary, answers, config, has_image) for name, asked in splits.items()
        }

    def settings(self) -> dict[str, Any]:
        """The configuration, words and answers that rebuild the network."""
        return {
            "baseline": self.config.model_dump(mode="json"),
            "words": list(self.vocabulary.words),
            "answers": list(self.answers.answers),
            "has_image": self.has_image,
        }

    def build(self) -> AnswerClassifier:
        """A network with random weights."""
        return AnswerClassifier(self.config, self.vocabulary.words, self.answers.answers, self.has_image)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Questions in this epoch's order; with images those of one image together."""
        data, is_training = self.splits[split], split == "train"
        if self.has_image:
            ranks = epoch_order(len(data.asked.paths), self.training.seed, epoch, shuffle=is_training)
            order = np.argsort(ranks[data.asked.places], kind="stable")
        else:
            order = epoch_order(len(data), self.training.seed, epoch, shuffle=is_training)
        return Batches(split_order(order, self.training.batch_size, shard, even=is_training), data.batch)

    def loss(self, model: nn.Module, batch: QuestionBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """As of the network that chooses answers."""
        return soft_loss(model(batch.words, batch.lengths, batch.images, batch.places), batch.targets)


def encoded(
    asked: AskedQuestions, words: Vocabulary, answers: AnswerVocabulary, config: BaselineConfig, has_image: bool
) -> EncodedQuestions:
    """Questions with the pixels of their images, or none."""
    return EncodedQuestions(asked, words, answers, None, _pixels(asked, config, has_image))


def _pixels(asked: AskedQuestions, config: BaselineConfig, has_image: bool) -> Callable[[np.ndarray], Tensor]:
    if not has_image:
        return lambda rows: torch.zeros(len(rows), 1, 1, 3, dtype=torch.uint8)
    pixels, _ = read_images(list(asked.paths), config.image_width, config.image_height)
    return lambda rows: torch.from_numpy(np.asarray(pixels[rows]))


@torch.inference_mode()
def predict_soft(model: AnswerClassifier, asked: AskedQuestions, answers: AnswerVocabulary) -> list[str]:
    """The answer of a trained baseline to each question."""
    device = model.words.weight.device
    data = encoded(asked, model.vocabulary, answers, model.config, model.has_image)
    found = []
    for first in range(0, len(data), BATCH):
        batch = data.batch(np.arange(first, min(first + BATCH, len(data))))
        assert isinstance(batch.images, Tensor)
        given = (batch.words, batch.lengths, batch.images, batch.places)
        found += model(*(each.to(device) for each in given)).argmax(-1).tolist()
    return [model.answers[number] for number in found]
