"""A small phrase grammar: `[a|b]` is a random choice, `[3:a|b]` one with weights 3 and 1, `{name}` a slot to fill."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

_TOKEN = re.compile(r"[\[\]|]|\{\w+\}|[^\[\]|{}]+")
_WEIGHT = re.compile(r"^(\d+(?:\.\d+)?):")


class Slot(NamedTuple):
    """A named slot, filled by a callback."""

    name: str


class Choice(NamedTuple):
    """Alternatives with the cumulative sums of their weights."""

    bounds: tuple[float, ...]
    options: tuple[tuple, ...]


def parse(text: str) -> tuple:
    """A phrase as a tuple of words, `Slot`s and `Choice`s; raises `ValueError` for unbalanced brackets."""
    tokens = _TOKEN.findall(text)
    phrase, rest = _sequence(tokens, 0)
    if rest != len(tokens):
        raise ValueError(f"unbalanced bracket in phrase: {text}")
    return phrase


def _sequence(tokens: list[str], at: int) -> tuple[tuple, int]:
    parts: list = []
    while at < len(tokens) and tokens[at] not in ("|", "]"):
        token = tokens[at]
        if token == "[":
            choice, at = _choice(tokens, at + 1)
            parts.append(choice)
        else:
            parts.append(Slot(token[1:-1]) if token.startswith("{") else token)
            at += 1
    return tuple(parts), at


def _choice(tokens: list[str], at: int) -> tuple[Choice, int]:
    options, bounds, total = [], [], 0.0
    while True:
        weight = 1.0
        if at < len(tokens) and (found := _WEIGHT.match(tokens[at])):
            weight = float(found[1])
            tokens[at] = tokens[at][found.end() :]
        option, at = _sequence(tokens, at)
        if at == len(tokens):
            raise ValueError("a phrase ends inside a bracket")
        total += weight
        options.append(option)
        bounds.append(total)
        at += 1
        if tokens[at - 1] == "]":
            return Choice(tuple(bounds), tuple(options)), at


def realise(phrase: tuple, fill: Callable[[str], str], rng: Random) -> str:
    """One random realisation of a phrase as text; `fill` returns the text of a slot."""
    return "".join(_realised(phrase, fill, rng))


def _realised(phrase: tuple, fill: Callable[[str], str], rng: Random) -> Iterator[str]:
    for part in phrase:
        if isinstance(part, str):
            yield part
        elif isinstance(part, Slot):
            yield fill(part.name)
        else:
            at = rng.random() * part.bounds[-1]
            chosen = next(option for bound, option in zip(part.bounds, part.options, strict=True) if at < bound)
            yield from _realised(chosen, fill, rng)
