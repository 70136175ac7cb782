"""Light of the CLEVR studio, compiled: three area lamps and a sun with soft shadows, grey ground, dim sky, metal.

Legend: a row of `lamps` (4, 10) is position x, y, z (for the sun: direction towards it); beam axis x, y, z (from the
lamp outwards); red, green, blue (radiance · area, for the sun irradiance); side of the square (sun: angular width).
Points, normals and directions are tuples (x, y, z); colours are linear (r, g, b). `spots` is (u, v, first, last): the
lamps are seen at the places first..last - 1 of a 2x2 raster over their squares, each moved by (u, v) within its cell.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.clevr.shapes import BOUND, MATERIAL, MISS, RED, compiled, hit, nearest, normal

KEY, FILL, BACK, SUN = range(4)
LAMP_POSITIONS = ((6.44671, -2.90517, 4.25840), (-4.67112, -4.01360, 3.01122), (-1.16850, 2.64602, 5.81574))
LAMP_JITTER = 1.0
LAMP_SIDES = (0.5, 0.5, 1.0)
# Beam axes (jittered lamps do not turn) and watts per channel, fitted to the ground of official images.
LAMP_AXES = ((-0.595, 0.574, -0.562), (0.686, 0.705, -0.181), (-0.171, -0.63, -0.758))
LAMP_WATTS = ((66.15, 61.14, 52.22), (17.23, 18.55, 23.13), (33.84, 33.81, 34.23))
SUN_DIRECTION = (0.414, -0.195, 0.889)
SUN_IRRADIANCE = 0.45
SUN_WIDTH = 0.1

# Studio constants, one array so that they can be fitted: ground albedo, sky radiance, share of the ground's light that
# reaches a solid, strength of the light between neighbours, rubber gloss and its roughness. Metal is a clear mirror
# (strength, roughness) over a diffuse body (the last number); on flat tops a part of the mirror is brushed (its share,
# roughness around and away from the vertical axis), which gives the bright sectors seen there.
STUDIO = np.array([0.85, 0.03, 0.82, 1.5, 0.04, 0.37, 0.81, 0.049, 0.66, 0.22, 0.32, 0.12])
GROUND, SKY, BOUNCE, NEIGHBOUR, GLOSS, GLOSS_ROUGHNESS, CLEAR, SHARP, BRUSHED, AROUND, AWAY, BODY = range(12)
BRUSHED_RAYS = 2
FLAT = 0.995
NEAR = 0.01
FAR = 40.0

Array = NDArray[np.float64]


def lamp_table(positions: Array) -> Array:
    """Lamp positions (3, 3) of key, fill and back → table (4, 10), the sun last."""
    table = np.zeros((4, 10))
    table[:3, :3] = positions
    table[:3, 3:6] = np.asarray(LAMP_AXES) / np.linalg.norm(LAMP_AXES, axis=1, keepdims=True)
    table[:3, 6:9] = np.asarray(LAMP_WATTS) / math.pi
    table[:3, 9] = LAMP_SIDES
    sun = np.asarray(SUN_DIRECTION) / np.linalg.norm(SUN_DIRECTION)
    table[SUN] = (*sun, *-sun, *[SUN_IRRADIANCE] * 3, SUN_WIDTH)
    return table


@compiled
def dot(a: tuple, b: tuple) -> float:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@compiled
def _towards(lamps: Array, k: int, p: tuple) -> tuple[tuple, float]:
    """Unit direction from p to the middle of lamp k, and its distance."""
    if k == SUN:
        return (lamps[k, 0], lamps[k, 1], lamps[k, 2]), MISS
    x, y, z = lamps[k, 0] - p[0], lamps[k, 1] - p[1], lamps[k, 2] - p[2]
    length = math.sqrt(x * x + y * y + z * z)
    scale = 1.0 / length
    return (x * scale, y * scale, z * scale), length


@compiled
def _towards_spot(lamps: Array, k: int, p: tuple, u: float, v: float) -> tuple[tuple, float]:
    """Unit direction from p to the spot (u, v in ±0.5) on the square of lamp k, and its distance."""
    ax, ay, az = lamps[k, 3], lamps[k, 4], lamps[k, 5]
    flat = math.sqrt(ax * ax + ay * ay)
    sx, sy = -ay / flat, ax / flat
    tx, ty, tz = -az * sy, az * sx, ax * sy - ay * sx
    u, v = u * lamps[k, 9], v * lamps[k, 9]
    x, y, z = lamps[k, 0] + u * sx + v * tx, lamps[k, 1] + u * sy + v * ty, lamps[k, 2] + v * tz
    if k != SUN:
        x, y, z = x - p[0], y - p[1], z - p[2]
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length), MISS if k == SUN else length


@compiled
def blockers(objects: Array, skip: int, lamps: Array, k: int, p: tuple) -> int:
    """Bit mask of the solids whose bounding sphere may hide some of lamp k from p."""
    d, length = _towards(lamps, k, p)
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


@compiled
def _is_hidden(objects: Array, mask: int, lamps: Array, k: int, p: tuple, u: float, v: float) -> bool:
    d, length = _towards_spot(lamps, k, p, u, v)
    for i in range(objects.shape[0]):  # noqa: SIM110 - numba compiles the loop, not the generator
        if mask >> i & 1 and hit(objects, i, p, d) < length:
            return True
    return False


@compiled
def lit_share(objects: Array, skip: int, lamps: Array, k: int, p: tuple, spots: tuple) -> float:
    """Share of the chosen spots of lamp k that p sees past the solids other than `skip`."""
    mask = blockers(objects, skip, lamps, k, p)
    if mask == 0:
        return 1.0
    u, v, first, last = spots
    lit = 0
    for s in range(first, last):
        hidden = _is_hidden(objects, mask, lamps, k, p, 0.5 * ((s & 1) + u) - 0.5, 0.5 * ((s >> 1) + v) - 0.5)
        lit += 0 if hidden else 1
    return lit / (last - first)


@compiled
def irradiance(lamps: Array, k: int, p: tuple, n: tuple) -> float:
    """Unshadowed irradiance at p with normal n from lamp k, relative to the lamp's colour."""
    d, length = _towards(lamps, k, p)
    cosine = dot(d, n)
    if cosine <= 0.0:
        return 0.0
    if k == SUN:
        return cosine
    return cosine * max(-dot(d, (lamps[k, 3], lamps[k, 4], lamps[k, 5])), 0.0) / (length * length)


