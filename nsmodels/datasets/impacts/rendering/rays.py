"""Rays through the pixels of a picture: what they meet, in which light, compiled.

The bodies of a picture are one array (B, COLUMNS), a row each, which has all that a ray needs.
"""

from __future__ import annotations

import math

from nsmodels.datasets.impacts.rendering.camera import EYE, compiled, ray
from nsmodels.datasets.impacts.rendering.solids import FAR, meet
from nsmodels.datasets.impacts.rendering.surfaces import SUNLIGHT, ambient, lit, shade_of
from nsmodels.datasets.impacts.rendering.surroundings import NOTHING, SUN, ground, ground_colour, sky, under_water

# Places in a pixel, no two in a row or column; the second pair only where the first differ by more than LIKE.
SAMPLES = ((-0.125, -0.375), (0.125, 0.375), (0.375, -0.125), (-0.375, 0.125))
LIKE = 0.03
THROUGH = 0.8  # of the light that a transparent body lets through, in a shadow
WATER_COLOUR, MURKY = (0.10, 0.28, 0.36), 5.0  # and 1/m
EDGE, EDGE_WIDTH, EDGE_SHADE = 0.72, 0.12, 0.25  # of a lid: height and width in units of half the box, and how dark
CRACK = 0.025  # m, between cracks
SKIN = 1e-4  # m, from where rays to the sun begin
# Columns of the array with a row per body of a picture: all that a ray needs.
KIND, WALL, LOOK, ROUGH, CLEARNESS, LIDDED, CRACKED, SIZE, BUMPY = range(9)
HALF, COLOUR, PLACE, MIDDLE, AT, TURN, COLUMNS = 9, 12, 15, 18, 21, 24, 33


@compiled
def through_water(red, green, blue, dx, dy, dz, t):
    """What is left of a colour at the distance t, and what the water adds."""
    keep = math.exp(-MURKY * under_water(EYE[0], EYE[1], EYE[2], dx, dy, dz, t))
    return (
        keep * red + (1 - keep) * WATER_COLOUR[0],
        keep * green + (1 - keep) * WATER_COLOUR[1],
        keep * blue + (1 - keep) * WATER_COLOUR[2],
    )


@compiled
def fill_pixel(stage, number, seed, column, row, cosine, sine, has_support, has_water, out):
    """Fill a pixel with the mean of its rays."""
    red = green = blue = before = 0.0
    for k in range(4):
        x, y = column + 0.5 + SAMPLES[k][0], row + 0.5 + SAMPLES[k][1]
        r, g, b = _seen(stage, number, seed, x, y, cosine, sine, has_support, has_water)
        red, green, blue = red + r, green + g, blue + b
        if k == 1 and abs(r + g + b - before) < LIKE:
            red, green, blue = 2 * red, 2 * green, 2 * blue
            break
        before = r + g + b
    out[0], out[1], out[2] = 0.25 * red, 0.25 * green, 0.25 * blue


@compiled
def darken(stage, number, column, row, cosine, sine, has_support, out):
    """Take the sunlight that bodies keep off from a pixel of table or floor."""
    part = before = 0.0
    for k in range(4):
        x, y = column + 0.5 + SAMPLES[k][0], row + 0.5 + SAMPLES[k][1]
        share = _brightness(stage, number, x, y, cosine, sine, has_support)
        part += 0.25 * share
        if k == 1 and share == before:
            part *= 2
            break
        before = share
    for k in range(3):
        out[k] *= part


@compiled
def _brightness(stage, number, x, y, cosine, sine, has_support):
    """Light on table or floor at a place of the picture, in units of that without bodies."""
    dx, dy, dz = ray(x, y)
    far, which, nx, ny, nz = ground(EYE[0], EYE[1], EYE[2], dx, dy, dz, cosine, sine, has_support)
    if which == NOTHING:
        return 1.0
    px, py, pz = EYE[0] + far * dx + SKIN * nx, EYE[1] + far * dy + SKIN * ny, EYE[2] + far * dz + SKIN * nz
    sun = _sunlight(stage, number, px, py, pz)
    shade, facing = ambient(nz), SUNLIGHT * max(0.0, nx * SUN[0] + ny * SUN[1] + nz * SUN[2])
    return (shade + facing * sun) / (shade + facing)


@compiled
def _seen(stage, number, seed, x, y, cosine, sine, has_support, has_water):
    """Colour at a place of the picture; behind a transparent object shines what is there."""
    dx, dy, dz = ray(x, y)
    r, g, b, far, hit = _first(stage, number, seed, x, y, dx, dy, dz, cosine, sine, has_support, False)
    clear = stage[hit, CLEARNESS] if hit >= 0 else 0.0
    if clear > 0.0:
        u, v, w, _, _ = _first(stage, number, seed, x, y, dx, dy, dz, cosine, sine, has_support, True)
        own = 1.0 - 0.85 * clear
        r = own * r + clear * u * (0.3 + 0.7 * stage[hit, COLOUR])
        g = own * g + clear * v * (0.3 + 0.7 * stage[hit, COLOUR + 1])
        b = own * b + clear * w * (0.3 + 0.7 * stage[hit, COLOUR + 2])
    if has_water:
        r, g, b = through_water(r, g, b, dx, dy, dz, far)
    return r, g, b


