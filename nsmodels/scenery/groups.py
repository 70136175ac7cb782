"""Groups of things: what stands for itself, and what people and furniture hold, wear, ride and carry."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from nsmodels.formats.scenes.graphs import Relation
from nsmodels.scenery.attachments import BODIES, RIDER_POSE, SEATS, carried, held, worn
from nsmodels.scenery.catalogue import Entry, catalogue
from nsmodels.scenery.config import HEIGHT, WIDTH
from nsmodels.scenery.looks import Draws, Look
from nsmodels.scenery.scenes import Item
from nsmodels.scenery.words import ABOVE, HOLDING, ON, RIDING, UNDER, WEARING

PERSONS = ("man", "woman")
NEAREST, FARTHEST = 1.1, 0.76  # scale at the lower edge of the sheet, and at the horizon
HOLDS, WEARS, RIDES, CARRIES, COVERS = 0.65, 0.5, 0.7, 0.9, 0.5  # how often what is possible is done
NUM_IDS = 100  # ids of things within a scene


class Groups:
    """Random groups of a scene.

    Attributes:
        ids: those that are still to be given away.
    """

    def __init__(self, draws: Draws, image: str, horizon: float) -> None:
        self.draws, self.rng, self.horizon = draws, draws.rng, horizon * HEIGHT
        self.ids = [f"{image}{number:02d}" for number in self.rng.sample(range(NUM_IDS), NUM_IDS // 2)]

    def make(self, entry: Entry, most: int) -> list[Item]:
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
        elif top < 1:  # too tall to stand that far away
            top, baseline = 1.0, 1 + height
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
        if "cover" in catalogue()[furniture.name].traits and len(group) < most and self.rng.random() < COVERS:
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


def _resized(item: Item, times: float) -> Item:
    """The item with a different size and the same middle of its lower edge."""
    width, height = item.width * times, item.height * times
    left, top = item.left + (item.width - width) / 2, item.top + item.height - height
    return replace(item, left=left, top=top, width=width, height=height)


@cache
def _having(traits: tuple[str, ...]) -> tuple[str, ...]:
    """Names with one of the traits."""
    return tuple(name for name, entry in catalogue().items() if entry.traits & set(traits))
