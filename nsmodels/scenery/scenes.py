"""Scenes: things with their pictures and places, what can be seen of each, and the graph that states the facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Int16

from nsmodels.formats.scenes.graphs import Box, Relation, SceneGraph, Thing
from nsmodels.scenery.config import ScenerySettings
from nsmodels.scenery.relations import Placed, geometric
from nsmodels.scenery.sprites import silhouette

WIDTH, HEIGHT = 224, 168  # of the sheet on which things are placed; an image of a different size shows it scaled


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
    size = max(1, round(item.width * across)), max(1, round(item.height * down))
    return round(item.left * across), round(item.top * down), *size


def look(items: Sequence[Item], width: int, height: int) -> dict[str, Seen]:
    """What can be seen of each item, by id, in an image of this size; items are given back to front."""
    owner: Int16[np.ndarray, "h w"] = np.full((height, width), -1, np.int16)
    areas, fulls = [], []
    for index, item in enumerate(items):
        left, top, w, h = rectangle(item, width, height)
        covered = silhouette(item.sprite, item.is_mirrored, w, h)
        x, y = slice(max(0, left), max(0, left + w)), slice(max(0, top), max(0, top + h))
        area = owner[y, x]
        area[
            covered[y.start - top : y.start - top + area.shape[0], x.start - left : x.start - left + area.shape[1]]
        ] = index
        areas.append((area, x.start, y.start))
        fulls.append(int(covered.sum()))
    return {item.id: _seen(*areas[k], k, fulls[k]) for k, item in enumerate(items)}


def _seen(area: np.ndarray, left: int, top: int, index: int, full: int) -> Seen:
    is_its = area == index
    rows, columns = np.flatnonzero(is_its.any(1)), np.flatnonzero(is_its.any(0))
    if not len(rows):
        return Seen(None, 0.0)
    size = int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1
    return Seen(Box(left + int(columns[0]), top + int(rows[0]), *size), int(is_its.sum()) / max(1, full))


def _placed(item: Item, box: Box | None) -> Placed:
    assert box is not None
    return Placed(item.id, box, item.baseline, item.root, item.is_aloft)
