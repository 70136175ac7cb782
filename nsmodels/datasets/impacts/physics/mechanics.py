"""Mechanics of a clip in compiled code: semi-implicit Euler with steps of a millisecond.

Forces change velocities, contacts correct them by impulses (`bodies.meet`), and the new velocities move the bodies. While
the fingers hold the object its way is that of the hand, and the wrench at the wrist is what this takes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from nsmodels.datasets.impacts.physics import bodies, contact, hand
from nsmodels.datasets.impacts.physics.bodies import (
    ANGLES,
    APPROACH,
    BODY,
    CONTACT_SIZE,
    FRICTION,
    GAP,
    HALF,
    INERTIA,
    MASS,
    MOST_POINTS,
    NORMAL,
    PLACE,
    RESTITUTION,
    ROTATION,
    SURFACE,
    V,
    W,
)
from nsmodels.datasets.impacts.physics.bodies import PUSH as IMPULSE
from nsmodels.datasets.impacts.scenes import (
    AWAY,
    BALL,
    BIN,
    DISC,
    FINGER_RADIUS,
    FINGERS,
    FLOOR,
    FLOOR_TOP,
    FRAME,
    NEIGHBOUR,
    NEIGHBOUR_HEIGHT,
    NUM_STEPS,
    ROD,
    SUBSTEP,
    TABLE,
    TABLE_TOP,
    TIP,
    WATER_LEVEL,
)

MOST_CONTACTS = 48  # impacts of a clip that are kept
PER_FRAME, PER_BIN = round(FRAME / SUBSTEP), round(BIN / SUBSTEP)
HELD_HEIGHT = 0.02  # m above where the table would be, where the hand holds an object without a table
WATER, WATER_DRAG = 1000.0, 1.0
ROLLING = 0.02  # of the radius, lever of the rolling resistance of the softest ball (friction 0.9)
BODY_BOUNCE = 0.5  # of the restitution, for all but balls: bending takes its share (Goldsmith, Impact)
NEIGHBOUR_FRICTION, NEIGHBOUR_BOUNCE = 0.4, 0.5
SERVO = 0.2  # share of the difference of speeds that a pushing hand makes good in a step
BROKEN_BOUNCE = 0.2
NEVER = 1e9
# Numbers of a clip that change while it goes on.
TIME, TILT, TILT_RATE, BROKEN, HELD, GRIPPED, BASE_X, BASE_Y, BASE_Z, DONE, REACH, WORK, OWN_WORK, FORCE, SLID, LOAD = (
    range(16)
)


class Packed(NamedTuple):
    """The figures of n scenes that the mechanics needs; arrays as in `Scenes` and `Objects`."""

    shape: np.ndarray
    opening: np.ndarray
    extents: np.ndarray
    wall: np.ndarray
    mass: np.ndarray
    inertia: np.ndarray
    volume: np.ndarray
    young: np.ndarray
    poisson: np.ndarray
    friction: np.ndarray
    restitution: np.ndarray
    strength: np.ndarray
    is_brittle: np.ndarray
    drive: np.ndarray
    drive_rate: np.ndarray
    drive_direction: np.ndarray
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


class Traces(NamedTuple):
    """What the mechanics writes, as in `Motion`; impacts (n, MOST_CONTACTS, 9) and their number (n,)."""

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
    impacts: np.ndarray
    num_impacts: np.ndarray


@njit(cache=True, nogil=True)
def run(scenes: Packed, traces: Traces) -> None:
    """Simulate all clips."""
    for i in range(len(scenes.mass)):
        _run(scenes, traces, i)


@njit(cache=True, nogil=True)
def _run(s: Packed, traces: Traces, i: int) -> None:
    body, beside, now = np.zeros(bodies.SIZE), np.zeros(4), np.zeros(16)
    corners, contacts = np.zeros((MOST_POINTS, 3)), np.zeros((MOST_POINTS, CONTACT_SIZE))
    wrench, last_hand = np.zeros(6), np.zeros(3)
    _begin(s, i, body, beside, now)
    count = bodies.points(s.shape[i], body[HALF : HALF + 3], corners)
    for step in range(NUM_STEPS * PER_FRAME):
        now[TIME] = (step + 1) * SUBSTEP
        _tilt(s, i, now)
        hold = _holding(s, i, body, now)
        if hold:
            _carry(s, i, body, now, wrench)
        else:
            _move(s, i, traces, body, beside, now, corners, count, contacts, wrench)
        if s.has_neighbour[i]:
            _meet_neighbour(s, i, traces, body, beside, now)
        now[HELD] = 1.0 if hold else 0.0
        if (step + 1) % PER_BIN == 0:
            place = step // PER_BIN
            traces.slide_speed[i, place], traces.slide_force[i, place] = now[SLID], now[LOAD] / BIN
            now[SLID], now[LOAD] = 0.0, 0.0
        if (step + 1) % PER_FRAME == 0:
            _record(s, i, traces, step // PER_FRAME, body, beside, now, wrench, last_hand)


@njit(cache=True, nogil=True)
def _begin(s: Packed, i: int, body: np.ndarray, beside: np.ndarray, now: np.ndarray) -> None:
    """Place the object on the table, or in the hand above where the table would be, and the neighbour."""
    body[0], body[1] = s.place[i, 0], s.place[i, 1]
    body[2] = 0.5 * s.extents[i, 2] + (0.0 if s.has_support[i] else HELD_HEIGHT)
    c, sine = math.cos(s.place[i, 2]), math.sin(s.place[i, 2])
    body[ROTATION], body[ROTATION + 1], body[ROTATION + 3], body[ROTATION + 4] = c, -sine, sine, c
    body[ROTATION + 8] = 1.0
    body[ANGLES + 2] = s.place[i, 2]
    body[MASS] = s.mass[i]
    for k in range(3):
        body[HALF + k] = 0.5 * s.extents[i, k]
        body[INERTIA + k] = s.inertia[i, k]
        now[BASE_X + k] = body[k]
    bodies.settle(body)
    beside[0], beside[1] = s.neighbour[i, 0], s.neighbour[i, 1]
    now[HELD], now[GRIPPED] = 1.0, 1.0


@njit(cache=True, nogil=True)
def _tilt(s: Packed, i: int, now: np.ndarray) -> None:
    """Tilt of the table: eased to speed times duration."""
    if s.verb[i] != hand.TILT or not s.has_support[i]:
        return
    length = s.duration[i] * FRAME
    way, rate, _ = hand.ease(now[TIME] - s.onset[i] * FRAME, length)
    end = s.speed[i] * length * (-1.0 if math.cos(s.direction[i]) < 0.0 else 1.0)
    now[TILT], now[TILT_RATE] = end * way, end * rate


@njit(cache=True, nogil=True)
def _is_grasped(s: Packed, i: int, acceleration: float) -> bool:
    """Whether the fingers are wide enough open, and press hard enough, to carry the object."""
    limit = 2.0 * hand.pad_friction(s.friction[i]) * s.force[i]
    return s.aperture[i] > s.extents[i, 1] and limit > s.mass[i] * (s.gravity[i] + acceleration)


@njit(cache=True, nogil=True)
def _holding(s: Packed, i: int, body: np.ndarray, now: np.ndarray) -> bool:
    """Whether the fingers hold the object in this step."""
    verb, time = s.verb[i], now[TIME]
    begin = s.onset[i] * FRAME
    end = begin + s.duration[i] * FRAME
    if time <= hand.HOLD_END:
        return True
    if verb != hand.LIFT and verb != hand.DROP and verb != hand.SQUEEZE:
        return False
    if time <= begin:
        return not s.has_support[i]
    if now[DONE] == 0.0:  # the moment of the grasp
        now[DONE] = 1.0
        length = s.duration[i] * FRAME
        top = s.speed[i] * length * 6.0 / (length * length) if verb != hand.SQUEEZE else 0.0
        now[GRIPPED] = 1.0 if _is_grasped(s, i, top) else 0.0
        if now[GRIPPED] == 1.0:
            for k in range(3):
                now[BASE_X + k] = body[k]
    return now[GRIPPED] == 1.0 and (verb == hand.LIFT or time <= end)


@njit(cache=True, nogil=True)
def _drive(s: Packed, i: int, time: float) -> float:
    """Acceleration, m/s2, by which an animate object pushes itself along its direction."""
    if s.drive[i] == 0.0:
        return 0.0
    return s.drive[i] * max(math.sin(2.0 * math.pi * s.drive_rate[i] * time), 0.0)


@njit(cache=True, nogil=True)
def _buoyancy(s: Packed, i: int, body: np.ndarray) -> tuple[float, float]:
    """Force of the water upwards, N, and the share of the object that is in it."""
    if not s.has_water[i]:
        return 0.0, 0.0
    high = 0.0
    for k in range(3):
        high += abs(body[ROTATION + 6 + k]) * body[HALF + k]
    if s.shape[i] == BALL:
        high = body[HALF]
    share = min(max((WATER_LEVEL - body[2] + high) / (2.0 * high), 0.0), 1.0)
    return WATER * s.gravity[i] * s.volume[i] * share, share


@njit(cache=True, nogil=True)
def _carry(s: Packed, i: int, body: np.ndarray, now: np.ndarray, wrench: np.ndarray) -> None:
    """Move the object as the hand does, and add to the wrench what that takes: F = m (a + g), M = I a."""
    verb, begin, length = s.verb[i], s.onset[i] * FRAME, s.duration[i] * FRAME
    z, vz, az = hand.heft(now[TIME])
    tilt, rate, spin_up = 0.0, 0.0, 0.0
    if now[TIME] > begin and verb != hand.SQUEEZE:
        way, speed, acceleration = hand.ease(now[TIME] - begin, length)
        top = s.speed[i] * length
        z, vz, az = top * way, top * speed, top * acceleration
        if verb == hand.DROP:
            end = 0.3 * s.contact[i, 0]
            tilt, rate, spin_up = end * way, end * speed, end * acceleration
    before = bodies.kinetic(body)
    height = body[2]
    for k in range(3):
        body[k] = now[BASE_X + k]
        body[V + k] = 0.0
    body[2] += z
    body[V + 2] = vz
    # The fingers turn the object about its own x axis.
    turn = rate
    for k in range(3):
        body[W + k] = body[ROTATION + 3 * k] * turn
    if turn != 0.0:
        bodies.turn(body, SUBSTEP)
    lift, share = _buoyancy(s, i, body)
    up = s.mass[i] * (s.gravity[i] + az) - lift
    own = s.mass[i] * _drive(s, i, now[TIME])
    wrench[0] -= own * math.cos(s.drive_direction[i])
    wrench[1] -= own * math.sin(s.drive_direction[i])
    wrench[2] += up
    wrench[3] += s.inertia[i, 0] * spin_up * body[ROTATION]
    wrench[4] += s.inertia[i, 0] * spin_up * body[ROTATION + 3]
    now[FORCE] += abs(up)
    now[WORK] += bodies.kinetic(body) - before + s.mass[i] * s.gravity[i] * (body[2] - height)


@njit(cache=True, nogil=True)
def _move(s, i, traces, body, beside, now, corners, count, contacts, wrench):
    """Move the object under gravity, water, its own drive, the hand, and its contacts."""
    before = bodies.kinetic(body)
    body[V + 2] -= s.gravity[i] * SUBSTEP
    _swim(s, i, body)
    own = _push_itself(s, i, body, now)
    _act(s, i, traces, body, beside, now, wrench)
    mid = body[2]
    found = _touching(s, i, body, now, corners, count, contacts, own > 0.0)
    start = bodies.kinetic(body)
    if found:
        bodies.meet(body, contacts, found, SUBSTEP)
        _resist_rolling(s, i, body, contacts, found)
        if now[TILT_RATE] != 0.0:
            now[WORK] += bodies.kinetic(body) - start
        _note(s, i, traces, body, now, contacts, found)
    for k in range(3):
        body[k] += body[V + k] * SUBSTEP
    bodies.turn(body, SUBSTEP)


@njit(cache=True, nogil=True)
def _swim(s, i, body):
    """Buoyancy, and drag, which is taken implicitly: v' = v / (1 + c |v| dt / m)."""
    lift, share = _buoyancy(s, i, body)
    if share == 0.0:
        return
    body[V + 2] += lift / s.mass[i] * SUBSTEP
    speed = math.sqrt(body[V] ** 2 + body[V + 1] ** 2 + body[V + 2] ** 2)
    area = s.extents[i, 0] * s.extents[i, 1]
    slow = 1.0 / (1.0 + 0.5 * WATER * WATER_DRAG * area * share * (speed + 0.05) / s.mass[i] * SUBSTEP)
    for k in range(3):
        body[V + k] *= slow
        body[W + k] *= slow


