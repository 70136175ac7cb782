"""Reference of the command lines, from their parsers: what `--help` prints, verb by verb."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import re
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

from docs.site import markdown
from nsmodels.__main__ import COMMANDS
from nsmodels.core import discover

WIDTH = "92"  # columns of a block of code on a page
INTRODUCTION = """# Commands

What `--help` prints, for every command and verb of this version. `--help` shows the flags that are used most, with the
values of a preset; `--help-all` shows one flag for every field of [the configuration](../configuration/index.md).
"""


def pages() -> dict[str, str]:
    """A page for each system, dataset and command, and one for the targets of make, by name in the site."""
    found = {f"reference/commands/{name}": (_page(name)) for kind in names().values() for name in kind}
    found["reference/commands/make"] = _make()
    return {"reference/commands/index": _index(), **found}


def names() -> dict[str, list[str]]:
    """The first words of `nsmodels`, by kind."""
    found = {"systems": discover.systems(), "datasets": discover.datasets()}
    return found | {"commands": sorted(_commands())}


@cache
def _commands() -> dict[str, str]:
    """Modules of the commands beside systems and datasets: looked for among all packages that are installed."""
    return {point.name: point.module for point in entry_points(group=COMMANDS)}


def parser_of(name: str) -> ArgumentParser:
    """The parser of a system, a dataset or a command of `nsmodels`, made anew."""
    kinds = names()
    places = {each: f"nsmodels.{kind}.{each}.__main__" for kind in ("systems", "datasets") for each in kinds[kind]}
    module = importlib.import_module((places | _commands())[name])
    return getattr(module, "parser" if hasattr(module, "parser") else "_parser")()


def verbs(parser: ArgumentParser) -> Mapping[str, ArgumentParser]:
    """The parsers below a parser, by word."""
    return next((action.choices for action in parser._actions if isinstance(action.choices, dict)), {})


def helps(parser: ArgumentParser) -> Iterator[tuple[str, str]]:
    """Command and help of each parser that has no verbs of its own, below `parser` or itself."""
    below = verbs(parser)
    for inner in dict.fromkeys(below.values()):
        yield from helps(inner)
    if not below:
        yield parser.prog, help_of(parser)


def help_of(parser: ArgumentParser) -> str:
    """What `--help` prints, in lines of `WIDTH`."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        with contextlib.redirect_stdout(io.StringIO()) as printed, contextlib.suppress(SystemExit):
            parser.parse_args(["--help"])
    finally:
        os.environ.pop("COLUMNS")
        os.environ |= {"COLUMNS": before} if before else {}
    return printed.getvalue()


def _page(name: str) -> str:
    parser = parser_of(name)
    title = f"# nsmodels {name}\n\n{markdown.plain((parser.description or '').partition(chr(10) * 2)[0])}\n"
    found = list(helps(parser))
    if len(found) == 1:
        return f"{title}\n{markdown.block(found[0][1])}"
    return title + "".join(f"\n## {command}\n\n{markdown.block(text)}" for command, text in found)


def _index() -> str:
    kinds = names()
    found = [INTRODUCTION]
    for kind, words in kinds.items():
        rows = [[f"[{word}]({word}.md)", markdown.plain(_about(word))] for word in words]
        found.append(f"\n## {kind.capitalize()}\n\n{markdown.table(['`nsmodels`', ''], rows)}")
    found.append("\nThe targets of `make`: [make](make.md).\n")
    return "".join(found)


def _about(name: str) -> str:
    return (parser_of(name).description or "").partition("\n\n")[0]


def _make() -> str:
    text = (Path(__file__).parents[2] / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):.*?## +(.+)$", text, re.MULTILINE)
    rows = [[markdown.code(f"make {name}"), markdown.plain(about)] for name, about in targets]
    return "# make\n\n" + markdown.table(["target", "result"], rows)
