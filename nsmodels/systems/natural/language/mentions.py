"""Mentions: places of a question where it names something of a scene vocabulary, and what it may be there.

A parser points at them, so that it can read names that no training question has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.language.tokens import words_of

NAME, RELATION, PLACE, WEATHER = "name", "relation", "location", "weather"
POSITIONS: Mapping[str, tuple[str, ...]] = {
    "hposition": ("left", "middle", "right"),
    "vposition": ("top", "middle", "bottom"),
}


class Entry(NamedTuple):
    """A word of the vocabulary: its class (name, relation, place, weather or a type of attributes) and itself."""

    group: str
    word: str


class Mention(NamedTuple):
    """Words `start` to `end` (excluded) of a question that may stand for an entry."""

    start: int
    end: int
    entry: Entry


@dataclass(frozen=True, eq=False)
class Phrases:
    """All phrases for the entries of a vocabulary.

    Attributes:
        groups: classes of entries, in a fixed order.
        by_words: entries by the words of a phrase.
        longest: most words of a phrase.
    """

    groups: tuple[str, ...]
    by_words: Mapping[tuple[str, ...], tuple[Entry, ...]]
    longest: int

    @classmethod
    def of(cls, words: SceneVocabulary, synonyms: Sequence[tuple[str, Entry]] = ()) -> Phrases:
        """The phrases of a vocabulary: words as they are, plurals of names and categories, and synonyms."""
        found: dict[tuple[str, ...], list[Entry]] = {}
        plurals = ((plural_of(phrase), entry) for phrase, entry in synonyms if entry.group == NAME)
        for phrase, entry in (*_phrases(words), *synonyms, *plurals):
            entries = found.setdefault(tuple(words_of(phrase)), [])
            if entry not in entries:
                entries.append(entry)
        found.pop((), None)
        groups = (NAME, RELATION, PLACE, WEATHER, *POSITIONS, *words.attributes)
        frozen = {key: tuple(value) for key, value in found.items()}
        return cls(tuple(dict.fromkeys(groups)), frozen, max(map(len, frozen), default=0))

    def mentions(self, question: Sequence[str]) -> list[Mention]:
        """All mentions in the words of a question, without those inside of a longer one of the same class."""
        found: list[Mention] = []
        for start in range(len(question)):
            for length in range(min(self.longest, len(question) - start), 0, -1):
                for entry in self.by_words.get(tuple(question[start : start + length]), ()):
                    mention = Mention(start, start + length, entry)
                    if not any(_is_inside(mention, other) for other in found):
                        found.append(mention)
        return found


def _is_inside(mention: Mention, other: Mention) -> bool:
    is_shorter = mention.end - mention.start < other.end - other.start
    is_within = other.start <= mention.start and mention.end <= other.end
    return is_shorter and is_within and mention.entry.group == other.entry.group


def _phrases(words: SceneVocabulary) -> Iterator[tuple[str, Entry]]:
    """Every phrase with what it may stand for; plurals stated by the vocabulary before regular ones."""
    for name in (*words.names, *words.categories):
        entry = Entry(NAME, name)
        yield name, entry
        yield words.plurals.get(name) or plural_of(name), entry
    for kind, values in words.attributes.items():
        yield from ((value, Entry(kind, value)) for value in values)
    for group, entries in ((RELATION, words.relations), (PLACE, words.locations), (WEATHER, words.weathers)):
        yield from ((each, Entry(group, each)) for each in entries)
    for kind, values in POSITIONS.items():
        yield from ((value, Entry(kind, value)) for value in values)


def plural_of(name: str) -> str:
    """The regular plural of a noun."""
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in "aeiou":
        return f"{name[:-1]}ies"
    return f"{name}s"
