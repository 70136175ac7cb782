"""Filling of templates: "What color {is} {the}?" with pieces for its slots."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random
from typing import NamedTuple

from nsmodels.datasets.gqa.questions.wording.english import PICTURES, Pieces

_SLOT = re.compile(r"\{(\w+)\}")
Slots = Mapping[str, str | Pieces]


class _Part(NamedTuple):
    slot: str  # empty: a text
    words: list[str]
    has_comma: bool  # it begins with a comma, which belongs to the word before


@cache
def _parts(template: str) -> tuple[_Part, ...]:
    """Texts and slots of a template, without its last sign."""
    parts = _SLOT.split(template[:-1])
    return tuple(
        _Part(part, [], False) if place % 2 else _Part("", part.lstrip(",").split(), part.startswith(","))
        for place, part in enumerate(parts)
        if part
    )


def fill(template: str, slots: Slots, ids: Sequence[str], rng: Random) -> tuple[str, dict[str, str]]:
    """The sentence of a template, and the ids of objects by the place of the words that name them: "2" or "4:6".

    `{picture}` is filled without being in `slots`.
    """
    tokens: list[str] = []
    spans: dict[str, str] = {}
    for slot, words, has_comma in _parts(template):
        if not slot:
            if has_comma:
                tokens[-1] += ","
            tokens += words
            continue
        value = slots.get(slot)
        if value is None:
            tokens.append(rng.choice(PICTURES))
        elif isinstance(value, str):
            tokens += value.split()
        else:
            _add(value, tokens, spans, ids)
    sentence = " ".join(tokens) + template[-1]
    return sentence[0].upper() + sentence[1:], spans


def _add(pieces: Pieces, tokens: list[str], spans: dict[str, str], ids: Sequence[str]) -> None:
    for piece in pieces:
        if isinstance(piece, str):
            tokens += piece.split()
            continue
        text, thing = piece
        start = len(tokens)
        tokens += text.split()
        if thing >= 0:
            spans[str(start) if len(tokens) == start + 1 else f"{start}:{len(tokens)}"] = ids[thing]
