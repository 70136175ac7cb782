"""An nsmodels configuration in Dagster's launchpad: every field with its description, bounds and default.

Dagster refuses plain pydantic models, tuples, paths, `Literal[1, 2]` and `int | str`, so `mirror` says the same in
types it takes. Every field stands on null, which means "as in the preset": the web UI opens the launchpad with all
of them filled in, and so whatever is not null was written by a person. Bounds and the value of the default preset
stand in the descriptions; the bounds are checked by nsmodels when the step starts, in one line.

A backfill has no launchpad, but its dialog takes tags. `nsmodels/preset=debug` and `nsmodels/config={"training.lr":
0.001}` (JSON) say the same to every asset of the run that has presets to choose from, and win over its launchpad.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast

import dagster as dg
from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from nsmodels.core.config import Config
from nsmodels.core.errors import InputError
from pipeline.lib import staleness

C = TypeVar("C", bound=Config)
BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "min_length": "length >=", "max_length": "length <="}
SCALARS = (bool, int, float, str)
AUTO = "auto"
PRESET_TAG, CONFIG_TAG = "nsmodels/preset", "nsmodels/config"


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

    @cached_property
    def schema(self) -> Any:
        """What `@dg.asset(config_schema=...)` takes."""
        return self.mirrored.to_config_schema()

    def version(self, code_version: str) -> str:
        """The code version for Dagster: it changes with any default too, but not with the machine."""
        presets = {name: preset().relevant() for name, preset in self.presets.items()}
        return staleness.with_presets(code_version, {"default": self.default, "presets": presets})

    def choose(self, context: dg.AssetExecutionContext) -> Chosen[C]:
        """The configuration of the run of `context`; raise `InputError` for values out of bounds and broken tags."""
        return self.resolve(self.given(context))

    def given(self, context: dg.AssetExecutionContext) -> dict[str, Any]:
        """What launchpad, job and tags of the run of `context` say, with dotted keys and without defaults."""
        tagged = tagged_config(context.run.tags) if len(self.presets) > 1 else {}
        return {**_written(given_config(context)), **_written(tagged)}

    def resolve(self, given: Mapping[str, Any]) -> Chosen[C]:
        """The preset, overlaid by what was `given`; a field that is null is left to the preset."""
        preset, reason = self._preset(given.get("preset", self._default_name))
        values = {k: v for k, v in given.items() if k not in ("preset", "force")}
        changed = _written(values)
        if preset not in self.presets:
            raise InputError(f"preset '{preset}': there is none of that name here (known: {', '.join(self.presets)})")
        config = self.presets[preset]().with_values(changed, "launchpad")
        return Chosen(config, preset, reason, changed, bool(given.get("force", False)))

    @property
    def _default_name(self) -> str:
        return AUTO if self.automatic else self.default

    def _preset(self, name: str) -> tuple[str, str]:
        if name != AUTO or self.automatic is None:
            return name, "as asked" if name != self._default_name else "the default"
        return self.automatic()

    def _mirror(self) -> type[dg.Config]:
        names = ([AUTO] if self.automatic else []) + list(self.presets)
        text = (
            "named configuration that the fields below change; auto: by the machine"
            if self.automatic
            else ("named configuration that the fields below change")
        )
        first = self.presets[self.default]()
        said = f"default of {self.default}" if len(self.presets) > 1 else "default"
        head = {
            "preset": (Literal[tuple(names)], Field(self._default_name, description=text)),
            "force": (bool, Field(False, description="make it again though nothing changed")),
        }
        return create_model(f"{type(first).__name__}Launchpad", __base__=dg.Config, **head, **_fields(first, said))  # type: ignore[call-overload]


def mirror(config: Config, said: str = "default") -> type[dg.Config]:
    """A `dg.Config` class with the fields of `config`, nested alike, all null; `said` introduces their values."""
    return create_model(f"{type(config).__name__}Section", __base__=dg.Config, **_fields(config, said))  # type: ignore[call-overload]


def given_config(context: dg.AssetExecutionContext) -> dict[str, Any]:
    """What the launcher of this run, else its job, wrote down for this asset, without any default."""
    # `dagster job execute` without a configuration leaves that of the run empty and takes the job's own.
    written: Any = context.run.run_config or context.op_execution_context.job_def.run_config or {}
    ops: Any = written.get("ops") or {}
    return dict((ops.get(context.op_execution_context.op.name) or {}).get("config") or {})


def tagged_config(tags: Mapping[str, str]) -> dict[str, Any]:
    """What the tags of a run say of its configuration; raise `InputError` for a tag that is no JSON object."""
    text = tags.get(CONFIG_TAG, "{}")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"run tag {CONFIG_TAG}: not valid JSON ({error}), got {text}") from None
    if not isinstance(found, dict):
        raise InputError(f'run tag {CONFIG_TAG}: expected fields and values as in {{"training.lr": 0.001}}, got {text}')
    return found | ({"preset": tags[PRESET_TAG]} if PRESET_TAG in tags else {})


def _fields(config: Config, said: str) -> dict[str, Any]:
    return {name: _field(info, getattr(config, name), said) for name, info in type(config).model_fields.items()}


def _field(info: FieldInfo, value: Any, said: str) -> tuple[Any, Any]:
    if isinstance(value, Config):
        section = mirror(value, said)
        return section, Field(section(), description=info.description or "")
    kind, text = _plain(info.annotation), f"{_description(info)}; {said}: {json.dumps(value, default=str)}"
    return kind if kind is Any else kind | None, Field(None, description=text)


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
        return _choices(arguments) if all(isinstance(a, str) for a in arguments) else type(arguments[0])
    if origin in (list, tuple, set, frozenset):
        return list[_plain(arguments[0])] if len({a for a in arguments if a is not ...}) == 1 else list[Any]
    if origin in (typing.Union, types.UnionType):
        return _optional([a for a in arguments if a is not type(None)], len(arguments))
    return Any


def _optional(kinds: list[Any], num_arguments: int) -> Any:
    if len(kinds) == 1 and num_arguments == 2:
        return _plain(kinds[0]) | None
    return Any


def _choices(names: tuple[str, ...]) -> type[Enum]:
    """An enumeration: Dagster takes those where null is a value too, but not `Literal[...] | None`."""
    title = re.sub(r"\W", "_", "_or_".join(names))
    return cast(type[Enum], Enum(title, {name: name for name in names}))


def _written(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """What is not null in nested mappings, as one mapping with dotted keys."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _written(value, f"{prefix}{name}.")
        elif value is not None:
            found[f"{prefix}{name}"] = value
    return found
