"""Words of a question and the vocabulary that numbers them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

PAD, UNKNOWN = 0, 1
_WORD = re.compile(r"[a-z0-9]+")
_SPELLINGS = {"colour": "color", "colours": "colors", "coloured": "colored", "grey": "gray", "whats": "what is"}


def words_of(text: str) -> list[str]:
    """The words of a question or phrase in lower case, without punctuation; "what's" becomes "what is"."""
    found: list[str] = _WORD.findall(text.lower().replace("’", "'").replace("'s", " is"))
    return [part for word in found for part in _SPELLINGS.get(word, word).split()]


class Vocabulary:
    """The known words, numbered from 2; 0 is padding and 1 any unknown word.

    Args:
        words: distinct words, in the order of their numbers.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words, start=UNKNOWN + 1)}

    @classmethod
    def from_questions(cls, questions: Iterable[Sequence[str]], least: int = 1) -> Vocabulary:
        """Every word that occurs `least` times in questions, given as words, in alphabetical order."""
        counts = Counter(word for question in questions for word in question)
        return cls(sorted(word for word, count in counts.items() if count >= least))

    def __len__(self) -> int:
        """Number of entries, padding and the unknown word included."""
        return len(self.words) + UNKNOWN + 1

    def __contains__(self, word: str) -> bool:
        return word in self._numbers

    def numbers(self, words: Iterable[str]) -> list[int]:
        """Numbers of words; an unknown word is `UNKNOWN`."""
        return [self._numbers.get(word, UNKNOWN) for word in words]
