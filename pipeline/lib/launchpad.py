"""An nsmodels configuration in Dagster's launchpad: every field with its description, bounds and default.

Dagster does not accept plain pydantic models, tuples, paths, `Literal[1, 2]` and `int | str`, so `mirror` converts them
to types that it accepts. The default of every field is null, which means "as in the preset": the web UI opens the
launchpad with all fields filled in (`display/webpages.py`), so whatever is not null was entered by the user. The
descriptions contain the bounds and the value of the default preset; nsmodels checks the bounds when the step starts,
with a one-line error.

The dialog of a backfill accepts a configuration and tags. `nsmodels/preset=debug` and `nsmodels/config={"training.lr":
0.001}` (JSON) configure every asset of the run that has several presets, and take precedence over its launchpad.
"""

from __future__ import annotations

import json
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar, cast

import dagster as dg
from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from nsmodels.core.config import PRESET, Config, Given, flat, from_environment
from nsmodels.core.config.help import bounds
from nsmodels.core.errors import InputError, near
from pipeline.lib import staleness
from pipeline.requests.tags import tagged_config

C = TypeVar("C", bound=Config)
SCALARS = (bool, int, float, str)
AUTO = "auto"


@dataclass(frozen=True)
class Chosen(Generic[C]):
    """The configuration of a run, its preset and the reason for it, and the fields changed by dotted name."""

    config: C
    preset: str
    reason: str
    changed: Mapping[str, Any]
    force: bool


@dataclass(frozen=True)
class Launchpad(Generic[C]):
    """The launchpad of one asset: its configuration class with named presets.

    With `automatic` the default preset is `auto`: the function returns the preset for this machine, and the reason.
    """

    presets: Mapping[str, Callable[[], C]]
    default: str
    automatic: Callable[[], tuple[str, str]] | None = None
    mirrored: type[dg.Config] = field(init=False)

    def __post_init__(self) -> None:
        """Build the mirrored class."""
        object.__setattr__(self, "mirrored", self._mirror())

    @property
    def schema(self) -> Any:
        """Schema for `@dg.asset(config_schema=...)`."""
        schema = _schema(self.mirrored)
        _by_schema[id(schema)] = self
        return schema

    @property
    def kind(self) -> type[C]:
        """Class of the configuration."""
        return type(self.presets[self.default]())

    @property
    def names(self) -> list[str]:
        """What may be given as `preset`."""
        return ([AUTO] if self.automatic else []) + list(self.presets)

    @property
    def default_name(self) -> str:
        """The preset of a launchpad in which nothing is chosen."""
        return AUTO if self.automatic else self.default

    def version(self, code_version: str) -> str:
        """Code version for Dagster, which also changes with the presets, but not with the machine."""
        return staleness.with_presets(code_version, {"default": self.default, "presets": self._relevant})

    @cached_property
    def _relevant(self) -> dict[str, dict[str, Any]]:
        return {name: preset().relevant() for name, preset in self.presets.items()}

    def choose(self, context: dg.AssetExecutionContext, key: str | None = None) -> Chosen[C]:
        """Configuration in the run of `context`; `key`: of a different asset of the run than that of the step.

        Raises `InputError` for values out of bounds and invalid tags.
        """
        return self.resolve(self.given(context, key))

    def given(self, context: dg.AssetExecutionContext, key: str | None = None) -> dict[str, Any]:
        """Values from launchpad, job and tags of the run of `context`, by dotted name, without defaults; see `choose`.

        Raises `InputError` for a tag that is not a JSON object.
        """
        tagged = tagged_config(context.run.tags) if len(self.presets) > 1 else {}
        return {**_not_null(given_config(context, key)), **_not_null(tagged)}

    def resolve(self, given: Mapping[str, Any]) -> Chosen[C]:
        """The preset with the values in `given` (null: as in the preset).

        Raises `InputError` for an unknown preset or field, and for a value out of bounds.
        """
        preset, reason = self._preset(given.get("preset", self.default_name))
        values = {k: v for k, v in given.items() if k not in ("preset", "force")}
        changed = _not_null(values)
        if preset not in self.presets:
            known = f"{near(preset, self.presets)} (known: {', '.join(self.presets)})"
            raise InputError(f"preset '{preset}': unknown preset{known}")
        config = self.presets[preset]().with_given(Given(changed, "launchpad", may_be_whole=True))
        return Chosen(config, preset, reason, changed, bool(given.get("force", False)))

    def _preset(self, name: str) -> tuple[str, str]:
        if name == self.default_name and (chosen := from_environment(self.presets)):
            return chosen, PRESET
        if name != AUTO or self.automatic is None:
            return name, "as requested" if name != self.default_name else "the default"
        return self.automatic()

    def _mirror(self) -> type[dg.Config]:
        text = (
            "named configuration that the fields below change; auto: the one that fits the machine"
            if self.automatic
            else ("named configuration that the fields below change")
        )
        first = self.presets[self.default]()
        label = f"default of {self.default}" if len(self.presets) > 1 else "default"
        head = {
            "preset": (Literal[tuple(self.names)], Field(self.default_name, description=text)),
            "force": (bool, Field(False, description="build it again even if nothing has changed")),
        }
        return _mirrored("Launchpad", first, label, head)


