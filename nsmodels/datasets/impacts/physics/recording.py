"""What is written down at the end of a step of a clip (`layout.COLUMNS`). Compiled."""

from __future__ import annotations

import math

from numba import njit

from nsmodels.datasets.impacts.physics import bodies, contact, hand
from nsmodels.datasets.impacts.physics.handling import grip_place
from nsmodels.datasets.impacts.physics.layout import (
    AHEAD,
    ANGLES,
    AT_APERTURE,
    AT_BROKEN,
    AT_ENERGY,
    AT_GRIP,
    AT_HAND,
    AT_HAND_ACCELERATION,
    AT_HAND_ANGLES,
    AT_HAND_VELOCITY,
    AT_HELD,
    AT_LOAD,
    AT_NEIGHBOUR,
    AT_POSITION,
    AT_ROTATION,
    AT_SPIN,
    AT_TILT,
    AT_TOOL,
    AT_VELOCITY,
    AT_WORK,
    AT_WRENCH,
    BEGIN,
    BROKEN,
    DIRECTION,
    EXTENTS,
    FORCE,
    GRAVITY,
    HAS_NEIGHBOUR,
    HELD,
    LENGTH,
    LOADS,
    MASS,
    NEIGHBOUR_MASS,
    NEIGHBOUR_RADIUS,
    OWN_WORK,
    POISSON,
    ROTATION,
    SPEED,
    TARGET,
    TILT,
    TIME,
    VERB,
    WALL,
    WORK,
    WRENCH,
    YOUNG,
    V,
    W,
)
from nsmodels.datasets.impacts.physics.layout import AT_ANGLES as AT_TURNS
from nsmodels.datasets.impacts.scenes import FINGER_RADIUS, FINGERS, FRAME, NEIGHBOUR_HEIGHT, ROD, SUBSTEP

WAITING = (0.0, -0.25, 0.30)  # m, where the hand is when it does nothing
PAD_YOUNG = 1e18  # Pa: how far the pads themselves give way is known, and left out
PER_FRAME = round(FRAME / SUBSTEP)


@njit(cache=True, nogil=True)
def record(f, body, beside, now, out, step):
    """Write down the end of a step: the object and what is around it, then the hand."""
    row = out[step]
    for k in range(3):
        row[AT_POSITION + k], row[AT_VELOCITY + k] = body[k], body[V + k]
        row[AT_SPIN + k], row[AT_TURNS + k] = body[W + k], body[ANGLES + k]
    for k in range(9):
        row[AT_ROTATION + k] = body[ROTATION + k]
    row[AT_TILT], row[AT_LOAD] = now[TILT], now[LOADS] / PER_FRAME
    row[AT_HELD], row[AT_BROKEN] = now[HELD], now[BROKEN]
    row[AT_ENERGY] = bodies.kinetic(body) + f[MASS] * f[GRAVITY] * body[2]
    if f[HAS_NEIGHBOUR] > 0.0:
        for k in range(4):
            row[AT_NEIGHBOUR + k] = beside[k]
        row[AT_ENERGY] += 0.5 * f[NEIGHBOUR_MASS] * (beside[2] ** 2 + beside[3] ** 2)
        row[AT_ENERGY] -= f[NEIGHBOUR_MASS] * f[GRAVITY] * beside[0] * math.sin(now[TILT])
    row[AT_WORK], row[AT_WORK + 1] = now[WORK], now[OWN_WORK]
    for k in range(6):
        row[AT_WRENCH + k] = now[WRENCH + k] / PER_FRAME
        now[WRENCH + k] = 0.0
    now[LOADS] = 0.0
    for k in range(3):
        row[AT_HAND + k] = WAITING[k]
    if now[HELD] > 0.0:
        _record_fingers(f, body, now, row)
    elif (f[VERB] == hand.PUSH or f[VERB] == hand.STRIKE) and f[BEGIN] < now[TIME] <= f[BEGIN] + f[LENGTH] + 1e-9:
        _record_rod(f, body, beside, now, row)
    for k in range(3 if step > 0 else 0):
        change = row[AT_HAND_VELOCITY + k] - out[step - 1, AT_HAND_VELOCITY + k]
        row[AT_HAND_ACCELERATION + k] = change / FRAME


@njit(cache=True, nogil=True)
def _record_fingers(f, body, now, row):
    """The hand around the object."""
    row[AT_TOOL] = FINGERS
    for k in range(3):
        row[AT_HAND + k], row[AT_HAND_VELOCITY + k], row[AT_HAND_ANGLES + k] = body[k], body[V + k], body[ANGLES + k]
    grip = hand.FIRM_GRIP
    if now[TIME] <= FRAME + 1e-9:
        grip = hand.GRIP
    elif now[TIME] > f[BEGIN]:
        grip = f[FORCE]
    row[AT_GRIP] = grip
    modulus = contact.stiffness(f[YOUNG], f[POISSON], PAD_YOUNG)
    side, width = min(f[EXTENTS], f[EXTENTS + 2]), f[EXTENTS + 1]
    row[AT_APERTURE] = width - hand.give(grip, modulus, f[YOUNG], f[POISSON], side, width, f[WALL])


@njit(cache=True, nogil=True)
def _record_rod(f, body, beside, now, row):
    """Where the rod is: at the object or the neighbour, behind it along its way by what these are ahead of it."""
    row[AT_TOOL] = ROD
    x, y = math.cos(f[DIRECTION]), math.sin(f[DIRECTION])
    back = FINGER_RADIUS + now[AHEAD]
    if f[TARGET] == 1.0:
        back += f[NEIGHBOUR_RADIUS]
        at_x, at_y, at_z, vx, vy = beside[0], beside[1], 0.5 * NEIGHBOUR_HEIGHT, beside[2], beside[3]
    else:
        px, py = grip_place(f, body)
        at_x, at_y, at_z = body[0] + px, body[1] + py, body[2]
        speed = min(f[SPEED], max(body[V] * x + body[V + 1] * y, 0.0))
        vx, vy = speed * x, speed * y
    row[AT_HAND], row[AT_HAND + 1], row[AT_HAND + 2] = at_x - back * x, at_y - back * y, at_z
    row[AT_HAND_VELOCITY], row[AT_HAND_VELOCITY + 1] = vx, vy
    row[AT_HAND_ANGLES + 2] = f[DIRECTION]
