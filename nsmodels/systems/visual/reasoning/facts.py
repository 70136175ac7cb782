"""Leaf facts of a proof: statements about one object or one pair, with the probability that perception gives them.

Written `present(o1)`, `absent(o2)`, `color(o3) = red`, `color(o2) != red`, `left(o3, o1)` (o3 is left of o1) and
`not left(o3, o1)`. Objects are numbered from 1 in the order of the belief.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, RELATIONS
from nsmodels.systems.visual.reasoning.belief import OPPOSITE, SceneBelief

_PATTERN = re.compile(r"\s*(not\s+)?([a-z]+)\s*\(\s*o(\d+)\s*(?:,\s*o(\d+)\s*)?\)\s*(?:(=|!=)\s*([a-z]+)\s*)?")
EXAMPLES = "write color(o3) = red, color(o3) != red, left(o3, o1), not left(o3, o1), present(o3) or absent(o3)"


@dataclass(frozen=True)
class Fact:
    """One literal: `name` is an attribute, a relation or "present"; `objects` are numbered from 1.

    `value` is the attribute's value, else empty; `holds` is False for a negative literal.
    """

    name: str
    objects: tuple[int, ...]
    value: str = ""
    holds: bool = True
    probability: float = 1.0

    def __str__(self) -> str:
        objects = ", ".join(f"o{number}" for number in self.objects)
        if self.name == "present":
            return f"{'present' if self.holds else 'absent'}({objects})"
        if self.value:
            return f"{self.name}({objects}) {'=' if self.holds else '!='} {self.value}"
        return f"{'' if self.holds else 'not '}{self.name}({objects})"

    @property
    def literal(self) -> Fact:
        """The fact without its probability, for comparisons and look-ups."""
        return Fact(self.name, self.objects, self.value, self.holds)

    @property
    def variable(self) -> tuple:
        """Key of the random variable that the fact constrains: facts of different variables are independent."""
        if self.name not in OPPOSITE:
            return (self.name, *self.objects)
        return (min(self.name, OPPOSITE[self.name]), *sorted(self.objects))

    @property
    def outcome(self) -> str | int:
        """The value of the variable in a positive literal; left(o3, o1) and right(o1, o3) have the same one."""
        if self.name not in OPPOSITE:
            return self.value
        return self.objects[0] if self.name < OPPOSITE[self.name] else self.objects[1]


def parse(text: str) -> Fact:
    """The literal of `text`, at probability 1. Raises InputError for a text that is no literal."""
    match = _PATTERN.fullmatch(text)
    if not match:
        raise InputError(f"fact {text!r}: cannot be read; {EXAMPLES}")
    negated, name, first, second, sign, value = match.groups()
    objects = tuple(int(number) for number in (first, second) if number)
    if name in ATTRIBUTES and len(objects) == 1 and sign and not negated:
        if value not in ATTRIBUTES[name]:
            raise InputError(f"fact {text!r}: {value!r} is not a {name}; known: {', '.join(ATTRIBUTES[name])}")
        return Fact(name, objects, value, sign == "=")
    if name in RELATIONS and len(objects) == 2 and objects[0] != objects[1] and not sign:
        return Fact(name, objects, "", not negated)
    if name in ("present", "absent") and len(objects) == 1 and not sign and not negated:
        return Fact("present", objects, "", name == "present")
    known = ", ".join((*ATTRIBUTES, *RELATIONS, "present", "absent"))
    raise InputError(f"fact {text!r}: unknown or malformed; known names: {known}; {EXAMPLES}")


def with_probability(fact: Fact, belief: SceneBelief) -> Fact:
    """The same literal with its probability in `belief`. Raises InputError for an object that the belief lacks."""
    if any(not 1 <= number <= len(belief) for number in fact.objects):
        raise InputError(f"fact {str(fact)!r}: the scene has objects o1 to o{len(belief)}")
    first = fact.objects[0] - 1
    if fact.name == "present":
        p = float(belief.presence[first])
    elif fact.name in ATTRIBUTES:
        p = float(belief.attributes[fact.name][first, ATTRIBUTES[fact.name].index(fact.value)])
    else:
        p = float(belief.relations[fact.name][fact.objects[1] - 1, first])
    return Fact(fact.name, fact.objects, fact.value, fact.holds, p if fact.holds else 1.0 - p)


def joint_probability(facts: Iterable[Fact]) -> float:
    """The probability that all facts hold: the product over distinct variables, exact when those are independent."""
    # The values of one variable exclude each other. A positive literal v = a therefore implies the negative ones v ≠ b
    # of its variable, which add no factor; negative ones alone leave P(v ∉ {b, c, ...}) = 1 − Σ P(v = b).
    positive: dict[tuple, float] = {}
    excluded: dict[tuple, dict[str | int, float]] = {}
    for fact in facts:
        if fact.holds:
            positive[fact.variable] = fact.probability
        else:
            excluded.setdefault(fact.variable, {})[fact.outcome] = 1.0 - fact.probability
    result = 1.0
    for p in positive.values():
        result *= p
    for variable, outcomes in excluded.items():
        if variable not in positive:
            result *= max(0.0, 1.0 - sum(outcomes.values()))
    return result