@njit(cache=True, nogil=True)
def _push_itself(s, i, body, now):
    """Drive of an animate object, which has something to push against where it lies; returns the acceleration."""
    own = _drive(s, i, now[TIME])
    low = body[2] - body[HALF + 2]
    if own == 0.0 or low > (0.01 if s.has_support[i] else FLOOR + 0.01):
        return 0.0
    x, y = math.cos(s.drive_direction[i]) * own, math.sin(s.drive_direction[i]) * own
    before = body[V] ** 2 + body[V + 1] ** 2
    body[V] += x * SUBSTEP
    body[V + 1] += y * SUBSTEP
    now[OWN_WORK] += 0.5 * s.mass[i] * (body[V] ** 2 + body[V + 1] ** 2 - before)
    return own


@njit(cache=True, nogil=True)
def _grip_place(s, i, body, place):
    """Where a finger or rod that comes along `direction` meets the object, from its middle, in the axes of the world."""
    x, y = math.cos(s.direction[i]), math.sin(s.direction[i])
    a = abs(body[ROTATION] * x + body[ROTATION + 3] * y)
    b = abs(body[ROTATION + 1] * x + body[ROTATION + 4] * y)
    if s.shape[i] == DISC or s.shape[i] == BALL:
        reach, across = body[HALF], 0.0 if s.shape[i] == BALL else 0.5 * body[HALF]
    else:
        reach = min(body[HALF] / max(a, 1e-9), body[HALF + 1] / max(b, 1e-9))
        across = 0.8 * min(body[HALF] / max(b, 1e-9), body[HALF + 1] / max(a, 1e-9))
    side = s.contact[i, 0] * across
    place[0], place[1], place[2] = -reach * x - side * y, -reach * y + side * x, 0.0


