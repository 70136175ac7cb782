"""Belief about one image: probabilities of its objects, names, attributes, relations and of the place as a whole.

Shapes: n objects. Every fact keeps its probability; none is decided before the question is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.graphs import LEFT, RIGHT, SceneGraph
from nsmodels.formats.scenes.sides import LEAST_OVERLAP, MOST_GAP
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

Array = np.ndarray

# How unsure the limits of the rule of the sides are, by the error of predicted boxes: of the image's width for the gap,
# of the height of the lower box for the overlap.
GAP_SCALE, OVERLAP_SCALE = 0.006, 0.03
HALF_PIXEL = 0.5  # true boxes have whole pixels: a gap of 0 is one of −0.5 to 0.5


@dataclass(frozen=True, eq=False)
class Belief:
    """Probabilities over one scene of n objects; all arrays are float32.

    Attributes:
        words: names of rows and columns.
        size: width and height of the image in pixels.
        presence: that the object exists.
        boxes: x, y of the upper left corner, width and height in pixels.
        names: rows sum to 1, columns in the order of `words.names`.
        attributes: by type, in the order of `words.attributes[type]`: of each value by itself, as attributes are sets.
        relations: `relations[r, i, j]` is that object i is `words.relations[r]` object j; zero diagonal. The sides,
            left and right, follow from the boxes.
        locations: sums to 1, in the order of `words.locations`; empty where it is not known.
        weathers: likewise.

    Raises `InputError` when the shapes disagree.
    """

    words: SceneVocabulary
    size: tuple[int, int]
    presence: Float[np.ndarray, " n"]
    boxes: Float[np.ndarray, "n 4"]
    names: Float[np.ndarray, "n names"]
    attributes: Mapping[str, Float[np.ndarray, "n values"]]
    relations: Float[np.ndarray, "relations n n"]
    locations: Float[np.ndarray, " locations"]
    weathers: Float[np.ndarray, " weathers"]

    def __post_init__(self) -> None:
        count, words = len(self.presence), self.words
        expected = {f"attributes[{kind!r}]": (count, len(values)) for kind, values in words.attributes.items()}
        expected |= {"presence": (count,), "boxes": (count, 4), "names": (count, len(words.names))}
        expected |= {"relations": (len(words.relations), count, count)}
        found = {f"attributes[{kind!r}]": table for kind, table in self.attributes.items()}
        found |= {name: getattr(self, name) for name in ("presence", "boxes", "names", "relations")}
        for name, shape in expected.items():
            if name not in found or found[name].shape != shape:
                actual = found[name].shape if name in found else "none"
                raise InputError(f"Belief: `{name}` must be an array of shape {shape}, got {actual}")
        for name in ("locations", "weathers"):
            if len(getattr(self, name)) not in (0, len(getattr(words, name))):
                raise InputError(f"Belief: `{name}` must have {len(getattr(words, name))} values, or none")

    def __len__(self) -> int:
        return len(self.presence)


def belief_of(graph: SceneGraph, words: SceneVocabulary) -> Belief:
    """The certain belief, of zeros and ones: every fact that a graph states.

    A name outside of the vocabulary gives equal probabilities; attributes and relations outside of it are left out.
    """
    place = {thing.id: row for row, thing in enumerate(graph)}
    boxes = [(thing.box.x, thing.box.y, thing.box.w, thing.box.h) for thing in graph]
    return Belief(
        words,
        (graph.width, graph.height),
        np.ones(len(place), np.float32),
        np.array(boxes, np.float32).reshape(-1, 4),
        _names(graph, words),
        {kind: _values(graph, values) for kind, values in words.attributes.items()},
        _relations(graph, words, place),
        _choice(graph.location, words.locations),
        _choice(graph.weather, words.weathers),
    )


def restricted(belief: Belief, words: SceneVocabulary) -> Belief:
    """The belief in the words of one of several datasets, given that nothing else is in the image.

    Names, places and weathers are renormalised among those of `words`, all of which the belief must have.
    """
    if belief.words is words or belief.words == words:
        return belief
    known, kinds = belief.words, belief.words.type_of
    attributes = {
        kind: np.stack([belief.attributes[kinds[v]][:, known.attributes[kinds[v]].index(v)] for v in values], 1)
        for kind, values in words.attributes.items()
    }
    relations = belief.relations[_places(words.relations, known.relations)]
    names = _among(belief.names, _places(words.names, known.names))
    places = [
        _among(table, _places(wanted, listed)) if len(table) and wanted else np.zeros(0, np.float32)
        for table, listed, wanted in (
            (belief.locations, known.locations, words.locations),
            (belief.weathers, known.weathers, words.weathers),
        )
    ]
    return Belief(words, belief.size, belief.presence, belief.boxes, names, attributes, relations, *places)


def _places(wanted: tuple[str, ...], listed: tuple[str, ...]) -> list[int]:
    number = {word: place for place, word in enumerate(listed)}
    return [number[word] for word in wanted]


def _among(table: Array, columns: list[int]) -> Array:
    """Columns of probabilities, renormalised; equal shares where none is left."""
    kept = table[..., columns]
    total = kept.sum(-1, keepdims=True)
    even = np.full_like(kept, 1 / max(1, len(columns)))
    return np.divide(kept, total, out=even, where=total > 0)


def side_probabilities(boxes: Float[np.ndarray, "n 4"], width: float) -> Float[np.ndarray, "n n"]:
    """`result[i, j]`: the probability that object i is to the left of object j, from boxes in pixels.

    `width`: of the image. It is that of `formats.scenes.sides.is_left_of`, of boxes that may be a little wrong.
    """
    x, y, w, h = (boxes[:, k].astype(float) for k in range(4))
    # P(0 ≤ gap ≤ most) · P(overlap ≥ least): errors of the limits are logistic, and taken as independent.
    gap = (x[None, :] - (x + w)[:, None]) / width
    shared = np.minimum((y + h)[None, :], (y + h)[:, None]) - np.maximum(y[None, :], y[:, None])
    overlap = shared / np.maximum(np.minimum(h[None, :], h[:, None]), 1.0)
    beside = _logistic((gap + HALF_PIXEL / width) / GAP_SCALE) * _logistic((MOST_GAP - gap) / GAP_SCALE)
    table = beside * _logistic((overlap - LEAST_OVERLAP) / OVERLAP_SCALE)
    np.fill_diagonal(table, 0.0)
    return table.astype(np.float32)


def fill_sides(relations: Float[np.ndarray, "relations n n"], words: SceneVocabulary, left: Array) -> None:
    """Write left and right, where the vocabulary has them; `left` as of `side_probabilities`."""
    for name, table in ((LEFT, left), (RIGHT, left.T)):
        if name in words.relations:
            relations[words.relations.index(name)] = table


def _logistic(value: Array) -> Array:
    return 1 / (1 + np.exp(-np.clip(value, -60, 60)))


def _names(graph: SceneGraph, words: SceneVocabulary) -> Array:
    number = {name: column for column, name in enumerate(words.names)}
    table = np.zeros((len(graph.things), len(words.names)), np.float32)
    for row, thing in enumerate(graph):
        if thing.name in number:
            table[row, number[thing.name]] = 1
        else:
            table[row] = 1 / max(1, len(words.names))
    return table


def _values(graph: SceneGraph, values: tuple[str, ...]) -> Array:
    stated = [[value in thing.attributes for value in values] for thing in graph]
    return np.array(stated, np.float32).reshape(len(graph.things), len(values))


def _relations(graph: SceneGraph, words: SceneVocabulary, place: Mapping[str, int]) -> Array:
    number = {name: row for row, name in enumerate(words.relations)}
    table = np.zeros((len(words.relations), len(place), len(place)), np.float32)
    for thing in graph:
        for relation in thing.relations:
            if relation.name in number:
                table[number[relation.name], place[thing.id], place[relation.target]] = 1
    return table


def _choice(stated: str, known: tuple[str, ...]) -> Array:
    return np.array([value == stated for value in known], np.float32) if stated in known else np.zeros(0, np.float32)