# By what decides them: pydantic and Dagster take long to make a class and its schema, and the launchpads of a system on
# its several datasets, of its replicates and of its trials have the same sections.
_classes: dict[tuple[str, ...], type[dg.Config]] = {}
_by_schema: dict[int, Launchpad[Any]] = {}  # by identity of a schema, which is kept in the cache of `_schema`


def of(definition: dg.AssetsDefinition) -> Launchpad[Any]:
    """The launchpad of an asset; where several have the same fields and presets, one of them."""
    return _by_schema[id(definition.op.config_schema)]


def mirror(config: Config, label: str = "default") -> type[dg.Config]:
    """A `dg.Config` class with the fields of `config`, nested alike, all null.

    The description of each field ends with `label` and its value in `config`.
    """
    return _mirrored("Section", config, label, {})


def _mirrored(kind: str, config: Config, label: str, head: Mapping[str, Any]) -> type[dg.Config]:
    """The class of a section or of a whole launchpad, with the fields `head` before those of `config`."""
    source = type(config)
    decides = kind, source.__module__, source.__qualname__, config.model_dump_json(), label, repr(head)
    if decides not in _classes:
        fields = {**head, **_fields(config, label)}
        _classes[decides] = create_model(f"{source.__name__}{kind}", __base__=dg.Config, **fields)  # type: ignore[call-overload]
    return _classes[decides]


@cache
def _schema(mirrored: type[dg.Config]) -> Any:
    return mirrored.to_config_schema()


def given_config(context: dg.AssetExecutionContext, key: str | None = None) -> dict[str, Any]:
    """Configuration of the step's asset, or of `key`, in the run or else in its job, without defaults."""
    # `dagster job execute` without a configuration leaves that of the run empty and uses that of the job.
    config: Any = context.run.run_config or context.op_execution_context.job_def.run_config or {}
    ops: Any = config.get("ops") or {}
    return dict((ops.get(key or context.op_execution_context.op.name) or {}).get("config") or {})


def _fields(config: Config, label: str) -> dict[str, Any]:
    return {name: _field(info, getattr(config, name), label) for name, info in type(config).model_fields.items()}


def _field(info: FieldInfo, value: Any, label: str) -> tuple[Any, Any]:
    if isinstance(value, Config):
        section = mirror(value, label)
        return section, Field(section(), description=info.description or "")
    kind, text = _plain(info.annotation), f"{_description(info)}; {label}: {json.dumps(value, default=str)}"
    return kind if kind is Any else kind | None, Field(None, description=text)


def _description(info: FieldInfo) -> str:
    limits = bounds(info)
    choices = typing.get_args(info.annotation) if typing.get_origin(info.annotation) is Literal else ()
    if choices and not all(isinstance(choice, str) for choice in choices):
        limits.append("one of " + ", ".join(map(str, choices)))
    text = info.description or ""
    return f"{text} ({', '.join(limits)})" if limits else text


def _plain(kind: Any) -> Any:
    """The closest type that Dagster's configuration accepts; `Any` if there is none."""
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


# Launchpad and code version of each asset whose configuration is checked before the first step of a run, by key.
REGISTERED: dict[str, tuple[Launchpad[Any], str]] = {}


def _optional(kinds: list[Any], num_arguments: int) -> Any:
    if len(kinds) == 1 and num_arguments == 2:
        return _plain(kinds[0]) | None
    return Any


def _choices(names: tuple[str, ...]) -> type[Enum]:
    """An enumeration: Dagster accepts an optional one, but not `Literal[...] | None`."""
    title = re.sub(r"\W", "_", "_or_".join(names))
    return cast(type[Enum], Enum(title, {name: name for name in names}))


def _not_null(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of nested mappings that are not null, with dotted keys."""
    return {name: value for name, value in flat(values).items() if value is not None}
