"""What sounds in a clip: the modes of the object, of the table and of the neighbour, and how loud a blow makes each.

A blow with impulse J gives mode k of a body, whose shape is φ at that place and whose moving mass is m_k, the velocity
J φ / m_k, times the share of the force's spectrum at its frequency. Far from a body much smaller than the wave, the
pressure is that of a source of the body's acceleration times its surface, p = ρ a S ε / (4 π r) at the distance r;
parts that move against each other cancel but for a share ε, which grows with the size of the body in waves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.impacts.scenes import (
    BALL,
    BAR,
    BOX,
    DISC,
    NEIGHBOUR_HEIGHT,
    PLATE,
    TABLE,
    TABLE_THICKNESS,
    Scenes,
)
from nsmodels.datasets.impacts.sound import modes
from nsmodels.datasets.impacts.sound.modes import NUM_MODES
from nsmodels.datasets.impacts.sound.shapes import mean_square_of

OBJECT, WOOD, BESIDE = range(3)  # whose modes: of the object, of the table, of the neighbour
NUM_VOICES = 3 * NUM_MODES
AIR, SPEED_OF_SOUND = 1.204, 343.0  # kg/m3, m/s, at 20 degrees Celsius
CANCELLATION = 0.1
TABLE_LEVEL = 0.35  # of the table: it rests on its legs
AUDIBLE = (40.0, 7600.0)  # Hz: below half of the sample rate, with room for a filter
WOOD_FIGURES = (11e9, 650.0, 0.35, 0.05)  # E, ρ, ν, loss factor: of the table on its legs, and of the hollow neighbour
NEIGHBOUR_WALL = 0.003  # m
UNDER_WATER = 0.3  # share of the pressure that leaves the basin
Floats = NDArray[np.float64]


class Voices(NamedTuple):
    """The 3 K modes of n clips: of object, table, neighbour; a tuple, which compiled functions take.

    Attributes:
        kind: int64 (n,), kind of the object, see `shapes`.
        extents: (n, 3), m. radius: (n,), m, of a ball of the same volume. mass: (n,), kg.
        frequency: (n, 3 K), Hz. damping: (n, 3 K), 1/s.
        gain: (n, 3 K), Pa m / (N s): pressure at 1 m of a short blow where the shape is 1; 0 where the frequency is not
            audible.
    """

    kind: NDArray[np.int64]
    extents: Floats
    radius: Floats
    mass: Floats
    frequency: Floats
    damping: Floats
    gain: Floats


def voices_of(scenes: Scenes) -> Voices:
    """The modes of all bodies of n scenes."""
    objects = scenes.objects
    kind, number = objects.shape, len(scenes)
    own = object_modes(scenes)
    loss = objects.loss
    wood = np.array(WOOD_FIGURES)[:, None] * np.ones(number)
    table = modes.plate_modes(np.full(number, 2 * TABLE), np.full(number, TABLE_THICKNESS), *wood[:3])
    radius, mass = scenes.neighbour[:, 2], scenes.neighbour[:, 3]
    beside = modes.disc_modes(np.maximum(radius, 0.01), np.full(number, NEIGHBOUR_WALL), *wood[:3])
    table_mass = (2 * TABLE) ** 2 * TABLE_THICKNESS * WOOD_FIGURES[1]
    plate, disc = (np.full(number, value) for value in (PLATE, DISC))
    gains = [
        _gain(own, kind, objects.mass, _surface(objects.shape, objects.extents)),
        _gain(table, plate, np.full(number, table_mass), np.full(number, (2 * TABLE) ** 2)),
        _gain(beside, disc, np.maximum(mass, 0.05), 2 * np.pi * np.maximum(radius, 0.01) * NEIGHBOUR_HEIGHT),
    ]
    gains[WOOD] *= TABLE_LEVEL
    gains[OBJECT] *= np.where(scenes.has_water, UNDER_WATER, 1.0)[:, None]
    rates = [modes.damping(own, loss), modes.damping(table, wood[3]), modes.damping(beside, wood[3])]
    return Voices(
        np.ascontiguousarray(kind),
        np.ascontiguousarray(objects.extents),
        np.cbrt(3 * objects.volume / (4 * np.pi)),
        np.ascontiguousarray(objects.mass),
        np.concatenate([own, table, beside], axis=1),
        np.concatenate(rates, axis=1),
        np.concatenate(gains, axis=1),
    )


def object_modes(scenes: Scenes) -> Floats:
    """Hz (n, K) of the objects, by their shapes; water lowers them."""
    objects = scenes.objects
    x, y, z = objects.extents.T
    young, density, poisson = objects.young, objects.density, objects.poisson
    wall, side = np.maximum(objects.wall, 1e-4), np.sqrt(x * y)
    by_kind = {
        PLATE: modes.plate_modes(side, z, young, density, poisson),
        BAR: modes.bar_modes(x, y, z, young, density),
        BOX: modes.wall_modes(np.cbrt(x * y * z), wall, young, density, poisson),
        DISC: modes.disc_modes(x / 2, z, young, density, poisson),
        BALL: modes.ball_modes(x / 2, young, density, poisson),
    }
    found = np.stack([by_kind[kind] for kind in range(len(by_kind))])[objects.shape, np.arange(len(scenes))]
    load = np.where(scenes.has_water, modes.added_mass(objects.shape, objects.extents, wall, density), 0.0)
    return found / np.sqrt(1 + load)[:, None]


def _surface(kind: NDArray[np.int64], extents: Floats) -> Floats:
    """Surface that moves the air, m2: the larger face of flat bodies, all of a box or ball."""
    x, y, z = extents.T
    return np.choose(kind, [x * y, x * y, 2 * (x * y + y * z + x * z), np.pi * x * y / 4, np.pi * x * y])


def _gain(frequency: Floats, kind: NDArray[np.int64], mass: Floats, surface: Floats) -> Floats:
    """Pressure at 1 m by impulse, Pa m / (N s), (n, K)."""
    omega = 2 * np.pi * frequency
    size = omega * np.sqrt(surface / np.pi)[:, None] / SPEED_OF_SOUND
    share = CANCELLATION * size / (1 + size)
    moving = mass[:, None] * mean_square_of(kind)
    is_heard = (frequency > AUDIBLE[0]) & (frequency < AUDIBLE[1])
    return np.where(is_heard, AIR * omega * surface[:, None] * share / (4 * np.pi * moving), 0.0)
