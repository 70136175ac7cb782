"""Search spaces: fields of a configuration and the values that each may take, as text that people write.

`training.lr=1e-3,3e-3` is a list of values, `model.depth=1...4` a range, `training.lr=1e-4...1e-1:log` one on a
logarithmic scale. Whole numbers and fractions are told apart by the field.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from nsmodels.core.config.base import Config, Given, IncompleteError
from nsmodels.core.config.conditions import value_of, without_effect
from nsmodels.core.config.files import parse_yaml
from nsmodels.core.errors import InputError, near

MOST = 10_000  # combinations of a grid
LOG = ":log"
DOTS = "..."


@dataclass(frozen=True)
class Choices:
    """A list of values, each of which is tried as it is."""

    values: tuple[Any, ...]

    def including(self, value: Any) -> Choices:
        """The same with `value`, at its place where all are numbers."""
        if value in self.values:
            return self
        found = (*self.values, value)
        return Choices(tuple(sorted(found)) if all(_is_number(each) for each in found) else found)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values whose validity is that of the axis: all of a list."""
        return self.values

    @property
    def listed(self) -> tuple[Any, ...] | None:
        """All values."""
        return self.values

    def __str__(self) -> str:
        return ", ".join(_shown(value) for value in self.values)


@dataclass(frozen=True)
class Span:
    """Numbers from `low` to `high`, both included; whole ones where both are."""

    low: float
    high: float
    is_log: bool = False

    def including(self, value: Any) -> Span:
        """The same, widened to include `value`."""
        return Span(min(self.low, value), max(self.high, value), self.is_log)

    @property
    def ends(self) -> tuple[Any, ...]:
        """Values whose validity is that of the axis: its two ends."""
        return self.low, self.high

    @property
    def listed(self) -> tuple[Any, ...] | None:
        """All values where they are whole and not too many, else None."""
        low, high = self.low, self.high
        is_whole = isinstance(low, int) and isinstance(high, int) and high - low < MOST
        return tuple(range(int(low), int(high) + 1)) if is_whole else None

    def __str__(self) -> str:
        return f"{_shown(self.low)} to {_shown(self.high)}{', on a logarithmic scale' * self.is_log}"


Axis = Choices | Span
Axes = Mapping[str, Axis]


@dataclass(frozen=True)
class Space:
    """What is searched in the training of one phase, as a system declares it.

    Attributes:
        phase: the network that is trained for each trial.
        metric: reported by its training ("val/accuracy"), by which trials are compared; it must mean the same whatever
            the values of the fields, as a loss whose weight or temperature is searched does not.
        mode: whether a larger or a smaller value of it is better.
        fields: values by dotted name of the field, in the form of this module; fields without effect in a
            configuration are left out there.
        instead: by field, a value of it with which `metric` tells nothing apart, and metric and mode to take there.
    """

    phase: str
    metric: str
    mode: Literal["min", "max"]
    fields: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, tuple[Any, str, Literal["min", "max"]]] = field(default_factory=dict)

    def at(self, config: Config) -> Space:
        """The space with the metric by which trainings of this configuration are compared."""
        for name, (value, metric, mode) in self.instead.items():
            if value_of(config, name) == value:
                return replace(self, metric=metric, mode=mode)
        return self


def axes_of(config: Config, fields: Mapping[str, str], where: str) -> dict[str, Axis]:
    """The parsed axes of `fields`, by their full name, each with the values that the field of `config` makes of them.

    Raises `InputError` naming `where` for an unknown field, one that is given twice, and values that it cannot have.
    """
    found: dict[str, Axis] = {}
    for name, text in fields.items():
        full = full_name(config, name, where)
        if full in found:
            raise InputError(f"{where}: expected each field once, got {full} twice; give its values in one list")
        found[full] = _axis(config, full, text, where)
    return found


def split(words: Sequence[str], where: str) -> dict[str, str]:
    """Values by field of words such as "training.lr=1e-3,3e-3"; a field alone has none.

    Raises `InputError` naming `where` for a field that occurs twice.
    """
    pairs = [(name, text) for name, _, text in (word.partition("=") for word in words)]
    if len({name for name, _ in pairs}) < len(pairs):
        raise InputError(f"{where}: expected each field once, got {' '.join(words)}; give its values in one list")
    return dict(pairs)


