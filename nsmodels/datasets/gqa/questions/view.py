"""A scene graph as bit masks, one bit an object: what the search for questions reads."""

from __future__ import annotations

from collections import defaultdict

from nsmodels.datasets.gqa.programs.operations import OPERATIONS
from nsmodels.formats.scenes.graphs import LEFT, RIGHT, SceneGraph
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

SIDES = (LEFT, RIGHT)
MARGIN = 0.08  # share of the image on both sides of its middle where an object is called neither left nor right
GENERAL = frozenset(["thing", "object", "entity"])  # categories that hold everything
# Attribute types that have a `filter`, a `verify` and a `choose`, places in the image apart.
KINDS = frozenset(
    kind
    for kind in (name.removeprefix("filter ") for name in OPERATIONS if name.startswith("filter "))
    if f"verify {kind}" in OPERATIONS
    and f"choose {kind}" in OPERATIONS
    and "position" not in kind
    and kind != "weather"
)


class View:
    """Masks of a graph.

    Args:
        graph: the scene.
        words: its vocabulary.

    Attributes:
        called: objects by name and by category.
        having: objects by (type, value), those of the place in the image included.
        values: by object its value of each type.
        sides: by object "left" or "right" (hposition), "top" or "bottom" (vposition); "" near the middle.
        categories: by object its categories, nearest first, without those that hold everything.
        subjects: by relation and object, the objects that have the relation to it; `objects`: the reverse.
        links, back: by object the relations that it has to objects, and that objects have to it.
    """

    def __init__(self, graph: SceneGraph, words: SceneVocabulary) -> None:
        self.graph, self.words = graph, words
        self.ids = tuple(thing.id for thing in graph)
        self.names = tuple(thing.name for thing in graph)
        self.count = len(self.ids)
        self.everything = (1 << self.count) - 1
        self.called: dict[str, int] = {}
        self.having: dict[tuple[str, str], int] = {}
        self.values: list[dict[str, str]] = []
        self.categories: list[list[str]] = []
        for place, thing in enumerate(graph):
            parents = words.parents.get(thing.name, ())
            self.categories.append([each for each in parents if each not in GENERAL and each not in words.names])
            for name in dict.fromkeys((thing.name, *parents)):
                self.called[name] = self.called.get(name, 0) | 1 << place
            typed = [(words.type_of[value], value) for value in thing.attributes if value in words.type_of]
            for each in typed:
                self.having[each] = self.having.get(each, 0) | 1 << place
            self.values.append({kind: value for kind, value in reversed(typed) if kind in KINDS})
        self.sides = {"hposition": self._sides(0), "vposition": self._sides(1)}
        self.subjects: defaultdict[str, list[int]] = defaultdict(lambda: [0] * self.count)
        self.objects: defaultdict[str, list[int]] = defaultdict(lambda: [0] * self.count)
        self.links: list[list[tuple[str, int]]] = [[] for _ in graph]
        self.back: list[list[tuple[str, int]]] = [[] for _ in graph]
        self._relate()

    def _relate(self) -> None:
        place_of = {name: place for place, name in enumerate(self.ids)}
        for one, thing in enumerate(self.graph):
            for relation in thing.relations:
                other = place_of[relation.target]
                self._tie(one, relation.name, other)
                if relation.name in self.words.inverses:
                    self._tie(other, self.words.inverses[relation.name], one)

    def _tie(self, one: int, relation: str, other: int) -> None:
        if not self.subjects[relation][other] >> one & 1:
            self.subjects[relation][other] |= 1 << one
            self.objects[relation][one] |= 1 << other
            self.links[one].append((relation, other))
            self.back[other].append((relation, one))

    def _sides(self, axis: int) -> list[str]:
        size = (self.graph.width, self.graph.height)[axis]
        names = (("left", "right"), ("top", "bottom"))[axis]
        shares = [thing.box.centre[axis] / size - 0.5 for thing in self.graph]
        return ["" if abs(share) < MARGIN else names[share > 0] for share in shares]

    def related(self, relation: str, role: str, anchor: int) -> int:
        """Mask of the objects that have a role in a relation to `anchor`."""
        if role == "_":
            kind = relation.removeprefix("same ")
            value = self.values[anchor].get(kind)
            return self.having[kind, value] & ~(1 << anchor) if value else 0
        table = self.subjects if role == "s" else self.objects
        return table[relation][anchor] if relation in table else 0


def members(mask: int) -> tuple[int, ...]:
    """Positions of the bits of a mask, ascending."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return tuple(found)