@compiled
def direct(objects: Array, skip: int, lamps: Array, p: tuple, n: tuple, spots: tuple) -> tuple:
    """Shadowed irradiance (r, g, b) at p from all lamps."""
    r = g = b = 0.0
    for k in range(4):
        e = irradiance(lamps, k, p, n)
        if e > 0.0:
            e *= lit_share(objects, skip, lamps, k, p, spots)
            r, g, b = r + e * lamps[k, 6], g + e * lamps[k, 7], b + e * lamps[k, 8]
    return r, g, b


@compiled
def open_irradiance(lamps: Array, studio: Array, p: tuple, n: tuple) -> tuple:
    """Irradiance (r, g, b) at p from lamps and sky as if nothing stood in the way."""
    r = g = b = math.pi * studio[SKY] * 0.5 * (1.0 + n[2])
    for k in range(4):
        e = irradiance(lamps, k, p, n)
        r, g, b = r + e * lamps[k, 6], g + e * lamps[k, 7], b + e * lamps[k, 8]
    return r, g, b


@compiled
def neighbours(objects: Array, skip: int, lamps: Array, studio: Array, p: tuple, n: tuple) -> tuple:
    """Share of the surroundings that p with normal n still sees past the solids, and the light (r, g, b) they send.

    Each solid counts as a ball with the form factor of a distant disc, lit on the side that faces p.
    """
    share, r, g, b = 1.0, 0.0, 0.0, 0.0
    for i in range(objects.shape[0]):
        if i == skip:
            continue
        c = (objects[i, 0] - p[0], objects[i, 1] - p[1], objects[i, 2] - p[2])
        square, e = dot(c, c), objects[i, 3]
        if square > FAR * e * e:
            continue
        length = math.sqrt(square)
        f = min(1.0, max(dot(c, n), 0.0) * e * e / (square * length))
        share *= 1.0 - f
        if f > NEAR:
            m = (-c[0] / length, -c[1] / length, -c[2] / length)
            q = (objects[i, 0] + e * m[0], objects[i, 1] + e * m[1], objects[i, 2] + e * m[2])
            x, y, z = open_irradiance(lamps, studio, q, m)
            f *= studio[NEIGHBOUR]
            r, g, b = r + f * x * objects[i, RED], g + f * y * objects[i, RED + 1], b + f * z * objects[i, RED + 2]
    return share, r, g, b


