"""Frozen configuration: base class, fingerprints, YAML files and command-line flags."""

from __future__ import annotations

import argparse
import hashlib
import json
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from nsmodels.core.errors import InputError


class Config(BaseModel):
    """Base class of every configuration: frozen, unknown keys are errors, at most two levels deep."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @classmethod
    def from_mapping(cls, values: dict[str, Any], where: str = "configuration") -> Self:
        """Validate `values`; raises `InputError` naming `where`, the field and the expected value."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise InputError(f"{where}: {_explain(error, cls)}") from None

    def with_values(self, values: dict[str, Any], where: str = "configuration") -> Self:
        """A copy with `values` (nested mappings or dotted keys) replaced; raises `InputError` like `from_mapping`."""
        return type(self).from_mapping(_merge(self.model_dump(), self.implied(nested(values))), where)

    def implied(self, values: dict[str, Any]) -> dict[str, Any]:
        """Nested `values` for fields of this configuration, with those that they imply for others; see the sections."""
        sections = {name: getattr(self, name, None) for name, value in values.items() if isinstance(value, dict)}
        inner = {name: each.implied(values[name]) for name, each in sections.items() if isinstance(each, Config)}
        return values | inner

    def relevant(self) -> dict[str, Any]:
        """Fields that can change a result: all but those marked `runtime_field`."""
        return _relevant(self)


def runtime_field(default: Any, **options: Any) -> Any:
    """A field for how to run (workers, device, logging), which never changes a result."""
    return Field(default=default, json_schema_extra={"runtime": True}, **options)


def fingerprint(value: Any) -> str:
    """16 hex digits of the SHA-256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_yaml(path: Path) -> dict[str, Any]:
    """Mapping in a YAML file; raises `InputError` when the file is missing, unreadable or not a mapping."""
    try:
        values = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise InputError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as a configuration file ({error})") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not valid YAML ({error})") from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in _keys(values)):
        raise InputError(f"{path}: expected a mapping of field names to values")
    return values


def _keys(values: dict[Any, Any]) -> Iterator[Any]:
    for key, value in values.items():
        yield key
        if isinstance(value, dict):
            yield from _keys(value)


def add_flags(parser: argparse.ArgumentParser, config: type[Config], skip: tuple[str, ...] = ()) -> None:
    """Add one flag per field of `config`: `--section.field` always, `--field` for the first section that has it."""
    taken = {option for action in parser._actions for option in action.option_strings}
    for name, field in config.model_fields.items():
        section = _section(field)
        members = section.model_fields.items() if section else [(None, field)]
        group = parser.add_argument_group(name) if section else parser
        for member, info in members:
            dotted = f"{name}.{member}" if member else name
            if dotted in skip:
                continue
            flags = [f"--{dotted.replace('_', '-')}"]
            short = f"--{(member or name).replace('_', '-')}"
            if short not in flags and short not in taken:
                flags.insert(0, short)
            flags = [flag for flag in flags if flag not in taken]
            taken.update(flags)
            taken.update(f"--no-{flag[2:]}" for flag in flags)
            group.add_argument(*flags, dest=f"config:{dotted}", **_flag_options(info))


def values_from_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    """Values given on the command line for flags of `add_flags`, by dotted key."""
    given = {k.removeprefix("config:"): v for k, v in vars(arguments).items() if k.startswith("config:")}
    return {key: value for key, value in given.items() if value is not None}


def _flag_options(info: FieldInfo) -> dict[str, Any]:
    default = "" if info.is_required() else f" [{info.get_default(call_default_factory=True)}]"
    text = f"{info.description or ''}{default}".replace("%", "%%")
    kind = _plain(info.annotation)
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction, "default": None, "help": text}
    if typing.get_origin(kind) is typing.Literal:
        choices = typing.get_args(kind)
        return {"choices": list(choices), "type": type(choices[0]), "default": None, "help": text}
    if typing.get_origin(kind) in (list, tuple):
        return {"nargs": "+", "default": None, "help": text}
    return {"default": None, "help": text, "metavar": getattr(kind, "__name__", "VALUE").upper()}


def _plain(annotation: Any) -> Any:
    """The type without `| None`."""
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        inner = [a for a in typing.get_args(annotation) if a is not type(None)]
        return inner[0] if len(inner) == 1 else annotation
    return annotation


def _section(info: FieldInfo) -> type[Config] | None:
    kind = _plain(info.annotation)
    return kind if isinstance(kind, type) and issubclass(kind, Config) else None


def flat(values: Mapping[str, Any], prefix: str = "", separator: str = ".") -> dict[str, Any]:
    """Nested mappings as one mapping with dotted keys, each after `prefix`."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        key = f"{prefix}{name}"
        found |= flat(value, f"{key}{separator}", separator) if isinstance(value, Mapping) else {key: value}
    return found


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


def _relevant(config: BaseModel) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, info in type(config).model_fields.items():
        if isinstance(info.json_schema_extra, dict) and info.json_schema_extra.get("runtime"):
            continue
        value = getattr(config, name)
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
            parts.append(f"field '{place}': {message}, got {item.get('input')!r}")
    return "; ".join(parts)


def _known(config: type[Config], place: tuple[Any, ...]) -> list[str]:
    for name in place:
        field = config.model_fields.get(str(name))
        section = _section(field) if field else None
        if section is None:
            return []
        config = section
    return list(config.model_fields)
