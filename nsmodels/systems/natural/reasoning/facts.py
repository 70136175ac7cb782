"""Leaf facts of a proof: statements about one object, one pair or the image, with the probability of each.

Written `present(o1)`, `absent(o2)`, `is(o1, animal)`, `not is(o2, animal)`, `name(o1) = dog`, `color(o3) = red`,
`color(o2) != red`, `on(o3, o1)` (o3 is on o1), `not on(o3, o1)`, `location = street`. Objects are numbered from 1 in
the order of the belief. Attributes are sets: that a color is red does not say that it is not green, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.reasoning.lexicon import SIDES, Lexicon

PRESENT, IS, NAME, LOCATION, WEATHER = "present", "is", "name", "location", "weather"
_FACT = re.compile(
    r"\s*(?P<not>not\s+)?(?P<name>[\w' -]+?)\s*(?:\(\s*o(?P<first>\d+)\s*(?:,\s*(?P<second>[\w' -]+?)\s*)?\))?"
    r"\s*(?:(?P<sign>!?=)\s*(?P<value>[\w' -]+?))?\s*"
)
EXAMPLES = "write present(o1), is(o1, animal), name(o1) = dog, color(o3) = red, color(o3) != red, on(o3, o1) or "
EXAMPLES += "location = street, with 'not' before a relation that does not hold"


@dataclass(frozen=True)
class Fact:
    """One literal.

    Attributes:
        name: "present", "is", "name", a type of attributes, a relation, "location" or "weather".
        objects: numbers from 1: none, one, or two of a relation.
        value: of an attribute, a name, a category, a place or a weather.
        holds: False for a negative literal.
        probability: of the literal.
    """

    name: str
    objects: tuple[int, ...] = ()
    value: str = ""
    holds: bool = True
    probability: float = 1.0

    def __str__(self) -> str:
        objects = ", ".join(f"o{number}" for number in self.objects)
        if self.name == PRESENT:
            return f"{'present' if self.holds else 'absent'}({objects})"
        if self.name == IS or not self.value:
            inside = f"{objects}, {self.value}" if self.name == IS else objects
            return f"{'' if self.holds else 'not '}{self.name}({inside})"
        return f"{self.name}{f'({objects})' if objects else ''} {'=' if self.holds else '!='} {self.value}"

    @property
    def literal(self) -> Fact:
        """The fact without its probability, for comparisons and look-ups."""
        return replace(self, probability=1.0)


def parse(text: str, words: SceneVocabulary) -> Fact:
    """The literal of a text, at probability 1. Raises `InputError` for a text that is no literal."""
    found = _FACT.fullmatch(text)
    if found is None:
        raise InputError(f"fact {text!r}: cannot be read; {EXAMPLES}")
    name, second, value = found["name"], found["second"] or "", found["value"] or ""
    objects = (int(found["first"]),) if found["first"] else ()
    holds = not found["not"] and found["sign"] != "!="
    if name == "absent":
        name, holds = PRESENT, False
    if second and name != IS:
        if not re.fullmatch(r"o\d+", second):
            raise InputError(f"fact {text!r}: expected an object as second argument; {EXAMPLES}")
        objects = (*objects, int(second[1:]))
    fact = Fact(name, objects, second if name == IS else value, holds)
    if not _is_known(fact, words):
        kinds = ", ".join((PRESENT, IS, NAME, *words.attributes, *words.relations, LOCATION, WEATHER))
        raise InputError(f"fact {text!r}: unknown or malformed; known: {kinds}; {EXAMPLES}")
    return fact


def _is_known(fact: Fact, words: SceneVocabulary) -> bool:
    known = {NAME: words.names, **words.attributes}
    if fact.name in (LOCATION, WEATHER):
        return not fact.objects and fact.value in (words.locations if fact.name == LOCATION else words.weathers)
    if fact.name in known:
        return len(fact.objects) == 1 and fact.value in known[fact.name]
    if fact.name in words.relations:
        return len(fact.objects) == 2 and not fact.value
    return len(fact.objects) == 1 and (fact.name == IS) == bool(fact.value) and fact.name in (PRESENT, IS)


def with_probability(fact: Fact, belief: Belief, lexicon: Lexicon) -> Fact:
    """The same literal with its probability in a belief. Raises `InputError` for an object that the belief lacks."""
    if any(not 1 <= number <= len(belief) for number in fact.objects):
        raise InputError(f"fact {str(fact)!r}: the scene has objects o1 to o{len(belief)}")
    p = min(1.0, max(0.0, _probability(fact, belief, lexicon)))
    return replace(fact, probability=p if fact.holds else 1.0 - p)


def _probability(fact: Fact, belief: Belief, lexicon: Lexicon) -> float:
    words, rows = belief.words, [number - 1 for number in fact.objects]
    if fact.name == PRESENT:
        return float(belief.presence[rows[0]])
    if fact.name == IS:
        return float(belief.names[rows[0]] @ lexicon.columns(fact.value).every)
    if fact.name == NAME:
        return float(belief.names[rows[0], words.names.index(fact.value)])
    if fact.name in (LOCATION, WEATHER):
        listed, table = (
            (words.locations, belief.locations) if fact.name == LOCATION else (words.weathers, belief.weathers)
        )
        return float(table[listed.index(fact.value)]) if len(table) else 0.0
    if fact.name in words.attributes:
        return float(belief.attributes[fact.name][rows[0], words.attributes[fact.name].index(fact.value)])
    return related(belief, fact.name, rows[0], rows[1])


def related(belief: Belief, name: str, subject: int, target: int) -> float:
    """P(object `subject` is `name` object `target`), as stated by the relation or by its inverse; rows from 0."""
    words = belief.words
    found = [(name, subject, target)]
    if inverse := SIDES.get(name) or words.inverses.get(name):
        found.append((inverse, target, subject))
    rows = [(words.relations.index(each), i, k) for each, i, k in found if each in words.relations]
    return max((float(belief.relations[row]) for row in rows), default=0.0)


def joint_probability(facts: tuple[Fact, ...], belief: Belief, lexicon: Lexicon) -> float:
    """The probability that all facts hold, for independent variables: presence, name, values, relations, place."""
    distinct = dict.fromkeys(facts)
    naming: dict[int, np.ndarray] = {}
    product = 1.0
    for fact in distinct:
        if fact.name in (IS, NAME):  # one variable: what is left of the names
            allowed = naming.setdefault(fact.objects[0], np.ones(len(belief.words.names), bool))
            allowed &= _names_of(fact, belief.words, lexicon) == fact.holds
        else:
            product *= fact.probability
    for number, allowed in naming.items():
        product *= float(belief.names[number - 1] @ allowed)
    return product


def _names_of(fact: Fact, words: SceneVocabulary, lexicon: Lexicon) -> np.ndarray:
    if fact.name == IS:
        return lexicon.columns(fact.value).every
    return np.array([name == fact.value for name in words.names])
