"""Actions and changes as words: "strike force=3 at=0.2,0.1" and "mass=2". Torch-free."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nsmodels.core.errors import InputError, near
from nsmodels.formats.clips.names import PLACEBO, SWITCHES, VARIABLES, VERBS

# By word: its unit for messages, lowest and highest value.
NUMBERS: dict[str, tuple[str, float, float]] = {
    "force": ("newtons", 0.1, 200.0),
    "speed": ("metres per second, of a tilt radians per second", 0.01, 10.0),
    "direction": ("degrees in the plane of the table, 0 along x", -360.0, 360.0),
    "tip": ("log10 of the Young's modulus of the tip in pascals", 5.0, 12.0),
    "aperture": ("metres between the fingers", 0.0, 0.3),
}
COUNTS = {"from": "first step of the action", "for": "number of steps"}
TARGETS = ("object", "neighbour")
WORDS = (*NUMBERS, *COUNTS, "at", "target")
# What the hand does not have in an action.
IDLE: dict[str, tuple[str, ...]] = {
    "none": tuple(word for word in WORDS if word not in COUNTS),
    "push": ("tip", "aperture"),
    "lift": ("at", "direction", "tip", "target"),
    "strike": ("aperture",),
    "squeeze": ("at", "direction", "tip", "target", "speed"),
    "drop": ("at", "direction", "tip", "target"),
    "tilt": ("at", "force", "tip", "target", "aperture"),
}


@dataclass(frozen=True)
class Action:
    """A verb, and what of it is given.

    Attributes:
        verb: as in `names.VERBS`.
        values: by word what was given: numbers in the units of `NUMBERS`; "at" a pair in [-1, 1], halves of the size
            from the middle of the object; "target" 0 or 1.
    """

    verb: str
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One thing changed in a clip.

    Attributes:
        variable: as in `names.VARIABLES`.
        value: a factor; of a switch whether it is there (0 or 1); of the colour a part of a turn.
    """

    variable: str
    value: float

    @property
    def index(self) -> int:
        """Place among `names.VARIABLES`."""
        return VARIABLES.index(self.variable)

    @property
    def is_switch(self) -> bool:
        """Whether something is removed or added."""
        return self.variable in SWITCHES

    @property
    def size(self) -> float:
        """What a model is given, as in `tables.Twins.change`."""
        if self.is_switch:
            return 1.0 if self.value else -1.0
        if self.variable == PLACEBO:
            return self.value
        return max(math.log(self.value), -3.0) if self.value > 0 else -3.0

    def __str__(self) -> str:
        """The change in words."""
        if self.is_switch:
            return f"{self.variable} {'added' if self.value else 'removed'}"
        return (
            f"{self.variable} turned by {self.value:g}"
            if self.variable == PLACEBO
            else f"{self.variable} x {self.value:g}"
        )


def read_action(text: str) -> Action:
    """The action in a text, a verb and words=values. Raises InputError for an unknown, missing or impossible one."""
    verb, *words = text.split() or [""]
    if verb not in VERBS:
        raise InputError(
            f"--action '{text}': expected a verb first ({', '.join(VERBS)}), got '{verb}'{near(verb, VERBS)}"
        )
    given: dict[str, Any] = {}
    for word in words:
        name, is_pair, value = word.partition("=")
        if not is_pair or name not in WORDS:
            raise InputError(
                f"--action: '{word}': expected some of {', '.join(f'{each}=...' for each in WORDS)}{near(name, WORDS)}"
            )
        if name in given:
            raise InputError(f"--action: '{name}' is given twice; keep one of them")
        if name in IDLE[verb]:
            raise InputError(f"--action: '{name}' has no effect in a {verb}; leave it out")
        given[name] = _value(name, value)
    if verb == "strike" and {"force", "speed"} <= given.keys():
        raise InputError("--action: the force of a strike is what brings the rod to its speed; give one of both")
    return Action(verb, given)


def read_change(text: str) -> Change:
    """The change in a text such as `mass=2`, `support=absent` or `colour=0.5`. Raises InputError likewise."""
    name, is_pair, value = text.partition("=")
    if not is_pair or name not in VARIABLES:
        raise InputError(f"--do {text}: expected VARIABLE=VALUE, one of {', '.join(VARIABLES)}{near(name, VARIABLES)}")
    if name in SWITCHES:
        if value not in ("absent", "present"):
            raise InputError(f"--do {text}: expected {name}=absent or {name}=present")
        return Change(name, float(value == "present"))
    if name == PLACEBO:
        return Change(name, _number(f"--do {text}", value, "a part of a turn of the hue", -1, 1))
    return Change(name, _number(f"--do {text}", value, "a factor; 0 removes it", 0, 20))


def _value(name: str, text: str) -> Any:
    where = f"--action: {name}={text}"
    if name in NUMBERS:
        return _number(where, text, *NUMBERS[name])
    if name == "target":
        if text not in TARGETS:
            raise InputError(f"{where}: expected {' or '.join(TARGETS)}")
        return TARGETS.index(text)
    if name == "at":
        parts = text.split(",")
        if len(parts) != 2:
            raise InputError(f"{where}: expected two numbers from -1 to 1, as at=0.2,0.1")
        return tuple(_number(where, part, "halves of the size, from the middle", -1, 1) for part in parts)
    if not text.isascii() or not text.isdecimal():
        raise InputError(f"{where}: expected the {COUNTS[name]}, a whole number")
    return int(text)


def _number(where: str, text: str, unit: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise InputError(f"{where}: expected a number from {low:g} to {high:g} ({unit})")
    return value
