"""Where exact counting is too large: bounds that always hold, and sampled worlds.

Bounds combine those of Fréchet, which hold whatever depends on what, with the independence of an event from the body
of its own derivation. Worlds are sampled in parallel, a bit each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nsmodels.logic.chaining import Derivation, Event, Grounding
from nsmodels.logic.probability import ordered, settle
from nsmodels.logic.syntax import Fact

SWEEPS = 50  # updates of the bounds of each fact of a recursion, at most
TOLERANCE = 1e-9
Z = 1.96  # of a 95 % interval
Bits = np.ndarray  # a bit per world, packed: uint8[(worlds + 7) // 8]


@dataclass(frozen=True)
class Sampled:
    """An estimate: the share of sampled worlds with the fact, an interval around it, and such a world, if one was met.

    `low` and `high` are the 95 % interval of the estimate within the bounds that always hold.
    """

    probability: float
    low: float
    high: float
    world: Mapping[Event, bool] | None


class Sampler:
    """Estimates for facts of one grounding, all from the same worlds."""

    def __init__(self, grounding: Grounding, num_worlds: int, seed: int) -> None:
        self._grounding, self._num_worlds = grounding, num_worlds
        self._generator = np.random.default_rng(seed)
        self._events: dict[Event, Bits] = {}
        self._facts: dict[Fact, Bits] = {}
        self._all = np.packbits(np.ones(num_worlds, bool))
        self._low: dict[Fact, float] = {}
        self._high: dict[Fact, float] = {}

    def estimate(self, fact: Fact) -> Sampled:
        """Share of the worlds with the fact."""
        for component in ordered(self._grounding, [fact], self._facts):
            settle(self._grounding, component, self._facts, np.zeros_like(self._all), self._once, np.array_equal)
        bits = self._facts[fact]
        count = int(np.bitwise_count(bits).sum())
        low, high = self.bounds(fact)
        below, above = wilson(count, self._num_worlds)
        return Sampled(
            min(max(count / self._num_worlds, low), high), max(below, low), min(above, high), self._world(fact, bits)
        )

    def bounds(self, fact: Fact) -> tuple[float, float]:
        """Lower and upper bound of the probability of a fact."""
        if fact in self._grounding.certain:
            return 1.0, 1.0
        low, high, grounding = self._low, self._high, self._grounding
        for component in ordered(grounding, [fact], low):
            limit = SWEEPS * len(component)
            settle(grounding, component, low, 0.0, lambda d, known: _low(grounding, d, known, high), _is_close, limit)
            settle(grounding, component, high, 1.0, lambda d, known: _high(grounding, d, known, low), _is_close, limit)
        return low[fact], high[fact]

    def _world(self, fact: Fact, bits: Bits) -> dict[Event, bool] | None:
        """The events that the fact depends on, in the first world with the fact."""
        places = np.flatnonzero(np.unpackbits(bits, count=self._num_worlds))
        if not len(places):
            return None
        byte, shift = divmod(int(places[0]), 8)
        facts = (each for component in ordered(self._grounding, [fact], {}) for each in component)
        events = (each.event for one in facts for each in self._grounding.derivations[one] if each.probability < 1)
        return {event: bool(self._events[event][byte] >> (7 - shift) & 1) for event in events}

    def _once(self, derivations: Iterable[Derivation], known: Mapping[Fact, Bits]) -> Bits:
        found = np.zeros_like(self._all)
        for each in derivations:
            bits = self._event(each)
            for fact in each.positive:
                if fact not in self._grounding.certain:
                    bits = bits & known[fact]
            for fact in each.negative:
                bits = bits & ~known[fact]
            found |= bits
        return found

    def _event(self, derivation: Derivation) -> Bits:
        if derivation.probability >= 1:
            return self._all
        bits = self._events.get(derivation.event)
        if bits is None:
            bits = np.packbits(self._generator.random(self._num_worlds) < derivation.probability)
            self._events[derivation.event] = bits
        return bits


def _low(
    grounding: Grounding, derivations: Iterable[Derivation], low: Mapping[Fact, float], high: Mapping[Fact, float]
) -> float:
    """At least the likeliest derivation; of a body, at least the sum of its parts less what they may have in common."""
    best = 0.0
    for each in derivations:
        parts = [low[fact] for fact in each.positive if fact not in grounding.certain]
        parts += [1 - high[fact] for fact in each.negative]
        best = max(best, each.probability * max(0.0, sum(parts) - (len(parts) - 1 if parts else -1)))
    return best


def _high(
    grounding: Grounding, derivations: Iterable[Derivation], high: Mapping[Fact, float], low: Mapping[Fact, float]
) -> float:
    """At most the sum of the derivations, each at most its least likely part."""
    total = 0.0
    for each in derivations:
        parts = [high[fact] for fact in each.positive if fact not in grounding.certain]
        parts += [1 - low[fact] for fact in each.negative]
        total += each.probability * min(parts, default=1.0)
    return min(total, 1.0)


def _is_close(a: float, b: float) -> bool:
    return abs(a - b) <= TOLERANCE


def wilson(count: int, total: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    share, z2 = count / total, Z * Z / total
    middle, half = share + z2 / 2, Z * np.sqrt(share * (1 - share) / total + z2 / (4 * total))
    return float((middle - half) / (1 + z2)), float((middle + half) / (1 + z2))
