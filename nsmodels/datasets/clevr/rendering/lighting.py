"""Light of the CLEVR studio, compiled: three area lamps and a sun with soft shadows, grey ground, dim sky.

Legend: a row of `lamps` (4, 10) is position x, y, z (for the sun: direction towards it); beam axis x, y, z (from the
lamp outwards); red, green, blue (radiance · area, for the sun irradiance); side of the square (sun: angular width).
Points, normals and directions are tuples (x, y, z) in scene units, z upwards; colours are linear (r, g, b), 1.0 is
white. `spots` is (u, v, first, last): the sample points of a lamp are the cells first..last - 1 of a 2x2 raster over
its square, each moved by (u, v) in [0, 1) within its cell.

Radiance L is light per area and solid angle, what a ray carries; irradiance E is light per area received, the integral
of L cos θ over the hemisphere; a diffuse surface of albedo ρ has the radiosity ρ E and the radiance ρ E / π.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.clevr.rendering.shapes import BOUND, MISS, RED, compiled, hit

KEY, FILL, BACK, SUN = range(4)
# Places of key, fill and back lamp in the base scene of the release, each moved by U(-1, 1) along every axis.
LAMP_POSITIONS = ((6.44671, -2.90517, 4.25840), (-4.67112, -4.01360, 3.01122), (-1.16850, 2.64602, 5.81574))
LAMP_JITTER = 1.0
LAMP_SIDES = (0.5, 0.5, 1.0)
# Beam axes (jittered lamps do not turn) and watts per channel, fitted to the ground of official images, as is the sun.
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
# Solids with a form factor below NEAR only hide, their own light is left out; those with a squared distance above FAR
# squared half extents are left out altogether: their form factor is below 1 / FAR.
NEAR = 0.01
FAR = 40.0

Array = NDArray[np.float64]


def lamp_table(positions: Array) -> Array:
    """Lamp positions (3, 3) of key, fill and back → table (4, 10), the sun last."""
    # A one-sided Lambertian emitter of power Φ has Φ = π L A, so radiance · area is watts / π.
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
def lamp_direction(lamps: Array, k: int, p: tuple) -> tuple[tuple, float]:
    """Unit direction from p to the middle of lamp k, and its distance (`MISS` for the sun)."""
    if k == SUN:
        return (lamps[k, 0], lamps[k, 1], lamps[k, 2]), MISS
    x, y, z = lamps[k, 0] - p[0], lamps[k, 1] - p[1], lamps[k, 2] - p[2]
    length = math.sqrt(x * x + y * y + z * z)
    scale = 1.0 / length
    return (x * scale, y * scale, z * scale), length


@compiled
def _lamp_sample(lamps: Array, k: int, p: tuple, u: float, v: float) -> tuple[tuple, float]:
    """Unit direction from p to the point (u, v in ±0.5) on the square of lamp k, and its distance."""
    # The square is perpendicular to the beam axis a; its sides are s = z × a / |z × a|, which is horizontal, and
    # t = a × s. For the sun the square is at distance 1, so its side is an angle in radians.
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
def occluders(objects: Array, skip: int, lamps: Array, k: int, p: tuple, d: tuple, length: float) -> int:
    """Bit mask of the solids whose bounding sphere may hide some of lamp k, at `length` along d, from p."""
    # The rays from p to the lamp fill a cone around d that is as wide as half the square's diagonal, 0.71 side, at the
    # lamp. A sphere at depth `along` cuts it if the axis is nearer than its radius and the cone's: |c|² - along² is the
    # squared distance of the centre from the axis.
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
    d, length = _lamp_sample(lamps, k, p, u, v)
    for i in range(objects.shape[0]):  # noqa: SIM110 - numba compiles the loop, not the generator
        if mask >> i & 1 and hit(objects, i, p, d) < length:
            return True
    return False


@compiled
def visibility(
    objects: Array, skip: int, lamps: Array, k: int, p: tuple, d: tuple, length: float, spots: tuple
) -> float:
    """Share in [0, 1] of the sample points of lamp k, at `length` along d, not hidden from p by solids but `skip`."""
    # The soft shadow by stratified sampling: the lamp's light times the visible share of its area. Most points have no
    # occluder in the cone of the whole lamp, and need no shadow ray.
    mask = occluders(objects, skip, lamps, k, p, d, length)
    if mask == 0:
        return 1.0
    u, v, first, last = spots
    lit = 0
    for s in range(first, last):
        hidden = _is_hidden(objects, mask, lamps, k, p, 0.5 * ((s & 1) + u) - 0.5, 0.5 * ((s >> 1) + v) - 0.5)
        lit += 0 if hidden else 1
    return lit / (last - first)


@compiled
def irradiance(lamps: Array, k: int, n: tuple, d: tuple, length: float) -> float:
    """Unshadowed irradiance on a face of normal n from lamp k, at `length` along d, relative to the lamp's colour."""
    # A small area A of radiance L at distance r: E = L A cos θ cos θ' / r², θ at the face, θ' at the lamp, which
    # radiates forwards only. The lamps are small against their distance, so one point, the middle, is enough.
    cosine = dot(d, n)
    if cosine <= 0.0:
        return 0.0
    if k == SUN:
        return cosine
    return cosine * max(-dot(d, (lamps[k, 3], lamps[k, 4], lamps[k, 5])), 0.0) / (length * length)


