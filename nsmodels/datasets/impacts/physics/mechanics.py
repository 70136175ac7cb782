"""Mechanics of clips in compiled code: semi-implicit Euler with steps of a millisecond.

Forces change velocities, contacts correct them by impulses (`bodies.meet`), and the new velocities move the bodies.
While the fingers hold the object its way is that of the hand, and the wrench at the wrist is what this takes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from nsmodels.datasets.impacts.physics import bodies, forces, handling, meetings
from nsmodels.datasets.impacts.physics.hand import HELD_HEIGHT, PUSH, STRIKE, TAP_TIME
from nsmodels.datasets.impacts.physics.hand import TILT as TILTING
from nsmodels.datasets.impacts.physics.layout import (
    ANGLES,
    AWAKE,
    BASE,
    BEGIN,
    BODY_SIZE,
    DRIVE,
    EXTENTS,
    GRASPED,
    GRAVITY,
    HALF,
    HAS_NEIGHBOUR,
    HAS_SUPPORT,
    HAS_WATER,
    HELD,
    INERTIA,
    LOADS,
    MASS,
    NEIGHBOUR_AT,
    NOW_SIZE,
    NUM_IMPACTS,
    OWN_INERTIA,
    PER_MASS,
    PRESSED,
    ROTATION,
    SHAPE,
    SLID,
    START,
    TILT_RATE,
    TIME,
    VERB,
    V,
)
from nsmodels.datasets.impacts.physics.recording import record
from nsmodels.datasets.impacts.scenes import BIN, FRAME, SUBSTEP

PER_FRAME, PER_BIN = round(FRAME / SUBSTEP), round(BIN / SUBSTEP)
ASLEEP = 2e-3  # m/s, and rad/s: slower than this for some steps, an object rests until something happens to it


@njit(cache=True, nogil=True)
def run(figures, records, slides, impacts, num_impacts):
    """Simulate T steps of n clips with the given figures, (n, SCENE_SIZE).

    What is written: records (n, T, RECORD_SIZE), slides (n, NUM_BINS, 2) of speeds and forces, impacts (n, most,
    IMPACT_SIZE) and their number (n,).
    """
    body, beside, now = np.zeros(BODY_SIZE), np.zeros(4), np.zeros(NOW_SIZE)
    corners, contacts = np.zeros((meetings.MOST_POINTS, 3)), np.zeros((meetings.MOST_POINTS, bodies.CONTACT_SIZE))
    for i in range(len(figures)):
        f = figures[i]
        _begin(f, body, beside, now)
        count = meetings.corners_of(f[SHAPE], body[HALF : HALF + 3], corners)
        _run(f, body, beside, now, corners, count, contacts, records[i], slides[i], impacts[i])
        num_impacts[i] = int(now[NUM_IMPACTS])


@njit(cache=True, nogil=True)
def _begin(f, body, beside, now):
    """Place the object on the table, or in the hand above where the table would be, and the neighbour."""
    body[:], beside[:], now[:] = 0.0, 0.0, 0.0
    body[0], body[1] = f[START], f[START + 1]
    body[2] = 0.5 * f[EXTENTS + 2] + (0.0 if f[HAS_SUPPORT] > 0.0 else HELD_HEIGHT)
    c, s = math.cos(f[START + 2]), math.sin(f[START + 2])
    body[ROTATION], body[ROTATION + 1], body[ROTATION + 3], body[ROTATION + 4] = c, -s, s, c
    body[ROTATION + 8] = 1.0
    body[ANGLES + 2] = f[START + 2]
    body[PER_MASS] = 1.0 / f[MASS]
    for k in range(3):
        body[HALF + k] = 0.5 * f[EXTENTS + k]
        body[OWN_INERTIA + k] = f[INERTIA + k]
        now[BASE + k] = body[k]
    bodies.weigh(body)
    beside[0], beside[1] = f[NEIGHBOUR_AT], f[NEIGHBOUR_AT + 1]
    now[HELD], now[GRASPED] = 1.0, 1.0


@njit(cache=True, nogil=True)
def _run(f, body, beside, now, corners, count, contacts, out, slides, impacts):
    """All steps of a clip."""
    for step in range(len(out) * PER_FRAME):
        now[TIME] = (step + 1) * SUBSTEP
        if f[VERB] == TILTING and f[HAS_SUPPORT] > 0.0:
            handling.tilt_table(f, now)
        if handling.is_holding(f, body, now):
            now[HELD] = 1.0
            handling.carry(f, body, now)
        else:
            now[HELD] = 0.0
            _move(f, body, beside, now, corners, count, contacts, impacts)
        if f[HAS_NEIGHBOUR] > 0.0 and f[HAS_SUPPORT] > 0.0:
            meetings.move_neighbour(f, beside, now)
            meetings.meet_neighbour(f, body, beside, now, impacts)
        if (step + 1) % PER_BIN == 0:
            row = slides[step // PER_BIN]
            row[0], row[1] = now[SLID], now[PRESSED] / BIN
            now[SLID], now[PRESSED] = 0.0, 0.0
        if (step + 1) % PER_FRAME == 0:
            record(f, body, beside, now, out, step // PER_FRAME)


@njit(cache=True, nogil=True)
def _move(f, body, beside, now, corners, count, contacts, impacts):
    """Move the object under gravity, water, its own drive, the hand, and its contacts."""
    if abs(now[TIME] - TAP_TIME) < 0.5 * SUBSTEP:
        handling.tap(f, body, now, impacts)
    if (f[VERB] == PUSH or f[VERB] == STRIKE) and now[TIME] > f[BEGIN]:
        handling.act(f, body, beside, now, impacts)
    if _is_asleep(f, body, now):
        now[LOADS] += f[MASS] * f[GRAVITY]
        now[PRESSED] += f[MASS] * f[GRAVITY] * SUBSTEP
        return
    body[V + 2] -= f[GRAVITY] * SUBSTEP
    if f[HAS_WATER] > 0.0:
        forces.swim(f, body, now)
    is_driving = f[DRIVE] > 0.0 and forces.push_itself(f, body, now)
    meetings.meet_ground(f, body, now, impacts, corners, count, contacts, is_driving)
    for k in range(3):
        body[k] += body[V + k] * SUBSTEP
    bodies.rotate(body, SUBSTEP)


@njit(cache=True, nogil=True)
def _is_asleep(f, body, now):
    """Whether the object has rested for a while, and nothing moves it."""
    if now[TILT_RATE] != 0.0 or f[DRIVE] > 0.0 or f[HAS_WATER] > 0.0:
        now[AWAKE] = meetings.AWAKE_STEPS
        return False
    if now[AWAKE] <= 0.0:
        return True
    for k in range(6):
        if abs(body[V + k]) > ASLEEP:
            now[AWAKE] = meetings.AWAKE_STEPS
            return False
    now[AWAKE] -= 1.0
    if now[AWAKE] <= 0.0:
        for k in range(6):
            body[V + k] = 0.0
    return False
