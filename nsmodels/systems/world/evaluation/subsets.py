"""Subsets of the modalities, each alone, in pairs, and all."""

from __future__ import annotations

from itertools import combinations

from nsmodels.formats.clips.names import MODALITIES

Subset = tuple[str, ...]
SUBSETS: tuple[Subset, ...] = tuple(
    subset for size in range(1, len(MODALITIES) + 1) for subset in combinations(MODALITIES, size)
)


def title(subset: Subset) -> str:
    """Name of a subset in tables: "vision + audio"."""
    return " + ".join(subset)
