"""Scenes and their motion: arrays with a row per clip, in SI units. What is drawn, simulated, seen, heard and felt.

The world: x to the right, y away from the camera, z up. The table is a square whose top lies at z = 0, with its middle
at the origin; it tilts about the y axis through the origin. The floor lies at `FLOOR`. A body has axes of its own,
along which its extents are given; at rest they are those of the world, turned about z.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from nsmodels.datasets.impacts.config import SHAPES

NUM_STEPS = 16
FRAME = 0.05  # s: a picture, a state, a reading of the hand
SUBSTEP = 0.001  # s: a step of the mechanics
BIN = 0.01  # s: a value of the sliding speed, for the noise of scraping
NUM_BINS = round(NUM_STEPS * FRAME / BIN)

PLATE, BAR, BOX, DISC, BALL = range(len(SHAPES))
# What a box is: sealed, with a lid, or a cup without a top. All other shapes are solid.
OPENINGS = ("solid", "sealed", "lidded", "open")
SOLID, SEALED, LIDDED, OPEN = range(len(OPENINGS))
# What the object touches.
BODIES = ("table", "floor", "neighbour", "tip", "hand")
TABLE_TOP, FLOOR_TOP, NEIGHBOUR, TIP, HAND = range(len(BODIES))
# What the hand shows in a picture: nothing (it is out of sight), two fingers, a rod with a round tip.
TOOLS = ("away", "fingers", "rod")
AWAY, FINGERS, ROD = range(len(TOOLS))

TABLE = 0.24  # m, half of the side of the table
FLOOR = -0.30  # m, height of the floor
TABLE_THICKNESS = 0.02  # m
NEIGHBOUR_HEIGHT = 0.06  # m; the neighbour is an upright cylinder, which slides and never falls over
WATER_LEVEL = 0.12  # m above the table, where there is water: the table is then the bottom of a basin
FINGER_RADIUS = 0.008  # m, of the pads of the fingers and the tip of the rod


class Table:
    """Arrays with a row per clip or object."""

    def take(self, rows: np.ndarray) -> Self:
        """The rows, int64 (k,) or bool (n,)."""
        values = {}
        for each in fields(self):  # type: ignore[arg-type]
            value = getattr(self, each.name)
            values[each.name] = value.take(rows) if isinstance(value, Table) else value[rows]
        return dataclasses.replace(self, **values)  # type: ignore[type-var]


@dataclass(frozen=True, eq=False)
class Objects(Table):
    """n objects; float64 unless noted.

    Attributes:
        number: int64 (n,), different for every object of all splits; its look and figures follow from it.
        shape: int64 (n,), index into `SHAPES`.
        material: int64 (n,), index into `materials.MATERIALS`.
        extents: (n, 3), m, full lengths along the axes of the body: plate (a, a, h), bar (L, b, h), box (a, b, c), disc
            (d, d, h), ball (d, d, d).
        wall: (n,), m, thickness of the wall of a box; 0 for solid shapes.
        opening: int64 (n,), index into `OPENINGS`.
        mass: kg. inertia: (n, 3), kg m2, about the axes of the body. volume: m3, of what water it displaces.
        young: Pa. density: kg/m3. poisson. loss: loss factor. hardness: Pa, indentation hardness. friction,
            restitution: against table and floor. strength: Pa, at which it breaks. effusivity: W s^.5 / (m2 K).
        hue: in [0, 1], of the paint, also where there is none. colour: (n, 3) in [0, 1], RGB as it looks: of the paint,
            or of the material.
        painted: bool (n,). transparency, roughness: (n,) in [0, 1]; paint is opaque.
        temperature: degrees Celsius.
        drive: m/s2, acceleration by which an animate object moves itself; 0 for all others.
        drive_rate: Hz. drive_direction: rad, in the plane.
        seal: N, force that opens the lid; infinite without a lid.
    """

    number: np.ndarray
    shape: np.ndarray
    material: np.ndarray
    extents: np.ndarray
    wall: np.ndarray
    opening: np.ndarray
    mass: np.ndarray
    inertia: np.ndarray
    volume: np.ndarray
    young: np.ndarray
    density: np.ndarray
    poisson: np.ndarray
    loss: np.ndarray
    hardness: np.ndarray
    friction: np.ndarray
    restitution: np.ndarray
    strength: np.ndarray
    effusivity: np.ndarray
    hue: np.ndarray
    colour: np.ndarray
    painted: np.ndarray
    transparency: np.ndarray
    roughness: np.ndarray
    temperature: np.ndarray
    drive: np.ndarray
    drive_rate: np.ndarray
    drive_direction: np.ndarray
    seal: np.ndarray

    def __len__(self) -> int:
        return len(self.number)


@dataclass(frozen=True, eq=False)
class Scenes(Table):
    """n clips before anything has moved; float64 unless noted.

    Attributes:
        objects: the object of each clip (an object appears in several).
        place: (n, 3), position (x, y) of the object on the table and its yaw (rad) at the start.
        has_support, has_neighbour, has_water: bool (n,). Without a support there is only the floor; the object is held
            by the hand at first, then falls.
        neighbour: (n, 5): x, y (m), radius (m), mass (kg), hue in [0, 1]; where it would be if there is none.
        gravity: m/s2.
        verb: int64 (n,), index into `names.VERBS`. onset, duration: int64 (n,), steps.
        contact: (n, 2), u, v in [-1, 1], where the hand touches, in units of half the size.
        direction: rad, in the plane. force: N. speed: m/s. tip: log10 of the Young's modulus of the tip (Pa).
        target: int64 (n,), 0 the object, 1 its neighbour. aperture: m, opening of the fingers that is asked for.
        seed: uint64 (n,), of everything random in the clip after this (noise of sensors and sound, look).
    """

    objects: Objects
    place: np.ndarray
    has_support: np.ndarray
    has_neighbour: np.ndarray
    has_water: np.ndarray
    neighbour: np.ndarray
    gravity: np.ndarray
    verb: np.ndarray
    onset: np.ndarray
    duration: np.ndarray
    contact: np.ndarray
    direction: np.ndarray
    force: np.ndarray
    speed: np.ndarray
    tip: np.ndarray
    target: np.ndarray
    aperture: np.ndarray
    seed: np.ndarray

    def __len__(self) -> int:
        return len(self.seed)


@dataclass(frozen=True, eq=False)
class Contacts:
    """Impacts of the objects of all clips, sorted by clip and time; those of clip i are rows start[i] to start[i + 1].

    Attributes:
        start: int64 (n + 1,).
        time: (c,), s. body: int64 (c,), index into `BODIES`.
        impulse: N s, along the normal. speed: m/s, at which they approached. duration: s, contact time after Hertz.
        place: (c, 3), m, in the axes of the object.
        held: bool (c,), whether fingers damp the object at that time.
    """

    start: np.ndarray
    time: np.ndarray
    body: np.ndarray
    impulse: np.ndarray
    speed: np.ndarray
    duration: np.ndarray
    place: np.ndarray
    held: np.ndarray

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, eq=False)
class Motion:
    """How n clips went. Step t ends at (t + 1) * FRAME, which is when its picture is taken.

    Attributes:
        position: (n, T, 3), m, middle of the object. rotation: (n, T, 3, 3), columns are the axes of the body.
        velocity, spin: (n, T, 3), m/s and rad/s in the axes of the world. angles: (n, T, 3), roll, pitch and yaw as the
            integral of the spin, which is continuous and never wraps.
        contact_force: (n, T), N, mean over the step of the sum over its contacts.
        neighbour: (n, T, 4), x, y, vx, vy. tilt: (n, T), rad, about the y axis; positive lowers x > 0.
        hand: (n, T, 3), m, between the fingers, or the middle of the round tip of the rod. hand_angles: (n, T, 3).
        aperture: (n, T), m, between the pads. tool: int64 (n, T), index into `TOOLS`.
        held: bool (n, T), whether the fingers touch the object. broken: bool (n, T).
        slide_speed: (n, NUM_BINS), m/s, largest of the points that slide; slide_force: (n, NUM_BINS), N, normal.
        wrench: (n, T, 6), N and N m in the axes of the world, mean over the step of what the wrist feels.
        hand_velocity: (n, T, 3), m/s, and hand_acceleration: (n, T, 3), m/s2, at the end of the step.
        grip: (n, T), N, with which each finger presses.
        energy: (n, T), J, of object and neighbour. work: (n, T, 2), J, done on them up to there by hand and table, and
            by the object itself.
        contacts: all impacts.
    """

    position: np.ndarray
    rotation: np.ndarray
    angles: np.ndarray
    velocity: np.ndarray
    spin: np.ndarray
    contact_force: np.ndarray
    neighbour: np.ndarray
    tilt: np.ndarray
    hand: np.ndarray
    hand_angles: np.ndarray
    aperture: np.ndarray
    tool: np.ndarray
    held: np.ndarray
    broken: np.ndarray
    slide_speed: np.ndarray
    slide_force: np.ndarray
    wrench: np.ndarray
    hand_velocity: np.ndarray
    hand_acceleration: np.ndarray
    grip: np.ndarray
    energy: np.ndarray
    work: np.ndarray
    contacts: Contacts

    def __len__(self) -> int:
        return len(self.position)
