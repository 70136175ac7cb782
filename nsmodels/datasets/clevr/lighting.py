"""Light of the CLEVR studio, compiled: three area lamps and a sun with soft shadows, grey ground, dim sky, metal.

Legend: a row of `lamps` (4, 10) is position x, y, z (for the sun: direction towards it); beam axis x, y, z (from the
lamp outwards); red, green, blue (radiance · area, for the sun irradiance); side of the square (sun: angular width).
Points, normals and directions are tuples (x, y, z); colours are linear (r, g, b).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.clevr.shapes import BOUND, MATERIAL, MISS, RED, hit, nearest, normal

KEY, FILL, BACK, SUN = range(4)
LAMP_POSITIONS = ((6.44671, -2.90517, 4.25840), (-4.67112, -4.01360, 3.01122), (-1.16850, 2.64602, 5.81574))
LAMP_JITTER = 1.0
LAMP_WATTS = (78.54, 23.56, 39.27)
LAMP_SIDES = (0.5, 0.5, 1.0)
LAMP_COLORS = ((1.0, 0.932, 0.817), (0.762, 0.818, 1.0), (1.0, 1.0, 1.0))
SUN_DIRECTION = (0.414, -0.195, 0.889)
SUN_IRRADIANCE = 0.45
SUN_WIDTH = 0.1

# Studio constants, one array so that they can be fitted: ground albedo, sky radiance, share of the bounce light from the
# ground, strength of contact shadows, rubber gloss, rubber roughness, metal reflectance, metal roughness.
STUDIO = np.array([0.8, 0.051, 1.0, 1.0, 0.04, 0.4, 0.8, 0.15])
GROUND, SKY, BOUNCE, CONTACT, GLOSS, GLOSS_ROUGHNESS, MIRROR, MIRROR_ROUGHNESS = range(8)

Array = NDArray[np.float64]


def lamp_table(positions: Array) -> Array:
    """Lamp positions (3, 3) of key, fill and back → table (4, 10), the sun last."""
    table = np.zeros((4, 10))
    table[:3, :3] = positions
    table[:3, 3:6] = -np.asarray(LAMP_POSITIONS) / np.linalg.norm(LAMP_POSITIONS, axis=1, keepdims=True)
    table[:3, 6:9] = np.asarray(LAMP_COLORS) * np.asarray(LAMP_WATTS)[:, None] / math.pi
    table[:3, 9] = LAMP_SIDES
    table[SUN] = (*SUN_DIRECTION, *(-x for x in SUN_DIRECTION), *[SUN_IRRADIANCE] * 3, SUN_WIDTH)
    return table


@njit(cache=True, nogil=True, inline="always")
def dot(a: tuple, b: tuple) -> float:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, nogil=True)
def _towards(lamps: Array, k: int, p: tuple, u: float, v: float) -> tuple[tuple, float]:
    """Unit direction from p to the spot (u, v in ±0.5) on lamp k, and its distance."""
    ax, ay, az = lamps[k, 3], lamps[k, 4], lamps[k, 5]
    flat = max(math.sqrt(ax * ax + ay * ay), 1e-9)
    sx, sy = -ay / flat, ax / flat
    tx, ty, tz = -az * sy, az * sx, ax * sy - ay * sx
    u, v = u * lamps[k, 9], v * lamps[k, 9]
    x, y, z = lamps[k, 0] + u * sx + v * tx, lamps[k, 1] + u * sy + v * ty, lamps[k, 2] + v * tz
    if k == SUN:
        length = math.sqrt(x * x + y * y + z * z)
        return (x / length, y / length, z / length), MISS
    x, y, z = x - p[0], y - p[1], z - p[2]
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length), length


@njit(cache=True, nogil=True)
def blockers(objects: Array, skip: int, lamps: Array, k: int, p: tuple) -> int:
    """Bit mask of the solids whose bounding sphere may hide some of lamp k from p."""
    d, length = _towards(lamps, k, p, 0.0, 0.0)
    spread = 0.71 * lamps[k, 9] / (1.0 if k == SUN else length)
    mask = 0
    for i in range(objects.shape[0]):
        if i == skip:
            continue
        c = (objects[i, 0] - p[0], objects[i, 1] - p[1], objects[i, 2] - p[2])
        along = dot(c, d)
        reach = objects[i, BOUND] + spread * max(along, 0.0)
        if along > -reach and dot(c, c) - along * along < reach * reach:
            mask |= 1 << i
    return mask


@njit(cache=True, nogil=True)
def is_lit(objects: Array, mask: int, lamps: Array, k: int, p: tuple, u: float, v: float) -> bool:
    """Whether the spot (u, v) on lamp k is seen from p past the solids in `mask`."""
    d, length = _towards(lamps, k, p, u, v)
    for i in range(objects.shape[0]):
        if mask >> i & 1 and hit(objects, i, p, d) < length:
            return False
    return True


@njit(cache=True, nogil=True)
def irradiance(lamps: Array, k: int, p: tuple, n: tuple) -> float:
    """Unshadowed irradiance at p with normal n from lamp k, relative to the lamp's colour."""
    d, length = _towards(lamps, k, p, 0.0, 0.0)
    cosine = dot(d, n)
    if cosine <= 0.0:
        return 0.0
    if k == SUN:
        return cosine
    return cosine * max(-dot(d, (lamps[k, 3], lamps[k, 4], lamps[k, 5])), 0.0) / (length * length)


