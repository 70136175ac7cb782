"""Words of a question and the vocabulary that numbers them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import NamedTuple

from nsmodels.core.errors import InputError
from nsmodels.systems.visual.language.typos import nearest

PAD, UNKNOWN = 0, 1
SPELLINGS: dict[str, str] = {"colour": "color", "colours": "colors", "coloured": "colored", "whats": "what is"}
# Words that change nothing in what a question asks for: left out where a vocabulary does not have them.
_FILLERS = """
please pls kindly hey hi hello ok okay well so just really actually now thanks thank tell show give let me us i we my
our want wanted need wonder know would could will say this these those here exist exists existing present located placed
"""
FILLERS = frozenset(_FILLERS.split())
_WORD = re.compile(r"[a-z0-9]+")


def words_of(question: str) -> list[str]:
    """The words of a question in lower case, without punctuation; "what's" becomes "what is", "colour" "color"."""
    words: list[str] = _WORD.findall(question.lower().replace("’", "'").replace("'s", " is"))
    return [part for word in words for part in SPELLINGS.get(word, word).split()]


class Reading(NamedTuple):
    """The words of a question: typos corrected, each as (typed, read), and the words that remain unknown."""

    words: tuple[str, ...]
    corrections: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]


class Vocabulary:
    """The known words, numbered from 2; 0 is padding and 1 any unknown word.

    Args:
        words: distinct words, in the order of their numbers.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words, start=UNKNOWN + 1)}

    @classmethod
    def from_questions(cls, questions: Iterable[str]) -> Vocabulary:
        """Every word that occurs in the questions, in alphabetical order."""
        return cls(sorted({word for question in questions for word in words_of(question)}))

    def __len__(self) -> int:
        """Number of entries, padding and the unknown word included."""
        return len(self.words) + UNKNOWN + 1

    def numbers(self, question: str) -> list[int]:
        """Numbers of the question's words; an unknown word is `UNKNOWN`."""
        return self.numbered(words_of(question))

    def numbered(self, words: Iterable[str]) -> list[int]:
        """Numbers of words; an unknown word is `UNKNOWN`."""
        return [self._numbers.get(word, UNKNOWN) for word in words]

    def read(self, question: str) -> Reading:
        """The question's words, typos corrected; raise `InputError` for a question without words."""
        typed = words_of(question)
        if not typed:
            raise InputError("question: expected at least one word, got none; an example: 'How many cubes are there?'")
        typed = [word for word in typed if word in self._numbers or word not in FILLERS] or typed
        read = [word if word in self._numbers else nearest(word, self.words) or word for word in typed]
        corrections = tuple((a, b) for a, b in zip(typed, read, strict=True) if a != b)
        unknown = tuple(dict.fromkeys(word for word in read if word not in self._numbers))
        return Reading(tuple(read), corrections, unknown)

    def suggest(self, word: str) -> str:
        """A line about an unknown word, with similar known ones."""
        near = difflib.get_close_matches(word, self.words, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(repr(other) for other in near)}?" if near else ""
        return f"unknown word '{word}'{hint}"