@njit(cache=True, nogil=True)
def _act(s, i, traces, body, beside, now, wrench):
    """The tap, and the push or strike at the object or its neighbour."""
    time = now[TIME]
    axis, place = np.zeros(3), np.zeros(3)
    if abs(time - hand.TAP_TIME) < 0.5 * SUBSTEP:
        if s.shape[i] != BALL:
            for k in range(3):
                place[k] = (
                    body[ROTATION + 3 * k] * hand.TAP_PLACE[0] * body[HALF]
                    + body[ROTATION + 3 * k + 1] * hand.TAP_PLACE[1] * body[HALF + 1]
                )
        place[2] += body[HALF + 2]
        axis[2] = -1.0
        _hit(s, i, traces, body, now, place, axis, hand.TAP_SPEED, hand.TAP_MASS, 200e9, wrench)
    begin = s.onset[i] * FRAME
    if time <= begin or (s.verb[i] != hand.PUSH and s.verb[i] != hand.STRIKE):
        return
    axis[0], axis[1] = math.cos(s.direction[i]), math.sin(s.direction[i])
    is_in_reach = s.has_support[i] and abs(body[2] - body[HALF + 2]) < 0.05
    if s.target[i] == 1 and s.has_neighbour[i]:
        _act_beside(s, i, traces, beside, now, axis, wrench)
    elif is_in_reach:
        _grip_place(s, i, body, place)
        if s.verb[i] == hand.STRIKE and now[DONE] == 0.0 and time > begin + 0.5 * FRAME:
            now[DONE] = 1.0
            _hit(s, i, traces, body, now, place, axis, s.speed[i], hand.ROD_MASS, 10.0 ** s.tip[i], wrench)
        elif s.verb[i] == hand.PUSH and time <= begin + s.duration[i] * FRAME:
            _shove(s, i, body, now, place, axis, wrench)