@njit(cache=True, nogil=True)
def contact(objects: Array, skip: int, p: tuple, n: tuple) -> float:
    """Share of the sky that p with normal n still sees past the solids, each taken as a ball."""
    share = 1.0
    for i in range(objects.shape[0]):
        if i != skip:
            c = (objects[i, 0] - p[0], objects[i, 1] - p[1], objects[i, 2] - p[2])
            square, e = dot(c, c), objects[i, 3]
            share *= 1.0 - min(1.0, max(dot(c, n), 0.0) * e * e / (square * math.sqrt(square)))
    return share


@njit(cache=True, nogil=True)
def lobe(cosine: float, roughness: float) -> float:
    """Normalised Blinn-Phong highlight density per solid angle around a mirror direction."""
    power = 2.0 / (roughness * roughness)
    return (power + 1.0) / (2.0 * math.pi) * math.exp(-power * (1.0 - min(cosine, 1.0)))


@njit(cache=True, nogil=True)
def direct(objects: Array, skip: int, lamps: Array, p: tuple, n: tuple, u: float, v: float) -> tuple:
    """Shadowed irradiance (r, g, b) at p from all lamps, one lamp spot each."""
    r = g = b = 0.0
    for k in range(4):
        e = irradiance(lamps, k, p, n)
        if e > 0.0:
            mask = blockers(objects, skip, lamps, k, p)
            if mask == 0 or is_lit(objects, mask, lamps, k, p, u, v):
                r, g, b = r + e * lamps[k, 6], g + e * lamps[k, 7], b + e * lamps[k, 8]
    return r, g, b


@njit(cache=True, nogil=True)
def ground_light(objects: Array, lamps: Array, studio: Array, p: tuple, u: float, v: float) -> tuple:
    """Radiance of the ground at p."""
    up = (0.0, 0.0, 1.0)
    r, g, b = direct(objects, -1, lamps, p, up, u, v)
    share = 1.0 - studio[CONTACT] * (1.0 - contact(objects, -1, p, up))
    sky, albedo = math.pi * studio[SKY] * share, studio[GROUND] / math.pi
    return (r + sky) * albedo, (g + sky) * albedo, (b + sky) * albedo


