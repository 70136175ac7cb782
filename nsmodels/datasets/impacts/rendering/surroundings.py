"""Table, floor, water and air as a ray meets them, compiled. Colours are linear."""

from __future__ import annotations

import math

from nsmodels.datasets.impacts.rendering.camera import compiled
from nsmodels.datasets.impacts.rendering.solids import FAR, NEAR, slab
from nsmodels.datasets.impacts.scenes import FLOOR, TABLE, TABLE_THICKNESS, WATER_LEVEL

SUN = (-0.45, -0.40, 0.80)  # unit direction of the light, from the left, behind the camera
TILE, PLANK = 0.12, 0.08  # m, patterns of floor and table, which give the scale
NOTHING, ON_TABLE, ON_FLOOR = range(3)


@compiled
def ground(ox, oy, oz, dx, dy, dz, cosine, sine, has_support):
    """Where a ray meets table or floor: t, which, normal. cosine, sine of the tilt of the table about the y axis."""
    best, which, nx, ny, nz = FAR, NOTHING, 0.0, 0.0, 1.0
    if dz < 0.0:
        t = (FLOOR - oz) / dz
        if t > NEAR:
            best, which = t, ON_FLOOR
    if has_support:
        t, x, y, z = _table(ox, oy, oz, dx, dy, dz, cosine, sine)
        if t < best:
            return t, ON_TABLE, x, y, z
    return best, which, nx, ny, nz


@compiled
def _table(ox, oy, oz, dx, dy, dz, cosine, sine):
    """The board of the table, in its own axes; the normal in those of the world."""
    # Turned about y by the tilt: x' = x cos - z sin, z' = x sin + z cos.
    px, pz = ox * cosine - oz * sine, ox * sine + oz * cosine + TABLE_THICKNESS / 2
    qx, qz = dx * cosine - dz * sine, dx * sine + dz * cosine
    x0, x1 = slab(px, qx, TABLE)
    y0, y1 = slab(oy, dy, TABLE)
    z0, z1 = slab(pz, qz, TABLE_THICKNESS / 2)
    enter, leave = max(x0, y0, z0), min(x1, y1, z1)
    if enter > leave or enter < NEAR:
        return FAR, 0.0, 0.0, 1.0
    if enter == z0:
        sign = -math.copysign(1.0, qz)
        return enter, sign * sine, 0.0, sign * cosine
    if enter == y0:
        return enter, 0.0, -math.copysign(1.0, dy), 0.0
    sign = -math.copysign(1.0, qx)
    return enter, sign * cosine, 0.0, -sign * sine


@compiled
def ground_colour(which, x, y, nz):
    """Colour of table or floor at a place: pale boards with dark joints, dark tiles."""
    if which == ON_FLOOR:
        is_dark = (math.floor(x / TILE) + math.floor(y / TILE)) % 2 == 0
        return (0.10, 0.11, 0.13) if is_dark else (0.16, 0.17, 0.19)
    shade = 0.92 + 0.08 * math.cos(2 * math.pi * x / PLANK)
    if nz < 0.5:
        shade *= 0.7
    return 0.42 * shade, 0.39 * shade, 0.34 * shade


@compiled
def sky(dx, dy, dz):
    """Colour that a ray meets where there is nothing: dim near the ground, a bright window above the camera."""
    high = 0.5 + 0.5 * dz
    window = max(0.0, dx * SUN[0] + dy * SUN[1] + dz * SUN[2]) ** 8
    return 0.18 + 0.35 * high + 1.2 * window, 0.19 + 0.37 * high + 1.2 * window, 0.22 + 0.42 * high + 1.2 * window


@compiled
def under_water(ox, oy, oz, dx, dy, dz, t):
    """Length of the ray's first t metres that lies in the basin, m."""
    x0, x1 = slab(ox, dx, TABLE)
    y0, y1 = slab(oy, dy, TABLE)
    z0, z1 = slab(oz - WATER_LEVEL / 2, dz, WATER_LEVEL / 2)
    return max(0.0, min(x1, y1, z1, t) - max(x0, y0, z0, 0.0))
