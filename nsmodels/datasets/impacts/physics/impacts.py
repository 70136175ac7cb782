"""Impacts as they are written down, and what they break. Compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

from nsmodels.datasets.impacts.physics import contact
from nsmodels.datasets.impacts.physics.layout import (
    BOUNCE,
    BROKEN,
    EXTENTS,
    HELD,
    IS_BRITTLE,
    NUM_IMPACTS,
    POISSON,
    ROTATION,
    SHAPE,
    STRENGTH,
    TIME,
    WALL,
    YOUNG,
)
from nsmodels.datasets.impacts.scenes import BALL

BODY_BOUNCE = 0.5  # of the restitution, for all but balls: bending takes its share (Goldsmith, Impact)
BROKEN_BOUNCE = 0.2


@njit(cache=True, nogil=True)
def bounce(f: np.ndarray, now: np.ndarray) -> float:
    """Restitution of the object as it is."""
    share = 1.0 if f[SHAPE] == BALL else BODY_BOUNCE
    return f[BOUNCE] * share * (BROKEN_BOUNCE if now[BROKEN] > 0.0 else 1.0)


@njit(cache=True, nogil=True)
def keep(f, body, now, impacts, which, x, y, z, impulse, speed, mass, radius, young):
    """Keep an impact at (x, y, z) from the middle, and break the object if it cannot bear it."""
    modulus = contact.stiffness(f[YOUNG], f[POISSON], young)
    time = contact.duration(mass, radius, modulus, speed)
    if f[IS_BRITTLE] > 0.0:
        force = contact.peak_force(impulse, time)
        if contact.bending_stress(force, f[SHAPE], f[EXTENTS], f[EXTENTS + 1], f[EXTENTS + 2], f[WALL]) > f[STRENGTH]:
            now[BROKEN] = 1.0
    number = int(now[NUM_IMPACTS])
    if number == len(impacts):
        return
    row = impacts[number]
    row[0], row[1], row[2], row[3], row[4] = now[TIME], which, impulse, speed, time
    for k in range(3):
        row[5 + k] = body[ROTATION + k] * x + body[ROTATION + 3 + k] * y + body[ROTATION + 6 + k] * z
    row[8] = now[HELD]
    now[NUM_IMPACTS] += 1.0
