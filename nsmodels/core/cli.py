"""Shared grammar of the command lines: `nsmodels <system or dataset> <verb> [--field value ...]`."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from nsmodels.core import artifact, discover, interrupts
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import Config, Given, add_flags, as_yaml, from_environment, help, read_yaml, values_from_flags
from nsmodels.core.disk import one_line
from nsmodels.core.errors import InputError, Interrupted, near
from nsmodels.core.hardware import Estimate
from nsmodels.core.progress import readable, readable_count

Presets = Mapping[str, Callable[[], Config]]
PRINT_CONFIG = "--print-config"
SHOWN = 10  # faults of a check that are printed


class Parser(argparse.ArgumentParser):
    """An argument parser without abbreviated flags that reports errors in one line, without the usage.

    `word_flag`: a flag that may be given anywhere in place of the word that comes first, `--phase vision` for `vision`.
    `is_verb`: it parses the words after a verb, and reports those that it does not know itself: its help has the flags.
    """

    def __init__(self, word_flag: str = "", is_verb: bool = False, **options: Any) -> None:
        super().__init__(**{"allow_abbrev": False, "formatter_class": help.Formatter, **options})
        self.word_flag, self.is_verb = word_flag, is_verb
        self.presets: Presets = {}
        self.default_preset: str | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As `argparse` does; a word that is no text is an error."""
        words = list(sys.argv[1:] if args is None else args)
        for word in words:
            if "\0" in word or (not word.isascii() and any("\ud800" <= letter <= "\udfff" for letter in word)):
                self.error(f"{word!a}: not text in UTF-8; a file of such a name has to be renamed")
        if self.word_flag:
            args = words = _word_first(words, self.word_flag)
            if not args or (args[0].startswith("-") and args[0] not in help.HELP):
                names = next(action.choices for action in self._actions if self.word_flag in action.option_strings)
                self.error(f"expected {self.word_flag} NAME, one of {', '.join(names or ())}")
        if self.presets and not {*help.HELP, help.HELP_ALL}.isdisjoint(words):
            help.describe(self, self.presets, self.default_preset, words)
        if PRINT_CONFIG in words:  # data and places are not needed
            for action in self._actions:
                action.required = False
        for action in self._actions:
            if action.nargs == "*" and not action.option_strings:  # argparse counts it among what is missing
                action.required = False
        self._require_known(words)
        found, left = super().parse_known_args(args, namespace)
        if left and self.is_verb:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left

    def _require_known(self, words: list[str]) -> None:
        """End at a flag that this parser lacks: before what is missing, which may be that flag, misspelt."""
        if self._subparsers or not {*help.HELP, help.HELP_ALL}.isdisjoint(words):
            return
        before = words[: words.index("--")] if "--" in words else words
        flags = [word.partition("=")[0] for word in before if word.startswith("--") and " " not in word]
        unknown = [flag for flag in flags if flag not in self._option_string_actions]
        if unknown:
            line = f"unrecognized arguments: {' '.join(unknown)}"
            self.error(line, near(unknown[0], self._option_string_actions, most=1))

    def add_subparsers(self, **options: Any) -> Any:
        """As `argparse` does."""
        return super().add_subparsers(**{"parser_class": partial(type(self), is_verb=True), **options})

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += near(str(value), map(str, action.choices or ()))
            raise

    def error(self, message: str, proposed: str = "") -> NoReturn:
        """Print one line on stderr, which ends with what is `proposed`, and exit with status 2."""
        for action in self._actions:
            if action.required and action.option_strings:  # what is missing, by its first name alone
                message = message.replace("/".join(action.option_strings), action.option_strings[0])
        self.exit(2, f"error: {' '.join(message.split())}; see {self.prog} --help{proposed}\n")


def _word_first(words: list[str], flag: str) -> list[str]:
    """The words with the value of a flag in front, and without the flag."""
    for number, word in enumerate(words):
        if word == flag:
            return [*words[number + 1 : number + 2], *words[:number], *words[number + 2 :]]
        if word.startswith(f"{flag}="):
            return [word.removeprefix(f"{flag}="), *words[:number], *words[number + 1 :]]
    return words


def add_config_flags(parser: Parser, presets: Presets, default: str | None) -> None:
    """`--preset`, `--config`, `--print-config` and one flag for every field of the presets' configuration class."""
    default = from_environment(presets) or default
    word = default or "chosen by the hardware"
    text = f"named configuration: {', '.join(presets)} [{word}]"
    parser.add_argument("--preset", choices=sorted(presets), default=default, metavar="NAME", help=text)
    parser.add_argument("--config", type=Path, metavar="FILE.yaml", help="fields that override the preset")
    text = "print the resulting configuration as YAML, for --config, and end"
    parser.add_argument(PRINT_CONFIG, action="store_true", help=text)
    parser.add_argument(help.HELP_ALL, action="help", help="this help with every flag")
    parser.presets, parser.default_preset = presets, default
    add_flags(parser, type(next(iter(presets.values()))()), has_defaults=False)


def config_from(
    arguments: argparse.Namespace,
    presets: Presets,
    default: str,
    read: Callable[[Path], Mapping[str, Any]] = read_yaml,
) -> Config:
    """The preset, overridden by `--config`, a file that `read` reads, and then by single flags.

    With `--print-config` the command ends here. Raises `InputError` for an unreadable file, unknown fields and invalid
    values.
    """
    path = arguments.config
    given = [Given(read(path), str(path), may_be_whole=True)] if path else []
    config = presets[arguments.preset or default]().with_given(*given, Given(values_from_flags(arguments)))
    if getattr(arguments, "print_config", False):
        print(as_yaml(config.model_dump(mode="json")), end="")
        raise SystemExit(0)
    return config