@njit(cache=True, nogil=True)
def _shove(s, i, body, now, place, axis, wrench):
    """A finger that goes on at its speed, with at most its force, while the object does not run away from it."""
    speed = bodies.velocity(body, place, axis)
    if now[REACH] > 1e-6:  # the object is ahead of the finger
        now[REACH] += (speed - s.speed[i]) * SUBSTEP
        return
    wanted = SERVO * (s.speed[i] - speed) / bodies.mobility(body, place, axis)
    impulse = min(max(wanted, 0.0), s.force[i] * SUBSTEP)
    before = bodies.kinetic(body)
    bodies.push(body, place, axis, impulse)
    now[WORK] += bodies.kinetic(body) - before
    if speed > s.speed[i]:
        now[REACH] += (speed - s.speed[i]) * SUBSTEP
    now[FORCE] += impulse / SUBSTEP
    wrench[0] += impulse / SUBSTEP * axis[0]
    wrench[1] += impulse / SUBSTEP * axis[1]
    wrench[5] += impulse / SUBSTEP * (place[0] * axis[1] - place[1] * axis[0])


@njit(cache=True, nogil=True)
def _act_beside(s, i, traces, beside, now, axis, wrench):
    """Push or strike the neighbour."""
    time, begin = now[TIME], s.onset[i] * FRAME
    mass = s.neighbour[i, 3]
    along = beside[2] * axis[0] + beside[3] * axis[1]
    impulse = 0.0
    if s.verb[i] == hand.STRIKE and now[DONE] == 0.0 and time > begin + 0.5 * FRAME:
        now[DONE] = 1.0
        impulse = (1.0 + NEIGHBOUR_BOUNCE) * max(s.speed[i] - along, 0.0) / (1.0 / mass + 1.0 / hand.ROD_MASS)
    elif s.verb[i] == hand.PUSH and time <= begin + s.duration[i] * FRAME:
        impulse = min(max(SERVO * (s.speed[i] - along) * mass, 0.0), s.force[i] * SUBSTEP)
    beside[2] += impulse / mass * axis[0]
    beside[3] += impulse / mass * axis[1]
    now[WORK] += impulse * along + 0.5 * impulse * impulse / mass
    for k in range(2):
        wrench[k] += impulse / SUBSTEP * axis[k]


