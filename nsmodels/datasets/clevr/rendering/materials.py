"""Reflection of light by rubber and metal, compiled: a Lambertian body under a GGX gloss or a GGX mirror.

Legend: see `lighting`. p is a point, n its unit normal, d the unit viewing direction (from the eye to p), m a reflected
direction; v = -d and l are the unit directions from p to the eye and to a light; s, t are unit tangents.

Both specular terms are the microfacet model of Walter et al., "Microfacet Models for Refraction through Rough
Surfaces" (EGSR 2007), with the GGX (Trowbridge-Reitz) distribution D of the facets' normals h and Smith's masking G:

    f_r(v, l) = D(h) · G(v, l) / (4 (n·v) (n·l)),    h = (v + l) / |v + l|

The Fresnel factor, in Schlick's form F0 + (1 - F0) (1 - h·v)^5, is constant here: a fitted weight, and for metal the
colour. A roughness is the α of D: the median of the facets' slopes tan θ_h, by projected area.
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
    direct_irradiance,
    dot,
    ground_radiance,
    indirect_irradiance,
    lamp_direction,
    visibility,
)
from nsmodels.datasets.clevr.rendering.shapes import MATERIAL, RED, compiled, nearest, normal

BRUSHED_RAYS = 2  # reflected rays per lamp spot: the brushed lobe is 4 to 7 times as wide as the clear one
FLAT = 0.995  # lowest n_z of a brushed face: within 5.7 degrees of level


@compiled
def diffuse(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, n: tuple, spots: tuple) -> tuple:
    """Radiance (r, g, b) of a Lambertian surface with the colour of solid i."""
    # Lambert: the radiance is the same in all directions, L = albedo · E / π for the irradiance E. The π is the
    # cosine integrated over the hemisphere: the radiosity π L must be the reflected share of E.
    r, g, b = direct_irradiance(objects, i, lamps, p, n, spots)
    x, y, z = indirect_irradiance(objects, i, lamps, studio, p, n)
    return (
        (r + x) * objects[i, RED] / math.pi,
        (g + y) * objects[i, RED + 1] / math.pi,
        (b + z) * objects[i, RED + 2] / math.pi,
    )


@compiled
def tangent_frame(objects: Array, i: int, p: tuple, n: tuple) -> tuple[tuple, tuple]:
    """Unit tangents s, t at p with normal n: around the vertical axis of solid i, and away from it."""
    # With c the centre, z × (p - c) = (c_y - p_y, p_x - c_x, 0) runs around the axis, as a lathe's grooves do.
    # Gram-Schmidt takes its part along n off; t = n × s completes the frame. On the axis any tangent will do.
    x, y = objects[i, 1] - p[1], p[0] - objects[i, 0]
    along = x * n[0] + y * n[1]
    x, y, z = x - along * n[0], y - along * n[1], -along * n[2]
    length = math.sqrt(x * x + y * y + z * z)
    a = (x / length, y / length, z / length) if length > 1e-6 else (1.0, 0.0, 0.0)
    return a, (n[1] * a[2] - n[2] * a[1], n[2] * a[0] - n[0] * a[2], n[0] * a[1] - n[1] * a[0])


@compiled
def smith_masking(cosine: float, roughness: float) -> float:
    """Smith's masking G1 of a GGX surface: share of the facets visible at this cosine to the normal, in [0, 1]."""
    # Walter et al., eq. 34: G1 = 2 / (1 + sqrt(1 + α² tan²θ)), multiplied by cos θ in both parts, which saves the
    # tangent. The facets must be visible from the eye and from the light: G(v, l) = G1(v) · G1(l).
    square = cosine * cosine
    return 2.0 * cosine / (cosine + math.sqrt(roughness * roughness * (1.0 - square) + square))


