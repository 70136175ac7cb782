"""Where a ray meets a solid in the axes of the solid: boxes, cups, cylinders, balls and capsules, compiled.

A ray is o + t d with unit d. Every function returns t and the normal there; t is FAR where the ray misses.
"""

from __future__ import annotations

import math

from nsmodels.datasets.impacts.rendering.camera import compiled

FAR = 1e9
NEAR = 1e-5
BLOCK, CUP, CYLINDER, BALL, CAPSULE = range(5)


@compiled
def meet(
    kind: int,
    ox: float,
    oy: float,
    oz: float,
    dx: float,
    dy: float,
    dz: float,
    a: float,
    b: float,
    c: float,
    wall: float,
):
    """Nearest meeting in front of o: a, b, c are half the extents; a capsule goes from its tip at 0 to 2c."""
    if kind == BLOCK:
        return block(ox, oy, oz, dx, dy, dz, a, b, c)
    if kind == CUP:
        return cup(ox, oy, oz, dx, dy, dz, a, b, c, wall)
    if kind == CYLINDER:
        return cylinder(ox, oy, oz, dx, dy, dz, a, c)
    if kind == BALL:
        return ball(ox, oy, oz, dx, dy, dz, a)
    return capsule(ox, oy, oz, dx, dy, dz, a, c)


@compiled
def slab(o: float, d: float, a: float) -> tuple[float, float]:
    """When a ray is between -a and a on one axis."""
    if abs(d) < 1e-12:
        return (-FAR, FAR) if abs(o) <= a else (FAR, -FAR)
    first, last = (-a - o) / d, (a - o) / d
    return (first, last) if first < last else (last, first)


@compiled
def block(ox, oy, oz, dx, dy, dz, a, b, c):
    """A box: the ray is inside while it is between all three pairs of faces."""
    x0, x1 = slab(ox, dx, a)
    y0, y1 = slab(oy, dy, b)
    z0, z1 = slab(oz, dz, c)
    enter, leave = max(x0, y0, z0), min(x1, y1, z1)
    if enter > leave or leave < NEAR:
        return FAR, 0.0, 0.0, 1.0
    if enter < NEAR:
        return FAR, 0.0, 0.0, 1.0
    if enter == x0:
        return enter, -math.copysign(1.0, dx), 0.0, 0.0
    if enter == y0:
        return enter, 0.0, -math.copysign(1.0, dy), 0.0
    return enter, 0.0, 0.0, -math.copysign(1.0, dz)


@compiled
def cup(ox, oy, oz, dx, dy, dz, a, b, c, wall):
    """A box without a top: its bottom and four walls."""
    best = block(ox, oy, oz + c - wall / 2, dx, dy, dz, a, b, wall / 2)
    for side in range(4):
        sign = 1.0 if side % 2 == 0 else -1.0
        if side < 2:
            found = block(ox - sign * (a - wall / 2), oy, oz, dx, dy, dz, wall / 2, b, c)
        else:
            found = block(ox, oy - sign * (b - wall / 2), oz, dx, dy, dz, a, wall / 2, c)
        if found[0] < best[0]:
            best = found
    return best


@compiled
def cylinder(ox, oy, oz, dx, dy, dz, radius, c):
    """An upright cylinder with flat ends at -c and c."""
    z0, z1 = slab(oz, dz, c)
    square = dx * dx + dy * dy
    along = ox * dx + oy * dy
    outside = ox * ox + oy * oy - radius * radius
    if square < 1e-12:
        r0, r1 = (-FAR, FAR) if outside <= 0 else (FAR, -FAR)
    else:
        root = along * along - square * outside
        if root < 0:
            return FAR, 0.0, 0.0, 1.0
        root = math.sqrt(root)
        r0, r1 = (-along - root) / square, (-along + root) / square
    enter, leave = max(r0, z0), min(r1, z1)
    if enter > leave or enter < NEAR:
        return FAR, 0.0, 0.0, 1.0
    if enter == z0:
        return enter, 0.0, 0.0, -math.copysign(1.0, dz)
    return enter, (ox + enter * dx) / radius, (oy + enter * dy) / radius, 0.0


@compiled
def ball(ox, oy, oz, dx, dy, dz, radius):
    """A ball around 0."""
    along = ox * dx + oy * dy + oz * dz
    root = along * along - (ox * ox + oy * oy + oz * oz - radius * radius)
    if root < 0:
        return FAR, 0.0, 0.0, 1.0
    t = -along - math.sqrt(root)
    if t < NEAR:
        return FAR, 0.0, 0.0, 1.0
    return t, (ox + t * dx) / radius, (oy + t * dy) / radius, (oz + t * dz) / radius


@compiled
def capsule(ox, oy, oz, dx, dy, dz, radius, c):
    """A rod from 0 to 2c with a round tip at 0."""
    tip = ball(ox, oy, oz, dx, dy, dz, radius)
    rod = cylinder(ox, oy, oz - c, dx, dy, dz, radius, c)
    return tip if tip[0] < rod[0] else rod