def acting(config: Config, fields: Mapping[str, str]) -> dict[str, str]:
    """Those of `fields` that have an effect in `config`."""
    return {name: text for name, text in fields.items() if without_effect(config, name) is None}


def combinations(config: Config, axes: Axes, where: str) -> Iterator[tuple[dict[str, Any], Config]]:
    """Every combination of values, the last field changing fastest, and the configuration that it makes of `config`.

    Raises `InputError` naming `where` for a range of fractions, which has no list of values, for more combinations
    than `MOST`, and for one that no configuration can have.
    """
    lists = {name: _listed(name, axis, where) for name, axis in axes.items()}
    if (num := math.prod(map(len, lists.values()))) > MOST:
        raise InputError(f"{where}: {num:,} combinations; expected at most {MOST:,}: give fewer values or seeds")
    for values in itertools.product(*lists.values()):
        named = dict(zip(lists, values, strict=True))
        yield named, config.with_given(Given(named, where))


def full_names(config: Config) -> dict[str, str]:
    """Full names of fields by short name: a short name refers to the first section that contains it, as for flags."""
    found: dict[str, str] = {}
    for section in type(config).model_fields:
        inner = getattr(config, section)
        for name in type(inner).model_fields if isinstance(inner, Config) else ():
            found.setdefault(name, f"{section}.{name}")
    return {name: full for name, full in found.items() if name not in type(config).model_fields}


def full_name(config: Config, name: str, where: str) -> str:
    """The dotted name of a field given by it, or by its short name. Raises `InputError` for an unknown one."""
    full = full_names(config).get(name, name)
    try:
        value_of(config, full)
    except AttributeError:
        known = [*_dotted(config), *full_names(config)]
        raise InputError(f"{where}: unknown field '{name}' of this training{near(name, known)}") from None
    return full


def plain_value(config: Config, name: str) -> Any:
    """Value of the field with this dotted name after validation, as plain values."""
    value = value_of(config, name)
    return value.model_dump() if isinstance(value, Config) else value


def _axis(config: Config, name: str, text: str, where: str) -> Axis:
    axis = _parsed(name, text, where)
    values = tuple(_validated(config, name, value, where) for value in axis.ends)
    if len({json.dumps(value, default=str) for value in values}) < len(values):
        raise InputError(f"{where}: {name}: expected each value once, got {text}")
    if isinstance(axis, Choices):
        return Choices(values)
    low, high = values
    if not _is_number(low) or isinstance(low, bool) or not low < high or (axis.is_log and low <= 0):
        from_0 = " above 0" * axis.is_log
        raise InputError(f"{where}: {name}: expected LOW{DOTS}HIGH, numbers{from_0}, the smaller first, got {text}")
    return Span(low, high, axis.is_log)


def _parsed(name: str, text: str, where: str) -> Axis:
    low, dots, high = text.removesuffix(LOG).partition(DOTS)
    is_range = bool(dots)
    try:
        values = parse_yaml(f"[{low}, {high}]" if is_range else f"[{text}]", where)
    except InputError:
        values = []
    if not values or (is_range and len(values) != 2):
        raise InputError(
            f"{where}: expected field=value,value as in training.lr=1e-3,3e-3, or a range as in "
            f"training.lr=1e-4{DOTS}1e-1{LOG}, got '{name}={text}'"
        )
    return Span(values[0], values[1], text.endswith(LOG)) if is_range else Choices(tuple(values))


def _validated(config: Config, name: str, value: Any, where: str) -> Any:
    """`value` as the field holds it; it may only fit together with values of other fields."""
    try:
        return plain_value(config.with_values({name: value}, where), name)
    except IncompleteError:
        return value


def _listed(name: str, axis: Axis, where: str) -> tuple[Any, ...]:
    if axis.listed is not None:
        return axis.listed
    assert isinstance(axis, Span)
    values = f"{_shown(axis.low)},{_shown(axis.high)}"
    raise InputError(f"{where}: {name}: a grid takes a list of values, as {name}={values}, not a range")


def _dotted(config: Config) -> list[str]:
    sections = {name: getattr(config, name) for name in type(config).model_fields}
    inner = [f"{name}.{each}" for name, section in sections.items() if isinstance(section, Config)
             for each in type(section).model_fields]  # fmt: skip
    return [*sections, *inner]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
