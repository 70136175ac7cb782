"""Training of a network that chooses an answer, end to end, and its answers to questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from nsmodels.engine.batching import Batches, epoch_order, split_order, to_device
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task, recurrent_threads
from nsmodels.layers.answers.batches import UNKNOWN, AnswerBatch, Questions
from nsmodels.layers.answers.classifier import PicturedSizes

ANSWER_BATCH = 256
MOST_LOGIT = 30.0
SMALL_PICTURE = 2**13  # pixels, of which small convolutions gain less by a second thread than the reader loses
Loss = Callable[[Tensor, Tensor], tuple[Tensor, dict[str, Tensor]]]


@final
class AnswerTask(Task):
    """Training of a network from questions and images to the logits of answers.

    Args:
        splits: "train" and "val".
        build: a network with random weights; it is called as `AnswerClassifier`.
        settings: what rebuilds it from its checkpoint.
        training: its batch size and seed are used.
        loss: from logits and answers of a batch to the loss and its terms.
        by_image: whether the questions of one image follow each other, so that it is read once.
        num_threads: see `Task`.
    """

    def __init__(
        self,
        splits: Mapping[str, Questions],
        build: Callable[[], nn.Module],
        settings: Mapping[str, Any],
        training: TrainingConfig,
        loss: Loss,
        by_image: bool = True,
        num_threads: int = 0,
    ) -> None:
        self.splits, self.training, self.by_image = splits, training, by_image
        self._build, self._settings, self._loss = build, settings, loss
        self.num_threads = num_threads

    def settings(self) -> dict[str, Any]:
        """The settings that rebuild the network."""
        return dict(self._settings)

    def build(self) -> nn.Module:
        """A network with random weights."""
        return self._build()

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Questions in this epoch's order, or images, each with all its questions."""
        encoded, is_training = self.splits[split], split == "train"
        if self.by_image:
            ranks = epoch_order(encoded.pictures.num, self.training.seed, epoch, shuffle=is_training)
            order = encoded.order_by_image(ranks)
        else:
            order = epoch_order(len(encoded), self.training.seed, epoch, shuffle=is_training)
        return Batches(split_order(order, self.training.batch_size, shard, even=is_training), encoded.batch)

    def loss(self, model: nn.Module, batch: AnswerBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of the logits, and its terms."""
        return self._loss(model(batch.words, batch.lengths, batch.images, batch.places), batch.answers)


def answer_threads(sizes: PicturedSizes, training: TrainingConfig, has_image: bool) -> int:
    """`Task.num_threads` of a classifier with a small viewer, or without one."""
    is_small = not has_image or sizes.image_width * sizes.image_height <= SMALL_PICTURE
    return recurrent_threads(sizes.hidden_dim, training) if is_small else 0


def mean_loss(logits: Float[Tensor, "b a"], answers: Int[Tensor, " b"]) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy of answers that are all among those to choose from, and the accuracy."""
    return F.cross_entropy(logits.float(), answers), {"accuracy": _accuracy(logits, answers)}


def known_loss(logits: Float[Tensor, "b a"], answers: Int[Tensor, " b"]) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross-entropy of the answers among those to choose from, per question, and the accuracy over all questions."""
    surprise = F.cross_entropy(logits.float(), answers, ignore_index=UNKNOWN, reduction="sum")
    return surprise / len(answers), {"accuracy": _accuracy(logits, answers)}


def soft_loss(logits: Float[Tensor, "b a"], credit: Float[Tensor, "b a"]) -> tuple[Tensor, dict[str, Tensor]]:
    """Binary cross-entropy with the credit of answers, summed over answers, mean over questions; and the term `score`.

    Each answer by itself (Teney et al. 2018): several may be right, by as many people as gave them.
    """
    each = F.binary_cross_entropy_with_logits(logits.float().clamp(-MOST_LOGIT, MOST_LOGIT), credit, reduction="none")
    return each.sum(1).mean(), {"score": credit.gather(1, logits.argmax(1, keepdim=True)).mean()}


def _accuracy(logits: Tensor, answers: Tensor) -> Tensor:
    return (logits.argmax(-1) == answers).float().mean()


@torch.inference_mode()
def predict(model: nn.Module, encoded: Questions) -> Int[np.ndarray, " q"]:
    """The number of the answer that the network gives to each question."""
    device = next(model.parameters()).device
    order = encoded.order_by_image(np.arange(encoded.pictures.num))
    answers = np.empty(len(order), np.int64)
    model.eval()
    for rows in split_order(order, ANSWER_BATCH, even=False):
        batch = to_device(encoded.batch(rows), device)
        answers[rows] = model(batch.words, batch.lengths, batch.images, batch.places).argmax(-1).cpu().numpy()
    return answers
