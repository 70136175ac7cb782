"""The words of a vocabulary as rows and columns of a belief: what a name, a value or a relation selects there."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nsmodels.datasets.gqa.programs.parsing import ANY
from nsmodels.datasets.gqa.programs.words import EVERYTHING, PRONOUNS, singular, whereabouts
from nsmodels.formats.scenes.graphs import LEFT, RIGHT
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

Array = np.ndarray
SIDES = {LEFT: RIGHT, RIGHT: LEFT}
INDOORS_KIND = "location"  # asks whether it is indoors or outdoors, where that is known


class Columns(NamedTuple):
    """Which names a word may mean, bool (names,) each: at all, in singular or plural, and exactly."""

    every: Array
    alike: Array
    exact: Array

    @property
    def has_preference(self) -> bool:
        """Whether some of what it may mean is meant rather than the rest."""
        return bool((self.every != self.exact).any() and (self.alike.any() or self.exact.any()))


class Lexicon:
    """Places of words in the arrays of a belief; made once for a vocabulary and shared by all its beliefs.

    Args:
        words: the vocabulary.
    """

    def __init__(self, words: SceneVocabulary) -> None:
        self.words = words
        self.relation_row = {name: row for row, name in enumerate(words.relations)}
        self.value_place = {
            value: (kind, column) for kind, values in words.attributes.items() for column, value in enumerate(values)
        }
        self.singulars = [singular(name) for name in words.names]
        self.columns = lru_cache(maxsize=None)(self._columns)
        self.named = lru_cache(maxsize=None)(self._named)
        self.places = lru_cache(maxsize=None)(self._places)

    def inverse(self, relation: str) -> str | None:
        """The relation of the same pair the other way round."""
        return SIDES.get(relation) or self.words.inverses.get(relation)

    def _columns(self, what: str) -> Columns:
        """What a word may mean, as the exact executor has it: a name, a category, a plural, a pronoun."""
        every, none = np.ones(len(self.words.names), bool), np.zeros(len(self.words.names), bool)
        exact = np.array([name == what for name in self.words.names], bool)
        if what == ANY:
            return Columns(every, none, none)
        if what in EVERYTHING:
            return Columns(every, exact, exact)
        if what in PRONOUNS:
            return Columns(self.named(tuple(PRONOUNS[what])), none, none)
        one = self.words.singular_of.get(what) or singular(what)
        alike = np.array([one in pair for pair in zip(self.words.names, self.singulars, strict=True)], bool)
        below = np.array([self._is_below(name, one) for name in self.words.names], bool)
        return Columns(exact | alike | below, alike | exact, exact)

    def _named(self, singulars: tuple[str, ...]) -> Array:
        return np.array([each in singulars for each in self.singulars], bool)

    def _places(self, kind: str) -> tuple[str, ...]:
        """What to answer for each location when a kind of place is asked for: of "location", indoors or outdoors."""
        if kind != INDOORS_KIND:
            return self.words.locations
        return tuple(whereabouts(name)[-1] for name in self.words.locations)

    def _is_below(self, name: str, category: str) -> bool:
        parents = self.words.parents
        return category in parents.get(name, ()) or category in parents.get(singular(name), ())
