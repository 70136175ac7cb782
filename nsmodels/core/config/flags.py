"""Command-line flags: one for every field of a configuration, and the values given with them."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Callable, Iterator
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from nsmodels.core.config.base import Config, plain, section_of
from nsmodels.core.config.help import DEST, as_text

METAVARS = {"int": "N", "float": "X", "str": "TEXT", "Path": "PATH"}


def add_flags(
    parser: argparse.ArgumentParser, config: type[Config], skip: tuple[str, ...] = (), has_defaults: bool = True
) -> None:
    """Add one flag per field of `config`: `--section.field` always, `--field` for the first section that has it.

    Fields of a section within a section, and of one that is not `is_plain`, have their whole name only, as
    `--vision.training.lr`. With `has_defaults` the help shows the default of the class.
    """
    taken = {option for action in parser._actions for option in action.option_strings}
    # Its own fields first: a section of a base class comes before them, and must not take their names.
    for group, dotted, is_plain, info in sorted(_fields(parser, config), key=lambda found: "." in found[1]):
        if dotted in skip:
            continue
        names = [dotted.rpartition(".")[2], dotted] if is_plain else [dotted]
        flags = [flag for flag in dict.fromkeys(f"--{name.replace('_', '-')}" for name in names) if flag not in taken]
        taken.update(flags)
        taken.update(f"--no-{flag[2:]}" for flag in flags)
        group.add_argument(*flags, dest=f"{DEST}{dotted}", **_flag_options(info, has_defaults))


def _fields(
    parser: argparse.ArgumentParser, config: type[Config], prefix: str = ""
) -> Iterator[tuple[argparse._ActionsContainer, str, bool, FieldInfo]]:
    """The fields that are no sections: group of their section, dotted name, whether the bare name is a flag too."""
    group = parser.add_argument_group(prefix.removesuffix(".")) if prefix else parser
    for name, field in config.model_fields.items():
        if section := section_of(field):
            yield from _fields(parser, section, f"{prefix}{name}.")
        else:
            yield group, f"{prefix}{name}", prefix.count(".") < 2 and (config.is_plain or not prefix), field


def values_from_flags(arguments: argparse.Namespace) -> dict[str, Any]:
    """Values given on the command line for flags of `add_flags`, by dotted key."""
    given = {k.removeprefix(DEST): v for k, v in vars(arguments).items() if k.startswith(DEST)}
    return {key: value for key, value in given.items() if value is not None}


def _flag_options(info: FieldInfo, has_default: bool) -> dict[str, Any]:
    has_default = has_default and not info.is_required()
    default = f" [{as_text(info.get_default(call_default_factory=True))}]" if has_default else ""
    text = f"{info.description or ''}{default}".replace("%", "%%")
    kind = plain(info.annotation)
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction, "default": None, "help": text}
    if typing.get_origin(kind) is typing.Literal:
        choices = typing.get_args(kind)
        return {"choices": list(choices), "type": type(choices[0]), "default": None, "help": text}
    if typing.get_origin(kind) in (list, tuple):
        one = typing.get_args(kind)[0]
        return {"nargs": "+", "default": None, "help": text, "metavar": _metavar(one), "type": _parsed(one)}
    return {"default": None, "help": text, "metavar": _metavar(kind), "type": _parsed(kind)}


def _metavar(kind: Any) -> str:
    return METAVARS.get(getattr(kind, "__name__", ""), "VALUE")


def _parsed(kind: Any) -> Callable[[str], Any]:
    """Convert a word of the command line to `kind`; what cannot be converted is left to the configuration to report."""

    def parse(word: str) -> Any:
        try:
            return TypeAdapter(kind).validate_python(word)
        except ValidationError:
            return word

    return parse
