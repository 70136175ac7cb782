"""Composed scenes that several tests look at."""

from __future__ import annotations

from functools import cache

from nsmodels.scenery.composition import compose
from nsmodels.scenery.scenes import Scene


@cache
def scenes(split: str, num: int) -> tuple[Scene, ...]:
    """The first scenes of a split of the data set of seed 7."""
    return tuple(compose(7, split, index) for index in range(num))
