"""Training of the network that chooses answers, over the frozen perception of the same checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.engine import checkpoint
from nsmodels.engine.batching import Batches, epoch_order, split_order
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.runtime import resolve_device
from nsmodels.engine.task import Shard, Task
from nsmodels.layers.answers.batches import Pictures
from nsmodels.layers.answers.task import soft_loss
from nsmodels.systems.natural.answering.choosing.features import FeatureShape, cached_features
from nsmodels.systems.natural.answering.choosing.network import AnswerNetwork
from nsmodels.systems.natural.answering.choosing.questions import (
    AskedQuestions,
    EncodedQuestions,
    Nouns,
    QuestionBatch,
)
from nsmodels.systems.natural.config import AnswersConfig
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of
from nsmodels.systems.natural.perception.calibration import load_calibrated
from nsmodels.systems.natural.perception.network import Perception


@final
class AnswersTask(Task):
    """Training of the choice among frequent answers with soft targets.

    Args:
        splits: questions of "train" and "val".
        answers: those to choose from.
        folder: of the checkpoint, in which perception is trained and calibrated already.
        config: the network.
        training: its batch size, seed, device and workers are used.

    Raises `InputError` where `folder` has no perception.
    """

    def __init__(
        self,
        splits: Mapping[str, AskedQuestions],
        answers: AnswerVocabulary,
        folder: Path,
        config: AnswersConfig,
        training: TrainingConfig,
    ) -> None:
        self.config, self.training = config, training
        model, weights = trained_perception(folder, training.device)
        self.answers, self.scene = answers.answers, model.space.words
        self.shape = FeatureShape.of(model, config)
        nouns = Nouns(self.scene)
        # The words of names and values beside those of questions: an object may be called what no question says.
        spoken = [words_of(question.text) for question in splits["train"].questions]
        self.vocabulary = Vocabulary.from_questions([*spoken, *(words_of(w) for w in (*nouns.nouns, *nouns.values))])
        self.splits = {
            name: EncodedQuestions(
                asked,
                self.vocabulary,
                answers,
                nouns,
                Pictures.records(cached_features(model, weights, asked.paths, self.shape, training.num_workers)).of,
            )
            for name, asked in splits.items()
        }

    def settings(self) -> dict[str, Any]:
        """The configuration, words, answers and sizes that rebuild the network."""
        return {
            "answers": self.config.model_dump(mode="json"),
            "shape": asdict(self.shape),
            "scene_words": asdict(self.scene),
            "words": list(self.vocabulary.words),
            "choices": list(self.answers),
        }

    def build(self) -> AnswerNetwork:
        """A network with random weights."""
        return AnswerNetwork(self.config, self.shape, self.scene, self.vocabulary.words, self.answers)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Questions in the order of their images in this epoch: those of one image share what is read of it."""
        encoded, is_training = self.splits[split], split == "train"
        ranks = epoch_order(len(encoded.asked.paths), self.training.seed, epoch, shuffle=is_training)
        order = np.argsort(ranks[encoded.asked.places], kind="stable")
        return Batches(split_order(order, self.training.batch_size, shard, even=is_training), encoded.batch)

    def loss(self, model: nn.Module, batch: QuestionBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Binary cross-entropy summed over answers, mean over questions; the mean credit of the best answer."""
        return soft_loss(model(batch).logits, batch.targets)


def trained_perception(folder: Path | None, device: str) -> tuple[Perception, str]:
    """The calibrated perception of a checkpoint folder, and the checksum of its weights. Raises `InputError`."""
    if folder is None or not (folder / "perception" / checkpoint.BEST).is_file():
        raise InputError(f"answers: {folder or 'no folder'} has no trained perception; train perception first")
    weights = disk.sha256_of(folder / "perception" / checkpoint.BEST)
    calibration = disk.sha256_of(folder / "calibration.json")
    return load_calibrated(folder, resolve_device(device)), f"{weights} {calibration}"


@torch.inference_mode()
def choose(model: AnswerNetwork, encoded: EncodedQuestions, batch_size: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities of the answers (q, a), float32, and the attention to things (q, t)."""
    from nsmodels.engine.batching import to_device

    device, found, attended = model.words.weight.device, [], []
    for first in range(0, len(encoded), batch_size):
        rows = np.arange(first, min(first + batch_size, len(encoded)))
        chosen = model(to_device(encoded.batch(rows), device))
        found.append(chosen.logits.sigmoid().float().cpu().numpy())
        attended.append(chosen.attention.cpu().numpy())
    return np.concatenate(found), np.concatenate(attended)
