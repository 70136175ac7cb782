"""Frozen configuration: the base class, its values by dotted name, fingerprints."""

from __future__ import annotations

import hashlib
import json
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo

from nsmodels.core.config.conditions import is_added, is_runtime, value_of, without_effect
from nsmodels.core.errors import InputError

LARGEST_INT = LARGEST_SEED = 2**63 - 1  # what numpy, torch and tables of 64-bit integers take


@dataclass(frozen=True)
class Given:
    """Values that a person gave for fields.

    Attributes:
        values: nested mappings or dotted keys.
        where: where they were given, for messages.
        may_be_whole: they may be a whole configuration, as that of a manifest: a value that cannot act is then an
            error only where it differs from that of the preset and from the default, and no error where no field is
            missing.
    """

    values: Mapping[str, Any]
    where: str = "command line"
    may_be_whole: bool = False


class IncompleteError(InputError):
    """Fields that are valid one by one, and not together."""


class Config(BaseModel):
    """Base class of every configuration: frozen, unknown keys are errors, at most two levels deep, a study three.

    Types are strict: true is no number, "3" is none either, and 3.5 is no whole number.

    Attributes:
        common: fields that the short help of a command line shows; None: all, where this is no section.
        is_plain: whether fields of this section have flags without its name too, `--lr` for `--training.lr`.
    """

    common: ClassVar[tuple[str, ...] | None] = None
    is_plain: ClassVar[bool] = True

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False, strict=True)

    @field_validator("*", mode="before")
    @classmethod
    def _plain_values(cls, value: Any, info: ValidationInfo) -> Any:
        """YAML and JSON have no tuples and no paths."""
        if not isinstance(value, list | str):
            return value
        kind = plain(cls.model_fields[info.field_name or ""].annotation)
        if isinstance(value, list):
            return tuple(value) if typing.get_origin(kind) is tuple else value
        return kind(value) if isinstance(kind, type) and issubclass(kind, Path) else value

    @field_validator("*")
    @classmethod
    def _storable_numbers(cls, value: Any) -> Any:
        """YAML and JSON have whole numbers of any size, tables and generators have not."""
        numbers = value if isinstance(value, list | tuple) else (value,)
        if any(isinstance(number, int) and abs(number) > LARGEST_INT for number in numbers):
            raise ValueError(f"expected whole numbers of at most 64 bits, got {_short(value)}")
        return value

    @classmethod
    def from_mapping(cls, values: dict[str, Any], where: str = "configuration") -> Self:
        """Validate `values`; raises `InputError` naming `where`, the field and the expected value."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            is_complete = any(item["type"] != "value_error" for item in error.errors())
            kind = InputError if is_complete else IncompleteError
            raise kind(f"{where}: {_explain(error, cls)}") from None

    def with_values(self, values: dict[str, Any], where: str = "configuration") -> Self:
        """A copy with `values` (nested mappings or dotted keys) replaced; raises `InputError` like `from_mapping`."""
        return type(self).from_mapping(_merge(self.model_dump(), self.implied(nested(values))), where)

    def implied(self, values: dict[str, Any]) -> dict[str, Any]:
        """Nested `values` for fields of this configuration, with those that they imply for others; see the sections."""
        sections = {name: getattr(self, name, None) for name, value in values.items() if isinstance(value, dict)}
        inner = {name: each.implied(values[name]) for name, each in sections.items() if isinstance(each, Config)}
        return values | inner

    def with_given(self, *given: Given) -> Self:
        """A copy with the values that a person gave, later ones first.

        Raises `InputError` like `from_mapping`, and for a value that cannot act in the resulting configuration.
        """
        config = self._merged_with(given)
        for each in given:
            _require_effect(config, each, self)
        return config

    def _merged_with(self, given: Sequence[Given]) -> Self:
        config = self
        try:
            for each in given:
                config = config.with_values(dict(each.values), each.where)
            # What a later one implies takes nothing back that an earlier one gave.
            config = config.with_values(_merged(given)) if len(given) > 1 else config
        except IncompleteError:
            try:  # a later one may complete it: source=local in a file, local_path as a flag
                return self.with_values(_merged(given), given[-1].where)
            except InputError:
                pass
            raise
        return config

    def relevant(self) -> dict[str, Any]:
        """Fields that can change a result: all but those marked `runtime_field`."""
        return _relevant(self)


def fingerprint(value: Any) -> str:
    """16 hex digits of the SHA-256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plain(annotation: Any) -> Any:
    """The type without `| None`."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [a for a in typing.get_args(annotation) if a is not type(None)]
        return inner[0] if len(inner) == 1 else annotation
    return annotation


def section_of(info: FieldInfo) -> type[Config] | None:
    """The class of a field that is a section, else None."""
    kind = plain(info.annotation)
    return kind if isinstance(kind, type) and issubclass(kind, Config) else None


def flat(values: Mapping[str, Any], prefix: str = "", separator: str = ".") -> dict[str, Any]:
    """Nested mappings as one mapping with dotted keys, each after `prefix`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        found |= flat(value, f"{key}{separator}", separator) if isinstance(value, Mapping) else {key: value}
    return found


