"""A scene graph as bit masks (bit i is object i): what the executor of programs asks of a scene."""

from __future__ import annotations

from nsmodels.datasets.gqa.programs.parsing import ANY
from nsmodels.datasets.gqa.programs.words import EVERYTHING, PRONOUNS, singular
from nsmodels.formats.scenes.graphs import LEFT, RIGHT, SceneGraph
from nsmodels.formats.scenes.sides import is_left_of
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

HORIZONTAL, VERTICAL = "hposition", "vposition"  # attribute types that are geometry
SIDES = {LEFT: RIGHT, RIGHT: LEFT}


def members_of(mask: int) -> list[int]:
    """Mask → ascending object numbers."""
    return [index for index in range(mask.bit_length()) if mask >> index & 1]


class Compiled:
    """A scene graph made ready for execution.

    Attributes:
        graph, vocabulary: what it was made from.
        everything: mask of all objects.
        having: attribute → mask of the objects that state it.
    """

    def __init__(self, graph: SceneGraph, vocabulary: SceneVocabulary) -> None:
        self.graph, self.vocabulary = graph, vocabulary
        self.things = graph.things
        self.everything = (1 << len(graph.things)) - 1
        self.having: dict[str, int] = {}
        for index, thing in enumerate(graph.things):
            for value in thing.attributes:
                self.having[value] = self.having.get(value, 0) | 1 << index
        self._called: dict[str, tuple[int, int]] = {}
        self._related: dict[str, tuple[list[int], list[int]]] = {}

    def called(self, word: str) -> tuple[int, int]:
        """Masks of the objects that `word` may mean, and of those that it names best: by name, not by category."""
        if word not in self._called:
            self._called[word] = self._find(word)
        return self._called[word]

    def related(self, relation: str, role: str, index: int) -> int:
        """Mask of the objects that are `relation` of object `index` (role "s"), or that it is `relation` of (role "o").

        Role "_": the objects that share an attribute of a type with it, `relation` being "same color".
        """
        if role == ANY:
            return self._sharing(relation.removeprefix("same ").strip(), index)
        if relation not in self._related:
            self._related[relation] = self._pairs(relation)
        return self._related[relation][role == "o"][index]

    def stating(self, kind: str) -> int:
        """Mask of the objects with an attribute of that type."""
        mask = 0
        for value in self.vocabulary.attributes.get(kind, ()):
            mask |= self.having.get(value, 0)
        return mask

    def with_value(self, kind: str, value: str) -> int:
        """Mask of the objects with that value; of the two position types, of those in that part of the image."""
        if kind in (HORIZONTAL, VERTICAL):
            chosen = (i for i in range(len(self.things)) if value in self.position(i, kind))
            return sum(1 << index for index in chosen)
        return self.having.get(value, 0)

    def values(self, index: int, kind: str) -> tuple[str, ...]:
        """Values of that type of an object, in the order of the graph; types of position give the nearer side."""
        if kind in (HORIZONTAL, VERTICAL):
            return self.position(index, kind)[:1]
        if kind in ("name", "type"):
            return (self.things[index].name,)
        known = self.vocabulary.attributes.get(kind, ())
        return tuple(value for value in self.things[index].attributes if value in known)

    def position(self, index: int, kind: str) -> tuple[str, ...]:
        """The side of the image with the object's middle, and "middle" too if that is in the middle third."""
        axis = int(kind == VERTICAL)
        size = (self.graph.width, self.graph.height)[axis]
        middle = self.things[index].box.centre[axis]
        side = (("left", "right"), ("top", "bottom"))[axis][middle >= size / 2]
        return (side, "middle", "center") if size / 3 < middle < 2 * size / 3 else (side,)

    def _find(self, word: str) -> tuple[int, int]:
        if word == ANY:
            return self.everything, 0
        if word in EVERYTHING:
            return self.everything, self._named(word)
        if word in PRONOUNS:
            wanted = PRONOUNS[word]
            return sum(1 << i for i, thing in enumerate(self.things) if singular(thing.name) in wanted), 0
        one = self.vocabulary.singular_of.get(word) or singular(word)
        names = [thing.name for thing in self.things]
        alike = sum(1 << i for i, name in enumerate(names) if name == one or singular(name) == one)
        below = sum(1 << i for i, name in enumerate(names) if self._is_below(name, one) or self._is_below(name, word))
        exact = self._named(word)
        return exact | alike | below, exact or alike

    def _named(self, word: str) -> int:
        return sum(1 << i for i, thing in enumerate(self.things) if thing.name == word)

    def _is_below(self, name: str, category: str) -> bool:
        parents = self.vocabulary.parents
        return category in parents.get(name, ()) or category in parents.get(singular(name), ())

    def _sharing(self, kind: str, index: int) -> int:
        mask = 0
        for value in self.values(index, kind):
            mask |= self.having.get(value, 0)
        return mask & ~(1 << index)

    def _pairs(self, relation: str) -> tuple[list[int], list[int]]:
        """For each object, masks of the subjects and of the objects of the relation with it."""
        subjects, objects = ([0] * len(self.things) for _ in range(2))
        for subject, target in self._stated(relation):
            subjects[target] |= 1 << subject
            objects[subject] |= 1 << target
        return subjects, objects

    def _stated(self, relation: str) -> list[tuple[int, int]]:
        number = {thing.id: index for index, thing in enumerate(self.things)}
        inverse = SIDES.get(relation) or self.vocabulary.inverses.get(relation)
        found: list[tuple[int, int]] = []
        for index, thing in enumerate(self.things):
            for each in thing.relations:
                if each.name == relation:
                    found.append((index, number[each.target]))
                if each.name == inverse:
                    found.append((number[each.target], index))
        return found or (self._beside(relation) if relation in SIDES else [])

    def _beside(self, relation: str) -> list[tuple[int, int]]:
        """Pairs by geometry, for a graph that states neither side of any object."""
        width, boxes = self.graph.width, [thing.box for thing in self.things]
        pairs = [(i, k) for i, a in enumerate(boxes) for k, b in enumerate(boxes) if i != k and is_left_of(a, b, width)]
        return pairs if relation == LEFT else [(second, first) for first, second in pairs]
