"""Beam search over well-typed programs."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

from nsmodels.systems.visual.language.grammar import Derivation

WIDTH = 6
LEAST = 1e-3  # probability below which a program is no candidate
# Rows of the previous beam that go on, and the derivations they became → log-probabilities of the next tokens (w, v).
Score = Callable[[list[int], list[Derivation]], Tensor]


def beam_search(score: Score, width: int = WIDTH) -> list[tuple[list[int], float]]:
    """At most `width` complete token sequences, most likely first, with their probabilities."""
    beam, scores, rows = [Derivation()], [0.0], [0]
    complete: list[tuple[list[int], float]] = []
    while beam and len(complete) < width:
        total = score(rows, beam)
        total = total + total.new_tensor(scores)[:, None]
        best, places = total.flatten().topk(width - len(complete))
        found = zip(best.tolist(), places.tolist(), strict=True)
        steps = [(value, *divmod(place, total.shape[1])) for value, place in found if value > math.log(LEAST)]
        longer = [(row, beam[row].followed_by(token), value) for value, row, token in steps]
        complete += [(each.tokens, math.exp(value)) for _, each, value in longer if not each.num_open]
        kept = [step for step in longer if step[1].num_open]
        rows, beam, scores = ([step[k] for step in kept] for k in range(3))  # type: ignore[assignment]
    return sorted(complete, key=lambda each: -each[1])
