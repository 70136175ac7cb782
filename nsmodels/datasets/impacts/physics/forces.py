"""Forces on the object without a contact: of the water, and those by which it moves itself. Compiled."""

from __future__ import annotations

import math

from numba import njit

from nsmodels.datasets.impacts.physics.layout import (
    DRIVE,
    DRIVE_ANGLE,
    DRIVE_RATE,
    EXTENTS,
    GRAVITY,
    HALF,
    HAS_SUPPORT,
    HAS_WATER,
    MASS,
    OWN_WORK,
    ROTATION,
    SHAPE,
    TIME,
    VOLUME,
    WORK,
    V,
    W,
)
from nsmodels.datasets.impacts.scenes import BALL, FLOOR, SUBSTEP, WATER_LEVEL

WATER, DRAG = 1000.0, 1.0  # kg/m3; coefficient of drag
SLOWEST = 0.05  # m/s, added to the speed for the drag of slow bodies
STANDING = 0.01  # m above the ground, up to which an animate object has something to push against


@njit(cache=True, nogil=True)
def buoyancy(f, body):
    """Force of the water upwards, N: the weight of what the part below its level displaces."""
    return WATER * f[GRAVITY] * f[VOLUME] * _under_water(f, body) if f[HAS_WATER] > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _under_water(f, body):
    """Share of the height of the object that is below the level of the water."""
    high = body[HALF]
    if f[SHAPE] != BALL:
        high = 0.0
        for k in range(3):
            high += abs(body[ROTATION + 6 + k]) * body[HALF + k]
    return min(max((WATER_LEVEL - body[2] + high) / (2.0 * high), 0.0), 1.0)


@njit(cache=True, nogil=True)
def swim(f, body, now):
    """Buoyancy, and drag, which is taken implicitly: v' = v / (1 + c |v| dt / m)."""
    lift = buoyancy(f, body)
    body[V + 2] += lift / f[MASS] * SUBSTEP
    now[WORK] += lift * max(body[V + 2], 0.0) * SUBSTEP
    speed = math.sqrt(body[V] ** 2 + body[V + 1] ** 2 + body[V + 2] ** 2) + SLOWEST
    force = 0.5 * WATER * DRAG * f[EXTENTS] * f[EXTENTS + 1] * _under_water(f, body) * speed
    slow = 1.0 / (1.0 + force / f[MASS] * SUBSTEP)
    for k in range(3):
        body[V + k] *= slow
        body[W + k] *= slow


@njit(cache=True, nogil=True)
def drive(f, time):
    """Acceleration, m/s2, along x and y by which an animate object pushes itself."""
    own = f[DRIVE] * max(math.sin(2.0 * math.pi * f[DRIVE_RATE] * time), 0.0) if f[DRIVE] > 0.0 else 0.0
    return own * math.cos(f[DRIVE_ANGLE]), own * math.sin(f[DRIVE_ANGLE])


@njit(cache=True, nogil=True)
def push_itself(f, body, now):
    """Drive of an animate object, where it has ground to push against; returns whether it does."""
    x, y = drive(f, now[TIME])
    low = body[2] - body[HALF + 2]
    if (x == 0.0 and y == 0.0) or low > STANDING + (0.0 if f[HAS_SUPPORT] > 0.0 else FLOOR):
        return False
    before = body[V] ** 2 + body[V + 1] ** 2
    body[V] += x * SUBSTEP
    body[V + 1] += y * SUBSTEP
    now[OWN_WORK] += 0.5 * f[MASS] * (body[V] ** 2 + body[V + 1] ** 2 - before)
    return True
