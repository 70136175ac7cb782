"""What the hand does to object and neighbour: hold, carry, tap, push, strike. Compiled."""

from __future__ import annotations

import math

from numba import njit

from nsmodels.datasets.impacts.physics import bodies, hand
from nsmodels.datasets.impacts.physics.forces import buoyancy, drive
from nsmodels.datasets.impacts.physics.impacts import bounce, keep
from nsmodels.datasets.impacts.physics.layout import (
    AHEAD,
    APERTURE,
    AWAKE,
    BASE,
    BEGIN,
    CONTACT_U,
    DIRECTION,
    DONE,
    EXTENTS,
    FORCE,
    FRICTION,
    GRASPED,
    GRAVITY,
    HALF,
    HAS_NEIGHBOUR,
    HAS_SUPPORT,
    INERTIA,
    LENGTH,
    LOADS,
    MASS,
    NEIGHBOUR_MASS,
    PRESSED,
    ROTATION,
    SHAPE,
    SLID,
    SPEED,
    TARGET,
    TILT,
    TILT_RATE,
    TIME,
    TIP,
    VERB,
    WORK,
    WRENCH,
    V,
    W,
)
from nsmodels.datasets.impacts.physics.meetings import AWAKE_STEPS, NEIGHBOUR_BOUNCE
from nsmodels.datasets.impacts.scenes import BALL, DISC, FINGER_RADIUS, FRAME, SUBSTEP
from nsmodels.datasets.impacts.scenes import TIP as TIP_BODY

SERVO = 0.2  # share of the difference of speeds that a pushing finger makes good in a step
REACH = 0.05  # m, above or below the table, within which the rod finds the object


@njit(cache=True, nogil=True)
def tilt_table(f, now):
    """Tilt of the table: eased to speed times length."""
    way, rate, _ = hand.ease(now[TIME] - f[BEGIN], f[LENGTH])
    end = f[SPEED] * f[LENGTH] * (-1.0 if math.cos(f[DIRECTION]) < 0.0 else 1.0)
    now[TILT], now[TILT_RATE] = end * way, end * rate


@njit(cache=True, nogil=True)
def is_holding(f, body, now):
    """Whether the fingers hold the object in this step."""
    verb, time = f[VERB], now[TIME]
    if time <= hand.HOLD_END:
        return True
    if verb != hand.LIFT and verb != hand.DROP and verb != hand.SQUEEZE:
        return False
    if time <= f[BEGIN]:
        return f[HAS_SUPPORT] == 0.0
    if now[DONE] == 0.0:  # the moment of the grasp
        now[DONE] = 1.0
        fastest = 6.0 * f[SPEED] / f[LENGTH] if verb != hand.SQUEEZE else 0.0
        carried = 2.0 * hand.pad_friction(f[FRICTION]) * f[FORCE]
        is_grasped = f[APERTURE] > f[EXTENTS + 1] and carried > f[MASS] * (f[GRAVITY] + fastest)
        now[GRASPED] = 1.0 if is_grasped else 0.0
        if is_grasped:
            now[BASE], now[BASE + 1], now[BASE + 2] = body[0], body[1], body[2]
    return now[GRASPED] == 1.0 and (verb == hand.LIFT or time <= f[BEGIN] + f[LENGTH])


