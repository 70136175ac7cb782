"""Composition of scenes: which things, where they stand, what people and furniture do with them."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

from nsmodels.core.errors import InputError, near
from nsmodels.formats.scenes.graphs import Relation
from nsmodels.scenery.attachments import BODIES, RIDER_POSE, SEATS, carried, held, worn
from nsmodels.scenery.catalogue import Entry, catalogue
from nsmodels.scenery.config import MOST_SCENES, SPLITS, ScenerySettings
from nsmodels.scenery.looks import Draws, Look
from nsmodels.scenery.scenes import HEIGHT, WIDTH, Item, Scene, look
from nsmodels.scenery.words import ABOVE, HOLDING, INDOORS, ON, OUTDOORS, RIDING, UNDER, WEARING, WEATHERS

HORIZONS = (0.38, 0.42, 0.46)
NEAREST, FARTHEST = 1.1, 0.76  # scale at the lower edge of the sheet, and at the horizon
TRIES = 60  # places tried for the things of a scene
CROWDED = 0.3  # share of the smaller of two rectangles that may be common to both
FREQUENCIES = {"person": 12.0, "support": 5.0, "ride": 1.8}  # of traits, where a name without them has 1
HOLDS, WEARS, RIDES, CARRIES, COVERS = 0.6, 0.45, 0.5, 0.85, 0.4  # how often what is possible is done
_USUAL = ScenerySettings()
NUM_IDS = 100  # ids of things within a scene


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
    items = _visible(_Draft(draws, image, place, horizon).fill(), settings)
    return Scene(image, place, weather, horizon, items, rng.uniform(0.9, 1.06), rng.getrandbits(32), settings)


def image_id(split: str, index: int, variant: int = 0) -> str:
    """Id of an image, digits only; `variant` (0 to 9) tells edited scenes from their originals."""
    if split not in SPLITS:
        raise InputError(f"split {split!r}: unknown, expected one of {', '.join(SPLITS)}{near(split, SPLITS)}")
    if not 0 <= index < MOST_SCENES:
        raise InputError(f"scene {index} of split '{split}': expected a number from 0 to {MOST_SCENES - 1:,}")
    return f"{SPLITS.index(split) + 1}{variant}{index:06d}"


class _Draft:
    """Things of a scene while they are put into it."""

    def __init__(self, draws: Draws, image: str, place: str, horizon: float) -> None:
        self.draws, self.rng, self.place, self.horizon = draws, draws.rng, place, horizon * HEIGHT
        self.ids = [f"{image}{number:02d}" for number in self.rng.sample(range(NUM_IDS), 40)]
        self.groups: list[list[Item]] = []

    def fill(self) -> list[Item]:
        """All things, back to front."""
        settings = self.draws.settings
        wanted = self.rng.randint(settings.min_things, settings.max_things)
        names = self._names()
        for attempt in range(TRIES):
            missing = wanted - sum(map(len, self.groups))
            if missing <= 0:
                break
            unused = list(self.ids)
            group = self._group(names[attempt % len(names)], missing)
            if any(_collide(group, other) for other in self.groups):
                self.ids = unused
            else:
                self.groups.append(group)
        ordered = sorted(self.groups, key=lambda group: group[0].baseline)
        return [item for group in ordered for item in sorted(group, key=_rank)]

    def _names(self) -> list[Entry]:
        """Names in the order in which they are tried; one of them several times in some scenes."""
        names, weights = _frequencies()
        chosen = self.rng.choices(names, weights, k=20)
        if self.rng.random() < self.draws.settings.repeated:
            chosen = [chosen[0]] * self.rng.randint(1, 3) + chosen
        return [entry for name in chosen if self._fits(entry := catalogue()[name])] or [catalogue()[PERSONS[0]]]

    def _fits(self, entry: Entry) -> bool:
        return not (self.place in INDOORS and "aloft" in entry.traits)

    def _group(self, entry: Entry, most: int) -> list[Item]:
        """A thing and what it has to do with, `most` things at most."""
        if entry.name in SEATS and most > 1 and self.rng.random() < RIDES:
            return self._rider(entry)
        root = self._standing(entry, self.draws.look(entry))
        group = [root]
        if root.name in PERSONS:
            self._dress(group, most)
        if "support" in entry.traits:
            self._load(group, most)
        return group

    def _standing(self, entry: Entry, look: Look, times: float = 1.0) -> Item:
        """A thing on the ground, or in the air."""
        is_aloft = "aloft" in entry.traits
        baseline = self.rng.uniform(self.horizon + 12, HEIGHT - 3)
        scale = 1.0 if is_aloft else self._scale(baseline)
        width, height = look.extent(scale * times)
        left = self.rng.uniform(2, max(3.0, WIDTH - 2 - width))
        top = baseline - height
        if is_aloft:
            top, baseline = self.rng.uniform(2, max(3.0, self.horizon - height)), 0.0
        top = max(1.0, top)
        mirrored = self.rng.random() < 0.5
        return Item(
            id=self.ids.pop(),
            name=entry.name,
            sprite=look.sprite,
            left=left,
            top=top,
            width=width,
            height=height,
            baseline=baseline,
            tint=look.tint,
            pattern=look.pattern,
            is_mirrored=mirrored,
            is_aloft=is_aloft,
            attributes=look.attributes,
        )

    def _scale(self, baseline: float) -> float:
        depth = (baseline - self.horizon) / (HEIGHT - self.horizon)
        return FARTHEST + (NEAREST - FARTHEST) * depth

    def _person(self, pose: str = "") -> tuple[Item, str]:
        entry = catalogue()[self.rng.choice(PERSONS)]
        look = self.draws.look(entry, pose)
        pose = look.attributes[-1]
        return self._standing(entry, look, BODIES[pose].size), pose

    def _rider(self, entry: Entry) -> list[Item]:
        mount = self._standing(entry, self.draws.look(entry, may_vary=False))
        rider, pose = self._person(RIDER_POSE.get(entry.name, "kneeling"))
        across, down = SEATS[entry.name]
        across = 1 - across if mount.is_mirrored else across
        scale = self._scale(mount.baseline) * BODIES[pose].size * catalogue()[rider.name].size / rider.height
        width, height = rider.width * scale, rider.height * scale
        rider = replace(
            rider,
            left=mount.left + across * mount.width - width / 2,
            top=mount.top + down * mount.height - height,
            width=width,
            height=height,
            baseline=mount.baseline,
            root=mount.id,
            is_mirrored=mount.is_mirrored,
            relations=(Relation(RIDING, mount.id),),
        )
        return [mount, rider]

    def _dress(self, group: list[Item], most: int) -> None:
        """Something to hold, something to wear for a person, the first of the group."""
        person = group[0]
        pose = person.attributes[-1]
        person = group[0] = _resized(person, BODIES[pose].size)
        for relation, share, traits in ((WEARING, WEARS, ("head", "neck", "body")), (HOLDING, HOLDS, ("hold",))):
            if len(group) >= most or self.rng.random() >= share:
                continue
            look = self.draws.look(catalogue()[self.rng.choice(_having(traits))], may_vary=False)
            id = self.ids.pop()
            if relation == WEARING:
                item = worn(person, pose, look, id)
            else:
                item = held(person, pose, look, id, self._scale(person.baseline))
            group.append(item)
            person = group[0] = replace(person, relations=(*person.relations, Relation(relation, item.id)))

    def _load(self, group: list[Item], most: int) -> None:
        """Something on and something under furniture, the first of the group."""
        furniture = group[0]
        scale = self._scale(furniture.baseline)
        places = [(0.0, 0.35), (0.65, 1.0)] if furniture.width > 70 and self.rng.random() < 0.4 else [(0.1, 0.9)]
        for low, high in places:
            if len(group) < most and self.rng.random() < CARRIES:
                look = self.draws.look(catalogue()[self.rng.choice(_having(("table",)))])
                item = carried(furniture, look, self.ids.pop(), self.rng.uniform(low, high), scale)
                group.append(replace(item, relations=(Relation(ON, furniture.id),)))
        if furniture.name == "table" and len(group) < most and self.rng.random() < COVERS:
            group.append(self._covered(furniture, scale))
            relation = Relation(ABOVE, group[-1].id)
            group[0] = replace(furniture, relations=(*furniture.relations, relation))

    def _covered(self, furniture: Item, scale: float) -> Item:
        """A thing under furniture, as large as there is room for."""
        look = self.draws.look(catalogue()[self.rng.choice(_having(("table",)))], may_vary=False)
        item = carried(furniture, look, self.ids.pop(), self.rng.choice((0.22, 0.78)), scale)
        times = min(1.0, 0.72 * furniture.height / item.height)
        item = _resized(item, times)
        top = furniture.baseline - 2 - item.height
        return replace(item, top=top, relations=(Relation(UNDER, furniture.id),))


PERSONS = ("man", "woman")


def _rank(item: Item) -> int:
    """Order within a group: what is under furniture, what carries, what is carried."""
    return -1 if any(relation.name == UNDER for relation in item.relations) else int(bool(item.root))


def _resized(item: Item, times: float) -> Item:
    """The item with a different size and the same middle of its lower edge."""
    width, height = item.width * times, item.height * times
    left, top = item.left + (item.width - width) / 2, item.top + item.height - height
    return replace(item, left=left, top=top, width=width, height=height)


def _collide(group: list[Item], other: list[Item]) -> bool:
    return any(_common(first, second) > CROWDED for first in group for second in other)


def _common(first: Item, second: Item) -> float:
    """Common area of two rectangles as a share of the smaller one."""
    across = min(first.left + first.width, second.left + second.width) - max(first.left, second.left)
    down = min(first.top + first.height, second.top + second.height) - max(first.top, second.top)
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / min(first.width * first.height, second.width * second.height)


def _visible(items: list[Item], settings: ScenerySettings) -> tuple[Item, ...]:
    """The items without those that are hidden too much, and without what they carry."""
    while True:
        seen = look(items, settings.width, settings.height)
        hidden = {item.id for item in items if seen[item.id].share < settings.least_visible}
        if not hidden:
            return tuple(items)
        gone = hidden | {item.id for item in items if item.root in hidden}
        items = [
            replace(item, relations=tuple(each for each in item.relations if each.target not in gone))
            for item in items
            if item.id not in gone
        ]


@cache
def _frequencies() -> tuple[list[str], list[float]]:
    """Names, and how often each is placed."""
    entries = catalogue()
    weights = [max((FREQUENCIES.get(trait, 1.0) for trait in entry.traits), default=1.0) for entry in entries.values()]
    return list(entries), weights


@cache
def _having(traits: tuple[str, ...]) -> tuple[str, ...]:
    """Names with one of the traits."""
    return tuple(name for name, entry in catalogue().items() if entry.traits & set(traits))
