"""What is in a picture: object, neighbour and hand as solids with poses and looks, from scenes and their motion."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.impacts.config import MATERIALS
from nsmodels.datasets.impacts.rendering import solids
from nsmodels.datasets.impacts.rendering.surfaces import GRAIN, METAL, PLAIN, SPECKLED
from nsmodels.datasets.impacts.scenes import (
    BOX,
    FINGER_RADIUS,
    FINGERS,
    LIDDED,
    NEIGHBOUR_HEIGHT,
    OPEN,
    ROD,
    SHAPES,
    Motion,
    Scenes,
)

NUM_BODIES = 6
OBJECT, NEIGHBOUR, LEFT, RIGHT, PALM, STICK = range(NUM_BODIES)
SOLID_OF = {
    "plate": solids.BLOCK,
    "bar": solids.BLOCK,
    "box": solids.BLOCK,
    "disc": solids.CYLINDER,
    "ball": solids.BALL,
}
LOOK_OF = {"steel": METAL, "aluminium": METAL, "wood": GRAIN, "stone": SPECKLED}  # of the others: PLAIN
SEEN_WALL = 0.004  # m, of a cup: thinner walls would vanish between the pixels
FINGER_LENGTH, ROD_LENGTH = 0.05, 0.16  # m
LEAN = 0.6  # rad, of the rod, back from where it is going
PALM_HALF = (0.014, 0.012, 0.010)  # m, besides the opening of the fingers
HAND_COLOUR, ROD_COLOUR = (0.90, 0.62, 0.46), (0.25, 0.25, 0.30)
GAMMA = 2.0  # display value = linear value to the power 1/2, near enough to sRGB
Floats = NDArray[np.float64]


class Bodies(NamedTuple):
    """The solids of n clips; a tuple, which compiled functions take. B = 6 bodies, T steps.

    Attributes:
        number: uint64 (n,), of the object, which decides its pattern.
        kind: int64 (n, B), see `solids`. half: (n, B, 3), m, half extents. wall: (n,), m, of a cup.
        place: (n, T, B, 3), m. rotation: (n, T, B, 3, 3), columns are the axes of the body. is_shown: bool (n, T, B).
        colour: (n, B, 3), linear. look: int64 (n, B). roughness, transparency: (n, B).
        has_lid: bool (n,). broken: bool (n, T). tilt: (n, T), rad, of the table. has_support, has_water: bool (n,).
    """

    number: NDArray[np.uint64]
    kind: NDArray[np.int64]
    half: Floats
    wall: Floats
    place: Floats
    rotation: Floats
    is_shown: NDArray[np.bool_]
    colour: Floats
    look: NDArray[np.int64]
    roughness: Floats
    transparency: Floats
    has_lid: NDArray[np.bool_]
    broken: NDArray[np.bool_]
    tilt: Floats
    has_support: NDArray[np.bool_]
    has_water: NDArray[np.bool_]


def bodies_of(scenes: Scenes, motion: Motion) -> Bodies:
    """Solids of n clips."""
    objects, n = scenes.objects, len(scenes)
    kind = np.empty((n, NUM_BODIES), np.int64)
    kind[:, OBJECT] = np.array([SOLID_OF[shape] for shape in SHAPES])[objects.shape]
    kind[(objects.shape == BOX) & (objects.opening == OPEN), OBJECT] = solids.CUP
    kind[:, NEIGHBOUR:] = (solids.CYLINDER, solids.CAPSULE, solids.CAPSULE, solids.BLOCK, solids.CAPSULE)
    half = np.zeros((n, NUM_BODIES, 3))
    half[:, OBJECT] = objects.extents / 2
    half[:, NEIGHBOUR] = np.stack([*[scenes.neighbour[:, 2]] * 2, np.full(n, NEIGHBOUR_HEIGHT / 2)], axis=1)
    half[:, LEFT : RIGHT + 1] = (FINGER_RADIUS, FINGER_RADIUS, FINGER_LENGTH / 2)
    half[:, STICK] = (FINGER_RADIUS, FINGER_RADIUS, ROD_LENGTH / 2)
    half[:, PALM] = PALM_HALF
    half[:, PALM, 1] += np.where(motion.tool == FINGERS, motion.aperture, 0).max(axis=1) / 2
    place, rotation = _poses(scenes, motion)
    # One layout in memory: compiled functions are compiled once.
    arrays: tuple[Any, ...] = (
        *(
            objects.number.astype(np.uint64),
            kind,
            half,
            np.maximum(objects.wall, SEEN_WALL),
            place,
            rotation,
            _shown(scenes, motion),
        ),
        *_looks(scenes),
        *(objects.opening == LIDDED, motion.broken, motion.tilt, scenes.has_support, scenes.has_water),
    )
    return Bodies(*(np.ascontiguousarray(array) for array in arrays))


def _shown(scenes: Scenes, motion: Motion) -> NDArray[np.bool_]:
    """Which bodies are in the picture, bool (n, T, B)."""
    is_hand, is_rod = motion.tool == FINGERS, motion.tool == ROD
    beside = np.broadcast_to(scenes.has_neighbour[:, None], is_hand.shape)
    return np.stack([np.ones_like(is_hand), beside, is_hand, is_hand, is_hand, is_rod], axis=2)


def _poses(scenes: Scenes, motion: Motion) -> tuple[Floats, Floats]:
    """Places (n, T, B, 3) and rotations (n, T, B, 3, 3) of all bodies."""
    hand = matrices(motion.hand_angles)
    stick = hand @ matrices(np.array([0.0, -LEAN, 0.0]))
    tilt = np.stack([np.zeros_like(motion.tilt), motion.tilt, np.zeros_like(motion.tilt)], axis=2)
    table = matrices(tilt)
    beside = np.concatenate([motion.neighbour[..., :2], np.full((*motion.tilt.shape, 1), NEIGHBOUR_HEIGHT / 2)], axis=2)
    # The neighbour stands on the table, whose height at x is -x tan(tilt).
    beside[..., 2] -= beside[..., 0] * np.tan(motion.tilt)
    apart = hand[..., 1] * (motion.aperture / 2 + FINGER_RADIUS)[..., None]
    palm = motion.hand + hand[..., 2] * (FINGER_LENGTH + PALM_HALF[2])
    places = [motion.position, beside, motion.hand - apart, motion.hand + apart, palm, motion.hand]
    return np.stack(places, axis=2), np.stack([motion.rotation, table, hand, hand, hand, stick], axis=2)


def matrices(angles: Floats) -> Floats:
    """Rotations (..., 3, 3) from roll, pitch, yaw (..., 3): first about x, then about y, then about z of the world."""
    (cx, cy, cz), (sx, sy, sz) = np.moveaxis(np.cos(angles), -1, 0), np.moveaxis(np.sin(angles), -1, 0)
    rows = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def _looks(scenes: Scenes) -> tuple[Floats, NDArray[np.int64], Floats, Floats]:
    """Linear colours (n, B, 3), looks, roughness and transparency (n, B)."""
    objects, n = scenes.objects, len(scenes)
    colour = np.empty((n, NUM_BODIES, 3))
    colour[:, OBJECT] = objects.colour
    colour[:, NEIGHBOUR] = _rainbow(scenes.neighbour[:, 4])
    colour[:, LEFT:] = (HAND_COLOUR, HAND_COLOUR, HAND_COLOUR, ROD_COLOUR)
    look = np.full((n, NUM_BODIES), PLAIN)
    own = np.array([LOOK_OF.get(name, PLAIN) for name in MATERIALS])[objects.material]
    look[:, OBJECT] = np.where(objects.painted, PLAIN, own)
    roughness, transparency = np.full((n, NUM_BODIES), 0.6), np.zeros((n, NUM_BODIES))
    roughness[:, OBJECT], transparency[:, OBJECT] = objects.roughness, objects.transparency
    return colour**GAMMA, look, roughness, transparency


def _rainbow(hue: Floats) -> Floats:
    """Muted colours (n, 3) by hue in [0, 1]."""
    return 0.55 + 0.25 * np.cos(2 * np.pi * (hue[:, None] - np.array([0, 1 / 3, 2 / 3])))
