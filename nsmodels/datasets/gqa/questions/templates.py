"""Filling of templates: "What color {is} {the}?" with pieces for its slots."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from random import Random

from nsmodels.datasets.gqa.questions.english import PICTURES, Piece, Pieces, joined

_SLOT = re.compile(r"\{(\w+)\}")
Slots = Mapping[str, str | Pieces]


@cache
def _parts(template: str) -> tuple[tuple[bool, str], ...]:
    """Texts and slots of a template, without its last sign."""
    parts = _SLOT.split(template[:-1])
    return tuple((bool(place % 2), part) for place, part in enumerate(parts) if part)


def fill(template: str, slots: Slots, ids: Sequence[str], rng: Random) -> tuple[str, dict[str, str]]:
    """The sentence of a template and the spans of its words that name objects; `{picture}` is always there."""
    pieces: list[Piece] = []
    for is_slot, part in _parts(template):
        if not is_slot:
            pieces.append(part)
            continue
        value = rng.choice(PICTURES) if part == "picture" and part not in slots else slots[part]
        if isinstance(value, str):
            pieces.append(value)
        else:
            pieces += value
    return joined(pieces, ids, template[-1])
