"""Video of clips: rays through the pixels, four in those that bodies or their shadows may touch, compiled.

Nothing but the bodies moves, so that the rest of a picture is drawn once for all clips, and anew where the table tilts.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.impacts.rendering.bodies import NUM_BODIES, OBJECT, bodies_of
from nsmodels.datasets.impacts.rendering.camera import EYE, SIDE, circle, compiled, ray
from nsmodels.datasets.impacts.rendering.solids import BALL, CAPSULE, FAR, meet
from nsmodels.datasets.impacts.rendering.surfaces import SUNLIGHT, ambient, lit, shade_of
from nsmodels.datasets.impacts.rendering.surroundings import (
    NOTHING,
    SUN,
    ground,
    ground_colour,
    sky,
    under_water,
)
from nsmodels.datasets.impacts.scenes import FLOOR, TABLE, Motion, Scenes

# Places in a pixel, no two in a row or column; the second pair only where the first differ by more than LIKE.
SAMPLES = ((-0.125, -0.375), (0.125, 0.375), (0.375, -0.125), (-0.375, 0.125))
LIKE = 0.03
STILL = 5e-5  # m, and for rotations the same without a unit
THROUGH = 0.8  # of the light that a transparent body lets through, in a shadow
WATER_COLOUR, MURKY = (0.10, 0.28, 0.36), 5.0  # and 1/m
EXPOSURE = 0.06  # how much the light differs between clips
NOISE = 0.008  # of a pixel, of white
EDGE, EDGE_WIDTH, EDGE_SHADE = 0.72, 0.12, 0.25  # of a lid: height and width in units of half the box, and how dark
CRACK = 0.025  # m, between cracks
SKIN = 1e-4  # m, from where rays to the sun begin
UNTOUCHED, SHADOW, BODY = range(3)
# Columns of the array with a row per body of a picture: all that a ray needs.
KIND, WALL, LOOK, ROUGH, CLEARNESS, LIDDED, CRACKED, SIZE, BUMPY = range(9)
HALF, COLOUR, PLACE, MIDDLE, AT, TURN, COLUMNS = 9, 12, 15, 18, 21, 24, 33
_SALT = np.uint64(0x9E3779B97F4A7C15)


def render(scenes: Scenes, motion: Motion) -> NDArray[np.uint8]:
    """Video of n clips, uint8 (n, T, 64, 64, 3)."""
    bodies = bodies_of(scenes, motion)
    video = np.empty((*motion.tilt.shape, SIDE, SIDE, 3), np.uint8)
    state, marks = np.zeros(1, np.uint64), np.zeros((SIDE, SIDE), np.uint8)
    stage, before = np.zeros((2, NUM_BODIES, COLUMNS))
    picture = np.empty((SIDE, SIDE, 3), np.float32)
    _render(bodies, _backgrounds(), scenes.seed.astype(np.uint64), state, marks, stage, before, picture, video)
    return video


@cache
def _backgrounds() -> NDArray[np.float32]:
    """Pictures without bodies: float32 (2, 2, 64, 64, 3), with support, with water."""
    pictures = np.zeros((2, 2, SIDE, SIDE, 3), np.float32)
    for has_support in (False, True):
        for has_water in (False, True):
            _background(0.0, has_support, has_water, pictures[int(has_support), int(has_water)])
    return pictures


@compiled
def _background(tilt, has_support, has_water, out):
    """Fill a picture without bodies, linear."""
    cosine, sine = math.cos(tilt), math.sin(tilt)
    for row in range(SIDE):
        for column in range(SIDE):
            out[row, column, 0] = out[row, column, 1] = out[row, column, 2] = 0.0
            for place in SAMPLES:
                dx, dy, dz = ray(column + 0.5 + place[0], row + 0.5 + place[1])
                red, green, blue, t = _empty(EYE[0], EYE[1], EYE[2], dx, dy, dz, cosine, sine, has_support)
                if has_water:
                    red, green, blue = _through_water(red, green, blue, dx, dy, dz, t)
                out[row, column, 0] += 0.25 * red
                out[row, column, 1] += 0.25 * green
                out[row, column, 2] += 0.25 * blue


@compiled
def _empty(ox, oy, oz, dx, dy, dz, cosine, sine, has_support):
    """Colour and distance of table, floor or sky in full sunlight."""
    t, which, nx, ny, nz = ground(ox, oy, oz, dx, dy, dz, cosine, sine, has_support)
    if which == NOTHING:
        red, green, blue = sky(dx, dy, dz)
        return red, green, blue, FAR
    colour = ground_colour(which, ox + t * dx, oy + t * dy, nz)
    red, green, blue = lit(colour, 0, 0.9, nx, ny, nz, dx, dy, dz, 1.0)
    return red, green, blue, t


@compiled
def _through_water(red, green, blue, dx, dy, dz, t):
    """What is left of a colour at the distance t, and what the water adds."""
    keep = math.exp(-MURKY * under_water(EYE[0], EYE[1], EYE[2], dx, dy, dz, t))
    return (
        keep * red + (1 - keep) * WATER_COLOUR[0],
        keep * green + (1 - keep) * WATER_COLOUR[1],
        keep * blue + (1 - keep) * WATER_COLOUR[2],
    )


@compiled
def _render(bodies, backgrounds, seed, state, marks, stage, before, picture, video):
    """Fill the video of all clips; a picture of bodies that have not moved is that of the step before."""
    for i in range(len(video)):
        state[0] = seed[i] ^ _SALT
        exposure = 1.0 + EXPOSURE * (2.0 * np.float64(_random(state) >> np.uint64(11)) / 2.0**53 - 1.0)
        background = backgrounds[int(bodies.has_support[i]), int(bodies.has_water[i])]
        last = -1
        for t in range(video.shape[1]):
            number = _set_stage(bodies, i, t, stage)
            is_still = number == last and bodies.tilt[i, t] == bodies.tilt[i, t - 1]
            if not (is_still and _is_like(stage, before, number)):
                if bodies.tilt[i, t] == 0.0:
                    _copy_picture(background, picture)
                else:
                    _background(bodies.tilt[i, t], bodies.has_support[i], bodies.has_water[i], picture)
                _draw(bodies, i, t, stage, number, marks, picture)
                last = _copy_stage(stage, before, number)
            _develop(picture, exposure, state, video[i, t])


@compiled
def _copy_picture(background, picture):
    for row in range(SIDE):
        for column in range(SIDE):
            for channel in range(3):
                picture[row, column, channel] = background[row, column, channel]


@compiled
def _copy_stage(stage, before, number):
    """Copy the bodies that there are; returns how many."""
    for b in range(number):
        for k in range(COLUMNS):
            before[b, k] = stage[b, k]
    return number


@compiled
def _is_like(stage, before, number):
    """Whether the bodies are where they were, to far less than a pixel."""
    for b in range(number):
        for k in range(COLUMNS):
            if abs(stage[b, k] - before[b, k]) > STILL:
                return False
    return True


@compiled
def _random(state):
    """64 random bits, by splitmix64."""
    state[0] += _SALT
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@compiled
def _develop(picture, exposure, state, out):
    """From linear light to bytes, with noise: for each channel the sum of two even numbers of 10 bits, a triangle."""
    scale = np.float32(255.0 * NOISE * math.sqrt(6.0) / 1024.0)
    for row in range(SIDE):
        for column in range(SIDE):
            bits = _random(state)
            for channel in range(3):
                first, second = bits & np.uint64(1023), (bits >> np.uint64(10)) & np.uint64(1023)
                noise = scale * np.float32(np.int64(first + second) - 1023)
                value = np.float32(255.0) * math.sqrt(np.float32(exposure) * picture[row, column, channel]) + noise
                out[row, column, channel] = np.uint8(
                    min(np.float32(255.0), max(np.float32(0.0), value + np.float32(0.5)))
                )
                bits >>= np.uint64(20)


@compiled
def _draw(bodies, i, t, stage, number, marks, picture):
    """Draw the bodies of a step and their shadows over a background."""
    seed, cosine, sine = bodies.number[i], math.cos(bodies.tilt[i, t]), math.sin(bodies.tilt[i, t])
    has_support, has_water = bodies.has_support[i], bodies.has_water[i]
    marks[:] = UNTOUCHED
    for b in range(number):
        _touch_shadow(stage, b, has_support, marks)
    for b in range(number):
        _touch(stage[b, AT], stage[b, AT + 1], stage[b, AT + 2], BODY, marks)
    for row in range(SIDE):
        for column in range(SIDE):
            if marks[row, column] == BODY:
                _pixel(stage, number, seed, column, row, cosine, sine, has_support, has_water, picture[row, column])
            elif marks[row, column] == SHADOW:
                _darken(stage, number, column, row, cosine, sine, has_support, picture[row, column])


@compiled
def _pixel(stage, number, seed, column, row, cosine, sine, has_support, has_water, out):
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
def _set_stage(bodies, i, t, stage):
    """Copy the bodies that a step shows into one array (B, COLUMNS), and count them."""
    number = 0
    for b in range(NUM_BODIES):
        if not bodies.is_shown[i, t, b]:
            continue
        row = stage[number]
        row[KIND], row[WALL], row[LOOK] = bodies.kind[i, b], bodies.wall[i], bodies.look[i, b]
        row[ROUGH], row[CLEARNESS] = bodies.roughness[i, b], bodies.transparency[i, b]
        row[BUMPY] = row[ROUGH] if b == OBJECT else 0.0
        row[LIDDED] = 1.0 if b == OBJECT and bodies.has_lid[i] else 0.0
        row[CRACKED] = 1.0 if b == OBJECT and bodies.broken[i, t] else 0.0
        lift = bodies.half[i, b, 2] if bodies.kind[i, b] == CAPSULE else 0.0
        for k in range(3):
            row[HALF + k], row[COLOUR + k] = bodies.half[i, b, k], bodies.colour[i, b, k]
            row[PLACE + k] = bodies.place[i, t, b, k]
            row[MIDDLE + k] = row[PLACE + k] + lift * bodies.rotation[i, t, b, k, 2]
            for j in range(3):
                row[TURN + 3 * k + j] = bodies.rotation[i, t, b, k, j]
        row[SIZE] = math.sqrt(row[HALF] ** 2 + row[HALF + 1] ** 2 + row[HALF + 2] ** 2)
        row[SIZE] = row[HALF] if bodies.kind[i, b] == BALL else row[SIZE] + (row[HALF] if lift > 0.0 else 0.0)
        x, y, size = circle(row[MIDDLE], row[MIDDLE + 1], row[MIDDLE + 2], row[SIZE])
        row[AT], row[AT + 1], row[AT + 2] = x, y, size
        number += 1
    return number


@compiled
def _touch(x, y, radius, mark, marks):
    """Mark the pixels of a circle."""
    for row in range(max(0, int(y - radius)), min(SIDE, int(y + radius) + 1)):
        for column in range(max(0, int(x - radius)), min(SIDE, int(x + radius) + 1)):
            if (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 <= (radius + 0.5) ** 2:
                marks[row, column] = mark


@compiled
def _touch_shadow(stage, b, has_support, marks):
    """Mark the pixels where the shadow of a body may fall on the table or, where it misses that, on the floor."""
    size = stage[b, SIZE]
    for level in (0.0, FLOOR):
        way = (stage[b, MIDDLE + 2] - level) / SUN[2]
        x, y = stage[b, MIDDLE] - way * SUN[0], stage[b, MIDDLE + 1] - way * SUN[1]
        # The shadow of a ball on a level plane is an ellipse, longer by 1 / cos of the angle of the light.
        reach = size / SUN[2]
        outside = max(abs(x), abs(y)) - TABLE
        is_lit = has_support and outside < reach if level == 0.0 else not has_support or outside > -2 * reach
        if way > -size and is_lit:
            at, above, radius = circle(x, y, level, reach)
            _touch(at, above, radius, SHADOW, marks)


@compiled
def _darken(stage, number, column, row, cosine, sine, has_support, out):
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
        r, g, b = _through_water(r, g, b, dx, dy, dz, far)
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
