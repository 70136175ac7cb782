"""Labels of perception: what of a scene's words is learnt, and the targets of images. A missing label is masked.

Shapes: b images, n objects per image (padded to the most), v attribute values and t types, r relations, c concepts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from nsmodels.formats.scenes.graphs import LEFT, RIGHT, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

NAME, LOCATION, WEATHER = "name", "location", "weather"  # kinds of concepts, beside the types of attributes
UNKNOWN = -1
Concept = tuple[str, str]  # kind and word
Masks = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Photograph:
    """An image file with its graph. `is_described`: attributes, relations and place are labelled, not names alone."""

    path: str
    graph: SceneGraph
    is_described: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image in pixels."""
        return self.graph.width, self.graph.height


@dataclass(frozen=True)
class LabelSpace:
    """What is learnt: the words of a dataset, and the concepts that are also read from an image as a whole."""

    words: SceneVocabulary
    concepts: tuple[Concept, ...] = ()

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Attribute values of all types, type by type."""
        return tuple(value for values in self.words.attributes.values() for value in values)

    @cached_property
    def type_numbers(self) -> tuple[int, ...]:
        """Number of the type of each of `values`."""
        return tuple(number for number, values in enumerate(self.words.attributes.values()) for _ in values)

    @cached_property
    def relations(self) -> tuple[str, ...]:
        """Relations that the network reads: all but left and right, which follow from the boxes."""
        return tuple(name for name in self.words.relations if name not in (LEFT, RIGHT))

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Nearest categories of names, sorted; a name without one is in the class of its own name."""
        return tuple(sorted({self._class_of(name) for name in self.words.names}))

    @cached_property
    def class_numbers(self) -> tuple[int, ...]:
        """Number of the class of each name."""
        number = {name: place for place, name in enumerate(self.classes)}
        return tuple(number[self._class_of(name)] for name in self.words.names)

    @cached_property
    def numbers(self) -> Mapping[str, Mapping[str, int]]:
        """Number of each word, by kind."""
        tables: dict[str, Sequence[Any]] = {"names": self.words.names, "values": self.values}
        tables |= {"relations": self.relations, "locations": self.words.locations, "weathers": self.words.weathers}
        return {kind: {word: number for number, word in enumerate(words)} for kind, words in tables.items()}

    def _class_of(self, name: str) -> str:
        return next(iter(self.words.parents.get(name, ())), name)

    def to_json(self) -> dict[str, Any]:
        """As dictionaries, lists and strings."""
        return {"words": asdict(self.words), "concepts": [list(each) for each in self.concepts]}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> LabelSpace:
        """The inverse of `to_json`; raises KeyError or TypeError for anything else."""
        words = {name: _frozen(value) for name, value in document["words"].items()}
        return cls(SceneVocabulary(**words), tuple((kind, word) for kind, word in document["concepts"]))


def choose_concepts(graphs: Iterable[SceneGraph], words: SceneVocabulary, num: int) -> tuple[Concept, ...]:
    """The `num` names, attribute values and places that most images have, the most frequent first."""
    counts = Counter(concept for graph in graphs for concept in stated_concepts(graph, words))
    ordered = sorted(counts, key=lambda concept: (-counts[concept], concept))
    return tuple(ordered[:num])


def stated_concepts(graph: SceneGraph, words: SceneVocabulary) -> set[Concept]:
    """Concepts that a graph states of its image."""
    found = {(NAME, thing.name) for thing in graph if thing.name in words.names}
    found |= {(words.type_of[value], value) for thing in graph for value in thing.attributes if value in words.type_of}
    found |= {(LOCATION, graph.location)} if graph.location in words.locations else set()
    return found | ({(WEATHER, graph.weather)} if graph.weather in words.weathers else set())


@dataclass(frozen=True)
class Labels:
    """Labels of one image of n objects, with the largest first where there are too many.

    Attributes:
        boxes: x and y of the centre, width and height, in 0..1 of the image.
        names: numbers; `UNKNOWN` outside of the vocabulary.
        values: rows of object and attribute value.
        relations: rows of relation, subject and object.
        places: numbers of location and weather, or `UNKNOWN`.
        concepts: 1 where the image has it, 0 where it has not, `UNKNOWN` where that is not known.
        is_described: as of a `Photograph`.
        known: masks of names, values, types and relations, bool each: words that the dataset of the image has; None:
            all of them.
    """

    boxes: Float[np.ndarray, "n 4"]
    names: Int[np.ndarray, " n"]
    values: Int[np.ndarray, "_ 2"]
    relations: Int[np.ndarray, "_ 3"]
    places: tuple[int, int]
    concepts: Int[np.ndarray, " c"]
    is_described: bool
    known: Masks | None = None