@njit(cache=True, nogil=True)
def _hit(s, i, traces, body, now, place, axis, speed, mass, young, wrench):
    """A rod hits the object: J = (1 + e) v / (1 / M + 1 / m)."""
    along = bodies.velocity(body, place, axis)
    move = bodies.mobility(body, place, axis)
    approach = speed - along
    if approach <= 0.0:
        return
    bounce = _bounce(s, i, now)
    impulse = (1.0 + bounce) * approach / (1.0 / mass + move)
    before = bodies.kinetic(body)
    bodies.push(body, place, axis, impulse)
    now[WORK] += bodies.kinetic(body) - before
    now[FORCE] += impulse / SUBSTEP
    for k in range(3):
        wrench[k] += impulse / SUBSTEP * axis[k]
    reduced = 1.0 / (1.0 / mass + move)
    _keep(s, i, traces, body, now, TIP, place, impulse, approach, reduced, FINGER_RADIUS, young)


@njit(cache=True, nogil=True)
def _bounce(s, i, now):
    """Restitution of the object as it is."""
    bounce = s.restitution[i] * (1.0 if s.shape[i] == BALL else BODY_BOUNCE)
    return bounce * (BROKEN_BOUNCE if now[BROKEN] > 0.0 else 1.0)


@njit(cache=True, nogil=True)
def _touching(s, i, body, now, corners, count, contacts, is_pushing_itself):
    """Fill in the contacts with table and floor that are close; returns their number."""
    friction = s.friction[i] * (0.1 if is_pushing_itself else 1.0)
    bounce = _bounce(s, i, now)
    reach = 0.002 + SUBSTEP * (abs(body[V + 2]) + abs(body[V]) + (abs(body[W]) + abs(body[W + 1])) * 0.1)
    sine, cosine = math.sin(now[TILT]), math.cos(now[TILT])
    found, deepest = 0, 0.0
    number = 1 if s.shape[i] == BALL else count
    low = body[2] - body[HALF] - body[HALF + 1] - body[HALF + 2]
    for surface in (TABLE_TOP, FLOOR_TOP):
        if (surface == TABLE_TOP and not s.has_support[i]) or (surface == FLOOR_TOP and low > FLOOR + reach):
            continue
        nx, nz = (sine, cosine) if surface == TABLE_TOP else (0.0, 1.0)
        for k in range(number):
            row = contacts[found]
            if s.shape[i] == BALL:
                row[PLACE], row[PLACE + 1], row[PLACE + 2] = -nx * body[HALF], 0.0, -nz * body[HALF]
            else:
                for a in range(3):
                    at = ROTATION + 3 * a
                    row[PLACE + a] = (
                        body[at] * corners[k, 0] + body[at + 1] * corners[k, 1] + body[at + 2] * corners[k, 2]
                    )
            x, y, z = body[0] + row[PLACE], body[1] + row[PLACE + 1], body[2] + row[PLACE + 2]
            gap = nx * x + nz * z - (0.0 if surface == TABLE_TOP else FLOOR)
            along = x * cosine - z * sine
            if gap > reach:
                continue
            if surface == TABLE_TOP and (abs(along) > TABLE or abs(y) > TABLE or gap < -0.02):
                continue
            row[NORMAL], row[NORMAL + 1], row[NORMAL + 2] = nx, 0.0, nz
            row[GAP], row[FRICTION], row[RESTITUTION], row[BODY] = gap, friction, bounce, surface
            row[SURFACE] = -now[TILT_RATE] * along if surface == TABLE_TOP else 0.0
            deepest = min(deepest, gap)
            found += 1
        if found:
            if deepest < -1e-5:
                body[0] -= nx * deepest * bodies.SUNK
                body[2] -= nz * deepest * bodies.SUNK
            break
    return found


