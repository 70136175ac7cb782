"""A rigid body in compiled code (`layout.P` and so on): rotation, impulses, contacts with restitution and friction."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from nsmodels.datasets.impacts.physics.layout import ANGLES, INVERSE, OWN_INERTIA, PER_MASS, ROTATION, V, W

REST_SPEED = 0.05  # m/s: slower than this, nothing bounces
SWEEPS, FEW_SWEEPS = 12, 5  # over the contacts of a step: with and without a bounce
# A contact: place relative to the middle (3), normal (3), gap, speed of the surface along the normal, friction,
# restitution, index into `scenes.BODIES`; of the solution the target, the speed of approach, the impulses along the
# normal and two tangents, and for each of these three axes: its lever r x n (3), its turn I^-1 (r x n) (3), its reduced
# mass, itself (3).
PLACE, NORMAL, GAP, SURFACE, FRICTION, RESTITUTION, BODY, TARGET, APPROACH, IMPULSE = (0, 3, 6, 7, 8, 9, 10, 11, 12, 13)
AXES, AXIS_SIZE = 16, 10
LEVER, TURN, REDUCED, ALONG = 0, 3, 6, 7
CONTACT_SIZE = AXES + 3 * AXIS_SIZE


@njit(cache=True, nogil=True)
def rotate(body: np.ndarray, dt: float) -> None:
    """Rotate the axes by spin times dt (Rodrigues' formula), and add it to the angles."""
    x, y, z = body[W] * dt, body[W + 1] * dt, body[W + 2] * dt
    angle = math.sqrt(x * x + y * y + z * z)
    if angle < 1e-12:
        return
    body[ANGLES] += x
    body[ANGLES + 1] += y
    body[ANGLES + 2] += z
    s, c = math.sin(angle) / angle, (1.0 - math.cos(angle)) / (angle * angle)
    for k in range(3):
        a, b, d = body[ROTATION + k], body[ROTATION + 3 + k], body[ROTATION + 6 + k]
        e, f, g = y * d - z * b, z * a - x * d, x * b - y * a
        body[ROTATION + k] += s * e + c * (y * g - z * f)
        body[ROTATION + 3 + k] += s * f + c * (z * e - x * g)
        body[ROTATION + 6 + k] += s * g + c * (x * f - y * e)
    weigh(body)


@njit(cache=True, nogil=True)
def weigh(body: np.ndarray) -> None:
    """Inverse of the inertia in the axes of the world: R diag(1 / I) R^T."""
    for a in range(3):
        for b in range(a, 3):
            total = 0.0
            for k in range(3):
                total += body[ROTATION + 3 * a + k] * body[ROTATION + 3 * b + k] / body[OWN_INERTIA + k]
            body[INVERSE + 3 * a + b] = total
            body[INVERSE + 3 * b + a] = total


@njit(cache=True, nogil=True)
def speed_along(body, rx, ry, rz, nx, ny, nz):
    """Speed along an axis n of the point at r from the middle: (v + w x r) . n."""
    x = body[V] + body[W + 1] * rz - body[W + 2] * ry
    y = body[V + 1] + body[W + 2] * rx - body[W] * rz
    z = body[V + 2] + body[W] * ry - body[W + 1] * rx
    return x * nx + y * ny + z * nz


@njit(cache=True, nogil=True)
def mobility(body, rx, ry, rz, nx, ny, nz):
    """Speed along an axis n that 1 N s along it gives to the point at r: 1 / m + (r x n) I^-1 (r x n)."""
    x, y, z = ry * nz - rz * ny, rz * nx - rx * nz, rx * ny - ry * nx
    total = body[PER_MASS]
    total += x * (body[INVERSE] * x + body[INVERSE + 1] * y + body[INVERSE + 2] * z)
    total += y * (body[INVERSE + 3] * x + body[INVERSE + 4] * y + body[INVERSE + 5] * z)
    return total + z * (body[INVERSE + 6] * x + body[INVERSE + 7] * y + body[INVERSE + 8] * z)


@njit(cache=True, nogil=True)
def push(body, rx, ry, rz, nx, ny, nz, impulse):
    """Change velocity and spin by an impulse along an axis n at the point at r."""
    x, y, z = ry * nz - rz * ny, rz * nx - rx * nz, rx * ny - ry * nx
    body[V] += nx * impulse * body[PER_MASS]
    body[V + 1] += ny * impulse * body[PER_MASS]
    body[V + 2] += nz * impulse * body[PER_MASS]
    for k in range(3):
        row = INVERSE + 3 * k
        body[W + k] += (body[row] * x + body[row + 1] * y + body[row + 2] * z) * impulse


@njit(cache=True, nogil=True)
def kinetic(body: np.ndarray) -> float:
    """Kinetic energy, J: m v^2 / 2 + w I w / 2."""
    total = 0.5 / body[PER_MASS] * (body[V] ** 2 + body[V + 1] ** 2 + body[V + 2] ** 2)
    for k in range(3):
        own = body[ROTATION + k] * body[W] + body[ROTATION + 3 + k] * body[W + 1] + body[ROTATION + 6 + k] * body[W + 2]
        total += 0.5 * body[OWN_INERTIA + k] * own * own
    return total


@njit(cache=True, nogil=True)
def meet(body: np.ndarray, contacts: np.ndarray, count: int, dt: float) -> None:
    """Find the impulses of all contacts at once, and apply them.

    Each contact has a target: to leave with the restitution times the speed of approach where it touches within the
    step and is fast (Newton), else not to cross the gap that there is. Projected Gauss-Seidel: impulses along normals
    stay positive, those along the plane at most the friction times them (Coulomb). With friction, Newton's restitution
    can add energy (Kane's paradox): then the contacts are solved once more without bouncing, which never adds any.
    """
    before = kinetic(body)
    vx, vy, vz, wx, wy, wz = body[V], body[V + 1], body[V + 2], body[W], body[W + 1], body[W + 2]
    is_bouncing, is_moving = False, False
    for k in range(count):
        row = contacts[k]
        _prepare(body, row)
        speed = _speed(body, row, AXES) - row[SURFACE]
        row[APPROACH] = speed
        row[TARGET] = -max(row[GAP], 0.0) / dt
        if speed < -REST_SPEED and row[GAP] + speed * dt < 0.0:
            row[TARGET] = -row[RESTITUTION] * speed
            is_bouncing = True
        is_moving = is_moving or row[SURFACE] != 0.0
    _solve(body, contacts, count, SWEEPS if is_bouncing else FEW_SWEEPS)
    if is_bouncing and not is_moving and kinetic(body) > before:
        body[V], body[V + 1], body[V + 2], body[W], body[W + 1], body[W + 2] = vx, vy, vz, wx, wy, wz
        for k in range(count):
            contacts[k, TARGET] = min(contacts[k, TARGET], 0.0)
        _solve(body, contacts, count, SWEEPS)


@njit(cache=True, nogil=True)
def _prepare(body: np.ndarray, row: np.ndarray) -> None:
    """Levers, turns and reduced masses of a contact along its normal (x, 0, z), and along (z, 0, -x) and y."""
    rx, ry, rz = row[PLACE], row[PLACE + 1], row[PLACE + 2]
    row[IMPULSE] = row[IMPULSE + 1] = row[IMPULSE + 2] = 0.0
    for k in range(3):
        at = AXES + k * AXIS_SIZE
        nx = row[NORMAL] if k == 0 else (row[NORMAL + 2] if k == 1 else 0.0)
        ny = 1.0 if k == 2 else 0.0
        nz = row[NORMAL + 2] if k == 0 else (-row[NORMAL] if k == 1 else 0.0)
        x, y, z = ry * nz - rz * ny, rz * nx - rx * nz, rx * ny - ry * nx
        a = body[INVERSE] * x + body[INVERSE + 1] * y + body[INVERSE + 2] * z
        b = body[INVERSE + 3] * x + body[INVERSE + 4] * y + body[INVERSE + 5] * z
        c = body[INVERSE + 6] * x + body[INVERSE + 7] * y + body[INVERSE + 8] * z
        row[at + LEVER], row[at + LEVER + 1], row[at + LEVER + 2] = x, y, z
        row[at + TURN], row[at + TURN + 1], row[at + TURN + 2] = a, b, c
        row[at + REDUCED] = 1.0 / (body[PER_MASS] + x * a + y * b + z * c)
        row[at + ALONG], row[at + ALONG + 1], row[at + ALONG + 2] = nx, ny, nz


@njit(cache=True, nogil=True, inline="always")
def _speed(body, row, at):
    return (
        row[at + ALONG] * body[V]
        + row[at + ALONG + 1] * body[V + 1]
        + row[at + ALONG + 2] * body[V + 2]
        + row[at + LEVER] * body[W]
        + row[at + LEVER + 1] * body[W + 1]
        + row[at + LEVER + 2] * body[W + 2]
    )


@njit(cache=True, nogil=True, inline="always")
def _apply(body, row, at, impulse):
    for a in range(3):
        body[V + a] += row[at + ALONG + a] * impulse * body[PER_MASS]
        body[W + a] += row[at + TURN + a] * impulse


@njit(cache=True, nogil=True)
def _solve(body: np.ndarray, contacts: np.ndarray, count: int, sweeps: int) -> None:
    first, second = AXES + AXIS_SIZE, AXES + 2 * AXIS_SIZE
    for k in range(count):
        contacts[k, IMPULSE] = contacts[k, IMPULSE + 1] = contacts[k, IMPULSE + 2] = 0.0
    for _ in range(sweeps):
        for k in range(count):
            row = contacts[k]
            lack = row[TARGET] + row[SURFACE] - _speed(body, row, AXES)
            pressed = max(row[IMPULSE] + lack * row[AXES + REDUCED], 0.0)
            if pressed != row[IMPULSE]:
                _apply(body, row, AXES, pressed - row[IMPULSE])
                row[IMPULSE] = pressed
            if pressed > 0.0 or row[IMPULSE + 1] != 0.0 or row[IMPULSE + 2] != 0.0:
                x = row[IMPULSE + 1] - _speed(body, row, first) * row[first + REDUCED]
                y = row[IMPULSE + 2] - _speed(body, row, second) * row[second + REDUCED]
                limit, length = row[FRICTION] * pressed, math.sqrt(x * x + y * y)
                if length > limit:
                    x, y = x * limit / length, y * limit / length
                _apply(body, row, first, x - row[IMPULSE + 1])
                _apply(body, row, second, y - row[IMPULSE + 2])
                row[IMPULSE + 1], row[IMPULSE + 2] = x, y
