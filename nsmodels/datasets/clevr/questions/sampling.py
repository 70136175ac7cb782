"""Sampling of question forms that are well-posed in a scene.

Every form keeps CLEVR's rules: a single object is described uniquely; a description never names the attribute that is
queried, compared or shared; all objects of a question are different, so that none is described twice; and every link is
needed: without it the description would select different objects.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from random import Random

from nsmodels.datasets.clevr.questions.executor import Compiled, members_of
from nsmodels.datasets.clevr.questions.families import BLANK, Description, Family, Form, Group, Link
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, RELATIONS

PLACES = {name: place for place, name in enumerate(ATTRIBUTES)}
TRIES = 4
ABSENT = 0.3  # share of plain descriptions that are changed in one value, and then often match no object


@cache
def shorter(*values: str) -> tuple[Description, ...]:
    """The 16 descriptions that match an object with these values, the blank one first."""
    return tuple(product(*(("", value) for value in values)))  # type: ignore[arg-type]


class Sampler:
    """Sampler of question forms in one scene.

    Args:
        scene: the compiled scene.
        rng: the only source of randomness.
    """

    def __init__(self, scene: Compiled, rng: Random) -> None:
        self.scene, self.rng = scene, rng
        self.count = scene.everything.bit_length()
        self._masks: dict[Description, int] = {BLANK: scene.everything}
        # For each object the descriptions that match it, with the masks of all objects that they match.
        self.fitting = [
            [(text, self.mask(text)) for text in shorter(*(scene.values[name][i] for name in ATTRIBUTES))]
            for i in range(self.count)
        ]

    def mask(self, description: Description) -> int:
        """Mask of the objects that match a description."""
        found = self._masks.get(description)
        if found is None:
            found = self.scene.everything
            for value in description:
                if value:
                    found &= self.scene.having[value]
            self._masks[description] = found
        return found

    def draw(self, family: Family) -> Form | None:
        """A form of the family, or None when none was found."""
        if family.head is not None:
            return self._either(family)
        if family.function.startswith("query_"):
            return self._queried(family)
        if len(family.links) == 1:
            group = self._set(family, family.links[0])
            return group and Form(family.function, (group,))
        return self._counted(family) if family.template == "compare_integer" else self._compared(family)

    def _queried(self, family: Family) -> Form | None:
        asked = family.function.removeprefix("query_")
        target = self.rng.randrange(self.count)
        group = self._object(target, family.links[0], asked, 1 << target)
        return group and Form(family.function, (group,))

    def _compared(self, family: Family) -> Form | None:
        asked = family.function.removeprefix("equal_")
        first = self.rng.randrange(self.count)
        alike = self.scene.same[asked][first]
        # Half of the pairs alike, whatever the chance of two colors being the same.
        others = members_of(alike if self.rng.random() < 0.5 else self.scene.everything & ~alike & ~(1 << first))
        if not others:
            return None
        second = self.rng.choice(others)
        used = 1 << first | 1 << second
        one = self._object(first, family.links[0], asked, used)
        two = one and self._object(second, family.links[1], asked, used | self._mentioned(one))
        return Form(family.function, (one, two)) if one and two else None

    def _mentioned(self, group: Group) -> int:
        """Mask of the object at the other end of a group's only link."""
        return self.mask(group.links[0].target.description) if group.links else 0

    def _counted(self, family: Family) -> Form | None:
        one, two = (self._set(family, ties) for ties in family.links)
        return Form(family.function, (one, two)) if one and two and _differ(one, two) else None

    def _either(self, family: Family) -> Form | None:
        one, two = (self._set(family, ties, family.head or "") for ties in family.links)
        if not one or not two or not _differ(one, two):
            return None
        return Form("count", (one, two), self._head(family.head or ""))

    def _head(self, name: str) -> Description:
        if not name:
            return BLANK
        values = list(BLANK)
        values[PLACES[name]] = self.rng.choice(self.scene.values[name])
        return tuple(values)  # type: ignore[return-value]

    def _object(self, target: int, ties: str, asked: str, used: int) -> Group | None:
        """One object, described uniquely without naming the attribute `asked`, without links to objects in `used`."""
        if not ties:
            return self._plain_object(target, asked)
        if ties == "r&r":
            return self._crossed_object(target, asked, used)
        if ties in ATTRIBUTES:
            return self._alike_object(target, ties, asked, used)
        return self._related_object(target, len(ties), asked, used)

    def _plain_object(self, target: int, asked: str) -> Group | None:
        return self._pick(target, lambda mask: mask == 1 << target, asked)

    def _related_object(self, target: int, hops: int, asked: str, used: int) -> Group | None:
        bit = 1 << target
        for anchor in self._others(used | bit)[:TRIES]:
            for relation in self._relations(anchor, target):
                within = self.scene.related[relation][anchor]
                group = self._pick(target, lambda mask: mask & within == bit != mask, asked)  # noqa: B023 (used at once)
                end = group and self._end(anchor, hops - 1, used | bit)
                if group and end:
                    return Group(group.description, (Link("relate", relation, end),))
        return None

    def _end(self, anchor: int, hops: int, used: int) -> Group | None:
        """The object at the other end of a link."""
        return self._object(anchor, "r" * hops, "", used | 1 << anchor)

    def _crossed_object(self, target: int, asked: str, used: int) -> Group | None:
        bit = 1 << target
        links = self._crossing(used | bit)
        if links is None:
            return None
        (one, link), (two, other) = links
        group = self._pick(target, lambda m: m & one & two == bit and m & one != bit != m & two, asked)
        return group and Group(group.description, (link, other))

    def _alike_object(self, target: int, shared: str, asked: str, used: int) -> Group | None:
        bit = 1 << target
        for anchor in self._shuffled(members_of(self.scene.same[shared][target] & ~used))[:TRIES]:
            within, rest = self.scene.same[shared][anchor], ~(1 << anchor)
            group = self._pick(target, lambda m: m & within == bit != m & rest, asked, shared)  # noqa: B023 (used at once)
            end = group and self._plain_object(anchor, shared)
            if group and end:
                return Group(group.description, (Link("same", shared, end),))
        return None

    def _pick(self, target: int, fits, *silent: str) -> Group | None:
        """A description of `target` whose mask satisfies `fits`, and which does not name the `silent` attributes."""
        places = [PLACES[name] for name in silent if name]
        found = [text for text, mask in self.fitting[target] if fits(mask) and not any(text[p] for p in places)]
        return Group(self.rng.choice(found)) if found else None

    def _set(self, family: Family, ties: str, silent: str = "") -> Group | None:
        """A described set, to be counted or tested for emptiness."""
        if not ties:
            return self._plain_set(silent, family.template == "zero_hop" and family.function == "count")
        if ties == "r&r":
            return self._crossed_set()
        return self._alike_set(ties, family.is_filtered) if ties in ATTRIBUTES else self._related_set(len(ties))

    def _plain_set(self, silent: str, may_be_blank: bool) -> Group | None:
        text = list(self._any()[0])
        if self.rng.random() < ABSENT:
            name = self.rng.choice(list(ATTRIBUTES))
            text[PLACES[name]] = self.rng.choice(ATTRIBUTES[name])
        if silent:
            text[PLACES[silent]] = ""
        return Group(tuple(text)) if any(text) or may_be_blank else None  # type: ignore[arg-type]

    def _related_set(self, hops: int) -> Group | None:
        anchor = self.rng.randrange(self.count)
        end = self._end(anchor, hops - 1, 0)
        if end is None:
            return None
        relation = self.rng.choice(RELATIONS)
        outside = ~self.scene.related[relation][anchor] & ~(1 << anchor)
        for _ in range(TRIES):
            text, mask = self._any()
            if mask & outside:
                return Group(text, (Link("relate", relation, end),))
        return None

    def _crossed_set(self) -> Group | None:
        links = self._crossing(0)
        if links is None:
            return None
        (one, link), (two, other) = links
        for _ in range(TRIES):
            text, mask = self._any()
            if mask & one & ~two and mask & two & ~one:
                return Group(text, (link, other))
        return None

    def _crossing(self, used: int) -> list[tuple[int, Link]] | None:
        """Two links to different objects, each with the mask of the objects for which it holds."""
        anchors = self._others(used)[:2]
        ends = [self._plain_object(anchor, "") for anchor in anchors]
        if len(ends) < 2 or None in ends:
            return None
        relations = [self.rng.choice(RELATIONS) for _ in anchors]
        masks = [self.scene.related[name][anchor] for name, anchor in zip(relations, anchors, strict=True)]
        return [(m, Link("relate", r, end)) for m, r, end in zip(masks, relations, ends, strict=True) if end]

    def _alike_set(self, shared: str, is_filtered: bool) -> Group | None:
        anchor = self.rng.randrange(self.count)
        end = self._plain_object(anchor, shared)
        outside = self.scene.everything & ~self.scene.same[shared][anchor] & ~(1 << anchor)
        for _ in range(TRIES if end else 0):
            text, mask = self._any() if is_filtered else (BLANK, self.scene.everything)
            if mask & outside and not text[PLACES[shared]]:
                return Group(text, (Link("same", shared, end),))  # type: ignore[arg-type]
        return None

    def _any(self) -> tuple[Description, int]:
        """A random description of a random object, with its mask."""
        return self.rng.choice(self.fitting[self.rng.randrange(self.count)])

    def _others(self, used: int) -> list[int]:
        return self._shuffled(members_of(self.scene.everything & ~used))

    def _relations(self, anchor: int, target: int) -> list[str]:
        """Relations of `target` to `anchor`, in random order."""
        return self._shuffled([name for name in RELATIONS if self.scene.related[name][anchor] >> target & 1])

    def _shuffled(self, items: list) -> list:
        return self.rng.sample(items, len(items))


def _differ(one: Group, two: Group) -> bool:
    """Whether neither of two plain groups contains the other by its description; groups with links need only differ."""
    if one.links or two.links:
        return one != two
    pairs = list(zip(one.description, two.description, strict=True))
    return not all(a in ("", b) for a, b in pairs) and not all(b in ("", a) for a, b in pairs)
