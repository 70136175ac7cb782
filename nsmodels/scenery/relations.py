"""Relations that follow from boxes: left and right by the rule of GQA's release, depth, nearness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from nsmodels.formats.scenes.graphs import LEFT, RIGHT, Box, Relation
from nsmodels.scenery.words import BEFORE, BEHIND, NEAR

# Left and right: horizontal gap from 0 to this share of the image's width, vertical overlap from this share of the
# lower of both boxes. Found in released graphs, where all such pairs are stated, and few others.
WIDEST_GAP, LEAST_OVERLAP = 0.25, 0.55
NEAR_GAP, NEAR_OVERLAP = 0.05, 0.3  # near: the same, closer, for things that stand on the ground
LEAST_DEPTH = 4.0  # difference of baselines, in pixels of the sheet, from which one thing is before a different one


@dataclass(frozen=True)
class Placed:
    """What relations depend on: see `nsmodels.scenery.scenes.Item`."""

    id: str
    box: Box
    baseline: float
    root: str
    is_aloft: bool


def geometric(things: Sequence[Placed], width: int) -> dict[str, list[Relation]]:
    """Relations of geometry by id of their subject, in an image of this width; inverses are always stated."""
    stated: dict[str, list[Relation]] = {thing.id: [] for thing in things}
    for first, second in combinations(things, 2):
        for name, inverse in _between(first, second, width):
            stated[first.id].append(Relation(name, second.id))
            stated[second.id].append(Relation(inverse, first.id))
    return stated


def is_left(box: Box, of: Box, width: int) -> bool:
    """Whether a box is to the left of a different one, in an image of this width."""
    gap = of.x - (box.x + box.w)
    return 0 <= gap <= WIDEST_GAP * width and _overlap(box, of) >= LEAST_OVERLAP * min(box.h, of.h)


def _between(first: Placed, second: Placed, width: int) -> list[tuple[str, str]]:
    """Relations of the first to the second, with the inverse of each."""
    found = []
    if is_left(first.box, second.box, width):
        found.append((LEFT, RIGHT))
    elif is_left(second.box, first.box, width):
        found.append((RIGHT, LEFT))
    if first.root or second.root or first.is_aloft or second.is_aloft:
        return found
    if _meet(first.box, second.box) and abs(first.baseline - second.baseline) >= LEAST_DEPTH:
        found.append((BEFORE, BEHIND) if first.baseline > second.baseline else (BEHIND, BEFORE))
    if _is_near(first.box, second.box, width):
        found.append((NEAR, NEAR))
    return found


def _overlap(first: Box, second: Box) -> int:
    """Common vertical extent in pixels, negative where there is none."""
    return min(first.y + first.h, second.y + second.h) - max(first.y, second.y)


def _gap(first: Box, second: Box) -> int:
    """Horizontal distance in pixels, negative where they overlap."""
    return max(first.x, second.x) - min(first.x + first.w, second.x + second.w)


def _meet(first: Box, second: Box) -> bool:
    return _overlap(first, second) >= 2 and _gap(first, second) <= -2


def _is_near(first: Box, second: Box, width: int) -> bool:
    is_level = _overlap(first, second) >= NEAR_OVERLAP * min(first.h, second.h)
    return is_level and 0 <= _gap(first, second) <= NEAR_GAP * width
