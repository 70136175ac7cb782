"""Scenes as they are perceived: facts on objects with their probabilities, and the boxes of the objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nsmodels.formats.scenes.facts import Fact

Box = tuple[float, float, float, float]  # x, y, width, height in pixels
LIKELY = 0.5
LEAST_OVERLAP = 0.5  # of a match: area common to both boxes over the area of both


@dataclass(frozen=True)
class PerceivedScene:
    """What a network reads from an image.

    Attributes:
        facts: each with its marginal probability, that its objects are there included.
        boxes: of the objects, by constant.
        names: the most likely name of each object, by constant.
    """

    facts: Mapping[Fact, float]
    boxes: Mapping[str, Box]
    names: Mapping[str, str] = field(default_factory=dict)

    def likely(self, least: float = LIKELY) -> frozenset[Fact]:
        """The facts that are more probable than not, or than `least`."""
        return frozenset(fact for fact, p in self.facts.items() if p >= least)


def matches(found: Mapping[str, Box], true: Mapping[str, Box]) -> dict[str, str]:
    """Constants of perceived objects with those of the true objects whose boxes they overlap enough, best first."""
    shares = {(one, two): _overlap(a, b) for one, a in found.items() for two, b in true.items()}
    pairs: dict[str, str] = {}
    for one, two in sorted(shares, key=lambda pair: -shares[pair]):
        if shares[one, two] >= LEAST_OVERLAP and one not in pairs and two not in pairs.values():
            pairs[one] = two
    return pairs


def _overlap(one: Box, two: Box) -> float:
    """Area common to two boxes over the area of both."""
    across, down = (min(one[k] + one[k + 2], two[k] + two[k + 2]) - max(one[k], two[k]) for k in (0, 1))
    shared = max(0.0, across) * max(0.0, down)
    whole = one[2] * one[3] + two[2] * two[3] - shared
    return shared / whole if whole > 0 else 0.0
