"""An nsmodels configuration in Dagster's launchpad: every field with its description, bounds and default.

Dagster does not accept plain pydantic models, tuples, paths, `Literal[1, 2]` and `int | str`, so `mirror` converts them
to types that it accepts; from pydantic classes made for it Dagster derives the same schema, but takes several times as
long. The default of every field is null, which means "as in the preset": the web UI opens the launchpad with all fields
filled in (`display/webpages.py`), so whatever is not null was entered by the user. The descriptions contain the bounds
and the value of the default preset; nsmodels checks the bounds when the step starts, and before a command starts a run,
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
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import dagster as dg
from pydantic.fields import FieldInfo

from nsmodels.core.config import PRESET, Config, Given, flat, from_environment
from nsmodels.core.config.help import bounds
from nsmodels.core.errors import InputError, near
from pipeline.lib import staleness
from pipeline.requests.tags import tagged_config

C = TypeVar("C", bound=Config)
SCALARS = {bool: dg.BoolSource, int: dg.IntSource, float: dg.Float, str: dg.StringSource}
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
    `refused`: fields that cannot be given, by dotted name, with the reason and what to do.
    """

    presets: Mapping[str, Callable[[], C]]
    default: str
    automatic: Callable[[], tuple[str, str]] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def schema(self) -> dg.Field:
        """Schema for `@dg.asset(config_schema=...)`."""
        label = f"default of {self.default}" if len(self.presets) > 1 else "default"
        schema = dg.Field(_shape(self.presets[self.default](), label, self._head))
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
        return self.merged(given_config(context, key), context.run.tags)

    def merged(self, config: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
        """Values of a configuration and, before them, of the tags of a run, by dotted name; null ones are left out.

        Raises `InputError` for a tag that is not a JSON object.
        """
        tagged = tagged_config(tags) if len(self.presets) > 1 else {}
        return {**_not_null(config), **_not_null(tagged)}

    def resolve(self, given: Mapping[str, Any], where: str = "launchpad") -> Chosen[C]:
        """The preset with the values in `given` (null: as in the preset); `where` they were given, for messages.

        Raises `InputError` for an unknown preset or field, a refused field, and a value out of bounds.
        """
        preset, reason = self._preset(given.get("preset", self.default_name))
        values = {k: v for k, v in given.items() if k not in ("preset", "force")}
        changed = _not_null(values)
        if preset not in self.presets:
            known = f"{near(preset, self.presets)} (known: {', '.join(self.presets)})"
            raise InputError(f"preset '{preset}': unknown preset{known}")
        for name in sorted(self.refused.keys() & changed.keys()):
            raise InputError(f"{where}: field '{name}': {self.refused[name]}")
        config = self.presets[preset]().with_given(Given(changed, where, may_be_whole=True))
        return Chosen(config, preset, reason, changed, bool(given.get("force", False)))

    def _preset(self, name: str) -> tuple[str, str]:
        if name == self.default_name and (chosen := from_environment(self.presets)):
            return chosen, PRESET
        if name != AUTO or self.automatic is None:
            return name, "as requested" if name != self.default_name else "the default"
        return self.automatic()

    @property
    def _head(self) -> dict[str, dg.Field]:
        """The fields before those of the configuration."""
        text = "named configuration that the fields below change"
        text += "; auto: the one that fits the machine" if self.automatic else ""
        # Named as Dagster names the type of a literal: it did before, and histories contain the name.
        label = str(Literal[tuple(self.names)]).removeprefix("typing.")
        kind = dg.Enum(label, [dg.EnumValue(name) for name in self.names])
        again = "build it again even if nothing has changed"
        return {
            "preset": dg.Field(kind, default_value=self.default_name, is_required=False, description=text),
            "force": dg.Field(dg.Noneable(dg.BoolSource), default_value=False, is_required=False, description=again),
        }


# By what decides them: Dagster takes long to make a schema, and the launchpads of a system on its several datasets, of
# its replicates and of its trials have the same sections.
_shapes: dict[tuple[str, ...], dg.Shape] = {}
_by_schema: dict[int, Launchpad[Any]] = {}  # by identity of a schema, which its launchpad keeps


def of(definition: dg.AssetsDefinition) -> Launchpad[Any]:
    """The launchpad of an asset."""
    return _by_schema[id(definition.op.config_schema.as_field())]


def check_environment(definition: dg.AssetsDefinition) -> None:
    """Raise `InputError` where the environment names a preset that is nearly one of an asset's."""
    if launchpad := _by_schema.get(id(definition.op.config_schema.as_field())):
        from_environment(launchpad.presets)


def check_values(
    definition: dg.AssetsDefinition, config: Mapping[str, Any], tags: Mapping[str, str], where: str
) -> None:
    """Raise `InputError`, which names `where`, for what `Launchpad.resolve` refuses in a configuration or in tags."""
    if launchpad := _by_schema.get(id(definition.op.config_schema.as_field())):
        launchpad.resolve(launchpad.merged(config, tags), where)


def mirror(config: Config, label: str = "default") -> dg.Shape:
    """The fields of `config` as Dagster's, nested alike, all null.

    The description of each field ends with `label` and its value in `config`.
    """
    return _shape(config, label, {})


def _shape(config: Config, label: str, head: Mapping[str, dg.Field]) -> dg.Shape:
    """A section, or with the fields `head` before those of `config` a whole launchpad."""
    source = type(config)
    before = [f"{name} {each.config_type.key} {each.default_value} {each.description}" for name, each in head.items()]
    decides = source.__module__, source.__qualname__, config.model_dump_json(), label, *before
    if decides not in _shapes:
        fields = {name: _field(info, getattr(config, name), label) for name, info in source.model_fields.items()}
        _shapes[decides] = dg.Shape({**head, **fields})
    return _shapes[decides]


def given_config(context: dg.AssetExecutionContext, key: str | None = None) -> dict[str, Any]:
    """Configuration of the step's asset, or of `key`, in the run or else in its job, without defaults."""
    # `dagster job execute` without a configuration leaves that of the run empty and uses that of the job.
    config: Any = context.run.run_config or context.op_execution_context.job_def.run_config or {}
    ops: Any = config.get("ops") or {}
    return dict((ops.get(key or context.op_execution_context.op.name) or {}).get("config") or {})


def _field(info: FieldInfo, value: Any, label: str) -> dg.Field:
    if isinstance(value, Config):
        return dg.Field(mirror(value, label), description=info.description or "")
    text = f"{_description(info)}; {label}: {json.dumps(value, default=str)}"
    kind = _plain(info.annotation)
    kind = kind if isinstance(kind, dg.Noneable) else dg.Noneable(kind)
    return dg.Field(kind, default_value=None, is_required=False, description=text)


def _description(info: FieldInfo) -> str:
    limits = bounds(info)
    choices = typing.get_args(info.annotation) if typing.get_origin(info.annotation) is Literal else ()
    if choices and not all(isinstance(choice, str) for choice in choices):
        limits.append("one of " + ", ".join(map(str, choices)))
    text = info.description or ""
    return f"{text} ({', '.join(limits)})" if limits else text


def _plain(kind: Any) -> Any:
    """The closest type of Dagster's configuration; `dg.Any` if there is none."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in SCALARS:
        return SCALARS[kind]
    if isinstance(kind, type) and issubclass(kind, Path):
        return dg.StringSource
    if origin is Literal:
        return _choices(arguments) if all(isinstance(a, str) for a in arguments) else SCALARS[type(arguments[0])]
    if origin in (list, tuple, set, frozenset):
        return dg.Array(_plain(arguments[0]) if len({a for a in arguments if a is not ...}) == 1 else dg.Any)
    if origin in (typing.Union, types.UnionType):
        return _optional([a for a in arguments if a is not type(None)], len(arguments))
    return dg.Any


# Launchpad and code version of each asset whose configuration is checked before the first step of a run, by key.
REGISTERED: dict[str, tuple[Launchpad[Any], str]] = {}


def _optional(kinds: list[Any], num_arguments: int) -> Any:
    if len(kinds) == 1 and num_arguments == 2:
        return dg.Noneable(_plain(kinds[0]))
    return dg.Any


def _choices(names: tuple[str, ...]) -> dg.Enum:
    return dg.Enum(re.sub(r"\W", "_", "_or_".join(names)), [dg.EnumValue(name) for name in names])


def _not_null(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of nested mappings that are not null, with dotted keys."""
    return {name: value for name, value in flat(values).items() if value is not None}