@njit(cache=True, nogil=True)
def carry(f, body, now):
    """Move the object as the hand does, and add to the wrench what that takes: F = m (a + g), M = I a."""
    z, vz = hand.heft(now[TIME])
    rate, spin_up, grip = 0.0, 0.0, hand.FIRM_GRIP
    if now[TIME] <= FRAME:
        grip = hand.GRIP
    if now[TIME] > f[BEGIN]:
        grip = f[FORCE]
        if f[VERB] != hand.SQUEEZE:
            way, speed, acceleration = hand.ease(now[TIME] - f[BEGIN], f[LENGTH])
            z, vz = f[SPEED] * f[LENGTH] * way, f[SPEED] * f[LENGTH] * speed
            if f[VERB] == hand.DROP:  # the fingers turn the object about its own x axis
                end = hand.DROP_TURN * f[CONTACT_U]
                rate, spin_up = end * speed, end * acceleration
    before, height = bodies.kinetic(body), body[2]
    way, along = 0.0, 0.0
    if now[DONE] == 0.0:
        way, along, _ = hand.ease(now[TIME] - hand.HEFT_END, hand.HOLD_END - hand.HEFT_END)
        way, along = way * hand.RUB_WAY, along * hand.RUB_WAY
    body[0] = now[BASE] + way * body[ROTATION]
    body[1] = now[BASE + 1] + way * body[ROTATION + 3]
    body[2] = now[BASE + 2] + z
    # The hand gives the object the momentum of its way; also what stops it where it is grasped while it moves.
    per_time = f[MASS] / SUBSTEP
    vx, vy = along * body[ROTATION], along * body[ROTATION + 3]
    fx, fy, up = per_time * (vx - body[V]), per_time * (vy - body[V + 1]), per_time * (vz - body[V + 2])
    body[V], body[V + 1], body[V + 2] = vx, vy, vz
    for k in range(3):
        body[W + k] = body[ROTATION + 3 * k] * rate
    bodies.rotate(body, SUBSTEP)
    up += f[MASS] * f[GRAVITY] - buoyancy(f, body)
    if along > 0.0 and f[HAS_SUPPORT] > 0.0:
        pressed = max(up + hand.RUB_FORCE, 0.0)
        up -= pressed
        fx, fy = fx + f[FRICTION] * pressed * body[ROTATION], fy + f[FRICTION] * pressed * body[ROTATION + 3]
        now[SLID], now[PRESSED] = max(now[SLID], along), now[PRESSED] + pressed * SUBSTEP
        now[LOADS] += pressed
    x, y = drive(f, now[TIME])
    now[WRENCH] += fx - f[MASS] * x
    now[WRENCH + 1] += fy - f[MASS] * y
    now[WRENCH + 2] += up
    now[WRENCH + 3] += f[INERTIA] * spin_up * body[ROTATION]
    now[WRENCH + 4] += f[INERTIA] * spin_up * body[ROTATION + 3]
    now[LOADS] += abs(up) + 2.0 * grip
    now[WORK] += bodies.kinetic(body) - before + f[MASS] * f[GRAVITY] * (body[2] - height)
    now[AWAKE] = AWAKE_STEPS


@njit(cache=True, nogil=True)
def tap(f, body, now, impacts):
    """The rod comes from above, beside the middle, but on a ball."""
    x, y, z = 0.0, 0.0, body[HALF + 2]
    if f[SHAPE] != BALL:
        a, b = hand.TAP_PLACE[0] * body[HALF], hand.TAP_PLACE[1] * body[HALF + 1]
        x = body[ROTATION] * a + body[ROTATION + 1] * b
        y = body[ROTATION + 3] * a + body[ROTATION + 4] * b
    _hit(f, body, now, impacts, x, y, z, 0.0, 0.0, -1.0, hand.TAP_SPEED, hand.TAP_MASS, hand.TAP_YOUNG)


@njit(cache=True, nogil=True)
def act(f, body, beside, now, impacts):
    """A push or strike at the object or its neighbour."""
    nx, ny = math.cos(f[DIRECTION]), math.sin(f[DIRECTION])
    if f[TARGET] == 1.0:  # without a neighbour the hand acts on air
        if f[HAS_NEIGHBOUR] > 0.0:
            _act_beside(f, beside, now, nx, ny)
        return
    if f[HAS_SUPPORT] == 0.0 or abs(body[2] - body[HALF + 2]) > REACH:
        return
    if f[VERB] == hand.STRIKE:
        if now[DONE] == 0.0 and now[TIME] > f[BEGIN] + 0.5 * FRAME:
            now[DONE] = 1.0
            x, y = grip_place(f, body)
            _hit(f, body, now, impacts, x, y, 0.0, nx, ny, 0.0, f[SPEED], hand.ROD_MASS, 10.0 ** f[TIP])
    elif now[TIME] <= f[BEGIN] + f[LENGTH]:
        _shove(f, body, now, nx, ny)


