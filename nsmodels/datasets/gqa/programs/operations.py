"""The 138 operations of GQA programs: what each takes, the form of its argument, and what it gives.

Names are those that occur in the released questions (union of two public lists of their operations). An operation is a
verb, mostly with an attribute type or a comparison: "filter color", "choose older".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from nsmodels.core.errors import InputError, near

Form = Literal["selection", "relating", "value", "options", "kind", "nothing"]
Result = Literal["objects", "truth", "answer"]

COMPARISONS = ("healthier", "less healthy", "higher", "lower", "larger", "smaller", "longer", "shorter", "taller")
COMPARISONS += ("older", "younger")
SHARED = ("color", "material", "shape")  # types that `common` compares

_CHOOSE = """activity, age, brightness, cleanliness, color, company, depth, face expression, fatness, flavor, gender,
hardness, height, hposition, length, location, material, name, opaqness, pattern, place, pose, race, realism,
shape, size, sportActivity, state, texture, thickness, tone, vposition, weather, weight, width"""
_FILTER = """activity, age, brightness, cleanliness, color, company, depth, event, face expression, fatness, flavor,
gender, hardness, height, hposition, length, liquid, material, opaqness, orientation, pattern, pose, race, realism,
room, shape, size, sport, sportActivity, state, texture, thickness, tone, vposition, weather, weight, width"""
_VERIFY = """activity, age, brightness, cleanliness, color, company, depth, face expression, fatness, flavor, gender,
hardness, height, hposition, length, location, material, opaqness, pattern, place, pose, race, realism, room, shape,
size, sportActivity, state, texture, thickness, tone, type, vposition, weather, weight, width"""


@dataclass(frozen=True)
class Operation:
    """An operation of a program.

    Attributes:
        name: as in the release: "filter color".
        verb: its first word: "filter".
        kind: the rest: an attribute type, a comparison, or empty.
        takes: what its inputs are; "objects" may be the scene.
        form: form of its argument.
        gives: what its result is.
        may_take_one: whether the second input may be absent: `same` of one set compares its members.
    """

    name: str
    verb: str
    kind: str
    takes: tuple[Result, ...]
    form: Form
    gives: Result
    may_take_one: bool = False

    def takes_number(self, number: int) -> bool:
        """Whether it can take so many inputs."""
        return number == len(self.takes) or (self.may_take_one and number == 1)


def operation_of(name: object) -> Operation:
    """The operation of that name. Raises `InputError` that names the nearest ones."""
    if isinstance(name, str) and name in OPERATIONS:
        return OPERATIONS[name]
    hint = near(name, OPERATIONS) if isinstance(name, str) else ""
    raise InputError(f"field 'operation': unknown operation {name!r}{hint}")


def _table() -> dict[str, Operation]:
    one: tuple[Result, ...] = ("objects",)
    two: tuple[Result, ...] = ("objects", "objects")
    truths: tuple[Result, ...] = ("truth", "truth")
    made = [
        Operation("select", "select", "", (), "selection", "objects"),
        Operation("relate", "relate", "", one, "relating", "objects"),
        Operation("exist", "exist", "", one, "nothing", "truth"),
        Operation("query", "query", "", one, "kind", "answer"),
        Operation("and", "and", "", truths, "nothing", "truth"),
        Operation("or", "or", "", truths, "nothing", "truth"),
        Operation("common", "common", "", two, "nothing", "answer"),
        Operation("verify rel", "verify", "rel", one, "relating", "truth"),
        Operation("choose rel", "choose", "rel", one, "relating", "answer"),
    ]
    made += [Operation(verb, verb, "", two, "kind", "truth", True) for verb in ("same", "different")]
    made += [
        Operation(f"{verb} {kind}", verb, kind, two, "nothing", "truth", True)
        for verb, kinds in (("same", SHARED), ("different", ("color", "shape")))
        for kind in kinds
    ]
    made += [Operation(f"choose {kind}", "choose", kind, two, "nothing", "answer", True) for kind in COMPARISONS]
    made += [_typed("filter", kind, "value", "objects") for kind in ["", *_listed(_FILTER)]]
    made += [_typed("verify", kind, "value", "truth") for kind in ["", *_listed(_VERIFY)]]
    made += [_typed("choose", kind, "options", "answer") for kind in ["", *_listed(_CHOOSE)]]
    return {each.name: each for each in sorted(made, key=lambda each: each.name)}


def _typed(verb: str, kind: str, form: Form, gives: Result) -> Operation:
    return Operation(f"{verb} {kind}".strip(), verb, kind, ("objects",), form, gives)


def _listed(text: str) -> list[str]:
    return text.replace("\n", " ").split(", ")


OPERATIONS: Mapping[str, Operation] = _table()
