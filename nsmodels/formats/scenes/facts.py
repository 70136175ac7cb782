"""Scene graphs as plain facts: `("person", ("o3",))`, `("on", ("o3", "o5"))`, `("weather", ("rainy",))`.

Words become predicates: lower case, `_` for what is no letter or digit. Where a vocabulary uses one word twice, as
"orange" for a fruit and for a colour, the attribute is named with its type (`orange_color`), a relation with
`_relation`. Categories of an object's name are facts too, and that it is an object.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from nsmodels.formats.scenes.graphs import SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

Fact = tuple[str, tuple[str | int | float, ...]]  # as those of `logic.syntax`
LOCATION, WEATHER, OBJECT = "location", "weather", "object"
_RESERVED = frozenset({OBJECT, LOCATION, WEATHER, "not"})


def word_of(text: str) -> str:
    """The text as a predicate or constant that needs no quotes in a rule file."""
    word = re.sub(r"\W+", "_", unicodedata.normalize("NFC", text).lower()).strip("_")
    return word if word and not word[0].isdigit() else f"n{word}"


def constant_of(thing: Thing) -> str:
    """The constant for an object: `o` and its id."""
    return f"o{thing.id}"


@dataclass(frozen=True)
class ScenePredicates:
    """Predicates for the words of a vocabulary; words outside of it get one by the same rule."""

    vocabulary: SceneVocabulary

    @cached_property
    def _nouns(self) -> frozenset[str]:
        return frozenset(map(word_of, (*self.vocabulary.names, *self.vocabulary.categories))) | _RESERVED

    @cached_property
    def _attributes(self) -> frozenset[str]:
        return frozenset(map(self.of_attribute, self.vocabulary.type_of)) | self._nouns

    def of_name(self, name: str) -> str:
        """Predicate for a name or category."""
        word = word_of(name)
        return f"{word}_name" if word in _RESERVED else word

    def of_attribute(self, value: str) -> str:
        """Predicate for an attribute."""
        word = word_of(value)
        kind = word_of(self.vocabulary.type_of.get(value, "attribute"))
        return f"{word}_{kind}" if word in self._nouns else word

    def of_relation(self, name: str) -> str:
        """Predicate for a relation."""
        word = word_of(name)
        return f"{word}_relation" if word in self._attributes else word

    def facts(self, graph: SceneGraph) -> list[Fact]:
        """Facts of a scene graph, each once, in the order of its objects."""
        return list(dict.fromkeys(self._facts(graph)))

    def _facts(self, graph: SceneGraph) -> Iterator[Fact]:
        if graph.location:
            yield LOCATION, (word_of(graph.location),)
        if graph.weather:
            yield WEATHER, (word_of(graph.weather),)
        for thing in graph:
            me = constant_of(thing)
            yield OBJECT, (me,)
            for name in (thing.name, *self.vocabulary.parents.get(thing.name, ())):
                yield self.of_name(name), (me,)
            for value in thing.attributes:
                yield self.of_attribute(value), (me,)
            for relation in thing.relations:
                yield self.of_relation(relation.name), (me, constant_of(graph.by_id[relation.target]))

    def declarations(self) -> str:
        """The declarations of a rule file over this vocabulary."""
        words = self.vocabulary
        nouns = [*words.names, *words.categories]
        lines = [f"type {OBJECT}.", f"type {LOCATION}.", f"type {WEATHER}."]
        lines += [f"concept {LOCATION}: {LOCATION}.", f"concept {WEATHER}: {WEATHER}.", f"concept {OBJECT}: {OBJECT}."]
        lines += _concepts(map(self.of_name, nouns), 1)
        lines += _concepts(map(self.of_attribute, words.type_of), 1)
        lines += _concepts(map(self.of_relation, words.relations), 2)
        return "\n".join(lines) + "\n"


def _concepts(predicates: Iterator[str], arity: int) -> list[str]:
    names = list(dict.fromkeys(predicates))
    kinds = ", ".join([OBJECT] * arity)
    return [f"concept {', '.join(names[k : k + 8])}: {kinds}." for k in range(0, len(names), 8)]