@njit(cache=True, nogil=True)
def grip_place(f, body):
    """Where a finger or rod that comes along the direction meets the object, from its middle, at its height."""
    x, y = math.cos(f[DIRECTION]), math.sin(f[DIRECTION])
    if f[SHAPE] == DISC or f[SHAPE] == BALL:
        reach, across = body[HALF], 0.0 if f[SHAPE] == BALL else 0.5 * body[HALF]
    else:
        a = max(abs(body[ROTATION] * x + body[ROTATION + 3] * y), 1e-9)
        b = max(abs(body[ROTATION + 1] * x + body[ROTATION + 4] * y), 1e-9)
        reach = min(body[HALF] / a, body[HALF + 1] / b)
        across = 0.8 * min(body[HALF] / b, body[HALF + 1] / a)
    side = f[CONTACT_U] * across
    return -reach * x - side * y, -reach * y + side * x


@njit(cache=True, nogil=True)
def _shove(f, body, now, nx, ny):
    """A finger that goes on at its speed, with at most its force, while the object does not run away from it."""
    x, y = grip_place(f, body)
    speed = bodies.speed_along(body, x, y, 0.0, nx, ny, 0.0)
    now[AWAKE] = AWAKE_STEPS
    if now[AHEAD] > 1e-6 or speed > f[SPEED]:
        now[AHEAD] = max(now[AHEAD] + (speed - f[SPEED]) * SUBSTEP, 0.0)
        return
    wanted = SERVO * (f[SPEED] - speed) / bodies.mobility(body, x, y, 0.0, nx, ny, 0.0)
    impulse = min(wanted, f[FORCE] * SUBSTEP)
    before = bodies.kinetic(body)
    bodies.push(body, x, y, 0.0, nx, ny, 0.0, impulse)
    now[WORK] += bodies.kinetic(body) - before
    force = impulse / SUBSTEP
    now[LOADS] += force
    now[WRENCH] += force * nx
    now[WRENCH + 1] += force * ny
    now[WRENCH + 5] += force * (x * ny - y * nx)


@njit(cache=True, nogil=True)
def _act_beside(f, beside, now, nx, ny):
    """Push or strike the neighbour in its middle."""
    along, per_mass, impulse = beside[2] * nx + beside[3] * ny, 1.0 / f[NEIGHBOUR_MASS], 0.0
    if f[VERB] == hand.STRIKE:
        if now[DONE] == 0.0 and now[TIME] > f[BEGIN] + 0.5 * FRAME:
            now[DONE] = 1.0
            impulse = (1.0 + NEIGHBOUR_BOUNCE) * max(f[SPEED] - along, 0.0) / (per_mass + 1.0 / hand.ROD_MASS)
    elif now[TIME] <= f[BEGIN] + f[LENGTH]:
        impulse = min(max(SERVO * (f[SPEED] - along) / per_mass, 0.0), f[FORCE] * SUBSTEP)
    beside[2] += impulse * per_mass * nx
    beside[3] += impulse * per_mass * ny
    now[WORK] += impulse * along + 0.5 * impulse * impulse * per_mass
    now[WRENCH] += impulse / SUBSTEP * nx
    now[WRENCH + 1] += impulse / SUBSTEP * ny


@njit(cache=True, nogil=True)
def _hit(f, body, now, impacts, x, y, z, nx, ny, nz, speed, mass, young):
    """A rod hits the object: J = (1 + e) v / (1 / M + 1 / m)."""
    approach = speed - bodies.speed_along(body, x, y, z, nx, ny, nz)
    if approach <= 0.0:
        return
    reduced = 1.0 / (1.0 / mass + bodies.mobility(body, x, y, z, nx, ny, nz))
    impulse = (1.0 + bounce(f, now)) * approach * reduced
    before = bodies.kinetic(body)
    bodies.push(body, x, y, z, nx, ny, nz, impulse)
    now[WORK] += bodies.kinetic(body) - before
    now[AWAKE] = AWAKE_STEPS
    force = impulse / SUBSTEP
    now[LOADS] += force
    now[WRENCH], now[WRENCH + 1] = now[WRENCH] + force * nx, now[WRENCH + 1] + force * ny
    now[WRENCH + 2] += force * nz
    keep(f, body, now, impacts, TIP_BODY, x, y, z, impulse, approach, reduced, FINGER_RADIUS, young)
