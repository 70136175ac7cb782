"""Pieces of generated Markdown: escaped text, tables, lists of pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

SPECIAL = re.compile(r"([\\*_\[\]<>|#~$])")
CODE = re.compile(r"(`[^`]+`)")


def plain(text: str) -> str:
    """Text of a docstring or description on one line, escaped except for what is in backticks."""
    parts = CODE.split(" ".join(text.split()))
    return "".join(part.replace("|", "\\|") if CODE.fullmatch(part) else SPECIAL.sub(r"\\\1", part) for part in parts)


def code(value: object) -> str:
    """A value as code, also within a table."""
    text = str(value).replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def block(text: str, language: str = "text") -> str:
    """A block of code."""
    fence = "`" * 4
    return f"{fence}{language}\n{text.strip()}\n{fence}\n"


def contents(names: Iterable[str], caption: str = "", is_hidden: bool = True) -> str:
    """A `toctree` of pages, by name relative to the page that has it."""
    options = [":hidden:"] * is_hidden + [f":caption: {caption}"] * bool(caption) + [":maxdepth: 1"]
    return "\n".join(["", "```{toctree}", *options, "", *names, "```", ""])
