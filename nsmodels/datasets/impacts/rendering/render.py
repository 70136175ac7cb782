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
from nsmodels.datasets.impacts.rendering.rays import (
    AT,
    BUMPY,
    CLEARNESS,
    COLOUR,
    COLUMNS,
    CRACKED,
    HALF,
    KIND,
    LIDDED,
    LOOK,
    MIDDLE,
    PLACE,
    ROUGH,
    SAMPLES,
    SIZE,
    TURN,
    WALL,
    darken,
    fill_pixel,
    through_water,
)
from nsmodels.datasets.impacts.rendering.solids import BALL, CAPSULE, FAR
from nsmodels.datasets.impacts.rendering.surfaces import lit
from nsmodels.datasets.impacts.rendering.surroundings import (
    NOTHING,
    SUN,
    ground,
    ground_colour,
    sky,
)
from nsmodels.datasets.impacts.scenes import FLOOR, TABLE, Motion, Scenes

STILL = 5e-5  # m, and for rotations the same without a unit
EXPOSURE = 0.06  # how much the light differs between clips
NOISE = 0.008  # of a pixel, of white
UNTOUCHED, SHADOW, BODY = range(3)
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
                    red, green, blue = through_water(red, green, blue, dx, dy, dz, t)
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
                fill_pixel(stage, number, seed, column, row, cosine, sine, has_support, has_water, picture[row, column])
            elif marks[row, column] == SHADOW:
                darken(stage, number, column, row, cosine, sine, has_support, picture[row, column])


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
