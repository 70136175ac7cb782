"""Scene graphs with wrong facts, as perception would make them: missed, mistaken and invented."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

from numpy.random import Generator

from nsmodels.formats.scenes.graphs import Relation, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

T = TypeVar("T")
NEAR = 0.5  # share of mistaken names that have the true category


def perceived(graph: SceneGraph, vocabulary: SceneVocabulary, share: float, chance: Generator) -> SceneGraph:
    """The graph with each fact wrong with probability `share`.

    A wrong name is a different one, half of the time of the same category; a wrong attribute or relation is missing,
    or a different one of its kind, half each. As many are invented as are missing. Objects, boxes, place and weather
    stay. The inverse of a relation is wrong together with it, as both are read from one pair.
    """
    things = {thing.id: _mistaken(thing, vocabulary, share, chance) for thing in graph}
    pairs = _pairs(graph, vocabulary)
    kept = [found for pair in pairs for found in _seen(pair, vocabulary, share, chance)]
    num_invented = chance.binomial(len(pairs), share / 2) if len(graph.things) > 1 else 0
    for _ in range(num_invented):
        one, two = (graph.things[int(k)].id for k in chance.choice(len(graph.things), 2, replace=False))
        kept.append((one, _one(vocabulary.relations, chance), two))
    relations: dict[str, dict[Relation, None]] = {thing.id: {} for thing in graph}
    for one, name, two in kept:
        relations[one][Relation(name, two)] = None
        if name in vocabulary.inverses:
            relations[two][Relation(vocabulary.inverses[name], one)] = None
    found = (replace(thing, relations=tuple(relations[key])) for key, thing in things.items())
    return replace(graph, things=tuple(found))


def _mistaken(thing: Thing, vocabulary: SceneVocabulary, share: float, chance: Generator) -> Thing:
    """An object with name and attributes as they are seen."""
    name = thing.name
    if chance.random() < share:
        category = vocabulary.parents.get(name, ("",))[0]
        alike = [each for each in vocabulary.names if vocabulary.parents.get(each, ("",))[0] == category != ""]
        others = [each for each in (alike if chance.random() < NEAR else vocabulary.names) if each != name]
        name = _one(others or vocabulary.names, chance)
    attributes: list[str] = []
    for value in thing.attributes:
        kind = vocabulary.type_of.get(value, "")
        if chance.random() >= share:
            attributes.append(value)
        elif chance.random() < NEAR and kind:
            attributes.append(_one([each for each in vocabulary.attributes[kind] if each != value] or [value], chance))
    num_invented = int(chance.binomial(len(thing.attributes), share / 2))
    attributes += [_one(tuple(vocabulary.type_of), chance) for _ in range(num_invented)]
    return replace(thing, name=name, attributes=tuple(dict.fromkeys(attributes)))


Stated = tuple[str, str, str]  # object that states it, relation, object it is stated of


def _pairs(graph: SceneGraph, vocabulary: SceneVocabulary) -> list[Stated]:
    """Relations of a graph, of each with its inverse the first."""
    found: dict[Stated, None] = {}
    for thing in graph:
        for relation in thing.relations:
            inverse = vocabulary.inverses.get(relation.name)
            if inverse is None or (relation.target, inverse, thing.id) not in found:
                found[thing.id, relation.name, relation.target] = None
    return list(found)


def _seen(stated: Stated, vocabulary: SceneVocabulary, share: float, chance: Generator) -> Iterator[Stated]:
    if chance.random() >= share:
        yield stated
    elif chance.random() < NEAR:
        one, name, two = stated
        yield one, _one([each for each in vocabulary.relations if each != name] or [name], chance), two


def _one(values: Sequence[T], chance: Generator) -> T:
    return values[int(chance.integers(len(values)))]
