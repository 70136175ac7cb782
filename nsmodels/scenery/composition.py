"""Composition of scenes: which place, which things, and what of them can be seen."""

from __future__ import annotations

import random
from dataclasses import replace

from nsmodels.core.errors import InputError, near
from nsmodels.scenery.config import HEIGHT, MOST_SCENES, SPLITS, WIDTH, ScenerySettings
from nsmodels.scenery.drafts import draft
from nsmodels.scenery.looks import Draws
from nsmodels.scenery.scenes import Item, Scene, Seen, look
from nsmodels.scenery.words import INDOORS, OUTDOORS, WEATHERS

HORIZONS = (0.38, 0.42, 0.46)
DRAFTS = 10  # of which one has to have enough things
SMALLEST = 16.0  # longer side of what can be seen of a thing, in pixels of the sheet
_USUAL = ScenerySettings()


def compose(seed: int, split: str, index: int, settings: ScenerySettings | None = None) -> Scene:
    """The scene of this number in a split: a function of its arguments and of nothing else.

    Scenes of different splits, seeds or numbers are drawn independently. Raises `InputError` for an unknown split and
    for a number outside of 0 to 999,999.
    """
    settings = settings or _USUAL
    image = image_id(split, index)
    draws = Draws(random.Random(f"scene/{seed}/{split}/{index}"), split, seed, settings)
    rng = draws.rng
    place = rng.choice(INDOORS + OUTDOORS)
    weather = "" if place in INDOORS else rng.choice(WEATHERS)
    horizon = rng.choice(HORIZONS)
    items = _enough(draws, image, place, horizon)
    return Scene(image, place, weather, horizon, items, rng.uniform(0.94, 1.06), rng.getrandbits(32), settings)


def image_id(split: str, index: int, variant: int = 0) -> str:
    """Id of an image, digits only; `variant` (0 to 9) tells edited scenes from their originals."""
    if split not in SPLITS:
        raise InputError(f"split {split!r}: unknown, expected one of {', '.join(SPLITS)}{near(split, SPLITS)}")
    if not 0 <= index < MOST_SCENES:
        raise InputError(f"scene {index} of split '{split}': expected a number from 0 to {MOST_SCENES - 1:,}")
    return f"{SPLITS.index(split) + 1}{variant}{index:06d}"


def _enough(draws: Draws, image: str, place: str, horizon: float) -> tuple[Item, ...]:
    """Things of a scene; drawn again while too few of them found room."""
    fullest: tuple[Item, ...] = ()
    for _ in range(DRAFTS):
        items = _visible(draft(draws, image, place, horizon), draws.settings)
        fullest = max(fullest, items, key=len)
        if len(fullest) >= draws.settings.min_things:
            break
    return fullest


def _visible(items: list[Item], settings: ScenerySettings) -> tuple[Item, ...]:
    """The items without those that are hidden too much, and without what they carry."""
    while True:
        seen = look(items, settings.width, settings.height)
        hidden = {id for id, each in seen.items() if _is_hidden(each, settings)}
        if not hidden:
            return tuple(items)
        gone = hidden | {item.id for item in items if item.root in hidden}
        items = [
            replace(item, relations=tuple(each for each in item.relations if each.target not in gone))
            for item in items
            if item.id not in gone
        ]


def _is_hidden(seen: Seen, settings: ScenerySettings) -> bool:
    """Whether too little of a thing can be seen to name it."""
    if seen.box is None or seen.share < settings.least_visible:
        return True
    return max(seen.box.w * WIDTH / settings.width, seen.box.h * HEIGHT / settings.height) < SMALLEST