@compiled
def direct_irradiance(objects: Array, skip: int, lamps: Array, p: tuple, n: tuple, spots: tuple) -> tuple:
    """Shadowed irradiance (r, g, b) at p from all lamps."""
    r = g = b = 0.0
    for k in range(4):
        d, length = lamp_direction(lamps, k, p)
        e = irradiance(lamps, k, n, d, length)
        if e > 0.0:
            e *= visibility(objects, skip, lamps, k, p, d, length, spots)
            r, g, b = r + e * lamps[k, 6], g + e * lamps[k, 7], b + e * lamps[k, 8]
    return r, g, b


@compiled
def open_irradiance(lamps: Array, studio: Array, p: tuple, n: tuple) -> tuple:
    """Irradiance (r, g, b) at p from lamps and sky without any occlusion."""
    # A uniform sky of radiance L over a face whose normal is tilted by β: E = π L (1 + cos β) / 2, and cos β = n_z.
    r = g = b = math.pi * studio[SKY] * 0.5 * (1.0 + n[2])
    for k in range(4):
        d, length = lamp_direction(lamps, k, p)
        e = irradiance(lamps, k, n, d, length)
        r, g, b = r + e * lamps[k, 6], g + e * lamps[k, 7], b + e * lamps[k, 8]
    return r, g, b


@compiled
def neighbour_light(objects: Array, skip: int, lamps: Array, studio: Array, p: tuple, n: tuple) -> tuple:
    """Share of the surroundings not hidden by solids at p with normal n, and the irradiance (r, g, b) from the solids.

    Each solid counts as a ball with the form factor of a distant disc, lit on the side that faces p.
    """
    # Form factor of a ball of radius e at distance D, at an angle θ to the normal: F = cos θ · e² / D², exact while it
    # is wholly above the horizon. It hides the share F of the surroundings (several hide independently: the product of
    # 1 - F) and sends E = F · B with the radiosity B = ρ · E(q) of its point q that faces p. NEIGHBOUR is a fitted
    # strength: it covers what this leaves out.
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
def ground_radiance(objects: Array, lamps: Array, studio: Array, p: tuple, spots: tuple) -> tuple:
    """Radiance (r, g, b) of the ground, a Lambertian plane, at p."""
    up = (0.0, 0.0, 1.0)
    r, g, b = direct_irradiance(objects, -1, lamps, p, up, spots)
    share, x, y, z = neighbour_light(objects, -1, lamps, studio, p, up)
    sky, albedo = math.pi * studio[SKY] * share, studio[GROUND] / math.pi
    return (r + x + sky) * albedo, (g + y + sky) * albedo, (b + z + sky) * albedo


@compiled
def indirect_irradiance(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, n: tuple) -> tuple:
    """Irradiance (r, g, b) at p on solid i from the sky above, the lit ground below and the neighbours."""
    # A face tilted by β receives (1 + cos β) / 2 of its light from the sky and (1 - cos β) / 2 from the ground, whose
    # radiosity is albedo · E at a representative point: below p, moved by p's height in the direction of the face.
    # BOUNCE is the fitted share that arrives, as shadows on the ground are not traced here.
    spot = (p[0] + n[0] * p[2], p[1] + n[1] * p[2], 0.0)
    share, r, g, b = neighbour_light(objects, i, lamps, studio, p, n)
    x, y, z = open_irradiance(lamps, studio, spot, (0.0, 0.0, 1.0))
    sky = share * math.pi * studio[SKY] * 0.5 * (1.0 + n[2])
    ground = share * studio[GROUND] * studio[BOUNCE] * 0.5 * (1.0 - n[2])
    return r + sky + ground * x, g + sky + ground * y, b + sky + ground * z
