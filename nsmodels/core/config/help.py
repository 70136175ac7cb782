"""Help of a command line with a configuration: the flags that people use, with the values of the chosen preset."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from pydantic.fields import FieldInfo

from nsmodels.core.config.base import Config, section_of
from nsmodels.core.config.conditions import value_of

DEST = "config:"  # before the dotted name of a field, in what a flag sets
HELP, HELP_ALL = ("-h", "--help"), "--help-all"
WIDEST = 118
BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "min_length": "length >=", "max_length": "length <="}
Presets = Mapping[str, Callable[[], Config]]


class Formatter(argparse.HelpFormatter):
    """One line per flag where it fits: the name that is usually typed, `--[no-]x` for yes or no."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size((100, 24)).columns
        super().__init__(prog, max_help_position=38, width=max(60, min(columns - 2, WIDEST)))

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.dest.startswith(DEST):
            return super()._format_action_invocation(action)
        flag = action.option_strings[0]
        if isinstance(action, argparse.BooleanOptionalAction):
            return f"--[no-]{flag[2:]}"
        return f"{flag} {self._format_args(action, action.dest.upper())}"


class WithExamples(Formatter, argparse.RawDescriptionHelpFormatter):
    """The same, with the lines of description and epilog as they are."""


def describe(parser: argparse.ArgumentParser, presets: Presets, default: str | None, words: Sequence[str]) -> None:
    """Give the flags of fields their help: the preset named in `words` sets the values shown.

    Without `--help-all` in `words` flags of fields that are not `common` are hidden.
    """
    name = _named(words, presets) or default or ("quick" if "quick" in presets else next(iter(presets)))
    config, has_all = presets[name](), HELP_ALL in words
    shown = common_fields(type(config))
    num_hidden = 0
    for action in parser._actions:
        if not action.dest.startswith(DEST):
            continue
        dotted = action.dest.removeprefix(DEST)
        if has_all or dotted in shown:
            action.help = f"{action.help} [{as_text(value_of(config, dotted))}]".replace("%%", "%").replace("%", "%%")
        else:
            action.help, num_hidden = argparse.SUPPRESS, num_hidden + 1
    more = f"{num_hidden} more flags: {HELP_ALL}. " if num_hidden else ""
    parser.epilog = (
        f"{more}In brackets: values of the preset {name}; --preset NAME --help shows those of a different one. "
        "Flags of a section may be written with its name, as --training.lr."
    ).replace("%", "%%")
    required = [
        f"{action.option_strings[0]} {_metavar(action)}"
        for action in parser._actions
        if action.required and action.option_strings
    ]
    parser.usage = " ".join([parser.prog.replace("%", "%%"), *required, "[--preset NAME] [--flag VALUE ...]"])


def common_fields(config: type[Config]) -> set[str]:
    """Dotted names of the fields that the short help shows: those of `Config.common`, by section.

    All fields of the configuration itself are common by default, of a section none, of equal sections the first one's.
    """
    own = [name for name, info in config.model_fields.items() if not section_of(info)]
    found = set(own if config.common is None else config.common)
    seen: set[type[Config]] = set()
    for name, info in config.model_fields.items():
        section = section_of(info)
        if section and section not in seen:
            seen.add(section)
            found |= {f"{name}.{member}" for member in section.common or ()}
    return found


def bounds(info: FieldInfo) -> list[str]:
    """The limits of the value of a field, as ">= 1"."""
    return [f"{sign} {getattr(m, name)}" for m in info.metadata for name, sign in BOUNDS.items() if hasattr(m, name)]


def as_text(value: object) -> str:
    """The value of a field in help."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value) or "empty"


def _named(words: Sequence[str], presets: Presets) -> str | None:
    given = [word.removeprefix("--preset=") for word in words if word.startswith("--preset=")]
    given += [after for word, after in pairwise(words) if word == "--preset"]
    return next((name for name in given if name in presets), None)


def _metavar(action: argparse.Action) -> str:
    return str(action.metavar or action.dest.upper())
