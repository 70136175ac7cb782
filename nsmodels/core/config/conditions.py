"""Conditions: the fields of a configuration that act only together with others, and those that others decide."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field
from pydantic.fields import FieldInfo

Applies = Mapping[str, Any]


@dataclass(frozen=True)
class Range:
    """Numbers strictly between two limits; of a list, its length."""

    low: float = -math.inf
    high: float = math.inf

    def __contains__(self, value: Any) -> bool:
        return self.low < (len(value) if isinstance(value, list | str) else value) < self.high


def above(limit: float) -> Range:
    """Condition: a number greater than `limit`, or a list or text longer than that."""
    return Range(low=limit)


def below(limit: float) -> Range:
    """Condition: a number less than `limit`."""
    return Range(high=limit)


def runtime_field(default: Any, *, applies: Applies | None = None, **options: Any) -> Any:
    """A field for how to run (workers, device, logging), which never changes a result; `applies`: `conditional`."""
    extra: Any = {"runtime": True} | ({"applies": dict(applies)} if applies else {})
    return Field(default=default, json_schema_extra=extra, **options)


def added_field(default: Any, *, applies: Applies | None = None, **options: Any) -> Any:
    """A field added later: left out of `relevant` at its default, so that earlier artifacts keep their fingerprint."""
    extra: Any = {"added": True} | ({"applies": dict(applies)} if applies else {})
    return Field(default=default, json_schema_extra=extra, **options)


def conditional(default: Any, applies: Applies, **options: Any) -> Any:
    """A field, or a whole section, without effect unless the fields in `applies` have the values given there.

    Args:
        default: of the field.
        applies: by name of a field of the same section, or dotted name from the top: a value, a tuple of values,
            `above(limit)` or `below(limit)`. All must hold.
        options: of `pydantic.Field`.
    """
    return Field(default=default, json_schema_extra={"applies": dict(applies)}, **options)


def partly_decided(default: BaseModel, decided: Mapping[str, str], applies: Applies | None = None) -> Any:
    """A section some of whose fields are decided elsewhere: reasons by name of the field, "training.seed decides".

    `applies` is that of `conditional`, for all of its fields.
    """
    extra: Any = {"decided": dict(decided)} | ({"applies": dict(applies)} if applies else {})
    return Field(default=default, json_schema_extra=extra)


def decided(default: Any, by: str, **options: Any) -> Any:
    """A field that nobody can choose, as `by` states: "the data decide it"."""
    return Field(default=default, json_schema_extra={"decided": by}, **options)


def without_effect(config: BaseModel, name: str) -> str | None:
    """Why the value of the field with this dotted name cannot act in `config`; None where it acts."""
    owner, known, owners = config, {}, [config]
    for part in name.split("."):
        info = type(owner).model_fields[part]
        if reason := known.get(part) or _decided(info):
            return f"'{name}' has no effect: {reason}"
        for field, wanted in _extra(info).get("applies", {}).items():
            value = _seen_from(owners, field) if "." in field else value_of(owner, field)
            if not _holds(value, wanted):
                return f"'{name}' has no effect with {field}={_shown(value)}; it needs {_needed(field, wanted)}"
        decisions, owner = _extra(info).get("decided", {}), getattr(owner, part)
        known = decisions if isinstance(decisions, dict) else {}
        owners.append(owner)
    return None


def _seen_from(owners: list[Any], name: str) -> Any:
    """Value of the field with this dotted name from the top, or from a whole configuration that is a section itself."""
    for owner in owners:
        with contextlib.suppress(AttributeError):
            return value_of(owner, name)
    raise AttributeError(name)


def declared(config: BaseModel) -> Iterator[tuple[str, str]]:
    """Fields with conditions and the fields that these refer to, both as dotted names from the top."""
    for name, info in type(config).model_fields.items():
        yield from ((name, field) for field in _extra(info).get("applies", {}))
        inner = getattr(config, name)
        if isinstance(inner, BaseModel):
            decisions = _extra(info).get("decided", {})
            yield from ((name, f"{name}.{field}") for field in decisions)
            for member, field in declared(inner):
                yield f"{name}.{member}", field if "." in field else f"{name}.{field}"


def condition(info: FieldInfo) -> str:
    """What a field needs to act, "source=synthetic", or what decides it; empty where it always acts."""
    if reason := _decided(info):
        return f"nothing: {reason}"
    return " and ".join(_needed(field, wanted) for field, wanted in _extra(info).get("applies", {}).items())


def is_runtime(info: FieldInfo) -> bool:
    """Whether a field is one for how to run, which never changes a result."""
    return bool(_extra(info).get("runtime"))


def is_added(info: FieldInfo) -> bool:
    """Whether a field came later: what has its default says nothing of it."""
    return bool(_extra(info).get("added"))


def value_of(config: Any, name: str) -> Any:
    """Value of the field with this dotted name."""
    for part in name.split("."):
        config = getattr(config, part)
    return config


def field_of(config: BaseModel, name: str) -> FieldInfo:
    """The declaration of the field with this dotted name."""
    section, _, member = name.rpartition(".")
    owner = value_of(config, section) if section else config
    return type(owner).model_fields[member]


def _extra(info: FieldInfo) -> dict[str, Any]:
    return info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}


def _decided(info: FieldInfo) -> str | None:
    reason = _extra(info).get("decided")
    return reason if isinstance(reason, str) else None


def _holds(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Range):
        return value in wanted
    return value in wanted if isinstance(wanted, tuple) else value == wanted


def _needed(field: str, wanted: Any) -> str:
    if isinstance(wanted, Range):
        sides = [f"above {wanted.low:g}"] * (wanted.low > -math.inf) + [f"below {wanted.high:g}"] * (
            wanted.high < math.inf
        )
        return f"{field} {' and '.join(sides)}"
    return f"{field}=" + " or ".join(map(_shown, wanted if isinstance(wanted, tuple) else (wanted,)))


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) and value else repr(value)
