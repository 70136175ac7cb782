"""Search for descriptions that fit exactly one object of an image."""

from __future__ import annotations

from random import Random

from nsmodels.datasets.gqa.questions.nouns import Link, Noun, Trait
from nsmodels.datasets.gqa.questions.view import View

# Probabilities: a category for the name; a relation although the description fits one object without; an attribute
# although it does; a description that an earlier question of the image has used.
CATEGORY, LINKED, ADORNED, REUSED = 0.2, 0.22, 0.3, 0.55


class Finder:
    """Descriptions of single objects.

    Args:
        view: the scene.
        rng: the only source of randomness.
    """

    def __init__(self, view: View, rng: Random) -> None:
        self.view, self.rng = view, rng
        self._used: dict[tuple[int, str], list[Noun]] = {}

    def the(self, thing: int, silent: str = "", avoid: int = 0, depth: int = 1) -> Noun | None:
        """A description of one object, or None.

        Args:
            thing: position of the object.
            silent: attribute type that it must not tell; "name": nor the name.
            avoid: mask of objects that it must not mention.
            depth: number of relations that it may have, one inside the other.
        """
        used = self._used.setdefault((thing, silent), [])
        if used and self.rng.random() < REUSED:
            noun = self.rng.choice(used)
            if not noun.mentioned & avoid:
                return noun
        noun = self._search(thing, silent, avoid, depth)
        if noun is not None:
            used.append(noun)
        return noun

    def _search(self, thing: int, silent: str, avoid: int, depth: int) -> Noun | None:
        name = self._name(thing, silent)
        mask, bit, draw = self.view.called[name], 1 << thing, self.rng.random()
        if depth and (draw < LINKED or (mask != bit and draw < 3 * LINKED)):
            noun = self._linked(thing, name, mask, silent, avoid, depth)
            if noun is not None:
                return noun
        if mask == bit and draw > LINKED + ADORNED:
            return Noun(name, (), None, (thing,))
        trait = self._trait(thing, mask, silent)
        if trait is not None:
            return Noun(name, (trait,), None, (thing,))
        if mask == bit:
            return Noun(name, (), None, (thing,))
        return self._linked(thing, name, mask, silent, avoid, depth) if depth else None

    def _name(self, thing: int, silent: str) -> str:
        categories = self.view.categories[thing]
        if categories and (silent == "name" or self.rng.random() < CATEGORY):
            return categories[0] if self.rng.random() < 0.8 else self.rng.choice(categories)
        return self.view.names[thing]

    def _trait(self, thing: int, mask: int, silent: str) -> Trait | None:
        """An attribute that leaves one object of a mask: most often one that it has, else a place, else a negation."""
        view, bit = self.view, 1 << thing
        values = [item for item in view.values[thing].items() if item[0] != silent]
        fitting = [item for item in values if view.having[item] & mask == bit]
        if fitting:
            return Trait(*self.rng.choice(fitting))
        if silent not in ("hposition", "vposition") and mask != bit:
            for kind in ("hposition", "vposition"):
                side = view.sides[kind][thing]
                if side and all(view.sides[kind][each] not in ("", side) for each in _bits(mask ^ bit)):
                    return Trait(kind, side)
        return self._negated(thing, mask ^ bit, silent)

    def _negated(self, thing: int, rest: int, silent: str) -> Trait | None:
        """A value that all objects of `rest` have and `thing` has not."""
        if not rest:
            return None
        own, first = self.view.values[thing], self.view.values[_bits(rest)[0]]
        for kind, value in first.items():
            if kind != silent and own.get(kind, value) != value and not rest & ~self.view.having[kind, value]:
                return Trait(kind, value, True)
        return None

    def _linked(self, thing: int, name: str, mask: int, silent: str, avoid: int, depth: int) -> Noun | None:
        view, bit = self.view, 1 << thing
        ties = [(relation, "s", other) for relation, other in view.links[thing]]
        ties += [(relation, "o", other) for relation, other in view.back[thing] if relation not in view.words.inverses]
        self.rng.shuffle(ties)
        for relation, role, anchor in ties[:4]:
            if avoid >> anchor & 1 or mask & view.related(relation, role, anchor) != bit:
                continue
            to = self.the(anchor, "", avoid | bit, depth - 1)
            is_simple = role == "s" or (to is not None and to.link is None)
            if to is not None and to.name != name and is_simple:
                return Noun(name, (), Link(relation, role, to), (thing,))
        return None


def _bits(mask: int) -> list[int]:
    return [place for place in range(mask.bit_length()) if mask >> place & 1]
