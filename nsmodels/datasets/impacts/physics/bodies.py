"""A rigid body in compiled code: its points, velocities, impulses, and contacts with restitution and Coulomb friction.

A body is a float64 array of `SIZE` numbers: position, velocity, spin (in the axes of the world), integral of the spin,
rotation (row by row), inverse of the inertia in the axes of the world, half extents, mass, inertia about its own axes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

P, V, W, ANGLES, ROTATION, INVERSE, HALF, MASS, INERTIA = 0, 3, 6, 9, 12, 21, 30, 33, 34
SIZE = 37
MOST_POINTS = 16
REST_SPEED = 0.05  # m/s: slower than this, nothing bounces
SWEEPS, FEW_SWEEPS = 10, 4  # over the contacts of a step: with and without a bounce
SUNK = 0.2  # share of what rounding has sunk a body that is corrected in a step
# A row of contacts: place relative to the middle (3), normal (3), gap, speed of the surface along the normal, friction,
# restitution, index into `scenes.BODIES`; then what the solution adds: impulse along the normal, along the plane (3), target,
# speed of approach.
PLACE, NORMAL, GAP, SURFACE, FRICTION, RESTITUTION, BODY, PUSH, DRAG, TARGET, APPROACH = (
    *(0, 3, 6, 7, 8, 9, 10),
    *(11, 12, 15, 16),
)
CONTACT_SIZE = 17


@njit(cache=True, nogil=True)
def turn(body: np.ndarray, dt: float) -> None:
    """Rotate the axes by spin times dt (Rodrigues' formula), and add it to the angles."""
    x, y, z = body[W] * dt, body[W + 1] * dt, body[W + 2] * dt
    angle = math.sqrt(x * x + y * y + z * z)
    body[ANGLES] += x
    body[ANGLES + 1] += y
    body[ANGLES + 2] += z
    if angle < 1e-12:
        return
    s, c = math.sin(angle) / angle, (1.0 - math.cos(angle)) / (angle * angle)
    for k in range(3):
        a, b, d = body[ROTATION + k], body[ROTATION + 3 + k], body[ROTATION + 6 + k]
        e, f, g = y * d - z * b, z * a - x * d, x * b - y * a
        body[ROTATION + k] += s * e + c * (y * g - z * f)
        body[ROTATION + 3 + k] += s * f + c * (z * e - x * g)
        body[ROTATION + 6 + k] += s * g + c * (x * f - y * e)
    settle(body)


@njit(cache=True, nogil=True)
def settle(body: np.ndarray) -> None:
    """Inverse of the inertia in the axes of the world: R diag(1 / I) R^T."""
    for a in range(3):
        for b in range(3):
            total = 0.0
            for k in range(3):
                total += body[ROTATION + 3 * a + k] * body[ROTATION + 3 * b + k] / body[INERTIA + k]
            body[INVERSE + 3 * a + b] = total


@njit(cache=True, nogil=True)
def velocity(body: np.ndarray, r: np.ndarray, axis: np.ndarray) -> float:
    """Speed along an axis of the point at r from the middle: (v + w x r) . axis."""
    x = body[V] + body[W + 1] * r[2] - body[W + 2] * r[1]
    y = body[V + 1] + body[W + 2] * r[0] - body[W] * r[2]
    z = body[V + 2] + body[W] * r[1] - body[W + 1] * r[0]
    return x * axis[0] + y * axis[1] + z * axis[2]


@njit(cache=True, nogil=True)
def mobility(body: np.ndarray, r: np.ndarray, axis: np.ndarray) -> float:
    """Speed along an axis that an impulse of 1 N s along it gives to the point at r: 1 / m + (r x n) I^-1 (r x n)."""
    x = r[1] * axis[2] - r[2] * axis[1]
    y = r[2] * axis[0] - r[0] * axis[2]
    z = r[0] * axis[1] - r[1] * axis[0]
    a = body[INVERSE] * x + body[INVERSE + 1] * y + body[INVERSE + 2] * z
    b = body[INVERSE + 3] * x + body[INVERSE + 4] * y + body[INVERSE + 5] * z
    c = body[INVERSE + 6] * x + body[INVERSE + 7] * y + body[INVERSE + 8] * z
    return 1.0 / body[MASS] + x * a + y * b + z * c


@njit(cache=True, nogil=True)
def push(body: np.ndarray, r: np.ndarray, axis: np.ndarray, impulse: float) -> None:
    """Change velocity and spin by an impulse along an axis at the point at r."""
    x = (r[1] * axis[2] - r[2] * axis[1]) * impulse
    y = (r[2] * axis[0] - r[0] * axis[2]) * impulse
    z = (r[0] * axis[1] - r[1] * axis[0]) * impulse
    for k in range(3):
        body[V + k] += axis[k] * impulse / body[MASS]
        row = INVERSE + 3 * k
        body[W + k] += body[row] * x + body[row + 1] * y + body[row + 2] * z


@njit(cache=True, nogil=True)
def kinetic(body: np.ndarray) -> float:
    """Kinetic energy, J: m v^2 / 2 + w I w / 2."""
    total = 0.0
    for k in range(3):
        total += 0.5 * body[MASS] * body[V + k] ** 2
        own = 0.0
        for a in range(3):
            own += body[ROTATION + 3 * a + k] * body[W + a]
        total += 0.5 * body[INERTIA + k] * own * own
    return total


@njit(cache=True, nogil=True)
def meet(body: np.ndarray, contacts: np.ndarray, count: int, dt: float) -> None:
    """Find the impulses of all contacts at once, and apply them.

    Each contact has a target: to leave with the restitution times the speed of approach where it touches within the step
    and is fast (Newton), else not to cross the gap that there is. Projected Gauss-Seidel: impulses along normals stay
    positive, those along the plane at most the friction times them (Coulomb). With friction, Newton's restitution can
    add energy (Kane's paradox): then the contacts are solved once more without bouncing, which never adds any.
    """
    before = kinetic(body)
    start = body[V : V + 6].copy()
    is_bouncing, is_moving = False, False
    for k in range(count):
        row = contacts[k]
        speed = velocity(body, row[PLACE : PLACE + 3], row[NORMAL : NORMAL + 3]) - row[SURFACE]
        row[APPROACH] = speed
        row[TARGET] = -max(row[GAP], 0.0) / dt
        if speed < -REST_SPEED and row[GAP] + speed * dt < 0.0:
            row[TARGET] = -row[RESTITUTION] * speed
            is_bouncing = True
        is_moving = is_moving or row[SURFACE] != 0.0
    _solve(body, contacts, count, SWEEPS if is_bouncing else FEW_SWEEPS)
    if is_bouncing and not is_moving and kinetic(body) > before:
        body[V : V + 6] = start
        for k in range(count):
            contacts[k, TARGET] = min(contacts[k, TARGET], 0.0)
        _solve(body, contacts, count, SWEEPS)


@njit(cache=True, nogil=True)
def _solve(body: np.ndarray, contacts: np.ndarray, count: int, sweeps: int) -> None:
    contacts[:count, PUSH : PUSH + 4] = 0.0
    for _ in range(sweeps):
        for k in range(count):
            row = contacts[k]
            r, n = row[PLACE : PLACE + 3], row[NORMAL : NORMAL + 3]
            speed = velocity(body, r, n) - row[SURFACE]
            wanted = max(row[PUSH] + (row[TARGET] - speed) / mobility(body, r, n), 0.0)
            if wanted != row[PUSH]:
                push(body, r, n, wanted - row[PUSH])
                row[PUSH] = wanted
            if wanted > 0.0:
                _rub(body, row)


@njit(cache=True, nogil=True)
def _rub(body: np.ndarray, row: np.ndarray) -> None:
    """Friction at a contact: stop the point along the plane, as far as Coulomb's cone allows."""
    r, n = row[PLACE : PLACE + 3], row[NORMAL : NORMAL + 3]
    axis = np.empty(3)
    axis[0] = body[V] + body[W + 1] * r[2] - body[W + 2] * r[1]
    axis[1] = body[V + 1] + body[W + 2] * r[0] - body[W] * r[2]
    axis[2] = body[V + 2] + body[W] * r[1] - body[W + 1] * r[0]
    along = axis[0] * n[0] + axis[1] * n[1] + axis[2] * n[2]
    for k in range(3):
        axis[k] -= along * n[k]
    speed = math.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2)
    if speed > 1e-9:
        for k in range(3):
            axis[k] /= speed
        stop = -speed / mobility(body, r, axis)
        for k in range(3):
            axis[k] = row[DRAG + k] + stop * axis[k]
    else:
        for k in range(3):
            axis[k] = row[DRAG + k]
    length, limit = math.sqrt(axis[0] ** 2 + axis[1] ** 2 + axis[2] ** 2), row[FRICTION] * row[PUSH]
    scale = limit / length if length > limit else 1.0
    for k in range(3):
        axis[k] = axis[k] * scale - row[DRAG + k]
    for k in range(3):
        row[DRAG + k] += axis[k]
    push(body, r, axis, 1.0)


@njit(cache=True, nogil=True)
def points(shape: int, half: np.ndarray, found: np.ndarray) -> int:
    """Points of a body that may touch, in its own axes, (MOST_POINTS, 3); returns how many. A ball has none."""
    if shape == 4:
        return 0
    if shape == 3:
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
