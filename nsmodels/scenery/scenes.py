"""Scenes: things with their pictures and places, what can be seen of each, and the graph that states the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from nsmodels.formats.scenes.graphs import Box, Relation, SceneGraph, Thing
from nsmodels.scenery.config import HEIGHT, WIDTH, ScenerySettings
from nsmodels.scenery.graphics.sprites import Silhouette, extent, silhouette
from nsmodels.scenery.relations import Placed, geometric


@dataclass(frozen=True)
class Item:
    """A thing of a scene with all that it takes to draw it. Lengths are pixels of the sheet.

    Attributes:
        id, name, attributes: as in the graph.
        sprite: its picture.
        left, top, width, height: rectangle of the picture.
        baseline: where it stands; farther things have smaller ones. Things on or with a different one have its own.
        root: id of the thing that carries it, or that it is with; "": it stands for itself.
        tint, pattern: how the picture is coloured; "": as it is.
        is_mirrored: left and right of the picture are exchanged.
        is_aloft: it hovers and casts no shadow.
        relations: arranged ones, as "on"; those of geometry follow from the boxes.
    """

    id: str
    name: str
    sprite: str
    left: float
    top: float
    width: float
    height: float
    baseline: float
    root: str = ""
    tint: str = ""
    pattern: str = ""
    is_mirrored: bool = False
    is_aloft: bool = False
    attributes: tuple[str, ...] = ()
    relations: tuple[Relation, ...] = ()


class Seen(NamedTuple):
    """What can be seen of an item: the box around its visible pixels (None: nothing), and their share."""

    box: Box | None
    share: float


@dataclass(frozen=True)
class Scene:
    """A composed scene; `graph` states its facts, `nsmodels.scenery.drawing.draw` shows it.

    Attributes:
        image: id, digits only, unique across splits.
        place, weather: of the whole scene; `weather` is "" indoors.
        horizon: height of the sky or wall as a share of the image.
        items: things, back to front.
        light: factor of brightness.
        seed: of background and noise, from 0 to 2^32 - 1.
        settings: size of its image, noise.
    """

    image: str
    place: str
    weather: str
    horizon: float
    items: tuple[Item, ...]
    light: float
    seed: int
    settings: ScenerySettings

    @cached_property
    def seen(self) -> dict[str, Seen]:
        """What can be seen of each item, by id."""
        return look(self.items, self.settings.width, self.settings.height)

    @cached_property
    def graph(self) -> SceneGraph:
        """Its facts, with boxes in pixels of an image of `settings.width` x `settings.height`. Order: by id."""
        placed = [_placed(item, seen.box) for item in self.items if (seen := self.seen[item.id]).box is not None]
        stated = geometric(placed, self.settings.width)
        things = (
            Thing(item.id, item.name, item_placed.box, item.attributes, (*item.relations, *stated[item.id]))
            for item in self.items
            for item_placed in placed
            if item.id == item_placed.id
        )
        ordered = tuple(sorted(things, key=lambda thing: thing.id))
        return SceneGraph(self.image, self.settings.width, self.settings.height, ordered, self.place, self.weather)


def rectangle(item: Item, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, width and height in pixels of the item's picture in an image of this size."""
    across, down = width / WIDTH, height / HEIGHT
    w, h = max(1, round(item.width * across)), max(1, round(item.height * down))
    return round(item.left * across), round(item.top * down), w, h


def look(items: Sequence[Item], width: int, height: int) -> dict[str, Seen]:
    """What can be seen of each item, by id, in an image of this size; items are given back to front."""
    places = [rectangle(item, width, height) for item in items]
    shapes = [silhouette(item.sprite, item.is_mirrored, *place[2:]) for item, place in zip(items, places, strict=True)]
    found = {}
    for k, item in enumerate(items):
        left, top, w, h = places[k]
        covers = [j for j in range(k + 1, len(items)) if _meet(places[k], places[j])]
        if not covers and left >= 0 and top >= 0 and left + w <= width and top + h <= height:
            x, y, w, h = shapes[k].box
            found[item.id] = Seen(Box(left + x, top + y, w, h), 1.0)
        else:
            found[item.id] = _covered(k, covers, places, shapes, (width, height))
    return found


Rectangle = tuple[int, int, int, int]


def _meet(first: Rectangle, second: Rectangle) -> bool:
    is_across = first[0] < second[0] + second[2] and second[0] < first[0] + first[2]
    return is_across and first[1] < second[1] + second[3] and second[1] < first[1] + first[3]


def _covered(
    index: int, covers: list[int], places: list[Rectangle], shapes: list[Silhouette], size: tuple[int, int]
) -> Seen:
    """What the items `covers` and the border of the image leave of an item."""
    left, top, w, h = places[index]
    shape = shapes[index]
    free = shape.covered.copy()
    for other in covers:
        x, y = places[other][0] - left, places[other][1] - top
        part = free[max(0, y) : max(0, y + places[other][3]), max(0, x) : max(0, x + places[other][2])]
        part &= ~shapes[other].covered[max(0, -y) :, max(0, -x) :][: part.shape[0], : part.shape[1]]
    inside = np.zeros_like(free)
    inside[max(0, -top) : max(0, size[1] - top), max(0, -left) : max(0, size[0] - left)] = True
    free &= inside
    x, y, w, h = extent(free)
    return Seen(Box(left + x, top + y, w, h) if w else None, int(free.sum()) / max(1, shape.num))


def _placed(item: Item, box: Box | None) -> Placed:
    assert box is not None
    return Placed(item.id, box, item.baseline, item.root, item.is_aloft)