def main(make_parser: Callable[[], Parser], argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and run the verb that they name."""
    arguments = make_parser().parse_args(argv)
    return arguments.verb(arguments)


def generator(name: str, about: str | None, presets: Presets, prepare: Callable[..., Any]) -> Parser:
    """The parser of a generated dataset: the verb `generate`, which calls `prepare(config, key, folder, is_forced)`."""

    def generate(arguments: argparse.Namespace) -> int:
        config = config_from(arguments, presets, arguments.preset)
        print_data(arguments.out, lambda: prepare(config, arguments.out.name, arguments.out, arguments.force))
        return 0

    parser = Parser(prog=f"nsmodels {name}", description=about)
    verb = parser.add_subparsers(metavar="verb", required=True).add_parser(
        "generate", help="generate and seal the data"
    )
    verb.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder of the data")
    verb.add_argument("--force", action="store_true", help="build it again though nothing changed")
    add_config_flags(verb, presets, next(iter(presets)))
    verb.set_defaults(verb=generate)
    return parser


def ask(
    question: str,
    otherwise: str = "nothing was removed: no terminal for the confirmation; add --yes to remove what is listed",
) -> bool:
    """Whether the user at the terminal agrees; end of input means no.

    Raises `InputError` with the line `otherwise` where there is no terminal.
    """
    if not sys.stdin or not sys.stdin.isatty():
        raise InputError(otherwise)
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        print()
        return False


def add_making(parser: argparse.ArgumentParser, out: str) -> None:
    """`--out`, `--force` and `--yes`, for data that are made here; `out` describes the folder."""
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help=out)
    parser.add_argument("--force", action="store_true", help="build it again though nothing changed")
    parser.add_argument("--yes", action="store_true", help="do not ask about large data")


def print_data(
    folder: Path, make: Callable[[], Manifest], describe: Callable[[Manifest], str] = lambda manifest: ""
) -> Manifest:
    """Make data in a folder, or keep equal ones, and print a line: source, what `describe` says, size."""
    manifest, is_kept = artifact.keeping(folder, make)
    kept = f"; reused, built {manifest.created} from the same" if is_kept else ""
    print(f"{folder}: {manifest.source}, {describe(manifest)}{readable(manifest.num_bytes)}{kept}")
    return manifest


def describe_files(manifest: Manifest) -> str:
    """The number of files of data, for `print_data`."""
    return f"{readable_count(len(manifest.files), 'file')}, "


def generate_data(
    name: str, presets: Presets, arguments: argparse.Namespace, describe: Callable[[Manifest], str]
) -> Manifest:
    """Seal the data of the dataset `name` as the flags of `add_making` and `add_config_flags` ask; see `print_data`."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    config = config_from(arguments, presets, arguments.preset)
    prepare = discover.module("datasets", name, "prepare").prepare
    asked = partial(agree, is_agreed=arguments.yes)
    make = partial(prepare, config, arguments.out.name, arguments.out, arguments.force, asked)
    return print_data(arguments.out, make, describe)


def run_checks(checks: Mapping[str, Callable[[Path], list[str]]], folder: Path) -> tuple[int, bool]:
    """Run the checks of a dataset and print their outcomes; number of faults, and whether the schema holds.

    "schema" comes first, and where it fails the last: the others may not be able to read what violates it.
    """
    total = 0
    for name in sorted(checks, key=lambda each: each != "schema"):
        total += print_check(name, found := checks[name](folder))
        if found and name == "schema":
            return total, False
    return total, True


def print_check(name: str, faults: Sequence[str], note: str = "") -> int:
    """Print the outcome of a check and its first faults; their number."""
    print(f"{name:<24} {readable_count(len(faults), 'fault') if faults else 'passed'}{note}", flush=True)
    for line in faults[:SHOWN]:
        print(f"  {line}")
    if len(faults) > SHOWN:
        print(f"  and {len(faults) - SHOWN:,} more")
    return len(faults)


def agree(estimate: Estimate, is_agreed: bool) -> None:
    """Ask about work that takes much disk or time; raises `InputError` where nobody agrees or there is no terminal."""
    if not estimate.is_large or is_agreed:
        if estimate.is_long:
            print(estimate, file=sys.stderr, flush=True)
        return
    otherwise = f"{estimate}; no terminal to ask at: add --yes to make it all the same, or {estimate.remedy}"
    if not ask(f"{estimate}. Make it?", otherwise):
        raise InputError(f"nothing was made; {estimate.remedy}")


def _print_anywhere() -> None:
    """Print what the locale's encoding lacks as escapes: a proof with "≥" must not end in an error."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")


def run(main: Callable[[], int | None]) -> int:
    """Exit status of a command: bad input, or what the system refuses, is one line on stderr and 2.

    Ctrl-C is 130, SIGTERM 143.
    """
    _print_anywhere()
    return interrupts.guarded(lambda: _run(main))


def _run(main: Callable[[], int | None]) -> int:
    try:
        status = main() or 0
        for stream in (sys.stdout, sys.stderr):  # None where it was closed
            if stream is not None:
                stream.flush()
        return status
    except Interrupted as stop:
        return interrupts.report(str(stop))
    except InputError as error:
        if interrupts.requested():
            raise
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader has gone: nothing more is written, by the interpreter at its end neither
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (OSError, RuntimeError, MemoryError) as error:
        line = one_line(error)
        if line is None:
            raise
        print(f"error: {line}", file=sys.stderr)
        return 2
