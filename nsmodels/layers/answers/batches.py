"""Questions as arrays, collated to batches with their images, each once however many questions refer to it.

Shapes: q questions, b of them in a batch, s words of the longest, i distinct images of a batch, a answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from nsmodels.core.errors import InputError

PAD = 0  # number of no word
UNKNOWN = -1  # an answer that is not among those to choose from


@dataclass(frozen=True)
class AnswerBatch:
    """Questions of a batch.

    Attributes:
        words: numbers, padded.
        lengths: of the questions.
        answers: their numbers, `UNKNOWN` where it is none to choose from; or the credit of each answer.
        images: the distinct images: pixels, or features by name.
        places: of each question's image among them.
    """

    words: Int[Tensor, "b s"]
    lengths: Int[Tensor, " b"]
    answers: Int[Tensor, " b"] | Float[Tensor, "b a"]
    images: UInt8[Tensor, "i h w 3"] | Mapping[str, Tensor]
    places: Int[Tensor, " b"]

    @property
    def num_samples(self) -> int:
        """Number of questions."""
        return len(self.lengths)


Rows = np.ndarray  # int64 (b,): of questions, or of images


@dataclass(frozen=True, eq=False)
class Pictures:
    """Images by row: `num` of them, and what a batch has of the rows int (i,)."""

    num: int
    of: Callable[[Rows], Any]

    @classmethod
    def pixels(cls, images: UInt8[np.ndarray, "n h w 3"]) -> Pictures:
        """Images as pixels."""
        return cls(len(images), lambda rows: torch.from_numpy(np.asarray(images[rows])))

    @classmethod
    def none(cls, num: int) -> Pictures:
        """Of `num` images nothing is seen: one black pixel each."""
        return cls(num, lambda rows: torch.zeros(len(rows), 1, 1, 3, dtype=torch.uint8))

    @classmethod
    def records(cls, found: np.ndarray) -> Pictures:
        """Features by name, as records of numpy."""

        def read(rows: Rows) -> dict[str, Tensor]:
            some = np.asarray(found[rows])
            return {name: torch.from_numpy(np.ascontiguousarray(some[name])) for name in some.dtype.names or ()}

        return cls(len(found), read)


class Questions:
    """Questions as padded word numbers with their answers, collated to batches with their images.

    Args:
        words: numbers of the words of each question.
        answers: from rows of questions to what `AnswerBatch.answers` is.
        places: of each question's image, int64 (q,).
        pictures: the images.

    Raises `InputError` without questions, and for one without words.
    """

    def __init__(
        self,
        words: Sequence[Sequence[int]],
        answers: Callable[[Rows], Tensor],
        places: Int[np.ndarray, " q"],
        pictures: Pictures,
    ) -> None:
        if not words or not all(words):
            which = f"question {next(k for k, row in enumerate(words) if not row)}" if words else "questions"
            raise InputError(f"{which}: expected words, got none; correct the question file")
        self.answers, self.places, self.pictures = answers, places, pictures
        self.lengths = np.array([len(row) for row in words], np.int64)
        self.words = padded(words)

    def __len__(self) -> int:
        return len(self.lengths)

    def order_by_image(self, ranks: np.ndarray) -> Int[np.ndarray, " q"]:
        """Order of the questions by the `ranks` (n,) of their images; those of one image are adjacent."""
        return np.argsort(ranks[self.places], kind="stable")

    def batch(self, rows: Rows) -> AnswerBatch:
        """The questions `rows`, int (b,), with their distinct images."""
        needed, places = np.unique(self.places[rows], return_inverse=True)
        return AnswerBatch(
            words=torch.from_numpy(self.words[rows, : self.lengths[rows].max()]).long(),
            lengths=torch.from_numpy(self.lengths[rows]),
            answers=self.answers(rows),
            images=self.pictures.of(needed),
            places=torch.from_numpy(places),
        )


def padded(rows: Sequence[Sequence[int]]) -> Int[np.ndarray, "q s"]:
    """Rows of word numbers as one array, filled up with `PAD`."""
    table = np.full((len(rows), max([1, *map(len, rows)])), PAD, np.int64)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table


def numbered(answers: Sequence[str | None], choices: Sequence[str]) -> Callable[[Rows], Tensor]:
    """Answers as numbers among `choices`, int64 (q,), `UNKNOWN` for any other; for `Questions`."""
    number: dict[str | None, int] = {answer: k for k, answer in enumerate(choices)}
    table = np.array([number.get(answer, UNKNOWN) for answer in answers], np.int64)
    return lambda rows: torch.from_numpy(table[rows])


def credited(targets: Sequence[Mapping[int, float]], num_answers: int) -> Callable[[Rows], Tensor]:
    """Credit by number of answer, float32 (q, a), of questions that several answers are right for."""
    most = max([1, *map(len, targets)])
    right, credit = np.zeros((len(targets), most), np.int64), np.zeros((len(targets), most), np.float32)
    for row, target in enumerate(targets):
        right[row, : len(target)], credit[row, : len(target)] = list(target), list(target.values())

    def read(rows: Rows) -> Tensor:
        table = np.zeros((len(rows), num_answers), np.float32)
        np.maximum.at(table, (np.arange(len(rows))[:, None], right[rows]), credit[rows])
        return torch.from_numpy(table)

    return read