@njit(cache=True, nogil=True)
def _resist_rolling(s, i, body, contacts, found):
    """Rolling resistance of a ball: its load acts ahead of the middle by a share of the radius, until it stops."""
    if s.shape[i] != BALL:
        return
    lever = ROLLING * s.friction[i] / 0.9 * body[HALF]
    for k in range(found):
        spin = math.sqrt(body[W] ** 2 + body[W + 1] ** 2 + body[W + 2] ** 2)
        if spin < 1e-9 or contacts[k, IMPULSE] <= 0.0:
            continue
        # About the point of contact, so that the ball goes on rolling without sliding: I + m r^2.
        whole = body[INERTIA] + body[MASS] * body[HALF] ** 2
        left = max(1.0 - lever * contacts[k, IMPULSE] / (whole * spin), 0.0)
        for a in range(3):
            body[W + a] *= left
        n, v = contacts[k, NORMAL : NORMAL + 3], body[V : V + 3]
        normal = n[0] * v[0] + n[1] * v[1] + n[2] * v[2]
        for a in range(3):
            v[a] = normal * n[a] + (v[a] - normal * n[a]) * left


@njit(cache=True, nogil=True)
def _note(s, i, traces, body, now, contacts, found):
    """Add up the forces of the contacts of a step, how they slide, and keep an impact if there was one."""
    total, fastest, approach = 0.0, 0.0, 0.0
    place = np.zeros(3)
    for k in range(found):
        row = contacts[k]
        impulse = row[IMPULSE]
        if impulse <= 0.0:
            continue
        total += impulse
        r, n = row[PLACE : PLACE + 3], row[NORMAL : NORMAL + 3]
        x = body[V] + body[W + 1] * r[2] - body[W + 2] * r[1]
        y = body[V + 1] + body[W + 2] * r[0] - body[W] * r[2]
        z = body[V + 2] + body[W] * r[1] - body[W + 1] * r[0]
        across = x * n[0] + z * n[2]
        fastest = max(fastest, math.sqrt(max(x * x + y * y + z * z - across * across, 0.0)))
        approach = min(approach, row[APPROACH])
        for a in range(3):
            place[a] += impulse * r[a]
    now[FORCE] += total / SUBSTEP
    now[SLID] = max(now[SLID], fastest)
    now[LOAD] += total
    if approach < -bodies.REST_SPEED and total > 0.0:
        for a in range(3):
            place[a] /= total
        reduced = total / ((1.0 + _bounce(s, i, now)) * -approach)
        radius = body[HALF] if s.shape[i] == BALL else contact.EDGE_RADIUS
        which = int(contacts[0, BODY])
        _keep(s, i, traces, body, now, which, place, total, -approach, reduced, radius, contact.TABLE_YOUNG)


@njit(cache=True, nogil=True)
def _keep(s, i, traces, body, now, which, place, impulse, speed, mass, radius, young):
    """Keep an impact, and break the object if it cannot bear it."""
    modulus = contact.stiffness(s.young[i], s.poisson[i], young)
    time = contact.duration(mass, radius, modulus, speed)
    if s.is_brittle[i]:
        force = contact.peak_force(impulse, time)
        if contact.bending_stress(force, s.shape[i], s.extents[i], s.wall[i]) > s.strength[i]:
            now[BROKEN] = 1.0
    number = traces.num_impacts[i]
    if number == MOST_CONTACTS:
        return
    row = traces.impacts[i, number]
    row[0], row[1], row[2], row[3], row[4] = now[TIME], which, impulse, speed, time
    for k in range(3):
        row[5 + k] = (
            body[ROTATION + k] * place[0] + body[ROTATION + 3 + k] * place[1] + body[ROTATION + 6 + k] * place[2]
        )
    row[8] = now[HELD]
    traces.num_impacts[i] = number + 1


