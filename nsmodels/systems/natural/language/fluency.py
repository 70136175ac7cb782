"""Fluency: whether the words of a question follow each other as in training questions, whatever they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from nsmodels.systems.natural.language.mentions import Mention

BEGIN, END = "<", ">"
LENGTH = 3


class Fluency:
    """Sequences of three that training questions have, of words and of classes of mentions.

    Args:
        known: the sequences, each joined by blanks.
    """

    def __init__(self, known: Iterable[str]) -> None:
        self.known = frozenset(known)

    @classmethod
    def from_questions(cls, questions: Iterable[tuple[Sequence[str], Sequence[Mention]]]) -> Fluency:
        """The sequences of questions, given as words with mentions."""
        return cls({part for words, mentions in questions for part in sequences(words, mentions)})

    def strange(self, words: Sequence[str], mentions: Sequence[Mention]) -> list[str]:
        """The sequences of a question that no training question has; none where nothing is known."""
        return [part for part in sequences(words, mentions) if part not in self.known] if self.known else []


def sequences(words: Sequence[str], mentions: Sequence[Mention]) -> Iterator[str]:
    """Each three neighbours of a question, with its begin and end; a mention counts as one, by its class."""
    parts = [BEGIN, *_classes(words, mentions), END]
    yield from (" ".join(parts[k : k + LENGTH]) for k in range(len(parts) - LENGTH + 1))


def _classes(words: Sequence[str], mentions: Sequence[Mention]) -> Iterator[str]:
    longest: dict[int, Mention] = {}
    for each in mentions:
        if each.start not in longest or each.end > longest[each.start].end:
            longest[each.start] = each
    place = 0
    while place < len(words):
        found = longest.get(place)
        yield words[place] if found is None else f"[{found.entry.group}]"
        place = place + 1 if found is None else found.end
