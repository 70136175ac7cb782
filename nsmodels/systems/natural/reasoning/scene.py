"""A belief as the steps of a program read it: who is called so, who has a value, who stands in a relation to whom.

Shapes: n objects. Probabilities are float64, each given that the objects exist; look-ups are kept for further programs.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from nsmodels.datasets.gqa.programs.words import whereabouts
from nsmodels.formats.scenes.graphs import LEFT
from nsmodels.formats.scenes.sides import LEAST_OVERLAP, MOST_GAP
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.reasoning.lexicon import SIDES, Lexicon
from nsmodels.systems.natural.reasoning.sets import Found, any_of, preferred

Array = np.ndarray
NAMING = ("name", "type")  # kinds whose values are names
SIDES_OF_IMAGE = {"hposition": ("left", "right"), "vposition": ("top", "bottom")}
MIDDLE = ("middle", "center")


class Scene:
    """Look-ups in one belief.

    Args:
        belief: about the image.
        lexicon: of the belief's vocabulary; by default made for it, which takes longer than a program.
    """

    def __init__(self, belief: Belief, lexicon: Lexicon | None = None) -> None:
        self.belief = belief
        self.lexicon = lexicon or Lexicon(belief.words)
        self.presence = belief.presence.astype(float)
        self.names = belief.names.astype(float)
        self.called = lru_cache(maxsize=None)(self._called)
        self.has = lru_cache(maxsize=None)(self._has)
        self.has_other = lru_cache(maxsize=None)(self._has_other)
        self.related = lru_cache(maxsize=None)(self._related)
        self.values = lru_cache(maxsize=None)(self._values)
        self.alike = lru_cache(maxsize=None)(self._alike)

    def __len__(self) -> int:
        return len(self.belief)

    def _called(self, what: str) -> Found:
        """The objects that a word may mean, with those that it names best."""
        columns = self.lexicon.columns(what)
        members = self.presence * (self.names @ columns.every)
        names = None if columns.every.all() else columns.every
        if not columns.has_preference:
            return Found(members, None, names)
        exact, alike = (self.presence * (self.names @ each) for each in (columns.exact, columns.alike))
        return Found(members, preferred(alike, exact), names)

    def _has(self, kind: str, value: str) -> Array:
        """P(object i has a value of a kind), (n,). Unknown values: 0."""
        if kind in SIDES_OF_IMAGE:
            return self._at(kind, value)
        held = self.names @ self.lexicon.columns(value).every if kind in NAMING else self._none
        found = self.lexicon.value_place.get(value)
        return held if found is None else np.maximum(held, self.values(found[0])[:, found[1]])

    def _has_other(self, kind: str, value: str) -> Array:
        """P(object i has a different value of the kind, by default that of the value, and not this one), (n,)."""
        found = self.lexicon.value_place.get(value)
        kind = kind or (found[0] if found else "")
        if kind in SIDES_OF_IMAGE or kind in NAMING:
            return self._none
        lacking = 1.0 - self.values(kind)
        others = np.delete(lacking, found[1], axis=1) if found and found[0] == kind else lacking
        return (1.0 - np.prod(others, axis=1)) * (1.0 - self.has("", value))

    def lacks(self, kind: str, value: str, among: Array) -> Array:
        """P(object i is meant by `not(value)`), (n,): it has a different value, or where no member of `among` has one,
        it has not this one."""
        other, absent = self.has_other(kind, value), 1.0 - self.has(kind, value)
        return other + (absent - other) * (1.0 - any_of(among * other))

    def _related(self, name: str) -> Array:
        """P(object i is `name` object j), (n, n), with a zero diagonal; stated as such or by the inverse."""
        table = self._stated(name)
        inverse = self.lexicon.inverse(name)
        if inverse is not None and inverse != name:
            table = np.maximum(table, self._stated(inverse).T)
        elif inverse == name:
            table = np.maximum(table, table.T)
        return self._beside(name) if name in SIDES and not table.any() else table

    def directed(self, relation: str, role: str) -> Array:
        """P(object i is what is asked for, given that j is the anchor), (n, n); by roles s, o and _ of the new one."""
        if role == "_":
            return self.alike(relation.removeprefix("same ").strip())
        table = self.related(relation)
        return table.T if role == "o" else table

    def _values(self, kind: str) -> Array:
        """P(object i has each value of a kind), (n, values); of positions the sides."""
        if kind in SIDES_OF_IMAGE:
            return np.column_stack([self._at(kind, side) for side in SIDES_OF_IMAGE[kind]])
        if kind in NAMING:
            return self.names
        table = self.belief.attributes.get(kind)
        return np.zeros((len(self), 0)) if table is None else table.astype(float)

    def _alike(self, kind: str) -> Array:
        """P(objects i and j share a value of a kind), (n, n), with a zero diagonal."""
        table = self.values(kind)
        alike = 1.0 - np.prod(1.0 - table[:, None] * table[None, :], axis=-1)
        np.fill_diagonal(alike, 0.0)
        return alike

    def words_of(self, kind: str) -> tuple[str, ...]:
        """The values of a kind, in the order of the columns of `values`."""
        if kind in NAMING:
            return self.lexicon.words.names
        return SIDES_OF_IMAGE.get(kind) or self.lexicon.words.attributes.get(kind, ())

    def whole(self, kind: str) -> dict[str, float]:
        """Distribution over what the image as a whole is, by the answers to a kind of place, or the weather."""
        words, belief = self.lexicon.words, self.belief
        if kind == "weather":
            return dict(zip(words.weathers, belief.weathers.tolist(), strict=False))
        found: dict[str, float] = {}
        for name, p in zip(self.lexicon.places(kind), belief.locations.tolist(), strict=False):
            found[name] = found.get(name, 0.0) + p
        return found

    def is_whole(self, value: str) -> float:
        """P(the image as a whole is at a place, indoors or outdoors, or has a weather)."""
        words, belief = self.lexicon.words, self.belief
        places = zip(words.locations, belief.locations.tolist(), strict=False)
        here = sum(p for name, p in places if value in whereabouts(name))
        weathers = zip(words.weathers, belief.weathers.tolist(), strict=False)
        return float(min(1.0, max(here, sum(p for name, p in weathers if name == value))))

    @property
    def middles(self) -> Array:
        """Middles of the boxes in pixels, (n, 2)."""
        boxes = self.belief.boxes.astype(float)
        return boxes[:, :2] + boxes[:, 2:] / 2

    @property
    def _none(self) -> Array:
        return np.zeros(len(self))

    def _at(self, kind: str, value: str) -> Array:
        """Whether the middle of each box is in a part of the image, (n,) of zeros and ones."""
        axis = int(kind == "vposition")
        middles, size = self.middles[:, axis], self.belief.size[axis]
        if value in MIDDLE:
            return ((size / 3 < middles) & (middles < 2 * size / 3)).astype(float)
        if value not in SIDES_OF_IMAGE[kind]:
            return self._none
        return ((middles < size / 2) == (value == SIDES_OF_IMAGE[kind][0])).astype(float)

    def _stated(self, name: str) -> Array:
        row = self.lexicon.relation_row.get(name)
        return np.zeros((len(self), len(self))) if row is None else self.belief.relations[row].astype(float)

    def _beside(self, name: str) -> Array:
        """The sides by geometry, for a belief that has none of them; see `formats.scenes.sides`."""
        x, y, w, h = self.belief.boxes.astype(float).T
        gap = x[None, :] - (x + w)[:, None]
        shared = np.minimum.outer(y + h, y + h) - np.maximum.outer(y, y)
        is_near = (gap >= 0) & (gap <= MOST_GAP * self.belief.size[0])
        table = (is_near & (shared >= LEAST_OVERLAP * np.minimum.outer(h, h))).astype(float)
        np.fill_diagonal(table, 0.0)
        return table if name == LEFT else table.T