@compiled
def ground_light(objects: Array, lamps: Array, studio: Array, p: tuple, spots: tuple) -> tuple:
    """Radiance of the ground at p."""
    up = (0.0, 0.0, 1.0)
    r, g, b = direct(objects, -1, lamps, p, up, spots)
    share, x, y, z = neighbours(objects, -1, lamps, studio, p, up)
    sky, albedo = math.pi * studio[SKY] * share, studio[GROUND] / math.pi
    return (r + x + sky) * albedo, (g + y + sky) * albedo, (b + z + sky) * albedo


@compiled
def indirect(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, n: tuple) -> tuple:
    """Irradiance at p on solid i from the sky above, the lit ground below and the neighbours."""
    spot = (p[0] + n[0] * p[2], p[1] + n[1] * p[2], 0.0)
    share, r, g, b = neighbours(objects, i, lamps, studio, p, n)
    x, y, z = open_irradiance(lamps, studio, spot, (0.0, 0.0, 1.0))
    sky = share * math.pi * studio[SKY] * 0.5 * (1.0 + n[2])
    ground = share * studio[GROUND] * studio[BOUNCE] * 0.5 * (1.0 - n[2])
    return r + sky + ground * x, g + sky + ground * y, b + sky + ground * z


@compiled
def matte(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, n: tuple, spots: tuple) -> tuple:
    """Radiance of a diffuse surface with the colour of solid i."""
    r, g, b = direct(objects, i, lamps, p, n, spots)
    x, y, z = indirect(objects, i, lamps, studio, p, n)
    return (
        (r + x) * objects[i, RED] / math.pi,
        (g + y) * objects[i, RED + 1] / math.pi,
        (b + z) * objects[i, RED + 2] / math.pi,
    )


@compiled
def frame(objects: Array, i: int, p: tuple, n: tuple) -> tuple[tuple, tuple]:
    """Unit tangents at p with normal n: around the vertical axis of solid i, and across that."""
    x, y = objects[i, 1] - p[1], p[0] - objects[i, 0]
    along = x * n[0] + y * n[1]
    x, y, z = x - along * n[0], y - along * n[1], -along * n[2]
    length = math.sqrt(x * x + y * y + z * z)
    a = (x / length, y / length, z / length) if length > 1e-6 else (1.0, 0.0, 0.0)
    return a, (n[1] * a[2] - n[2] * a[1], n[2] * a[0] - n[0] * a[2], n[0] * a[1] - n[1] * a[0])


@compiled
def shadowing(cosine: float, roughness: float) -> float:
    """Smith's masking term of a GGX surface (Walter et al., EGSR 2007, eq. 34)."""
    square = cosine * cosine
    return 2.0 * cosine / (cosine + math.sqrt(roughness * roughness * (1.0 - square) + square))


@compiled
def highlights(
    objects: Array, i: int, lamps: Array, p: tuple, n: tuple, d: tuple, ax: float, ay: float, spots: tuple
) -> tuple:
    """Radiance of the lamps in a GGX mirror of roughness ax around and ay away from the vertical axis, seen along d."""
    r = g = b = 0.0
    s, t = frame(objects, i, p, n)
    view = max(-dot(d, n), 0.02)
    mean = math.sqrt(ax * ay)
    for k in range(4):
        way, length = _towards(lamps, k, p)
        light, front = dot(way, n), -dot(way, (lamps[k, 3], lamps[k, 4], lamps[k, 5]))
        if light <= 0.0 or front <= 0.0:
            continue
        scale = 1.0 if k == SUN else 1.0 / length
        half = (way[0] - d[0], way[1] - d[1], way[2] - d[2])
        size = 0.04 * (lamps[k, 9] * scale) ** 2
        bx, by = ax * ax + size, ay * ay + size
        slope = dot(half, s) ** 2 / bx + dot(half, t) ** 2 / by + dot(half, n) ** 2
        f = dot(half, half) ** 2 / (math.pi * math.sqrt(bx * by) * slope * slope)
        f *= shadowing(view, mean) * shadowing(light, mean) / (4.0 * view) * front * scale * scale
        if f > 1e-5:
            f *= lit_share(objects, i, lamps, k, p, spots)
            r, g, b = r + f * lamps[k, 6], g + f * lamps[k, 7], b + f * lamps[k, 8]
    return r, g, b