@njit(cache=True, nogil=True)
def bounce(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, n: tuple) -> tuple:
    """Irradiance at p from the sky above and the lit ground below, past the neighbours."""
    up, below = 0.5 * (1.0 + n[2]), 0.5 * (1.0 - n[2])
    spot = (p[0] + n[0] * p[2], p[1] + n[1] * p[2], 0.0)
    e = [0.0, 0.0, 0.0]
    for k in range(4):
        f = irradiance(lamps, k, spot, (0.0, 0.0, 1.0))
        for c in range(3):
            e[c] += f * lamps[k, 6 + c]
    share = 1.0 - studio[CONTACT] * (1.0 - contact(objects, i, p, n))
    sky = math.pi * studio[SKY]
    ground = studio[GROUND] * studio[BOUNCE] * below
    return (
        share * (up * sky + ground * (e[0] + sky)),
        share * (up * sky + ground * (e[1] + sky)),
        share * (up * sky + ground * (e[2] + sky)),
    )


@njit(cache=True, nogil=True)
def matte(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, n: tuple, u: float, v: float) -> tuple:
    """Radiance of a diffuse surface with the colour of solid i."""
    r, g, b = direct(objects, i, lamps, p, n, u, v)
    x, y, z = bounce(objects, i, lamps, studio, p, n)
    return (
        (r + x) * objects[i, RED] / math.pi,
        (g + y) * objects[i, RED + 1] / math.pi,
        (b + z) * objects[i, RED + 2] / math.pi,
    )


@njit(cache=True, nogil=True)
def highlights(objects: Array, i: int, lamps: Array, p: tuple, m: tuple, roughness: float, u: float, v: float) -> tuple:
    """Radiance of the lamps seen in the blurred mirror direction m."""
    r = g = b = 0.0
    for k in range(3):
        d, length = _towards(lamps, k, p, 0.0, 0.0)
        front = -dot(d, (lamps[k, 3], lamps[k, 4], lamps[k, 5]))
        size = lamps[k, 9] / length
        f = lobe(dot(d, m), math.sqrt(roughness * roughness + 0.35 * size * size))
        f *= max(front, 0.0) / (length * length)
        if f > 1e-5:
            mask = blockers(objects, i, lamps, k, p)
            if mask == 0 or is_lit(objects, mask, lamps, k, p, u, v):
                r, g, b = r + f * lamps[k, 6], g + f * lamps[k, 7], b + f * lamps[k, 8]
    return r, g, b


@njit(cache=True, nogil=True)
def mirrored(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, m: tuple, u: float, v: float) -> tuple:
    """Radiance met by a ray from p on solid i along m: another solid, the ground or the sky."""
    j, t = nearest(objects, i, p, m)
    if j >= 0:
        q = (p[0] + t * m[0], p[1] + t * m[1], p[2] + t * m[2])
        return matte(objects, j, lamps, studio, q, normal(objects, j, q), u, v)
    if m[2] > -1e-3:
        return studio[SKY], studio[SKY], studio[SKY]
    t = -p[2] / m[2]
    return ground_light(objects, lamps, studio, (p[0] + t * m[0], p[1] + t * m[1], 0.0), u, v)


@njit(cache=True, nogil=True)
def surface(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, d: tuple, u: float, v: float) -> tuple:
    """Radiance that leaves solid i at p against the viewing direction d."""
    n = normal(objects, i, p)
    facing = dot(d, n)
    m = (d[0] - 2 * facing * n[0], d[1] - 2 * facing * n[1], d[2] - 2 * facing * n[2])
    if objects[i, MATERIAL] == 0.0:
        r, g, b = matte(objects, i, lamps, studio, p, n, u, v)
        x, y, z = highlights(objects, i, lamps, p, m, studio[GLOSS_ROUGHNESS], u, v)
        k = studio[GLOSS]
        return r + k * x, g + k * y, b + k * z
    r, g, b = mirrored(objects, i, lamps, studio, p, m, u, v)
    x, y, z = highlights(objects, i, lamps, p, m, studio[MIRROR_ROUGHNESS], u, v)
    k = studio[MIRROR]
    return k * objects[i, RED] * (r + x), k * objects[i, RED + 1] * (g + y), k * objects[i, RED + 2] * (b + z)