def is_seed(name: str) -> bool:
    """Whether a field, by dotted name, is a seed: in it alone replicates differ."""
    return name.rpartition(".")[2] == "seed"


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The fields in which two nested configurations differ, by dotted name, as `epochs 20 -> 10`."""
    was, now = (flat(json.loads(json.dumps(values, default=str))) for values in (before, after))
    names = [name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name)]
    return [f"{name.removeprefix('config.')} {was.get(name)} -> {now.get(name)}" for name in names]


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings with dotted keys, nested ones among them, as nested mappings: the inverse of `flat`."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        head, _, tail = key.partition(".")
        inner = nested({tail: value}) if tail else nested(value) if isinstance(value, Mapping) else value
        found = _merge(found, {head: inner})
    return found


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _merged(given: Sequence[Given]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in given:
        found = _merge(found, nested(each.values))
    return found


def _require_effect(config: Config, given: Given, preset: Config) -> None:
    """Raise `InputError` for a value without effect in `config`; a whole configuration has such values by nature."""
    names = flat(nested(given.values))
    if given.may_be_whole and names.keys() >= flat(config.model_dump()).keys():
        return
    for name in names:
        reason = without_effect(config, name)
        if reason and not (given.may_be_whole and _is_unchanged(config, preset, name)):
            raise InputError(f"{given.where}: {reason}")


def _is_unchanged(config: Config, preset: Config, name: str) -> bool:
    """Whether the field has the value of the preset, or the default of its class."""
    section, _, member = name.rpartition(".")
    owner = value_of(config, section) if section else config
    default = type(owner).model_fields[member].get_default(call_default_factory=True)
    return value_of(config, name) in (value_of(preset, name), default)


def _relevant(config: BaseModel) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, info in type(config).model_fields.items():
        if is_runtime(info):
            continue
        value = getattr(config, name)
        if is_added(info) and value == info.default:
            continue
        kept[name] = _relevant(value) if isinstance(value, BaseModel) else value
    return kept


def _explain(error: ValidationError, config: type[Config]) -> str:
    parts = []
    for item in error.errors():
        place, message = ".".join(str(p) for p in item["loc"]), item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            parts.append(f"unknown field '{place}' (known: {', '.join(_known(config, item['loc'][:-1]))})")
        elif item["type"] == "value_error":  # a validator of a Config: its message already contains the value
            parts.append(f"{place}: {message}" if item["loc"] else message)
        else:
            parts.append(f"field '{place}': {message}, got {_short(item.get('input'))}")
    return "; ".join(parts)


def _short(value: Any) -> str:
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a very large number"
    return text if len(text) <= 80 else f"{text[:80]}..."


def _known(config: type[Config], place: tuple[Any, ...]) -> list[str]:
    for name in place:
        field = config.model_fields.get(str(name))
        section = section_of(field) if field else None
        if section is None:
            return []
        config = section
    return list(config.model_fields)
