"""Questions of VQA with the answers of ten people: read from a folder, as arrays, collated to batches.

Shapes: q questions, b of them in a batch, s words of the longest, i distinct images of a batch, a answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.annotations import Annotation, read_annotations
from nsmodels.datasets.vqa.files.names import annotations_name, image_name, questions_name, require_split
from nsmodels.datasets.vqa.files.questions import Question, read_questions
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.engine.batching import epoch_order
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.layers.answers.batches import Pictures, Questions, credited
from nsmodels.systems.natural.language.mentions import NAME, Mention, Phrases
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of

NUM_NOUNS = 2  # of a question that are told apart: "is the dog to the left of the cat"
NUM_VALUES = 3  # attribute values of a question: "is it red or blue", and one that names it


@dataclass(frozen=True, eq=False)
class AskedQuestions:
    """Questions of a split with their annotations, in the order of the files, and the files of their images."""

    questions: Sequence[Question]
    annotations: Sequence[Annotation]
    paths: Sequence[Path]
    places: Int[np.ndarray, " q"]  # of each question's image among `paths`

    def __len__(self) -> int:
        return len(self.questions)


def read_asked(root: Path, split: str, most: int = 0, seed: int = 0, num_images: int = 0) -> AskedQuestions:
    """Questions of a split of a VQA folder, `most` of them drawn at random; 0: all.

    `num_images`: only those about the first so many images of the split; 0: all. Raises `InputError` for broken files.
    """
    require_split(root, split)
    asked = read_questions(root / questions_name(split))
    by_id = {each["question_id"]: each for each in read_annotations(root / annotations_name(split), asked)}
    questions = list(asked.by_id.values())
    if num_images:
        kept = set(list(dict.fromkeys(question.image for question in questions))[:num_images])
        questions = [question for question in questions if question.image in kept]
    if most and most < len(questions):
        questions = [questions[k] for k in sorted(epoch_order(len(questions), seed, 0)[:most].tolist())]
    if not questions:
        raise InputError(f"{root}: split '{split}' has no questions; choose a different one")
    images = list(dict.fromkeys(question.image for question in questions))
    row = {image: number for number, image in enumerate(images)}
    places = np.array([row[question.image] for question in questions], np.int64)
    paths = [root / image_name(split, image) for image in images]
    return AskedQuestions(questions, [by_id[question.id] for question in questions], paths, places)


@dataclass(frozen=True, eq=False)
class Nouns:
    """What questions may name: names and categories of a vocabulary, and values of attributes, with their numbers."""

    words: SceneVocabulary

    @cached_property
    def phrases(self) -> Phrases:
        """All phrases of the vocabulary."""
        return Phrases.of(self.words)

    @cached_property
    def nouns(self) -> tuple[str, ...]:
        """Names, then categories."""
        return (*self.words.names, *(each for each in self.words.categories if each not in self.words.names))

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Attribute values, type by type."""
        return tuple(value for values in self.words.attributes.values() for value in values)

    @cached_property
    def meant(self) -> Float[np.ndarray, "nouns+1 names"]:
        """Names that each noun may mean; the last row, of no noun, is empty."""
        table = np.zeros((len(self.nouns) + 1, len(self.words.names)), np.float32)
        for row, noun in enumerate(self.nouns):
            table[row] = [noun == name or noun in self.words.parents.get(name, ()) for name in self.words.names]
        return table

    def find(self, words: Sequence[str]) -> tuple[list[int], list[int]]:
        """Numbers of the nouns and values that a question names, in order; padded by the number behind the last."""
        noun = {each: number for number, each in enumerate(self.nouns)}
        value = {each: number for number, each in enumerate(self.values)}
        found = self.phrases.mentions(words)
        nouns = _spread([m for m in found if m.entry.group == NAME and m.entry.word in noun])
        values = _spread([m for m in found if m.entry.group in self.words.attributes])
        named = [noun[m.entry.word] for m in nouns][:NUM_NOUNS]
        valued = [value[m.entry.word] for m in values][:NUM_VALUES]
        return (
            named + [len(self.nouns)] * (NUM_NOUNS - len(named)),
            valued + [len(self.values)] * (NUM_VALUES - len(valued)),
        )


def _spread(mentions: Sequence[Mention]) -> list[Mention]:
    """Mentions that do not overlap, the first at each place."""
    found: list[Mention] = []
    for each in sorted(mentions, key=lambda m: (m.start, -m.end)):
        if not found or each.start >= found[-1].end:
            found.append(each)
    return found


@dataclass(frozen=True)
class QuestionBatch:
    """Questions of a batch: word numbers, nouns and values that they name, soft targets, and their images.

    Attributes:
        words: numbers, padded.
        lengths: of the questions.
        nouns: as of `Nouns.find`.
        values: likewise.
        targets: 0, .3, .6, .9 or 1.
        images: the distinct images: pixels, or records of `features` by name.
        places: of each question's image among them.
    """

    words: Int[Tensor, "b s"]
    lengths: Int[Tensor, " b"]
    nouns: Int[Tensor, "b 2"]
    values: Int[Tensor, "b 3"]
    targets: Float[Tensor, "b a"]
    images: UInt8[Tensor, "i h w 3"] | Mapping[str, Tensor]
    places: Int[Tensor, " b"]

    @property
    def num_samples(self) -> int:
        """Number of questions."""
        return len(self.lengths)


class EncodedQuestions:
    """Questions as arrays, collated to batches with their images and with what they name.

    Args:
        asked: the questions.
        vocabulary: numbers of words.
        answers: those to choose from.
        nouns: what questions may name.
        images: from rows of images, int (i,), to what a batch has of them.
    """

    def __init__(
        self,
        asked: AskedQuestions,
        vocabulary: Vocabulary,
        answers: AnswerVocabulary,
        nouns: Nouns,
        images: Callable[[np.ndarray], Any],
    ) -> None:
        self.asked = asked
        self.encoded = encoded_asked(asked, vocabulary, answers, Pictures(len(asked.paths), images))
        found = [nouns.find(words_of(question.text)) for question in asked.questions]
        self.nouns = np.array([each[0] for each in found], np.int64)
        self.values = np.array([each[1] for each in found], np.int64)

    def __len__(self) -> int:
        return len(self.encoded)

    def batch(self, rows: np.ndarray) -> QuestionBatch:
        """The questions `rows`, int (b,)."""
        plain = self.encoded.batch(rows)
        named = (torch.from_numpy(self.nouns[rows]), torch.from_numpy(self.values[rows]))
        return QuestionBatch(plain.words, plain.lengths, *named, plain.answers, plain.images, plain.places)


def encoded_asked(
    asked: AskedQuestions, vocabulary: Vocabulary, answers: AnswerVocabulary, pictures: Pictures
) -> Questions:
    """Questions with the credit of each answer, and their images."""
    words = [vocabulary.numbers(words_of(question.text) or ["?"]) for question in asked.questions]
    credit = credited([answers.targets(each) for each in asked.annotations], len(answers.answers))
    return Questions(words, credit, asked.places, pictures)
