"""A dataset of questions as classifiers of answers see it: what they learn from, what they are scored on, and how.

Shapes: q questions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Int
from torch import Tensor

from nsmodels.core.errors import InputError
from nsmodels.engine.batching import epoch_order
from nsmodels.evaluation.comparison.rows import Row
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.formats.images.cache import read_images
from nsmodels.layers.answers.batches import Pictures, Questions, Rows
from nsmodels.layers.answers.task import Loss

SEED = 0  # of the questions that are drawn: the same for all networks and seeds
T = TypeVar("T")


def drawn(questions: Sequence[T], most: int) -> list[T]:
    """So many questions drawn at random, in their order; 0: all."""
    if not most or most >= len(questions):
        return list(questions)
    return [questions[k] for k in sorted(epoch_order(len(questions), SEED, 0)[:most].tolist())]


@dataclass(frozen=True, eq=False)
class Side:
    """Questions of one split.

    Attributes:
        texts: the questions.
        paths: files of the distinct images.
        places: of each question's image among them, int64 (q,).
        answers: see `Questions`.
    """

    texts: Sequence[str]
    paths: Sequence[Path]
    places: Int[np.ndarray, " q"]
    answers: Callable[[Rows], Tensor]

    def __len__(self) -> int:
        return len(self.texts)

    def first(self, most: int) -> Side:
        """The first `most` questions with their images; 0: all."""
        if not most or most >= len(self):
            return self
        kept, places = np.unique(self.places[:most], return_inverse=True)
        return replace(self, texts=self.texts[:most], paths=[self.paths[k] for k in kept], places=places)

    def encoded(self, numbers: Callable[[str], list[int]], pictures: Pictures) -> Questions:
        """As arrays. Raises `InputError` for a question without words."""
        return Questions([numbers(text) for text in self.texts], self.answers, self.places, pictures)

    def pixels(self, width: int, height: int, num_workers: int = 4) -> Pictures:
        """Its images at a size; width 0: none."""
        if not width:
            return Pictures.none(len(self.paths))
        return Pictures.pixels(read_images(list(self.paths), width, height, num_workers)[0])


@dataclass(frozen=True, eq=False)
class Quiz:
    """Questions of a dataset.

    Attributes:
        name: of the dataset, as "GQA".
        train: questions to learn from.
        val: those that choose the best epoch.
        scored: those that are scored.
        choices: answers to choose from, in the order of their numbers.
        known_words: of the training questions, in the order of their numbers.
        numbers: from a question to the numbers of its words.
        loss: of logits and answers.
        score: from answers to the questions of `scored` to outcomes.
        beside: rows that need no training.
        published: results of others on real data; see `Compared`.
        notes: what a reader of the table should know.
    """

    name: str
    train: Side
    val: Side
    scored: Side
    choices: tuple[str, ...]
    known_words: tuple[str, ...]
    numbers: Callable[[str], list[int]]
    loss: Loss
    score: Callable[[Sequence[str]], Outcomes]
    beside: Sequence[Row]
    published: Sequence[tuple[str, float, str]] = ()
    notes: Sequence[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Raise `InputError` where there is nothing to choose among."""
        if len(self.choices) < 2:
            raise InputError(f"{self.name}: expected two or more different answers to learn, got {len(self.choices)}")

    def encoder(
        self, pictures: Callable[[Side], Pictures], numbers: Callable[[str], list[int]] | None = None
    ) -> Callable[[str], Questions]:
        """From "train", "val" or "scored" to its questions as arrays, each encoded once for all seeds."""
        sides = {"train": self.train, "val": self.val, "scored": self.scored}

        @cache
        def encode(name: str) -> Questions:
            side = sides[name]
            return side.encoded(numbers or self.numbers, pictures(side))

        return encode

    def about(self) -> dict[str, Any]:
        """Its size, as plain values."""
        return {
            "num_train_questions": len(self.train),
            "num_train_images": len(self.train.paths),
            "num_choices": len(self.choices),
        }
