"""Where people hold, wear and ride, and where furniture carries: places as shares of the carrier's picture."""

from __future__ import annotations

from dataclasses import dataclass

from nsmodels.scenery.graphics.sprites import aspect
from nsmodels.scenery.looks import Look
from nsmodels.scenery.scenes import Item


@dataclass(frozen=True)
class Body:
    """A person's pose, turned left. Places are shares of width and height of the picture.

    Attributes:
        size: height, relative to a standing person.
        head: middle of the head, and its top.
        width: that of the head, as a share of the picture's height.
        neck, chest: middle and top of what is worn there.
        hand: the forward hand.
    """

    size: float
    head: tuple[float, float]
    width: float
    neck: tuple[float, float]
    chest: tuple[float, float]
    hand: tuple[float, float]


BODIES = {
    "standing": Body(1.0, (0.49, 0.03), 0.18, (0.5, 0.21), (0.5, 0.22), (0.1, 0.6)),
    "walking": Body(1.0, (0.38, 0.03), 0.2, (0.42, 0.22), (0.46, 0.22), (0.22, 0.58)),
    "running": Body(0.86, (0.31, 0.03), 0.21, (0.38, 0.22), (0.44, 0.22), (0.07, 0.4)),
    "kneeling": Body(0.76, (0.4, 0.03), 0.23, (0.45, 0.24), (0.5, 0.24), (0.14, 0.62)),
}
# What is worn: width as a multiple of that of the head; how far it reaches down over the top of its place, as a share
# of its own height.
WORN = {"head": (1.55, 0.62), "neck": (1.1, 0.0), "body": (2.0, 0.0)}
SMALLEST_WORN = 19.0  # width in pixels of the sheet

# Seats: middle and height of the place where a rider's lowest point is.
SEATS = {
    "horse": (0.52, 0.5),
    "elephant": (0.6, 0.3),
    "camel": (0.5, 0.5),
    "bicycle": (0.5, 0.62),
    "motorcycle": (0.5, 0.66),
    "scooter": (0.55, 0.66),
    "skateboard": (0.5, 0.6),
}
RIDER_POSE = {"skateboard": "standing"}  # else kneeling

HELD_BELOW = ("umbrella", "balloon", "kite")  # held at the lower end, and so above the hand
HELD_SCALE = 0.85
TOP = 0.1  # depth of a surface as a share of the height of the furniture


def worn(person: Item, pose: str, look: Look, id: str) -> Item:
    """A thing that a person wears on head, neck or chest."""
    body, where = BODIES[pose], next(trait for trait in WORN if trait in look.entry.traits)
    times, reach = WORN[where]
    width = max(SMALLEST_WORN, times * body.width * person.height)
    height = width / aspect(look.sprite)
    across, down = {"head": body.head, "neck": body.neck, "body": body.chest}[where]
    x, y = _point(person, across, down)
    return _attached(person, look, id, x - width / 2, y - reach * height, width, height)


def held(person: Item, pose: str, look: Look, id: str, scale: float) -> Item:
    """A thing in the forward hand of a person, at a scale of 1 at depth 1."""
    width, height = look.extent(HELD_SCALE * scale)
    x, y = _point(person, *BODIES[pose].hand)
    inward = 0.3 if person.is_mirrored else 0.7  # the hand is over the part of the thing next to the person
    down = 0.92 if look.entry.name in HELD_BELOW and look.attributes[-1:] != ("closed",) else 0.5
    return _attached(person, look, id, x - inward * width, y - down * height, width, height)


def carried(furniture: Item, look: Look, id: str, share: float, scale: float) -> Item:
    """A thing on furniture; `share`: how far to the right, from 0 to 1."""
    width, height = look.extent(scale)
    x = furniture.left + share * (furniture.width - width)
    bottom = furniture.top + TOP * furniture.height + 1
    return _attached(furniture, look, id, x, bottom - height, width, height)


def _point(carrier: Item, across: float, down: float) -> tuple[float, float]:
    """Position on the sheet of a place on the carrier's picture."""
    across = 1 - across if carrier.is_mirrored else across
    return carrier.left + across * carrier.width, carrier.top + down * carrier.height


def _attached(carrier: Item, look: Look, id: str, left: float, top: float, width: float, height: float) -> Item:
    return Item(
        id=id,
        name=look.entry.name,
        sprite=look.sprite,
        left=left,
        top=top,
        width=width,
        height=height,
        baseline=carrier.baseline,
        root=carrier.id,
        tint=look.tint,
        pattern=look.pattern,
        is_mirrored=carrier.is_mirrored,
        attributes=look.attributes,
    )