@compiled
def _first(stage, number, seed, x, y, dx, dy, dz, cosine, sine, has_support, is_behind):
    """Colour, distance and body of what a ray meets first (-1: no body), or first behind the clear body."""
    ox, oy, oz = EYE
    best, hit, nx, ny, nz = FAR, -1, 0.0, 0.0, 1.0
    for b in range(number):
        near = (x - stage[b, AT]) ** 2 + (y - stage[b, AT + 1]) ** 2 <= stage[b, AT + 2] ** 2
        if near and not (is_behind and stage[b, CLEARNESS] > 0.0):
            far, u, v, w = _meet_body(stage, b, ox, oy, oz, dx, dy, dz)
            if far < best:
                best, hit, nx, ny, nz = far, b, u, v, w
    far, which, u, v, w = ground(ox, oy, oz, dx, dy, dz, cosine, sine, has_support)
    if far < best:
        best, hit, nx, ny, nz = far, -1, u, v, w
    elif hit < 0:
        red, green, blue = sky(dx, dy, dz)
        return red, green, blue, FAR, -1
    px, py, pz = ox + best * dx, oy + best * dy, oz + best * dz
    sun = _sunlight(stage, number, px + SKIN * nx, py + SKIN * ny, pz + SKIN * nz)
    if hit < 0:
        red, green, blue = lit(ground_colour(which, px, py, nz), 0, 0.9, nx, ny, nz, dx, dy, dz, sun)
    else:
        colour = _colour(stage, hit, seed, px, py, pz)
        red, green, blue = lit(colour, int(stage[hit, LOOK]), stage[hit, ROUGH], nx, ny, nz, dx, dy, dz, sun)
    return red, green, blue, best, hit


@compiled
def _meet_body(stage, b, ox, oy, oz, dx, dy, dz):
    """Distance and normal where a ray meets a body."""
    x, y, z = _turned_back(stage, b, ox - stage[b, PLACE], oy - stage[b, PLACE + 1], oz - stage[b, PLACE + 2])
    u, v, w = _turned_back(stage, b, dx, dy, dz)
    half, kind = (stage[b, HALF], stage[b, HALF + 1], stage[b, HALF + 2]), int(stage[b, KIND])
    far, nx, ny, nz = meet(kind, x, y, z, u, v, w, half[0], half[1], half[2], stage[b, WALL])
    if far == FAR:
        return FAR, 0.0, 0.0, 1.0
    return (
        far,
        stage[b, TURN] * nx + stage[b, TURN + 1] * ny + stage[b, TURN + 2] * nz,
        stage[b, TURN + 3] * nx + stage[b, TURN + 4] * ny + stage[b, TURN + 5] * nz,
        stage[b, TURN + 6] * nx + stage[b, TURN + 7] * ny + stage[b, TURN + 8] * nz,
    )


@compiled
def _turned_back(stage, b, x, y, z):
    """A vector of the world in the axes of a body."""
    return (
        stage[b, TURN] * x + stage[b, TURN + 3] * y + stage[b, TURN + 6] * z,
        stage[b, TURN + 1] * x + stage[b, TURN + 4] * y + stage[b, TURN + 7] * z,
        stage[b, TURN + 2] * x + stage[b, TURN + 5] * y + stage[b, TURN + 8] * z,
    )


@compiled
def _sunlight(stage, number, x, y, z):
    """Share of the sunlight that arrives at a place."""
    share = 1.0
    for b in range(number):
        u, v, w = stage[b, MIDDLE] - x, stage[b, MIDDLE + 1] - y, stage[b, MIDDLE + 2] - z
        along, size = u * SUN[0] + v * SUN[1] + w * SUN[2], stage[b, SIZE]
        is_near = u * u + v * v + w * w - along * along < size * size and along > -size
        if is_near and _meet_body(stage, b, x, y, z, SUN[0], SUN[1], SUN[2])[0] < FAR:
            share *= THROUGH * stage[b, CLEARNESS]
    return share


@compiled
def _colour(stage, b, seed, x, y, z):
    """Colour of a body at a place of the world: pattern, lid, cracks."""
    u, v, w = _turned_back(stage, b, x - stage[b, PLACE], y - stage[b, PLACE + 1], z - stage[b, PLACE + 2])
    factor = shade_of(int(stage[b, LOOK]), stage[b, BUMPY], u, v, w, seed)
    if stage[b, LIDDED] > 0.0 and abs(w / stage[b, HALF + 2] - EDGE) < EDGE_WIDTH:
        factor *= EDGE_SHADE
    if stage[b, CRACKED] > 0.0 and _is_crack(u, v, w):
        factor *= 0.1
    return stage[b, COLOUR] * factor, stage[b, COLOUR + 1] * factor, stage[b, COLOUR + 2] * factor


@compiled
def _is_crack(u, v, w):
    """Whether a place is on one of two families of crooked planes."""
    bend = 0.3 * math.sin(150 * (u - v + w))
    first, second = (u + 0.6 * v + 0.2 * w) / CRACK + bend, (0.5 * u - v + 0.4 * w) / CRACK - bend
    first, second = abs(first - math.floor(first) - 0.5), abs(second - math.floor(second) - 0.5)
    return first < 0.1 or second < 0.1