@njit(cache=True, nogil=True)
def _meet_neighbour(s, i, traces, body, beside, now):
    """Move the neighbour, a cylinder that slides, and let it meet the object."""
    mass, radius = s.neighbour[i, 3], s.neighbour[i, 2]
    sine, cosine = math.sin(now[TILT]), math.cos(now[TILT])
    beside[2] += s.gravity[i] * sine * SUBSTEP
    speed = math.sqrt(beside[2] ** 2 + beside[3] ** 2)
    if speed > 0.0:
        left = max(1.0 - NEIGHBOUR_FRICTION * s.gravity[i] * cosine * SUBSTEP / speed, 0.0)
        beside[2] *= left
        beside[3] *= left
    for k in range(2):
        beside[k] += beside[2 + k] * SUBSTEP
        if abs(beside[k]) > TABLE - radius:  # a rim keeps it on the table
            beside[k] = math.copysign(TABLE - radius, beside[k])
            beside[2 + k] = 0.0
    if body[2] - body[HALF + 2] < NEIGHBOUR_HEIGHT and body[2] > 0.0 and s.has_support[i]:
        _collide(s, i, traces, body, beside, now)


@njit(cache=True, nogil=True)
def _closest(s, i, body, beside, place):
    """Point of the upright object that is closest to the axis of the neighbour, from its middle; returns the distance."""
    x, y = beside[0] - body[0], beside[1] - body[1]
    if s.shape[i] == DISC or s.shape[i] == BALL:
        length = max(math.sqrt(x * x + y * y), 1e-9)
        place[0], place[1], place[2] = x / length * body[HALF], y / length * body[HALF], 0.0
        return length - body[HALF]
    a = body[ROTATION] * x + body[ROTATION + 3] * y
    b = body[ROTATION + 1] * x + body[ROTATION + 4] * y
    u, v = min(max(a, -body[HALF]), body[HALF]), min(max(b, -body[HALF + 1]), body[HALF + 1])
    place[0] = body[ROTATION] * u + body[ROTATION + 1] * v
    place[1] = body[ROTATION + 3] * u + body[ROTATION + 4] * v
    place[2] = 0.0
    return math.sqrt((x - place[0]) ** 2 + (y - place[1]) ** 2)


@njit(cache=True, nogil=True)
def _collide(s, i, traces, body, beside, now):
    """Impact of object and neighbour: an impulse along the normal, with restitution, in the plane."""
    mass, radius = s.neighbour[i, 3], s.neighbour[i, 2]
    place, normal = np.zeros(3), np.zeros(3)
    distance = _closest(s, i, body, beside, place)
    if distance >= radius:
        return
    x, y = beside[0] - body[0] - place[0], beside[1] - body[1] - place[1]
    length = math.sqrt(x * x + y * y)
    if length < 1e-6 or distance < 0.0:
        x, y = beside[0] - body[0], beside[1] - body[1]
        length = max(math.sqrt(x * x + y * y), 1e-6)
    normal[0], normal[1] = x / length, y / length
    own = bodies.velocity(body, place, normal)
    approach = own - beside[2] * normal[0] - beside[3] * normal[1]
    is_held = now[HELD] > 0.0
    move = 0.0 if is_held else bodies.mobility(body, place, normal)
    sunk = radius - distance
    share = 0.0 if is_held else (1.0 / body[MASS]) / (1.0 / body[MASS] + 1.0 / mass)
    for k in range(2):
        body[k] -= normal[k] * sunk * share
        beside[k] += normal[k] * sunk * (1.0 - share)
    if approach <= 0.0:
        return
    bounce = math.sqrt(NEIGHBOUR_BOUNCE * _bounce(s, i, now)) if approach > bodies.REST_SPEED else 0.0
    impulse = (1.0 + bounce) * approach / (move + 1.0 / mass)
    if not is_held:
        bodies.push(body, place, normal, -impulse)
    for k in range(2):
        beside[2 + k] += impulse / mass * normal[k]
    now[FORCE] += impulse / SUBSTEP
    if approach > bodies.REST_SPEED:
        reduced = 1.0 / (move + 1.0 / mass)
        _keep(s, i, traces, body, now, NEIGHBOUR, place, impulse, approach, reduced, radius, contact.TABLE_YOUNG)


