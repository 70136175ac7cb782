"""Training of the CNN+LSTM baseline, and its answers to the questions of a split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Int, UInt8
from torch import Tensor, nn

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.format import pair, read_questions, read_scenes
from nsmodels.datasets.clevr.vocabulary import ANSWERS
from nsmodels.engine.batching import Batches, epoch_order, split_order
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.visual.baselines.cnn_lstm import CnnLstm
from nsmodels.systems.visual.config import BaselineConfig
from nsmodels.systems.visual.language.tokens import PAD, Vocabulary
from nsmodels.systems.visual.perception.images import read_images

ANSWER_BATCH = 256
Record = dict[str, Any]


@dataclass(frozen=True)
class VqaBatch:
    """Questions as word numbers, their answer numbers (-1: unknown), the distinct images, and each question's image."""

    words: Int[Tensor, "b s"]
    lengths: Int[Tensor, " b"]
    answers: Int[Tensor, " b"]
    images: UInt8[Tensor, "i h w 3"]
    places: Int[Tensor, " b"]


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

    def order_by_image(self, ranks: np.ndarray) -> np.ndarray:
        """Order of the questions, int64 (q,), by the `ranks` (n,) of their images; those of one image are adjacent."""
        return np.argsort(ranks[self.places], kind="stable")


def read_vqa_split(
    data: Path, split: str, config: BaselineConfig, scenes: list[Record], questions: list[Record], num_workers: int = 4
) -> VqaSplit:
    """Questions and images of `scenes` in a CLEVR tree, at the network's size; raise `InputError` for broken data."""
    row = {scene["image_index"]: number for number, scene in enumerate(scenes)}
    places = [row[scene["image_index"]] for _, scene in pair(questions, scenes, data, split)]
    images, _ = read_images(data, split, scenes, config.image_width, config.image_height, num_workers)
    return VqaSplit(images, questions, np.array(places, np.int64))


class EncodedSplit:
    """Questions as padded word numbers and answer numbers, collated to batches with their images.

    Raises `InputError` for a question without words. A word that is not in the vocabulary becomes the unknown word.
    """

    def __init__(self, data: VqaSplit, vocabulary: Vocabulary) -> None:
        rows = [vocabulary.numbers(item["question"]) for item in data.questions]
        if not all(rows):
            raise InputError(f"question {rows.index([])}: expected words, got none; correct the question file")
        number = {answer: k for k, answer in enumerate(ANSWERS)}
        self.data = data
        self.lengths = np.array([len(row) for row in rows], np.int64)
        self.answers = np.array([number.get(item.get("answer", ""), -1) for item in data.questions], np.int64)
        self.words = np.full((len(rows), max(self.lengths, default=1)), PAD, np.int16)
        for line, row in zip(self.words, rows, strict=True):
            line[: len(row)] = row

    def batch(self, rows: np.ndarray) -> VqaBatch:
        """The questions `rows`, int (b,), with their distinct images."""
        needed, places = np.unique(self.data.places[rows], return_inverse=True)
        return VqaBatch(
            words=torch.from_numpy(self.words[rows, : self.lengths[rows].max()]).long(),
            lengths=torch.from_numpy(self.lengths[rows]),
            answers=torch.from_numpy(self.answers[rows]),
            images=torch.from_numpy(self.data.images[needed]),
            places=torch.from_numpy(places),
        )


@final
class CnnLstmTask(Task):
    """Training of the answer from image and question, end to end.

    Args:
        splits: "train" and "val".
        config: the network.
        training: its batch size and seed are used.
    """

    def __init__(self, splits: Mapping[str, VqaSplit], config: BaselineConfig, training: TrainingConfig) -> None:
        self.config, self.training = config, training
        self.vocabulary = Vocabulary.from_questions(item["question"] for item in splits["train"].questions)
        self.splits = {name: EncodedSplit(data, self.vocabulary) for name, data in splits.items()}

    @classmethod
    def from_tree(
        cls, data: Path, config: BaselineConfig, training: TrainingConfig, names: tuple[str, str] = ("train", "val")
    ) -> CnnLstmTask:
        """The task on a CLEVR tree, whose splits for training and validation are `names`."""
        splits = {
            split: read_vqa_split(
                data, name, config, read_scenes(data, name), read_questions(data, name), training.num_workers
            )
            for split, name in zip(("train", "val"), names, strict=True)
        }
        return cls(splits, config, training)

    def settings(self) -> dict[str, Any]:
        """The configuration and the words that rebuild the network."""
        return {"baseline": self.config.model_dump(mode="json"), "words": list(self.vocabulary.words)}

    def build(self) -> CnnLstm:
        """A network with random weights and the vocabulary of the training questions."""
        return CnnLstm(self.config, self.vocabulary.words)

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Images in this epoch's order, each with all its questions."""
        encoded, is_training = self.splits[split], split == "train"
        ranks = epoch_order(len(encoded.data.images), self.training.seed, epoch, shuffle=is_training)
        order = encoded.data.order_by_image(ranks)
        return Batches(split_order(order, self.training.batch_size, shard, even=is_training), encoded.batch)

    def loss(self, model: nn.Module, batch: VqaBatch) -> tuple[Tensor, dict[str, Tensor]]:
        """Cross-entropy of the answer, and the accuracy."""
        logits = model(batch.words, batch.lengths, batch.images, batch.places)
        right = (logits.argmax(-1) == batch.answers).float().mean()
        return F.cross_entropy(logits.float(), batch.answers), {"accuracy": right}


@torch.inference_mode()
def predict_answers(model: CnnLstm, data: VqaSplit) -> list[str]:
    """The network's answer to each question. Raises `InputError` for a question without words."""
    encoded, device = EncodedSplit(data, model.vocabulary), model.words.weight.device
    order = data.order_by_image(np.arange(len(data.images)))
    answers = np.empty(len(order), np.int64)
    model.eval()
    for rows in split_order(order, ANSWER_BATCH, even=False):
        batch = encoded.batch(rows)
        given = (batch.words, batch.lengths, batch.images, batch.places)
        answers[rows] = model(*(tensor.to(device) for tensor in given)).argmax(-1).cpu().numpy()
    return [ANSWERS[number] for number in answers]
