"""Literals that rules about one object can be made of, each with the examples that it holds for, as bit sets.

An example is an object X of a scene. A literal is a property of X or of the scene, a relation of X to some Y, or that
together with a property of Y; and the negation of each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nsmodels.logic.syntax import Atom, Constant, Fact, Term, Variable

X, Y = Variable("X"), Variable("Y")
Bits = np.ndarray  # UInt64[words], a bit per example


@dataclass(frozen=True)
class Scene:
    """Facts on some objects.

    Attributes:
        objects: the constants that stand for objects.
        facts: all facts; those without an object hold for the whole scene.
    """

    objects: tuple[Constant, ...]
    facts: frozenset[Fact]


@dataclass(frozen=True)
class Feature:
    """A literal that can be negated: atoms over X, and Y where it asks for a related object."""

    atoms: tuple[Atom, ...]

    @property
    def is_about_two(self) -> bool:
        """Whether it asks for a related object."""
        return any(Y in atom.arguments for atom in self.atoms)

    def __str__(self) -> str:
        return ", ".join(map(str, self.atoms))


@dataclass(frozen=True)
class Table:
    """Features and the examples that they hold for.

    Attributes:
        features: literals, without negations.
        bits: UInt64[features, words], of each feature the examples.
        num_examples: objects of all scenes; bits beyond are 0.
    """

    features: tuple[Feature, ...]
    bits: np.ndarray
    num_examples: int

    @cached_property
    def everything(self) -> Bits:
        """All examples."""
        return packed(np.ones(self.num_examples, bool))

    @property
    def num_literals(self) -> int:
        """Features and their negations."""
        return 2 * len(self.features)

    def without(self, predicates: Collection[str]) -> Table:
        """The table without features that mention one of these predicates."""
        kept = [k for k, each in enumerate(self.features) if not any(a.predicate in predicates for a in each.atoms)]
        if len(kept) == len(self.features):
            return self
        return Table(tuple(self.features[k] for k in kept), self.bits[kept], self.num_examples)

    def of_literal(self, feature: int, is_negated: bool) -> Bits:
        """The examples of a literal."""
        return self.everything & ~self.bits[feature] if is_negated else self.bits[feature]


def table(scenes: Sequence[Scene], min_examples: int = 1) -> Table:
    """The table of scenes.

    Args:
        scenes: the examples are their objects, in order.
        min_examples: features that hold for fewer, or fail for fewer, are left out; so is the longer of two that hold
            for the same examples.
    """
    gathered = gather(scenes)
    columns, first = gathered.columns, gathered.num_examples
    kept = [(f, c) for f, c in columns.items() if len(c) >= min_examples and first - len(c) >= min_examples]
    kept.sort(key=lambda each: (len(each[0].atoms), each[0].is_about_two, str(each[0])))
    distinct: dict[tuple[int, ...], Feature] = {}
    for feature, column in kept:
        distinct.setdefault(tuple(column), feature)
    bits = np.stack([_column(column, first) for column in distinct]) if distinct else np.zeros((0, _words(first)), "u8")
    return Table(tuple(distinct.values()), bits, first)


@dataclass(frozen=True)
class Gathered:
    """Every feature of some scenes with the examples that it holds for."""

    columns: Mapping[Feature, Sequence[int]]
    num_examples: int

    def bits(self, feature: Feature) -> Bits:
        """The examples of a feature; none of one that never holds."""
        return _column(self.columns.get(feature, ()), self.num_examples)


def gather(scenes: Iterable[Scene]) -> Gathered:
    """Features of the objects of scenes, in order."""
    columns: dict[Feature, list[int]] = {}
    first = 0
    for scene in scenes:
        for place, features in enumerate(_features(scene)):
            for feature in features:
                columns.setdefault(feature, []).append(first + place)
        first += len(scene.objects)
    return Gathered(columns, first)


def _features(scene: Scene) -> Iterator[set[Feature]]:
    """Features of each object of a scene."""
    objects = set(scene.objects)
    own: dict[Constant, set[Atom]] = {each: set() for each in scene.objects}  # about X
    links: dict[Constant, set[tuple[Atom, Constant]]] = {each: set() for each in scene.objects}  # about X and Y
    shared: set[Feature] = set()
    for name, arguments in scene.facts:
        mine = [each for each in dict.fromkeys(arguments) if each in objects]
        if not mine:
            shared.add(Feature((Atom(name, arguments),)))
        elif len(mine) == 1:
            own[mine[0]].add(_atom(name, arguments, {mine[0]: X}))
        elif len(mine) == 2:
            one, two = mine
            links[one].add((_atom(name, arguments, {one: X, two: Y}), two))
            links[two].add((_atom(name, arguments, {two: X, one: Y}), one))
    as_other = {each: {_swapped(atom) for atom in atoms} for each, atoms in own.items()}
    for each in scene.objects:
        found = shared | {Feature((atom,)) for atom in own[each]}
        for atom, other in links[each]:
            found.add(Feature((atom,)))
            found.update(Feature((atom, about)) for about in as_other[other])
        yield found


def _atom(name: str, arguments: tuple[Constant, ...], variables: Mapping[Constant, Variable]) -> Atom:
    terms: tuple[Term, ...] = tuple(variables.get(each, each) for each in arguments)
    return Atom(name, terms)


def _swapped(atom: Atom) -> Atom:
    """The same about Y."""
    return Atom(atom.predicate, tuple(Y if term == X else term for term in atom.arguments))


def _words(num_examples: int) -> int:
    return (num_examples + 63) // 64


def _column(examples: Sequence[int], num_examples: int) -> Bits:
    flags = np.zeros(num_examples, bool)
    flags[list(examples)] = True
    return packed(flags)


def packed(flags: np.ndarray) -> Bits:
    """Bit set of Bool[examples]."""
    whole = np.zeros(_words(len(flags)) * 64, bool)
    whole[: len(flags)] = flags
    return np.packbits(whole).view("u8")


def unpacked(bits: Bits, num_examples: int) -> np.ndarray:
    """Bool[examples] of a bit set."""
    return np.unpackbits(bits.view("u1"), count=num_examples).astype(bool)


def count(bits: np.ndarray) -> np.ndarray:
    """Number of examples in each bit set: UInt64[..., words] to Int64[...]."""
    return np.bitwise_count(bits).sum(-1, dtype=np.int64)