def labels_of(photograph: Photograph, space: LabelSpace, max_objects: int) -> Labels:
    """Labels of a photograph; objects without an area inside of the image are left out."""
    graph, numbers = photograph.graph, space.numbers
    shown = [(thing, box) for thing in graph if (box := inner_box(thing, graph)) is not None]
    if len(shown) > max_objects:
        shown = sorted(shown, key=lambda pair: -pair[1][2] * pair[1][3])[:max_objects]
    row = {thing.id: place for place, (thing, _) in enumerate(shown)}
    values = [
        (row[thing.id], numbers["values"][value])
        for thing, _ in shown
        for value in thing.attributes
        if value in numbers["values"]
    ]
    relations = [
        (numbers["relations"][each.name], row[thing.id], row[each.target])
        for thing, _ in shown
        for each in thing.relations
        if each.name in numbers["relations"] and each.target in row
    ]
    return Labels(
        boxes=np.array([box for _, box in shown], np.float32).reshape(-1, 4),
        names=np.array([numbers["names"].get(thing.name, UNKNOWN) for thing, _ in shown], np.int64),
        values=np.array(values, np.int16).reshape(-1, 2),
        relations=np.array(relations, np.int16).reshape(-1, 3),
        places=(
            numbers["locations"].get(graph.location, UNKNOWN),
            numbers["weathers"].get(graph.weather, UNKNOWN),
        ),
        concepts=concept_labels(photograph, space),
        is_described=photograph.is_described,
    )


def inner_box(thing: Thing, graph: SceneGraph) -> tuple[float, float, float, float] | None:
    """The part of a box inside of the image: centre, width and height in 0..1; None where it has no area."""
    left, right = (min(max(x / graph.width, 0.0), 1.0) for x in (thing.box.x, thing.box.x + thing.box.w))
    top, bottom = (min(max(y / graph.height, 0.0), 1.0) for y in (thing.box.y, thing.box.y + thing.box.h))
    if right <= left or bottom <= top:
        return None
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top


def concept_labels(photograph: Photograph, space: LabelSpace) -> Int[np.ndarray, " c"]:
    """1 where the image has a concept, 0 where it has not, `UNKNOWN` where nothing of its kind is stated of it."""
    stated = stated_concepts(photograph.graph, space.words)
    kinds = {kind for kind, _ in stated} if photograph.is_described else set()
    kinds |= {NAME}  # the objects of an image are listed, else it would not be in the data
    labels = [int(each in stated) if each[0] in kinds else UNKNOWN for each in space.concepts]
    return np.array(labels, np.int8).reshape(-1)


@dataclass(frozen=True)
class Targets:
    """Labels of a batch, padded to its most objects.

    Attributes:
        boxes: as of `Labels`.
        exists: False for padding.
        names: as of `Labels`.
        values: 1 where an attribute value is stated.
        stated: types of which a value is stated: those of others are masked.
        described: as `is_described`, by image.
        relations: 1 where a relation is stated, by relation, subject and object.
        places: numbers of location and weather, or `UNKNOWN`.
        concepts: as of `Labels`.
        kinds: number of the type of each attribute value.
        known: masks of names (b, names), values (b, v), types (b, t) and relations (b, r): words that the dataset of an
            image has; None: all of them.
    """

    boxes: Float[Tensor, "b n 4"]
    exists: Bool[Tensor, "b n"]
    names: Int[Tensor, "b n"]
    values: Float[Tensor, "b n v"]
    stated: Bool[Tensor, "b n t"]
    described: Bool[Tensor, " b"]
    relations: Float[Tensor, "b r n n"]
    places: Int[Tensor, "b 2"]
    concepts: Float[Tensor, "b c"]
    kinds: Int[Tensor, " v"]
    known: tuple[Tensor, Tensor, Tensor, Tensor] | None = None


def collate(labels: Sequence[Labels], space: LabelSpace) -> Targets:
    """Targets of a batch."""
    size, most = len(labels), max([1, *(len(each.names) for each in labels)])
    kinds = np.array(space.type_numbers, np.int64)
    boxes, exists = np.zeros((size, most, 4), np.float32), np.zeros((size, most), bool)
    names, values = np.full((size, most), UNKNOWN), np.zeros((size, most, len(space.values)), np.float32)
    stated = np.zeros((size, most, len(space.words.attributes)), bool)
    relations = np.zeros((size, len(space.relations), most, most), np.float32)
    for row, each in enumerate(labels):
        count = len(each.names)
        boxes[row, :count], exists[row, :count], names[row, :count] = each.boxes, True, each.names
        values[row, each.values[:, 0], each.values[:, 1]] = 1
        stated[row, each.values[:, 0], kinds[each.values[:, 1]]] = True
        relations[row, each.relations[:, 0], each.relations[:, 1], each.relations[:, 2]] = 1
    arrays = (boxes, exists, names, values, stated, np.array([each.is_described for each in labels]), relations)
    places = np.array([each.places for each in labels], np.int64).reshape(size, 2)
    concepts = np.stack([each.concepts for each in labels]).astype(np.float32)
    return Targets(*(torch.from_numpy(array) for array in (*arrays, places, concepts, kinds)), known=_known(labels))


def _known(labels: Sequence[Labels]) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
    masks = [each.known for each in labels if each.known is not None]
    if not masks:
        return None
    names, values, types, relations = (torch.from_numpy(np.stack(each)) for each in zip(*masks, strict=True))
    return names, values, types, relations


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _frozen(each) for key, each in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
