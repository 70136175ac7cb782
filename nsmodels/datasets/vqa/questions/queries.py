"""Queries about scene graphs and their answers: the oracle of the twin. A query has no words of a language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.graphs import SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.scenery.words import HOLDING, INDOORS, ON, RIDING, UNDER, WEARING

YES, NO = "yes", "no"
DOINGS = (HOLDING, WEARING, RIDING)  # stated completely: what a person is not said to hold, it does not hold


class Noun(NamedTuple):
    """Things of a scene: a name or a category, of an attribute value unless that is empty."""

    what: str
    value: str = ""


class Query(NamedTuple):
    """What is asked: a kind of `ANSWERS`, the things it is about, and what else the kind takes.

    Attributes:
        kind: "exists", "count", "value" …
        noun: the things; of queries about the whole scene an empty one.
        words: a type of attributes, values, names or relations, as the kind takes them.
    """

    kind: str
    noun: Noun = Noun("")
    words: tuple[str, ...] = ()

    def as_json(self) -> list[object]:
        """As a list: kind, name, value, words."""
        return [self.kind, *self.noun, list(self.words)]


def read_query(document: object, where: str) -> Query:
    """The query of `as_json`. Raises `InputError`."""
    match document:
        case [str(kind), str(what), str(value), [*words]] if kind in ANSWERS and all(isinstance(w, str) for w in words):
            return Query(kind, Noun(what, value), tuple(map(str, words)))
    raise InputError(f"{where}: expected [kind, name, value, [words]] of a query, got {document!r}")


@dataclass(frozen=True)
class View:
    """A scene with what queries need of it at hand."""

    graph: SceneGraph
    words: SceneVocabulary

    @cached_property
    def named(self) -> Mapping[str, list[Thing]]:
        """Things by name and by category."""
        found: dict[str, list[Thing]] = {}
        for thing in self.graph:
            for what in (thing.name, *self.words.parents.get(thing.name, ())):
                found.setdefault(what, []).append(thing)
        return found

    def things(self, noun: Noun) -> list[Thing]:
        """The things that a noun names."""
        found = self.named.get(noun.what, [])
        return [thing for thing in found if noun.value in thing.attributes] if noun.value else found

    def only(self, noun: Noun) -> Thing | None:
        """The thing that a noun names, None where it names none or several."""
        found = self.things(noun)
        return found[0] if len(found) == 1 else None

    def value(self, thing: Thing, kind: str) -> str | None:
        """The attribute of a type that a thing has, None where it has none or several."""
        found = [value for value in thing.attributes if self.words.type_of.get(value) == kind]
        return found[0] if len(found) == 1 else None

    def names_at(self, thing: Thing, relation: str) -> list[str]:
        """Names of what a thing is in this relation to."""
        return [self.graph.by_id[each.target].name for each in thing.relations if each.name == relation]

    def names_with(self, thing: Thing, relation: str) -> list[str]:
        """Names of what is in this relation to a thing."""
        pairs = ((other.name, each) for other in self.graph for each in other.relations)
        return [name for name, each in pairs if each.target == thing.id and each.name == relation]


def answer(query: Query, view: View) -> str | None:
    """The answer, None where the query has none: nothing or several things are meant, or it is not stated."""
    return ANSWERS[query.kind](view, query.noun, *query.words)


def _exists(view: View, noun: Noun) -> str:
    return YES if view.things(noun) else NO


def _count(view: View, noun: Noun) -> str:
    return str(len(view.things(noun)))


def _value(view: View, noun: Noun, kind: str) -> str | None:
    thing = view.only(noun)
    return view.value(thing, kind) if thing else None


def _has(view: View, noun: Noun, value: str) -> str | None:
    found = _value(view, noun, view.words.type_of[value])
    return found and (YES if found == value else NO)


def _choice(view: View, noun: Noun, first: str, second: str) -> str | None:
    found = _value(view, noun, view.words.type_of[first])
    return found if found in (first, second) else None


def _object(view: View, noun: Noun, relation: str) -> str | None:
    thing = view.only(noun)
    names = view.names_at(thing, relation) if thing else []
    return names[0] if len(names) == 1 else None


def _subject(view: View, noun: Noun, relation: str) -> str | None:
    thing = view.only(noun)
    names = view.names_with(thing, relation) if thing else []
    return names[0] if len(names) == 1 else None


def _related(view: View, noun: Noun, relation: str, what: str) -> str | None:
    thing = view.only(noun)
    if thing is None:
        return None
    if any(view.words.is_a(name, what) for name in view.names_at(thing, relation)):
        return YES
    if relation in DOINGS:
        return NO
    # "Not to the left" is not stated: where the inverse is, it is false.
    inverse = view.words.inverses.get(relation, relation)
    is_inverse = inverse != relation and any(view.words.is_a(name, what) for name in view.names_at(thing, inverse))
    return NO if is_inverse and len(view.named.get(what, ())) == 1 else None


def _which(view: View, noun: Noun) -> str | None:
    thing = view.only(noun)
    return thing.name if thing else None


def _where(view: View, noun: Noun) -> str | None:
    thing = view.only(noun)
    places = [(each, name) for each in (ON, UNDER) for name in (view.names_at(thing, each) if thing else ())]
    return " ".join(places[0]) if len(places) == 1 else None


def _doing(view: View, noun: Noun) -> str | None:
    thing = view.only(noun)
    if thing is None:
        return None
    ridden = view.names_at(thing, RIDING)
    return f"{RIDING} {ridden[0]}" if ridden else view.value(thing, "pose")


def _does(view: View, noun: Noun, doing: str) -> str | None:
    found = _doing(view, noun)
    return found and (YES if found == doing else NO)


def _place(view: View, _: Noun) -> str | None:
    return view.graph.location or None


def _is_place(view: View, _: Noun, place: str) -> str | None:
    return (YES if view.graph.location == place else NO) if view.graph.location else None


def _is_indoors(view: View, _: Noun) -> str | None:
    return (YES if view.graph.location in INDOORS else NO) if view.graph.location else None


def _weather(view: View, _: Noun) -> str | None:
    return view.graph.weather or None


def _is_weather(view: View, _: Noun, weather: str) -> str | None:
    return (YES if view.graph.weather == weather else NO) if view.graph.weather else None


ANSWERS: Mapping[str, Callable[..., str | None]] = {
    "exists": _exists,
    "count": _count,
    "value": _value,
    "has": _has,
    "choice": _choice,
    "object": _object,
    "subject": _subject,
    "related": _related,
    "which": _which,
    "where": _where,
    "doing": _doing,
    "does": _does,
    "place": _place,
    "is_place": _is_place,
    "is_indoors": _is_indoors,
    "weather": _weather,
    "is_weather": _is_weather,
}
