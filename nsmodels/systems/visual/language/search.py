"""Beam search over well-typed programs. Torch-free."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from nsmodels.systems.visual.language.grammar import Derivation

WIDTH = 6
LEAST = 1e-3  # probability below which a program is no candidate
# Rows of the previous beam that go on, and the derivations they became → log-probabilities of the next tokens (w, v).
Score = Callable[[list[int], list[Derivation]], np.ndarray]


def beam_search(score: Score, width: int = WIDTH, least: float = LEAST) -> list[tuple[list[int], float]]:
    """At most `width` complete token sequences of probability above `least`, most likely first; 1: greedy decoding."""
    lowest = math.log(least) if least else -math.inf
    beam, scores, rows = [Derivation()], [0.0], [0]
    complete: list[tuple[list[int], float]] = []
    while beam and len(complete) < width:
        total = score(rows, beam) + np.array(scores)[:, None]
        places = np.argsort(-total, axis=None, kind="stable")[: width - len(complete)].tolist()
        found = [(float(total.flat[place]), *divmod(place, total.shape[1])) for place in places]
        steps = [step for step in found if step[0] > lowest]
        longer = [(row, beam[row].followed_by(token), value) for value, row, token in steps]
        complete += [(each.tokens, math.exp(value)) for _, each, value in longer if not each.num_open]
        kept = [step for step in longer if step[1].num_open]
        rows, beam, scores = [step[0] for step in kept], [step[1] for step in kept], [step[2] for step in kept]
    return sorted(complete, key=lambda each: -each[1])