@compiled
def _surroundings(objects: Array, lamps: Array, studio: Array, p: tuple, m: tuple, spots: tuple) -> tuple:
    """Radiance of the ground or the sky along m from p."""
    if m[2] > -1e-3:
        return studio[SKY], studio[SKY], studio[SKY]
    t = -p[2] / m[2]
    return ground_light(objects, lamps, studio, (p[0] + t * m[0], p[1] + t * m[1], 0.0), spots)


@compiled
def mirrored(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, m: tuple, spots: tuple) -> tuple:
    """Radiance met by a ray from p on solid i along m: another solid, the ground or the sky."""
    j, t = nearest(objects, ~(1 << i), p, m)
    if j < 0:
        return _surroundings(objects, lamps, studio, p, m, spots)
    q = (p[0] + t * m[0], p[1] + t * m[1], p[2] + t * m[2])
    n = normal(objects, j, q)
    if objects[j, MATERIAL] == 0.0:
        return matte(objects, j, lamps, studio, q, n, spots)
    twice = 2.0 * dot(m, n)
    k = studio[CLEAR]
    m = (m[0] - twice * n[0], m[1] - twice * n[1], m[2] - twice * n[2])
    r, g, b = _surroundings(objects, lamps, studio, q, m, spots)
    return k * r * objects[j, RED], k * g * objects[j, RED + 1], k * b * objects[j, RED + 2]


@compiled
def reflection(
    objects: Array,
    i: int,
    lamps: Array,
    studio: Array,
    p: tuple,
    n: tuple,
    d: tuple,
    ax: float,
    ay: float,
    rays: int,
    spots: tuple,
) -> tuple:
    """Radiance of everything but the lamps in a GGX mirror on metal solid i: rays through sampled half vectors."""
    s, t = frame(objects, i, p, n)
    view, mean = max(-dot(d, n), 0.02), math.sqrt(ax * ay)
    x, y, first, last = spots
    r = g = b = 0.0
    for k in range(first * rays, last * rays):
        level = (k + x) / (4.0 * rays)
        radius = math.sqrt(level / (1.0 - 0.93 * level))
        angle = 2.0 * math.pi * (y + 0.6180339887 * k)
        hx, hy = ax * radius * math.cos(angle), ay * radius * math.sin(angle)
        h = (n[0] + hx * s[0] + hy * t[0], n[1] + hx * s[1] + hy * t[1], n[2] + hx * s[2] + hy * t[2])
        twice = 2.0 * dot(d, h) / dot(h, h)
        m = (d[0] - twice * h[0], d[1] - twice * h[1], d[2] - twice * h[2])
        light = dot(m, n)
        if light > 0.0:
            f = shadowing(view, mean) * shadowing(light, mean) * min(-dot(d, h) / view, 2.0) / (rays * (last - first))
            a, e, c = mirrored(objects, i, lamps, studio, p, m, (x, y, 0, 4))
            r, g, b = r + f * a, g + f * e, b + f * c
    return r, g, b


@compiled
def metal(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, n: tuple, d: tuple, spots: tuple) -> tuple:
    """Radiance of metal solid i at p with normal n, seen along d."""
    r, g, b = matte(objects, i, lamps, studio, p, n, spots)
    r, g, b = studio[BODY] * r, studio[BODY] * g, studio[BODY] * b
    top = studio[BRUSHED] if n[2] > FLAT else 0.0
    for brushed in range(2):
        k = top if brushed else studio[CLEAR] - top
        if k == 0.0:
            continue
        ax, ay = (studio[AROUND], studio[AWAY]) if brushed else (studio[SHARP], studio[SHARP])
        x, y, z = highlights(objects, i, lamps, p, n, d, ax, ay, spots)
        rays = BRUSHED_RAYS if brushed else 1
        a, e, c = reflection(objects, i, lamps, studio, p, n, d, ax, ay, rays, spots)
        r += k * objects[i, RED] * (a + x)
        g += k * objects[i, RED + 1] * (e + y)
        b += k * objects[i, RED + 2] * (c + z)
    return r, g, b


@compiled
def surface(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, d: tuple, spots: tuple) -> tuple:
    """Radiance that leaves solid i at p against the viewing direction d."""
    n = normal(objects, i, p)
    if objects[i, MATERIAL] != 0.0:
        return metal(objects, i, lamps, studio, p, n, d, spots)
    k, rough = studio[GLOSS], studio[GLOSS_ROUGHNESS]
    r, g, b = matte(objects, i, lamps, studio, p, n, spots)
    x, y, z = highlights(objects, i, lamps, p, n, d, rough, rough, spots)
    return r + k * x, g + k * y, b + k * z