@compiled
def lamp_specular(
    objects: Array, i: int, lamps: Array, p: tuple, n: tuple, d: tuple, ax: float, ay: float, spots: tuple
) -> tuple:
    """Radiance (r, g, b) of the lamps in a GGX mirror seen along d.

    `ax` and `ay` are its roughness around the vertical axis and away from it.
    """
    # The integral of f_r · L · (n·l) over the solid angle of a small lamp. A lamp of radiance L, area A and cosine
    # `front` to its axis fills A · front / length², and n·l cancels:
    #     D · G / (4 n·v) · (L · A) · front / length²
    # where L · A are the lamp's colours in the table (for the sun the irradiance, without a distance).
    r = g = b = 0.0
    s, t = tangent_frame(objects, i, p, n)
    view = max(-dot(d, n), 0.02)  # n·v, kept from zero where a face is seen edge on
    mean = math.sqrt(ax * ay)  # one roughness for G, which depends on it weakly
    for k in range(4):
        way, length = lamp_direction(lamps, k, p)
        light, front = dot(way, n), -dot(way, (lamps[k, 3], lamps[k, 4], lamps[k, 5]))
        if light <= 0.0 or front <= 0.0:
            continue
        scale = 1.0 if k == SUN else 1.0 / length
        half = (way[0] - d[0], way[1] - d[1], way[2] - d[2])  # l + v, not normalised
        # The lamp is not a point: its highlight is the lobe convolved with the lamp. A square of angular width w has
        # variance w²/12 along an axis; h turns half as far as l, so w²/48; as α² is twice the variance of a Gaussian
        # slope, this adds w²/24 ≈ 0.04 w² to α².
        size = 0.04 * (lamps[k, 9] * scale) ** 2
        bx, by = ax * ax + size, ay * ay + size
        # Anisotropic GGX: D = 1 / (π αx αy ((h·s)²/αx² + (h·t)²/αy² + (h·n)²)²) for a unit h. With H = l + v in its
        # place the bracket grows by |H|², its square by |H|⁴: hence the factor (H·H)².
        slope = dot(half, s) ** 2 / bx + dot(half, t) ** 2 / by + dot(half, n) ** 2
        f = dot(half, half) ** 2 / (math.pi * math.sqrt(bx * by) * slope * slope)
        f *= smith_masking(view, mean) * smith_masking(light, mean) / (4.0 * view) * front * scale * scale
        if f > 1e-5:  # else hardly a level of 8 bits, and shadow rays are the expensive part
            f *= visibility(objects, i, lamps, k, p, way, length, spots)
            r, g, b = r + f * lamps[k, 6], g + f * lamps[k, 7], b + f * lamps[k, 8]
    return r, g, b


@compiled
def _environment_radiance(objects: Array, lamps: Array, studio: Array, p: tuple, m: tuple, spots: tuple) -> tuple:
    """Radiance (r, g, b) of the ground or the sky along m from p, other solids ignored."""
    if m[2] > -1e-3:
        return studio[SKY], studio[SKY], studio[SKY]
    t = -p[2] / m[2]
    return ground_radiance(objects, lamps, studio, (p[0] + t * m[0], p[1] + t * m[1], 0.0), spots)


@compiled
def incoming_radiance(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, m: tuple, spots: tuple) -> tuple:
    """Radiance (r, g, b) that arrives at p on solid i from direction m: of a different solid, the ground or the sky."""
    # Ray tracing of limited depth: rubber in a mirror shows its diffuse light only; metal in a mirror is a perfect
    # mirror that shows ground and sky, so a third reflection is never traced.
    j, t = nearest(objects, ~(1 << i), p, m)
    if j < 0:
        return _environment_radiance(objects, lamps, studio, p, m, spots)
    q = (p[0] + t * m[0], p[1] + t * m[1], p[2] + t * m[2])
    n = normal(objects, j, q)
    if objects[j, MATERIAL] == 0.0:
        return diffuse(objects, j, lamps, studio, q, n, spots)
    twice = 2.0 * dot(m, n)  # law of reflection: m - 2 (m·n) n
    k = studio[CLEAR]
    m = (m[0] - twice * n[0], m[1] - twice * n[1], m[2] - twice * n[2])
    r, g, b = _environment_radiance(objects, lamps, studio, q, m, spots)
    return k * r * objects[j, RED], k * g * objects[j, RED + 1], k * b * objects[j, RED + 2]


