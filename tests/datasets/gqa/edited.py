"""Graphs with random changes of facts, valid ones.

Inverses are stated, a thing has one value of a type, and nothing is both left and right of a thing.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from nsmodels.formats.scenes.graphs import LEFT, RIGHT, Relation, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

Things = dict[str, Thing]


def edited(graph: SceneGraph, words: SceneVocabulary, rng: Random) -> SceneGraph:
    """The graph after one to four changes."""
    for _ in range(rng.randint(1, 4)):
        graph = rng.choice(
            (_revalue, _revalue, _rename, _rename, _remove, _add, _relate, _relate, _unrelate, _replace_scene)
        )(graph, words, rng)
    return graph


def _with(graph: SceneGraph, things: Things) -> SceneGraph:
    return replace(graph, things=tuple(things.values()))


def _revalue(graph: SceneGraph, words: SceneVocabulary, rng: Random) -> SceneGraph:
    thing = rng.choice(graph.things)
    if not thing.attributes:
        return graph
    value = rng.choice(thing.attributes)
    other = rng.choice(words.attributes[words.type_of[value]])
    changed = replace(thing, attributes=tuple(other if each == value else each for each in thing.attributes))
    return _with(graph, {**graph.by_id, thing.id: changed})


def _rename(graph: SceneGraph, words: SceneVocabulary, rng: Random) -> SceneGraph:
    thing = rng.choice(graph.things)
    names = [rng.choice(words.names), rng.choice(graph.things).name]
    return _with(graph, {**graph.by_id, thing.id: replace(thing, name=rng.choice(names))})


def _remove(graph: SceneGraph, words: SceneVocabulary, rng: Random) -> SceneGraph:
    gone = rng.choice(graph.things).id
    if len(graph.things) < 3:
        return graph
    kept = {thing.id: thing for thing in graph if thing.id != gone}
    return _with(graph, {key: _without(thing, lambda each: each.target == gone) for key, thing in kept.items()})


def _add(graph: SceneGraph, words: SceneVocabulary, rng: Random) -> SceneGraph:
    thing = rng.choice(graph.things)
    return _with(graph, {**graph.by_id, "new": replace(thing, id="new", relations=())})


def _relate(graph: SceneGraph, words: SceneVocabulary, rng: Random) -> SceneGraph:
    if len(graph.things) < 2:
        return graph
    one, two = (thing.id for thing in rng.sample(graph.things, 2))
    relation = rng.choice([LEFT, RIGHT, *words.relations])
    things = dict(graph.by_id)
    if relation in (LEFT, RIGHT):
        things = _apart(things, one, two)
    for start, name, end in ((one, relation, two), (two, words.inverses.get(relation, ""), one)):
        if name and Relation(name, end) not in things[start].relations:
            things[start] = replace(things[start], relations=(*things[start].relations, Relation(name, end)))
    return _with(graph, things)


def _unrelate(graph: SceneGraph, words: SceneVocabulary, rng: Random) -> SceneGraph:
    found = [(thing.id, relation.target) for thing in graph for relation in thing.relations]
    if not found:
        return graph
    one, two = rng.choice(found)
    things = {**graph.by_id}
    for key, other in ((one, two), (two, one)):
        things[key] = _without(things[key], lambda each, other=other: each.target == other)
    return _with(graph, things)


def _replace_scene(graph: SceneGraph, words: SceneVocabulary, rng: Random) -> SceneGraph:
    return replace(graph, location=rng.choice(words.locations), weather=rng.choice(words.weathers))


def _apart(things: Things, one: str, two: str) -> Things:
    for key, other in ((one, two), (two, one)):
        things[key] = _without(
            things[key], lambda each, other=other: each.target == other and each.name in (LEFT, RIGHT)
        )
    return things


def _without(thing: Thing, is_gone) -> Thing:
    return replace(thing, relations=tuple(each for each in thing.relations if not is_gone(each)))
