"""Command-line flags: one for every field of a configuration, and the values given with them."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from nsmodels.core.config.base import Config, plain, section_of


def add_flags(parser: argparse.ArgumentParser, config: type[Config], skip: tuple[str, ...] = ()) -> None:
    """Add one flag per field of `config`: `--section.field` always, `--field` for the first section that has it.

    Fields of a section within a section have their whole name only, as `--vision.training.lr`.
    """
    taken = {option for action in parser._actions for option in action.option_strings}
    for group, dotted, info in _fields(parser, config):
        if dotted in skip:
            continue
        names = [dotted] if dotted.count(".") > 1 else [dotted.rpartition(".")[2], dotted]
        flags = [flag for flag in dict.fromkeys(f"--{name.replace('_', '-')}" for name in names) if flag not in taken]
        taken.update(flags)
        taken.update(f"--no-{flag[2:]}" for flag in flags)
        group.add_argument(*flags, dest=f"config:{dotted}", **_flag_options(info))


def _fields(
    parser: argparse.ArgumentParser, config: type[Config], prefix: str = ""
) -> Iterator[tuple[argparse._ActionsContainer, str, FieldInfo]]:
    """The fields that are no sections by dotted name, with the group of their section."""
    group = parser.add_argument_group(prefix.removesuffix(".")) if prefix else parser
    for name, field in config.model_fields.items():
        if section := section_of(field):
            yield from _fields(parser, section, f"{prefix}{name}.")
        else:
            yield group, f"{prefix}{name}", field


def values_from_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    """Values given on the command line for flags of `add_flags`, by dotted key."""
    given = {k.removeprefix("config:"): v for k, v in vars(arguments).items() if k.startswith("config:")}
    return {key: value for key, value in given.items() if value is not None}


def _flag_options(info: FieldInfo) -> dict[str, Any]:
    default = "" if info.is_required() else f" [{info.get_default(call_default_factory=True)}]"
    text = f"{info.description or ''}{default}".replace("%", "%%")
    kind = plain(info.annotation)
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction, "default": None, "help": text}
    if typing.get_origin(kind) is typing.Literal:
        choices = typing.get_args(kind)
        return {"choices": list(choices), "type": type(choices[0]), "default": None, "help": text}
    if typing.get_origin(kind) in (list, tuple):
        return {"nargs": "+", "default": None, "help": text, "type": _parsed(typing.get_args(kind)[0])}
    metavar = getattr(kind, "__name__", "VALUE").upper()
    return {"default": None, "help": text, "metavar": metavar, "type": _parsed(kind)}


def _parsed(kind: Any) -> Callable[[str], Any]:
    """Convert a word of the command line to `kind`; what cannot be converted is left to the configuration to report."""

    def parse(word: str) -> Any:
        try:
            return TypeAdapter(kind).validate_python(word)
        except ValidationError:
            return word

    return parse
