"""Drafts of scenes: things are put where there is room, until there are enough of them."""

from __future__ import annotations

from functools import cache

from nsmodels.scenery.catalogue import Entry, catalogue
from nsmodels.scenery.groups import PERSONS, Groups
from nsmodels.scenery.looks import Draws
from nsmodels.scenery.scenes import Item
from nsmodels.scenery.words import INDOORS, UNDER

TRIES = 60  # places tried for the things of a scene
NUM_NAMES = 20  # that are tried in turn
CROWDED = 0.3  # share of the smaller of two rectangles that may be common to both
# How often names with a trait are placed, where others have 1.
FREQUENCIES = {"person": 20.0, "support": 8.0, "ride": 4.0, "shape": 5.0, "cover": 16.0}


def draft(draws: Draws, image: str, place: str, horizon: float) -> list[Item]:
    """Things of a scene, back to front; some may hide others."""
    wanted = draws.rng.randint(draws.settings.min_things, draws.settings.max_things)
    names, source = _names(draws, place), Groups(draws, image, horizon)
    groups: list[list[Item]] = []
    for attempt in range(TRIES):
        missing = wanted - sum(map(len, groups))
        if missing <= 0:
            break
        unused = list(source.ids)
        group = source.make(names[attempt % len(names)], missing)
        if any(_collide(group, other) for other in groups):
            source.ids = unused
        else:
            groups.append(group)
    ordered = sorted(groups, key=lambda group: group[0].baseline)
    return [item for group in ordered for item in sorted(group, key=_rank)]


def _names(draws: Draws, place: str) -> list[Entry]:
    """Names in the order in which they are tried; one of them several times in some scenes."""
    names, weights = _frequencies()
    chosen = draws.rng.choices(names, weights, k=NUM_NAMES)
    if draws.rng.random() < draws.settings.repeated:
        chosen = [chosen[0]] * draws.rng.randint(1, 3) + chosen
    entries = [catalogue()[name] for name in chosen]
    return [entry for entry in entries if place not in INDOORS or "aloft" not in entry.traits] or [
        catalogue()[PERSONS[0]]
    ]


def _rank(item: Item) -> int:
    """Order within a group: what is under furniture, what carries, what is carried."""
    return -1 if any(relation.name == UNDER for relation in item.relations) else int(bool(item.root))


def _collide(group: list[Item], other: list[Item]) -> bool:
    return any(_common(first, second) > CROWDED for first in group for second in other)


def _common(first: Item, second: Item) -> float:
    """Common area of two rectangles as a share of the smaller one."""
    across = min(first.left + first.width, second.left + second.width) - max(first.left, second.left)
    down = min(first.top + first.height, second.top + second.height) - max(first.top, second.top)
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / min(first.width * first.height, second.width * second.height)


@cache
def _frequencies() -> tuple[list[str], list[float]]:
    """Names, and how often each is placed."""
    entries = catalogue()
    weights = [max((FREQUENCIES.get(trait, 1.0) for trait in entry.traits), default=1.0) for entry in entries.values()]
    return list(entries), weights
