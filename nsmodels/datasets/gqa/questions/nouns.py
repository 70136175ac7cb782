"""Descriptions of objects: a name or category, attributes, a relation to a described object."""

from __future__ import annotations

from typing import NamedTuple

PLAIN_KINDS = ("state", "pose")
ANY = "_"  # a description without a name


class Trait(NamedTuple):
    """An attribute of a description; `is_negated`: the object does not have it."""

    kind: str
    value: str
    is_negated: bool = False

    @property
    def argument(self) -> str:
        """As in a program: "red" or "not(red)"."""
        return f"not({self.value})" if self.is_negated else self.value


class Noun(NamedTuple):
    """A description and the objects of the image that its name and relation apply to.

    Attributes:
        name: name, category or `_`.
        traits: attributes.
        link: relation to a described object.
        things: positions of the objects, before the traits are applied; empty: none.
    """

    name: str
    traits: tuple[Trait, ...] = ()
    link: Link | None = None
    things: tuple[int, ...] = ()

    @property
    def thing(self) -> int:
        """Position of its only object; -1: none or several."""
        return self.things[0] if len(self.things) == 1 else -1

    @property
    def mentioned(self) -> int:
        """Mask of all objects that it names."""
        mask = 0
        for thing in self.things:
            mask |= 1 << thing
        return mask | self.link.to.mentioned if self.link else mask


class Link(NamedTuple):
    """A relation. Role s: the described object is its subject; o: its object; `_`: both share an attribute."""

    relation: str
    role: str
    to: Noun


class Program:
    """Steps of a question under construction, as (operation, dependencies, argument).

    Args:
        ids: ids of the objects.
        is_plain: whether operations on the types of `PLAIN_KINDS` leave the type away: "filter", not "filter pose".
    """

    def __init__(self, ids: tuple[str, ...], is_plain: bool = False) -> None:
        self.ids, self.is_plain = ids, is_plain
        self.steps: list[tuple[str, list[int], str]] = []

    def add(self, operation: str, dependencies: list[int], argument: str) -> int:
        """Append a step; returns its number."""
        self.steps.append((operation, dependencies, argument))
        return len(self.steps) - 1

    def operation(self, verb: str, kind: str) -> str:
        """Name of an operation on an attribute type."""
        return verb if self.is_plain and kind in PLAIN_KINDS else f"{verb} {kind}"

    def marked(self, text: str, things: tuple[int, ...]) -> str:
        """An argument with the ids of its objects, as released: "dog (17)", "dog (-)"."""
        return f"{text} ({','.join([self.ids[i] for i in things]) or '-'})"

    def noun(self, noun: Noun, end: str = "") -> int:
        """Add the steps that find what a description fits; returns the last one's number. `end`: blanks as released."""
        if noun.link is None:
            last = self.add("select", [], self.marked(noun.name, noun.things) + end)
        else:
            start = self.noun(noun.link.to, end)
            text = f"{noun.name},{noun.link.relation},{noun.link.role}"
            last = self.add("relate", [start], self.marked(text, noun.things))
        for trait in noun.traits:
            last = self.add(self.operation("filter", trait.kind), [last], trait.argument)
        return last