@compiled
def environment_specular(
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
    """Radiance (r, g, b) of everything but the lamps in a GGX mirror on metal solid i, seen along d.

    `rays` reflected rays for each lamp spot in `spots`; `ax` and `ay` as in `lamp_specular`.
    """
    # Importance sampling: h is drawn with density D(h) (n·h), so each ray m = d - 2 (d·h) h has the weight
    #     f_r (n·m) / density of m = G · (v·h) / ((n·v) (n·h))
    # h stays unnormalised with n·h = 1, which makes the last factor v·h / n·v.
    s, t = tangent_frame(objects, i, p, n)
    view, mean = max(-dot(d, n), 0.02), math.sqrt(ax * ay)
    x, y, first, last = spots
    r = g = b = 0.0
    for k in range(first * rays, last * rays):
        # GGX by inversion: tan θ = α sqrt(u / (1 - u)) for uniform u. `level` is u, one stratum for each ray of the
        # pixel, moved by its noise x. 0.93 in place of 1 ends the tail at 3.8 α: with so few rays the rest is noise.
        level = (k + x) / (4.0 * rays)
        radius = math.sqrt(level / (1.0 - 0.93 * level))
        # Steps of the golden ratio spread the azimuths of any number of rays evenly; y turns them pixel by pixel.
        angle = 2.0 * math.pi * (y + 0.6180339887 * k)
        hx, hy = ax * radius * math.cos(angle), ay * radius * math.sin(angle)
        h = (n[0] + hx * s[0] + hy * t[0], n[1] + hx * s[1] + hy * t[1], n[2] + hx * s[2] + hy * t[2])
        twice = 2.0 * dot(d, h) / dot(h, h)
        m = (d[0] - twice * h[0], d[1] - twice * h[1], d[2] - twice * h[2])
        light = dot(m, n)
        if light > 0.0:
            masking = smith_masking(view, mean) * smith_masking(light, mean)
            # at most 2: a rare heavy ray at a grazing view would be a bright speck
            f = masking * min(-dot(d, h) / view, 2.0) / (rays * (last - first))
            a, e, c = incoming_radiance(objects, i, lamps, studio, p, m, (x, y, 0, 4))
            r, g, b = r + f * a, g + f * e, b + f * c
    return r, g, b


@compiled
def metal(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, n: tuple, d: tuple, spots: tuple) -> tuple:
    """Radiance (r, g, b) of metal solid i at p with normal n, seen along d."""
    # BODY · Lambert + a mirror of total strength CLEAR, whose part BRUSHED has a wide anisotropic lobe on flat tops.
    # Reflections of metal have its colour, those of rubber are white.
    r, g, b = diffuse(objects, i, lamps, studio, p, n, spots)
    r, g, b = studio[BODY] * r, studio[BODY] * g, studio[BODY] * b
    top = studio[BRUSHED] if n[2] > FLAT else 0.0
    for brushed in range(2):
        k = top if brushed else studio[CLEAR] - top
        if k == 0.0:
            continue
        ax, ay = (studio[AROUND], studio[AWAY]) if brushed else (studio[SHARP], studio[SHARP])
        x, y, z = lamp_specular(objects, i, lamps, p, n, d, ax, ay, spots)
        rays = BRUSHED_RAYS if brushed else 1
        a, e, c = environment_specular(objects, i, lamps, studio, p, n, d, ax, ay, rays, spots)
        r += k * objects[i, RED] * (a + x)
        g += k * objects[i, RED + 1] * (e + y)
        b += k * objects[i, RED + 2] * (c + z)
    return r, g, b


@compiled
def surface_radiance(objects: Array, i: int, lamps: Array, studio: Array, p: tuple, d: tuple, spots: tuple) -> tuple:
    """Radiance (r, g, b) that leaves solid i at p against the viewing direction d."""
    n = normal(objects, i, p)
    if objects[i, MATERIAL] != 0.0:
        return metal(objects, i, lamps, studio, p, n, d, spots)
    # Rubber: an isotropic gloss that reflects the lamps only; at a strength of 0.04 the surroundings would add little.
    k, rough = studio[GLOSS], studio[GLOSS_ROUGHNESS]
    r, g, b = diffuse(objects, i, lamps, studio, p, n, spots)
    x, y, z = lamp_specular(objects, i, lamps, p, n, d, rough, rough, spots)
    return r + k * x, g + k * y, b + k * z
