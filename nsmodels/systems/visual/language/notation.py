"""Programs as text: `count(filter_color[red](scene))`."""

from __future__ import annotations

import re

from nsmodels.core.errors import InputError
from nsmodels.systems.visual.language.grammar import Program, Token, Tree, linearise, nodes_of

_CALL = re.compile(r"(\w+)(?:\[(\w+)\])?")


def program(text: str) -> Program:
    """The program of a text of nested calls; raise `InputError` where it is none."""
    tree, end = _read(text, 0)
    if end != len(text):
        raise InputError(f"program {text!r}: expected the end at character {end}")
    nodes = nodes_of(tree)
    linearise(nodes)
    return nodes


def _read(text: str, at: int) -> tuple[Tree, int]:
    call = _CALL.match(text, at)
    if not call:
        raise InputError(f"program {text!r}: expected a function at character {at}")
    inputs, at = [], call.end()
    if text[at : at + 1] == "(":
        while text[at] in "(,":
            tree, at = _read(text, at + 1 + (text[at + 1 : at + 2] == " "))
            inputs.append(tree)
            if at == len(text) or text[at] not in ",)":
                raise InputError(f"program {text!r}: expected ',' or ')' at character {at}")
        at += 1
    return Tree(Token(call[1], call[2] or ""), tuple(inputs)), at
