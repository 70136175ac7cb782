"""What the object touches by itself: table, floor, neighbour. Compiled."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from nsmodels.datasets.impacts.physics import bodies, contact
from nsmodels.datasets.impacts.physics.bodies import APPROACH, BODY, FRICTION, GAP, IMPULSE, NORMAL, PLACE, RESTITUTION
from nsmodels.datasets.impacts.physics.bodies import SURFACE as MOVES
from nsmodels.datasets.impacts.physics.impacts import bounce, keep
from nsmodels.datasets.impacts.physics.layout import (
    AWAKE,
    GRAVITY,
    HALF,
    HAS_SUPPORT,
    HELD,
    LOADS,
    NEIGHBOUR_MASS,
    NEIGHBOUR_RADIUS,
    OWN_INERTIA,
    PER_MASS,
    PRESSED,
    ROTATION,
    SHAPE,
    SLID,
    TILT,
    TILT_RATE,
    WORK,
    WRENCH,
    V,
    W,
)
from nsmodels.datasets.impacts.physics.layout import FRICTION as OWN_FRICTION
from nsmodels.datasets.impacts.scenes import (
    BALL,
    DISC,
    FLOOR,
    FLOOR_TOP,
    NEIGHBOUR,
    NEIGHBOUR_HEIGHT,
    SUBSTEP,
    TABLE,
    TABLE_TOP,
)

MOST_POINTS = 16
SUNK = 0.2  # share of what rounding has sunk a body that is corrected in a step
THROUGH = -0.003  # m: deeper than this a point is beside the table, not in it
ROLLING = 0.02  # of the radius, lever of the rolling resistance of the softest ball (friction 0.9)
OWN_STEPS = 0.1  # of the friction, while an animate object pushes itself along
NEIGHBOUR_FRICTION, NEIGHBOUR_BOUNCE = 0.4, 0.5
AWAKE_STEPS = 30


@njit(cache=True, nogil=True)
def corners_of(shape: float, half: np.ndarray, found: np.ndarray) -> int:
    """Points of a body that may touch, in its own axes, (MOST_POINTS, 3); returns how many. A ball has its lowest."""
    if shape == BALL:
        return 1
    if shape == DISC:
        for k in range(16):
            angle = (k % 8) * math.pi / 4
            found[k, 0], found[k, 1] = half[0] * math.cos(angle), half[1] * math.sin(angle)
            found[k, 2] = -half[2] if k < 8 else half[2]
        return 16
    for k in range(8):
        found[k, 0] = half[0] if k & 1 else -half[0]
        found[k, 1] = half[1] if k & 2 else -half[1]
        found[k, 2] = half[2] if k & 4 else -half[2]
    return 8


@njit(cache=True, nogil=True)
def meet_ground(f, body, now, impacts, corners, count, contacts, is_driving):
    """Let the object meet table or floor, if they are close."""
    found, surface = 0, float(TABLE_TOP)
    if f[HAS_SUPPORT] > 0.0:
        found = _touching(f, body, now, corners, count, contacts, surface)
    low = body[2] - body[HALF] - body[HALF + 1] - body[HALF + 2]
    if found == 0 and low + body[V + 2] * SUBSTEP < FLOOR + 0.01:
        surface = float(FLOOR_TOP)
        found = _touching(f, body, now, corners, count, contacts, surface)
    if found == 0:
        return
    friction, own = f[OWN_FRICTION] * (OWN_STEPS if is_driving else 1.0), bounce(f, now)
    for k in range(found):
        contacts[k, FRICTION], contacts[k, RESTITUTION], contacts[k, BODY] = friction, own, surface
    bodies.meet(body, contacts, found, SUBSTEP)
    if now[TILT_RATE] != 0.0:
        for k in range(found):
            now[WORK] += contacts[k, IMPULSE] * contacts[k, MOVES]
    if f[SHAPE] == BALL:
        _resist_rolling(f, body, contacts)
    _note(f, body, now, impacts, contacts, found)


@njit(cache=True, nogil=True)
def _touching(f, body, now, corners, count, contacts, surface):
    """Fill in the points that are close to table or floor; returns their number."""
    is_table, is_ball = surface == TABLE_TOP, f[SHAPE] == BALL
    spin = abs(body[W]) + abs(body[W + 1])
    reach = 0.001 + SUBSTEP * (abs(body[V + 2]) + abs(body[V]) + 0.1 * spin)
    nx, nz = (math.sin(now[TILT]), math.cos(now[TILT])) if is_table else (0.0, 1.0)
    found, deepest = 0, 0.0
    for k in range(count):
        a, b, c = corners[k, 0], corners[k, 1], corners[k, 2]
        rx = body[ROTATION] * a + body[ROTATION + 1] * b + body[ROTATION + 2] * c
        ry = body[ROTATION + 3] * a + body[ROTATION + 4] * b + body[ROTATION + 5] * c
        rz = body[ROTATION + 6] * a + body[ROTATION + 7] * b + body[ROTATION + 8] * c
        if is_ball:
            rx, ry, rz = -nx * body[HALF], 0.0, -nz * body[HALF]
        x, y, z = body[0] + rx, body[1] + ry, body[2] + rz
        gap, along = nx * x + nz * z - (0.0 if is_table else FLOOR), x * nz - z * nx
        if gap > reach or (is_table and (abs(along) > TABLE or abs(y) > TABLE or gap < THROUGH)):
            continue
        row = contacts[found]
        row[PLACE], row[PLACE + 1], row[PLACE + 2] = rx, ry, rz
        row[NORMAL], row[NORMAL + 1], row[NORMAL + 2] = nx, 0.0, nz
        # The table turns about the y axis: its point at `along` moves by -rate * along along the normal.
        row[GAP], row[MOVES] = gap, -now[TILT_RATE] * along if is_table else 0.0
        deepest = min(deepest, gap)
        found += 1
    if deepest < -1e-5:
        body[0] -= nx * deepest * SUNK
        body[2] -= nz * deepest * SUNK
        if now[TILT_RATE] != 0.0:
            now[WORK] -= f[GRAVITY] / body[PER_MASS] * nz * deepest * SUNK
    return found


@njit(cache=True, nogil=True)
def _resist_rolling(f, body, contacts):
    """Rolling resistance of a ball: its load acts ahead of the middle by a share of the radius, until it stops.

    Spin and way slow down alike, by the moment about the point of contact, I + m r^2, so that the ball rolls on
    without sliding.
    """
    spin = math.sqrt(body[W] ** 2 + body[W + 1] ** 2 + body[W + 2] ** 2)
    if spin < 1e-9 or contacts[0, IMPULSE] <= 0.0:
        return
    whole = body[OWN_INERTIA] + body[HALF] ** 2 / body[PER_MASS]
    left = max(1.0 - ROLLING * f[OWN_FRICTION] / 0.9 * body[HALF] * contacts[0, IMPULSE] / (whole * spin), 0.0)
    normal = contacts[0, NORMAL] * body[V] + contacts[0, NORMAL + 2] * body[V + 2]
    for a in range(3):
        body[W + a] *= left
        up = normal * contacts[0, NORMAL + a]
        body[V + a] = up + (body[V + a] - up) * left


@njit(cache=True, nogil=True)
def _note(f, body, now, impacts, contacts, found):
    """Add up the forces of the contacts of a step, how they slide, and keep an impact if there was one."""
    total, approach, x, y, z = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(found):
        row = contacts[k]
        impulse = row[IMPULSE]
        if impulse <= 0.0:
            continue
        total += impulse
        x, y, z = x + impulse * row[PLACE], y + impulse * row[PLACE + 1], z + impulse * row[PLACE + 2]
        approach = min(approach, row[APPROACH])
        one = bodies._speed(body, row, bodies.AXES + bodies.AXIS_SIZE)
        two = bodies._speed(body, row, bodies.AXES + 2 * bodies.AXIS_SIZE)
        now[SLID] = max(now[SLID], math.sqrt(one * one + two * two))
    now[LOADS] += total / SUBSTEP
    now[PRESSED] += total
    if approach < -bodies.REST_SPEED and total > 0.0:
        now[AWAKE] = AWAKE_STEPS
        mass = total / ((1.0 + bounce(f, now)) * -approach)
        radius = body[HALF] if f[SHAPE] == BALL else contact.EDGE_RADIUS
        which, at = contacts[0, BODY], 1.0 / total
        keep(f, body, now, impacts, which, x * at, y * at, z * at, total, -approach, mass, radius, contact.TABLE_YOUNG)


@njit(cache=True, nogil=True)
def move_neighbour(f, beside, now):
    """Move the neighbour, a cylinder that slides on the table, which has a rim that stops it."""
    now[WORK] -= f[NEIGHBOUR_MASS] * f[GRAVITY] * beside[0] * math.cos(now[TILT]) * now[TILT_RATE] * SUBSTEP
    beside[2] += f[GRAVITY] * math.sin(now[TILT]) * SUBSTEP
    speed = math.sqrt(beside[2] ** 2 + beside[3] ** 2)
    if speed == 0.0:
        return
    left = max(1.0 - NEIGHBOUR_FRICTION * f[GRAVITY] * math.cos(now[TILT]) * SUBSTEP / speed, 0.0)
    limit = TABLE - f[NEIGHBOUR_RADIUS]
    for k in range(2):
        beside[2 + k] *= left
        beside[k] += beside[2 + k] * SUBSTEP
        if abs(beside[k]) > limit:
            beside[k] = math.copysign(limit, beside[k])
            beside[2 + k] = 0.0


@njit(cache=True, nogil=True)
def meet_neighbour(f, body, beside, now, impacts):
    """Impact of object and neighbour in the plane: an impulse along the normal, with restitution."""
    x, y, radius = beside[0] - body[0], beside[1] - body[1], f[NEIGHBOUR_RADIUS]
    reach = radius + body[HALF] + body[HALF + 1]
    if x * x + y * y > reach * reach or body[2] - body[HALF + 2] > NEIGHBOUR_HEIGHT or body[2] < 0.0:
        return
    px, py = _closest(f, body, x, y)
    nx, ny = x - px, y - py
    length = math.sqrt(nx * nx + ny * ny)
    sunk = radius - length
    if f[SHAPE] == DISC or f[SHAPE] == BALL:
        sunk = radius + body[HALF] - math.sqrt(x * x + y * y)
    if sunk <= 0.0:
        return
    if length < 1e-6 or sunk > radius:
        nx, ny, length = x, y, max(math.sqrt(x * x + y * y), 1e-6)
    nx, ny = nx / length, ny / length
    is_held = now[HELD] > 0.0
    per_mass = 1.0 / f[NEIGHBOUR_MASS]
    share = 0.0 if is_held else body[PER_MASS] / (body[PER_MASS] + per_mass)
    body[0], body[1] = body[0] - nx * sunk * share, body[1] - ny * sunk * share
    beside[0], beside[1] = beside[0] + nx * sunk * (1.0 - share), beside[1] + ny * sunk * (1.0 - share)
    approach = bodies.speed_along(body, px, py, 0.0, nx, ny, 0.0) - beside[2] * nx - beside[3] * ny
    if approach <= 0.0:
        return
    move = per_mass + (0.0 if is_held else bodies.mobility(body, px, py, 0.0, nx, ny, 0.0))
    is_impact = approach > bodies.REST_SPEED
    impulse = (1.0 + (math.sqrt(NEIGHBOUR_BOUNCE * bounce(f, now)) if is_impact else 0.0)) * approach / move
    if is_held:  # the hand bears it, and does the work
        now[WORK] += impulse * (beside[2] * nx + beside[3] * ny) + 0.5 * impulse * impulse * per_mass
        now[WRENCH], now[WRENCH + 1] = now[WRENCH] + impulse / SUBSTEP * nx, now[WRENCH + 1] + impulse / SUBSTEP * ny
    else:
        bodies.push(body, px, py, 0.0, nx, ny, 0.0, -impulse)
        now[AWAKE] = AWAKE_STEPS
    beside[2], beside[3] = beside[2] + impulse * per_mass * nx, beside[3] + impulse * per_mass * ny
    now[LOADS] += impulse / SUBSTEP
    if is_impact:
        young = contact.TABLE_YOUNG
        keep(f, body, now, impacts, NEIGHBOUR, px, py, 0.0, impulse, approach, 1.0 / move, radius, young)


@njit(cache=True, nogil=True)
def _closest(f, body, x, y):
    """Point of the upright object that is closest to one at (x, y) from its middle."""
    if f[SHAPE] == DISC or f[SHAPE] == BALL:
        length = max(math.sqrt(x * x + y * y), 1e-9)
        return x / length * body[HALF], y / length * body[HALF]
    a, b = body[ROTATION] * x + body[ROTATION + 3] * y, body[ROTATION + 1] * x + body[ROTATION + 4] * y
    u, v = min(max(a, -body[HALF]), body[HALF]), min(max(b, -body[HALF + 1]), body[HALF + 1])
    return body[ROTATION] * u + body[ROTATION + 1] * v, body[ROTATION + 3] * u + body[ROTATION + 4] * v
