"""An nsmodels configuration in Dagster's launchpad: every field with its description, bounds and default.

Dagster refuses plain pydantic models, tuples, paths, `Literal[1, 2]` and `int | str`, so `mirror` says the same in
types it takes. Bounds stand in the descriptions and are checked by nsmodels when the step starts, in one line.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import dagster as dg
from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from nsmodels.core.config import Config

C = TypeVar("C", bound=Config)
BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "min_length": "length >=", "max_length": "length <="}
SCALARS = (bool, int, float, str)
AUTO = "auto"


@dataclass(frozen=True)
class Chosen(Generic[C]):
    """The configuration of a run and how it came about."""

    config: C
    preset: str
    reason: str
    changed: Mapping[str, Any]
    force: bool


@dataclass(frozen=True)
class Launchpad(Generic[C]):
    """The launchpad of one asset: its configuration class with named presets.

    With `automatic` the default preset is `auto`: the function names the preset that fits the machine, and why.
    """

    presets: Mapping[str, Callable[[], C]]
    default: str
    automatic: Callable[[], tuple[str, str]] | None = None
    mirrored: type[dg.Config] = field(init=False)

    def __post_init__(self) -> None:
        """Build the mirrored class once."""
        object.__setattr__(self, "mirrored", self._mirror())

    @property
    def schema(self) -> Any:
        """What `@dg.asset(config_schema=...)` takes."""
        return self.mirrored.to_config_schema()

    def choose(self, context: dg.AssetExecutionContext) -> Chosen[C]:
        """The configuration of the run of `context`; raise `InputError` for values out of bounds."""
        return self.resolve(given_config(context))

    def resolve(self, given: Mapping[str, Any]) -> Chosen[C]:
        """The preset, overlaid by what was `given`; a launchpad filled with defaults changes nothing."""
        preset, reason = self._preset(given.get("preset", self._default_name))
        values = {k: v for k, v in given.items() if k not in ("preset", "force")}
        changed = self._changes(values)
        config = self.presets[preset]().with_values(changed, "launchpad")
        return Chosen(config, preset, reason, changed, bool(given.get("force", False)))

    @property
    def _default_name(self) -> str:
        return AUTO if self.automatic else self.default

    def _preset(self, name: str) -> tuple[str, str]:
        if name != AUTO or self.automatic is None:
            return name, "as asked" if name != self._default_name else "the default"
        return self.automatic()

    def _changes(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values that count as a person's: all that were written down, or those that differ from the defaults.

        The web UI opens the launchpad filled with every default; whoever writes by hand writes a few fields.
        """
        known, written = _leaves(self._defaults()), _leaves(given)
        if len(known.keys() & written.keys()) <= len(known) / 2:
            return written
        return {name: value for name, value in written.items() if name not in known or value != known[name]}

    def _defaults(self) -> dict[str, Any]:
        return {k: v for k, v in self.mirrored().model_dump().items() if k not in ("preset", "force")}

    def _mirror(self) -> type[dg.Config]:
        names = ([AUTO] if self.automatic else []) + list(self.presets)
        text = (
            "named configuration that the fields below change; auto: by the machine"
            if self.automatic
            else ("named configuration that the fields below change")
        )
        first = self.presets[self.default]()
        head = {
            "preset": (Literal[tuple(names)], Field(self._default_name, description=text)),
            "force": (bool, Field(False, description="make it again though nothing changed")),
        }
        return create_model(f"{type(first).__name__}Launchpad", __base__=dg.Config, **head, **_fields(first))  # type: ignore[call-overload]


def mirror(config: Config) -> type[dg.Config]:
    """A `dg.Config` class with the fields of `config`, nested alike; the values of `config` are its defaults."""
    return create_model(f"{type(config).__name__}Section", __base__=dg.Config, **_fields(config))  # type: ignore[call-overload]


def given_config(context: dg.AssetExecutionContext) -> dict[str, Any]:
    """What the launcher of this run, else its job, wrote down for this asset, without any default."""
    # `dagster job execute` without a configuration leaves that of the run empty and takes the job's own.
    written: Any = context.run.run_config or context.op_execution_context.job_def.run_config or {}
    ops: Any = written.get("ops") or {}
    return dict((ops.get(context.op_execution_context.op.name) or {}).get("config") or {})


def _fields(config: Config) -> dict[str, Any]:
    return {name: _field(info, getattr(config, name)) for name, info in type(config).model_fields.items()}


def _field(info: FieldInfo, value: Any) -> tuple[Any, Any]:
    if isinstance(value, Config):
        section = mirror(value)
        return section, Field(section(), description=info.description or "")
    return _plain(info.annotation), Field(_dumped(value), description=_description(info))


def _description(info: FieldInfo) -> str:
    bounds = [f"{sign} {getattr(m, name)}" for m in info.metadata for name, sign in BOUNDS.items() if hasattr(m, name)]
    choices = typing.get_args(info.annotation) if typing.get_origin(info.annotation) is Literal else ()
    if choices and not all(isinstance(choice, str) for choice in choices):
        bounds.append("one of " + ", ".join(map(str, choices)))
    text = info.description or ""
    return f"{text} ({', '.join(bounds)})" if bounds else text


def _plain(kind: Any) -> Any:
    """The nearest type that Dagster's configuration takes; `Any` where there is none."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in SCALARS:
        return kind
    if isinstance(kind, type) and issubclass(kind, Path):
        return str
    if origin is Literal:
        return kind if all(isinstance(a, str) for a in arguments) else type(arguments[0])
    if origin in (list, tuple, set, frozenset):
        return list[_plain(arguments[0])] if len({a for a in arguments if a is not ...}) == 1 else list[Any]
    if origin in (typing.Union, types.UnionType):
        return _optional([a for a in arguments if a is not type(None)], len(arguments))
    return Any


def _optional(kinds: list[Any], num_arguments: int) -> Any:
    if len(kinds) == 1 and num_arguments == 2:
        return _plain(kinds[0]) | None
    return Any


def _dumped(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, (tuple, set, frozenset)) else value


def _leaves(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one mapping with dotted keys."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        inner = _leaves(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
        found |= inner
    return found
