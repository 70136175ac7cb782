"""Worlds of a belief: one value for every uncertain fact, as scene graphs, in the order of their probability."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from nsmodels.datasets.gqa.programs.comparison import SCALES, STATED
from nsmodels.datasets.gqa.programs.operations import COMPARISONS, SHARED, operation_of
from nsmodels.datasets.gqa.programs.parsing import Step
from nsmodels.formats.scenes.graphs import Box, Relation, SceneGraph, Thing
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.reasoning.facts import related
from nsmodels.systems.natural.reasoning.lexicon import SIDES, Lexicon

LEAST = 1e-3  # probability below which a value is not considered
NAMES = 4  # most names of an object that are considered


class Topic(NamedTuple):
    """What a program asks about: types of attributes and relations, and whether it is about the image as a whole."""

    kinds: frozenset[str]
    relations: frozenset[str]
    is_whole: bool


class Flip(NamedTuple):
    """One fact set to a value other than its most likely one, at a cost in nats."""

    cost: float
    variable: tuple[str | int, ...]
    value: int | str


@dataclass(frozen=True, eq=False)
class World:
    """One possible scene.

    Attributes:
        present: (n,) bool.
        names: (n,) int, columns of the belief.
        values: by type (n, values) bool.
        related: pairs (relation, subject, object) that hold; rows from 0.
        location, weather: empty: not known.
    """

    present: np.ndarray
    names: np.ndarray
    values: dict[str, np.ndarray]
    related: frozenset[tuple[str, int, int]]
    location: str = ""
    weather: str = ""

    def changed(self, flips: Sequence[Flip]) -> World:
        """A copy with some facts changed."""
        present, names = self.present.copy(), self.names.copy()
        values = {kind: table.copy() for kind, table in self.values.items()}
        pairs, whole = set(self.related), {"location": self.location, "weather": self.weather}
        for flip in flips:
            match flip.variable:
                case ("present", int(row)):
                    present[row] = bool(flip.value)
                case ("name", int(row)):
                    names[row] = flip.value
                case ("value", str(kind), int(row), int(column)):
                    values[kind][row, column] = bool(flip.value)
                case ("related", str(name), int(subject), int(target)):
                    (pairs.add if flip.value else pairs.discard)((name, subject, target))
                case (str(field),):
                    whole[field] = str(flip.value)
        return World(present, names, values, frozenset(pairs), **whole)

    def graph(self, belief: Belief) -> SceneGraph:
        """The scene graph of the objects that are present; ids are numbers from 1 in the order of the belief."""
        rows = np.flatnonzero(self.present).tolist()
        pairs = [pair for pair in sorted(self.related) if self.present[pair[1]] and self.present[pair[2]]]
        things = tuple(self._thing(belief, row, pairs) for row in rows)
        return SceneGraph("", *belief.size, things, self.location, self.weather)

    def _thing(self, belief: Belief, row: int, pairs: Sequence[tuple[str, int, int]]) -> Thing:
        words = belief.words
        values = [
            words.attributes[kind][k]
            for kind, table in self.values.items()
            for k in np.flatnonzero(table[row]).tolist()
        ]
        relations = [Relation(name, str(target + 1)) for name, subject, target in pairs if subject == row]
        box = Box(*(round(float(each)) for each in belief.boxes[row]))
        return Thing(str(row + 1), words.names[int(self.names[row])], box, tuple(values), tuple(relations))


def topic_of(program: Sequence[Step], lexicon: Lexicon) -> Topic:
    """What a program asks about."""
    kinds: set[str] = set()
    relations: set[str] = set()
    for step in program:
        operation = operation_of(step.operation)
        if step.role == "_":
            kinds |= {each.removeprefix("same ").strip() for each in step.relations}
        else:
            relations |= set(step.relations)
        words = {*(() if operation.form == "kind" else (step.value,)), *step.options}
        kinds |= {operation.kind, step.value} | {lexicon.words.type_of.get(word, "") for word in words}
        kinds |= set(SHARED) if operation.verb == "common" else set()
        if operation.verb in ("same", "different") and not (operation.kind or step.value):
            kinds.add("color")
        if operation.kind in COMPARISONS:
            kinds |= {lexicon.words.type_of.get(value, "") for value in STATED[SCALES[operation.kind][0]]}
    is_whole = any(step.name == "scene" for step in program)
    return Topic(frozenset(kinds & set(lexicon.words.attributes)), frozenset(relations), is_whole)


def most_likely(belief: Belief, topic: Topic) -> World:
    """The world of the most likely value of each fact that a topic is about."""
    pairs = {key for key, p in _pairs(belief, topic).items() if p >= 0.5}
    words = belief.words
    return World(
        belief.presence >= 0.5,
        belief.names.argmax(1),
        {kind: belief.attributes[kind] >= 0.5 for kind in words.attributes if kind in topic.kinds},
        frozenset(pairs),
        words.locations[int(belief.locations.argmax())] if topic.is_whole and len(belief.locations) else "",
        words.weathers[int(belief.weathers.argmax())] if topic.is_whole and len(belief.weathers) else "",
    )


def likely_worlds(belief: Belief, topic: Topic, limit: int) -> Iterator[World]:
    """Up to `limit` worlds in the order of decreasing probability, which differ in facts of a topic.

    Best-first search over sets of flips (Lawler 1972): facts are independent, so that the logarithm of a world's
    probability is that of the most likely one less the costs of its flips.
    """
    base, flips = most_likely(belief, topic), sorted(_flips(belief, topic), key=lambda flip: flip.cost)
    yield base
    heap: list[tuple[float, tuple[int, ...]]] = [(flips[0].cost, (0,))] if flips else []
    for _ in range(limit - 1):
        chosen = _next_choice(heap, flips)
        if chosen is None:
            return
        yield base.changed([flips[k] for k in chosen])


def _next_choice(heap: list[tuple[float, tuple[int, ...]]], flips: Sequence[Flip]) -> tuple[int, ...] | None:
    # A set with the last flip k has two successors: k + 1 added, and k replaced by k + 1. Both cost at least as much,
    # and every set has exactly one predecessor: the heap yields each set once, in order.
    while heap:
        cost, chosen = heapq.heappop(heap)
        following = chosen[-1] + 1
        if following < len(flips):
            extra = flips[following].cost
            heapq.heappush(heap, (cost + extra, (*chosen, following)))
            heapq.heappush(heap, (cost - flips[chosen[-1]].cost + extra, (*chosen[:-1], following)))
        if len({flips[k].variable for k in chosen}) == len(chosen):
            return chosen
    return None


def _flips(belief: Belief, topic: Topic) -> Iterator[Flip]:
    for row, p in enumerate(belief.presence.tolist()):
        yield from _binary(("present", row), p)
    for row, table in enumerate(belief.names):
        order = np.argsort(-table, kind="stable")[:NAMES].tolist()
        yield from _others(("name", row), [(k, float(table[k])) for k in order])
    for kind in sorted(topic.kinds):
        for row, column in np.ndindex(belief.attributes[kind].shape):
            yield from _binary(("value", kind, row, column), float(belief.attributes[kind][row, column]))
    for pair, p in _pairs(belief, topic).items():
        yield from _binary(("related", *pair), p)
    if topic.is_whole:
        words = belief.words
        for field, names, table in (
            ("location", words.locations, belief.locations),
            ("weather", words.weathers, belief.weathers),
        ):
            order = np.argsort(-table, kind="stable")[:NAMES].tolist()
            yield from _others((field,), [(names[k], float(table[k])) for k in order])


def _pairs(belief: Belief, topic: Topic) -> dict[tuple[str, int, int], float]:
    """Probability of each pair in the relations of a topic; of a relation and its inverse one is listed."""
    found: dict[tuple[str, int, int], float] = {}
    rows = range(len(belief))
    for name in sorted(topic.relations & set(belief.words.relations)):
        inverse = SIDES.get(name) or belief.words.inverses.get(name)
        if inverse in topic.relations and inverse is not None and inverse < name:
            continue
        for subject in rows:
            for target in rows:
                if subject != target and not (inverse == name and target < subject):
                    found[name, subject, target] = related(belief, name, subject, target)
    return found


def _binary(variable: tuple[str | int, ...], p: float) -> Iterator[Flip]:
    rare, likely = min(p, 1.0 - p), max(p, 1.0 - p)
    if rare > LEAST:
        yield Flip(math.log(likely / rare), variable, int(p < 0.5))


def _others(variable: tuple[str | int, ...], ranked: Sequence[tuple[int | str, float]]) -> Iterator[Flip]:
    for value, p in ranked[1:]:
        if p > LEAST:
            yield Flip(math.log(ranked[0][1] / p), variable, value)


def with_only(graph: SceneGraph, keys: frozenset[str]) -> SceneGraph:
    """The graph without the objects whose ids are not among `keys`."""
    kept = [thing for thing in graph if thing.id in keys]
    things = (replace(each, relations=tuple(r for r in each.relations if r.target in keys)) for each in kept)
    return replace(graph, things=tuple(things))