@njit(cache=True, nogil=True)
def _record(s, i, traces, step, body, beside, now, wrench, last):
    """Write down the end of a step."""
    for k in range(3):
        traces.position[i, step, k] = body[k]
        traces.velocity[i, step, k] = body[V + k]
        traces.spin[i, step, k] = body[W + k]
        traces.angles[i, step, k] = body[ANGLES + k]
        for a in range(3):
            traces.rotation[i, step, k, a] = body[ROTATION + 3 * k + a]
    if s.has_neighbour[i]:
        traces.neighbour[i, step] = beside
    traces.tilt[i, step] = now[TILT]
    traces.contact_force[i, step] = now[FORCE] / PER_FRAME
    traces.held[i, step] = now[HELD] > 0.0
    traces.broken[i, step] = now[BROKEN] > 0.0
    energy = bodies.kinetic(body) + s.mass[i] * s.gravity[i] * body[2]
    traces.energy[i, step] = energy + 0.5 * s.neighbour[i, 3] * (beside[2] ** 2 + beside[3] ** 2)
    traces.work[i, step, 0], traces.work[i, step, 1] = now[WORK], now[OWN_WORK]
    for k in range(6):
        traces.wrench[i, step, k] = wrench[k] / PER_FRAME
        wrench[k] = 0.0
    now[FORCE] = 0.0
    _record_hand(s, i, traces, step, body, beside, now, last)


@njit(cache=True, nogil=True)
def _record_hand(s, i, traces, step, body, beside, now, last):
    """Where the hand is and how far it is open; out of sight it waits, and its readings are those of rest."""
    verb, time = s.verb[i], now[TIME]
    begin, end = s.onset[i] * FRAME, (s.onset[i] + s.duration[i]) * FRAME
    at = traces.hand[i, step]
    at[0], at[1], at[2] = 0.0, -0.25, 0.30
    traces.tool[i, step] = AWAY
    is_acting = begin < time <= end + 1e-9
    if now[HELD] > 0.0:
        traces.tool[i, step] = FINGERS
        for k in range(3):
            at[k] = body[k]
            traces.hand_velocity[i, step, k] = body[V + k]
        traces.hand_angles[i, step, 0] = body[ANGLES]
        traces.hand_angles[i, step, 1] = body[ANGLES + 1]
        traces.hand_angles[i, step, 2] = body[ANGLES + 2]
        grip = hand.FIRM_GRIP
        if time <= FRAME + 1e-9:
            grip = hand.GRIP
        elif time > begin:
            grip = s.force[i]
        traces.grip[i, step] = grip
        modulus = contact.stiffness(s.young[i], s.poisson[i], NEVER * 1e9)
        sunk = hand.give(grip, modulus, s.young[i], s.poisson[i], s.extents[i], s.wall[i])
        traces.aperture[i, step] = s.extents[i, 1] - sunk
    elif is_acting and (verb == hand.PUSH or verb == hand.STRIKE):
        traces.tool[i, step] = ROD
        _record_rod(s, i, traces, step, body, beside, now)
    for k in range(3):
        if step > 0:
            change = traces.hand_velocity[i, step, k] - traces.hand_velocity[i, step - 1, k]
            traces.hand_acceleration[i, step, k] = change / FRAME


@njit(cache=True, nogil=True)
def _record_rod(s, i, traces, step, body, beside, now):
    """Where the rod is: at the object or the neighbour, behind it along its way; before it strikes, a little off."""
    at, place = traces.hand[i, step], np.zeros(3)
    x, y = math.cos(s.direction[i]), math.sin(s.direction[i])
    back = FINGER_RADIUS + max(now[REACH], 0.0)
    if s.target[i] == 1 and s.has_neighbour[i]:
        at[0], at[1], at[2] = beside[0], beside[1], 0.5 * NEIGHBOUR_HEIGHT
        back += s.neighbour[i, 2]
        traces.hand_velocity[i, step, 0], traces.hand_velocity[i, step, 1] = beside[2], beside[3]
    else:
        _grip_place(s, i, body, place)
        for k in range(3):
            at[k] = body[k] + place[k]
        speed = min(s.speed[i], max(body[V] * x + body[V + 1] * y, 0.0))
        traces.hand_velocity[i, step, 0], traces.hand_velocity[i, step, 1] = speed * x, speed * y
    at[0] -= back * x
    at[1] -= back * y
    traces.hand_angles[i, step, 2] = s.direction[i]
