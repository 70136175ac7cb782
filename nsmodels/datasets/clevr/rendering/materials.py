"""What rubber and metal make of the light, compiled: a dull gloss over a matte body, or a GGX mirror, brushed on top.

Legend: see `lighting`. Points, normals and directions are tuples; d is the viewing direction, m a mirrored one.
"""

from __future__ import annotations

import math

from nsmodels.datasets.clevr.rendering.lighting import (
    AROUND,
    AWAY,
    BODY,
    BRUSHED,
    CLEAR,
    GLOSS,
    GLOSS_ROUGHNESS,
    SHARP,
    SKY,
    SUN,
    Array,
    direct,
    dot,
    ground_light,
    indirect,
    lit_share,
    towards,
)
from nsmodels.datasets.clevr.rendering.shapes import MATERIAL, RED, compiled, nearest, normal

BRUSHED_RAYS = 2
# Only faces this level are brushed: the lowest vertical part of the normal.
FLAT = 0.995


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
        way, length = towards(lamps, k, p)
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
            f *= lit_share(objects, i, lamps, k, p, way, length, spots)
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
