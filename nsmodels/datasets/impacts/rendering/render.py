"""Video of clips: rays through the pixels, four in those that bodies or their shadows may touch, compiled.

Nothing but the bodies moves, so that the rest of a picture is drawn once for all clips, and anew where the table tilts.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.impacts.rendering.bodies import NUM_BODIES, OBJECT, Bodies, bodies_of
from nsmodels.datasets.impacts.rendering.camera import EYE, SIDE, circle, ray
from nsmodels.datasets.impacts.rendering.solids import CAPSULE, FAR, meet
from nsmodels.datasets.impacts.rendering.surfaces import lit, shade_of
from nsmodels.datasets.impacts.rendering.surroundings import (
    NOTHING,
    SUN,
    ground,
    ground_colour,
    sky,
    under_water,
)
from nsmodels.datasets.impacts.scenes import FLOOR, TABLE, Motion, Scenes

SAMPLES = ((-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125))  # in a pixel: no two in a row or column
CLEAR = 0.8  # of the light that a transparent body lets through, in a shadow
WATER_COLOUR, MURKY = (0.10, 0.28, 0.36), 5.0  # and 1/m
EXPOSURE = 0.06  # how much the light differs between clips
NOISE = 0.008  # of a pixel, of white
LID, KNOB = 0.72, 0.25  # where the edge of a lid is, in units of half the height; how dark it is
CRACK = 0.025  # m, between cracks
_SALT = np.uint64(0x9E3779B97F4A7C15)


def render(scenes: Scenes, motion: Motion) -> NDArray[np.uint8]:
    """Video of n clips, uint8 (n, T, 64, 64, 3)."""
    bodies = bodies_of(scenes, motion)
    video = np.empty((*motion.tilt.shape, SIDE, SIDE, 3), np.uint8)
    _render(bodies, _backgrounds(), scenes.seed.astype(np.uint64), video)
    return video


@cache
def _backgrounds() -> NDArray[np.float32]:
    """Pictures without bodies: float32 (2, 2, 64, 64, 3), with support, with water."""
    pictures = np.zeros((2, 2, SIDE, SIDE, 3), np.float32)
    for has_support in (False, True):
        for has_water in (False, True):
            _background(0.0, has_support, has_water, pictures[int(has_support), int(has_water)])
    return pictures


@njit(cache=True, nogil=True)
def _background(tilt, has_support, has_water, out):
    """Fill a picture without bodies, linear."""
    cosine, sine = math.cos(tilt), math.sin(tilt)
    for row in range(SIDE):
        for column in range(SIDE):
            for place in SAMPLES:
                dx, dy, dz = ray(column + 0.5 + place[0], row + 0.5 + place[1])
                red, green, blue, t = _empty(EYE[0], EYE[1], EYE[2], dx, dy, dz, cosine, sine, has_support)
                if has_water:
                    red, green, blue = _through_water(red, green, blue, dx, dy, dz, t)
                out[row, column, 0] += 0.25 * red
                out[row, column, 1] += 0.25 * green
                out[row, column, 2] += 0.25 * blue


@njit(cache=True, nogil=True)
def _empty(ox, oy, oz, dx, dy, dz, cosine, sine, has_support):
    """Colour and distance of table, floor or sky in full sunlight."""
    t, which, nx, ny, nz = ground(ox, oy, oz, dx, dy, dz, cosine, sine, has_support)
    if which == NOTHING:
        red, green, blue = sky(dx, dy, dz)
        return red, green, blue, FAR
    colour = ground_colour(which, ox + t * dx, oy + t * dy, nz)
    red, green, blue = lit(colour, 0, 0.9, nx, ny, nz, dx, dy, dz, 1.0)
    return red, green, blue, t


@njit(cache=True, nogil=True)
def _through_water(red, green, blue, dx, dy, dz, t):
    """What is left of a colour at the distance t, and what the water adds."""
    keep = math.exp(-MURKY * under_water(EYE[0], EYE[1], EYE[2], dx, dy, dz, t))
    return (
        keep * red + (1 - keep) * WATER_COLOUR[0],
        keep * green + (1 - keep) * WATER_COLOUR[1],
        keep * blue + (1 - keep) * WATER_COLOUR[2],
    )


@njit(cache=True, nogil=True)
def _render(bodies, backgrounds, seed, video):
    """Fill the video of all clips."""
    state = np.zeros(1, np.uint64)
    picture, own = np.empty((SIDE, SIDE, 3), np.float32), np.empty((SIDE, SIDE, 3), np.float32)
    for i in range(len(video)):
        state[0] = seed[i] ^ _SALT
        exposure = 1.0 + EXPOSURE * (2.0 * _uniform(state) - 1.0)
        for t in range(video.shape[1]):
            if bodies.tilt[i, t] == 0.0:
                picture[:] = backgrounds[int(bodies.has_support[i]), int(bodies.has_water[i])]
            else:
                own[:] = 0.0
                _background(bodies.tilt[i, t], bodies.has_support[i], bodies.has_water[i], own)
                picture[:] = own
            _draw(bodies, i, t, seed[i], picture)
            _develop(picture, exposure, state, video[i, t])


@njit(cache=True, nogil=True, inline="always")
def _uniform(state):
    """A random number in [0, 1), by splitmix64."""
    state[0] += _SALT
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return np.float64(z >> np.uint64(11)) / 9007199254740992.0


@njit(cache=True, nogil=True)
def _develop(picture, exposure, state, out):
    """From linear light to bytes, with noise."""
    for row in range(SIDE):
        for column in range(SIDE):
            for channel in range(3):
                noise = (_uniform(state) + _uniform(state) - 1.0) * 2.45 * NOISE
                value = math.sqrt(max(0.0, exposure * picture[row, column, channel])) + noise
                out[row, column, channel] = np.uint8(min(255.0, max(0.0, 255.0 * value + 0.5)))


@njit(cache=True, nogil=True)
def _draw(bodies, i, t, seed, picture):
    """Draw the bodies of a step and their shadows over a background."""
    balls = np.zeros((NUM_BODIES, 4))
    circles = np.full((NUM_BODIES, 3), -1e6)
    is_touched = np.zeros((SIDE, SIDE), np.bool_)
    for b in range(NUM_BODIES):
        if bodies.is_shown[i, t, b]:
            _bound(bodies, i, t, b, balls[b])
            circles[b] = circle(balls[b, 0], balls[b, 1], balls[b, 2], balls[b, 3])
            _touch(circles[b], is_touched)
            _touch_shadow(balls[b], bodies.has_support[i], is_touched)
    for row in range(SIDE):
        for column in range(SIDE):
            if is_touched[row, column]:
                _pixel(bodies, i, t, seed, balls, circles, row, column, picture[row, column])


@njit(cache=True, nogil=True)
def _bound(bodies, i, t, b, ball):
    """A ball around a body: x, y, z, radius."""
    half, place, rotation = bodies.half[i, b], bodies.place[i, t, b], bodies.rotation[i, t, b]
    is_rod = bodies.kind[i, b] == CAPSULE
    for axis in range(3):
        ball[axis] = place[axis] + (rotation[axis, 2] * half[2] if is_rod else 0.0)
    extra = half[0] if is_rod else 0.0
    ball[3] = math.sqrt(half[0] * half[0] + half[1] * half[1] + half[2] * half[2]) + extra


@njit(cache=True, nogil=True)
def _touch(place, is_touched):
    """Mark the pixels of a circle."""
    x, y, radius = place
    for row in range(max(0, int(y - radius)), min(SIDE, int(y + radius) + 1)):
        for column in range(max(0, int(x - radius)), min(SIDE, int(x + radius) + 1)):
            if (column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2 <= (radius + 0.5) ** 2:
                is_touched[row, column] = True


@njit(cache=True, nogil=True)
def _touch_shadow(ball, has_support, is_touched):
    """Mark the pixels where the shadow of a ball may fall: a chain of balls along the way of the light."""
    for level in (0.0, FLOOR):
        way = (ball[2] - level) / SUN[2]
        x, y = ball[0] - way * SUN[0], ball[1] - way * SUN[1]
        is_table = level == 0.0
        is_off = is_table and (not has_support or max(abs(x), abs(y)) > TABLE + 2 * ball[3])
        if way < -ball[3] or is_off:
            continue
        # The shadow of a ball on a level plane is an ellipse, longer by 1 / cos of the height of the sun.
        _touch(circle(x, y, level, ball[3] / SUN[2]), is_touched)


@njit(cache=True, nogil=True)
def _pixel(bodies, i, t, seed, balls, circles, row, column, out):
    """Mean of the rays of a pixel."""
    red = green = blue = 0.0
    for place in SAMPLES:
        x, y = column + 0.5 + place[0], row + 0.5 + place[1]
        dx, dy, dz = ray(x, y)
        r, g, b, far = _seen(bodies, i, t, seed, balls, circles, x, y, EYE[0], EYE[1], EYE[2], dx, dy, dz)
        if bodies.has_water[i]:
            r, g, b = _through_water(r, g, b, dx, dy, dz, far)
        red, green, blue = red + r, green + g, blue + b
    out[0], out[1], out[2] = 0.25 * red, 0.25 * green, 0.25 * blue


@njit(cache=True, nogil=True)
def _seen(bodies, i, t, seed, balls, circles, x, y, ox, oy, oz, dx, dy, dz):
    """Colour and distance of what a ray meets first; through a transparent object also what is behind it."""
    r, g, b, far, hit = _opaque(bodies, i, t, seed, balls, circles, x, y, ox, oy, oz, dx, dy, dz, -1)
    clear = bodies.transparency[i, OBJECT]
    if hit != OBJECT or clear <= 0.0:
        return r, g, b, far
    u, v, w, _, _ = _opaque(bodies, i, t, seed, balls, circles, x, y, ox, oy, oz, dx, dy, dz, OBJECT)
    tint = bodies.colour[i, OBJECT]
    return (
        (1 - clear) * r + clear * (0.15 * r + u * (0.3 + 0.7 * tint[0])),
        (1 - clear) * g + clear * (0.15 * g + v * (0.3 + 0.7 * tint[1])),
        (1 - clear) * b + clear * (0.15 * b + w * (0.3 + 0.7 * tint[2])),
        far,
    )


@njit(cache=True, nogil=True)
def _opaque(bodies, i, t, seed, balls, circles, x, y, ox, oy, oz, dx, dy, dz, skipped):
    """Colour, distance and body of what a ray meets first, without one body; -1 for table, floor and sky."""
    best, hit, nx, ny, nz = FAR, -1, 0.0, 0.0, 1.0
    for b in range(NUM_BODIES):
        near = (x - circles[b, 0]) ** 2 + (y - circles[b, 1]) ** 2 <= circles[b, 2] ** 2
        if near and b != skipped and bodies.is_shown[i, t, b]:
            far, u, v, w = _meet_body(bodies, i, t, b, ox, oy, oz, dx, dy, dz)
            if far < best:
                best, hit, nx, ny, nz = far, b, u, v, w
    tilt = bodies.tilt[i, t]
    far, which, u, v, w = ground(ox, oy, oz, dx, dy, dz, math.cos(tilt), math.sin(tilt), bodies.has_support[i])
    if far < best:
        best, hit, nx, ny, nz = far, -1, u, v, w
    elif hit < 0:
        red, green, blue = sky(dx, dy, dz)
        return red, green, blue, FAR, -1
    px, py, pz = ox + best * dx, oy + best * dy, oz + best * dz
    sun = _sunlight(bodies, i, t, balls, hit, px + 1e-4 * nx, py + 1e-4 * ny, pz + 1e-4 * nz)
    if hit < 0:
        red, green, blue = lit(ground_colour(which, px, py, nz), 0, 0.9, nx, ny, nz, dx, dy, dz, sun)
        return red, green, blue, best, -1
    colour = _colour(bodies, i, t, hit, seed, px, py, pz)
    red, green, blue = lit(colour, bodies.look[i, hit], bodies.roughness[i, hit], nx, ny, nz, dx, dy, dz, sun)
    return red, green, blue, best, hit


@njit(cache=True, nogil=True)
def _meet_body(bodies, i, t, b, ox, oy, oz, dx, dy, dz):
    """Distance and normal where a ray meets a body."""
    place, r = bodies.place[i, t, b], bodies.rotation[i, t, b]
    x, y, z = ox - place[0], oy - place[1], oz - place[2]
    half = bodies.half[i, b]
    far, u, v, w = meet(
        bodies.kind[i, b],
        r[0, 0] * x + r[1, 0] * y + r[2, 0] * z,
        r[0, 1] * x + r[1, 1] * y + r[2, 1] * z,
        r[0, 2] * x + r[1, 2] * y + r[2, 2] * z,
        r[0, 0] * dx + r[1, 0] * dy + r[2, 0] * dz,
        r[0, 1] * dx + r[1, 1] * dy + r[2, 1] * dz,
        r[0, 2] * dx + r[1, 2] * dy + r[2, 2] * dz,
        half[0],
        half[1],
        half[2],
        bodies.wall[i],
    )
    return (
        far,
        r[0, 0] * u + r[0, 1] * v + r[0, 2] * w,
        r[1, 0] * u + r[1, 1] * v + r[1, 2] * w,
        r[2, 0] * u + r[2, 1] * v + r[2, 2] * w,
    )


@njit(cache=True, nogil=True)
def _sunlight(bodies, i, t, balls, own, x, y, z):
    """Share of the sunlight that arrives at a place."""
    share = 1.0
    for b in range(NUM_BODIES):
        if not bodies.is_shown[i, t, b]:
            continue
        u, v, w = balls[b, 0] - x, balls[b, 1] - y, balls[b, 2] - z
        along = u * SUN[0] + v * SUN[1] + w * SUN[2]
        if u * u + v * v + w * w - along * along > balls[b, 3] ** 2 or along < -balls[b, 3]:
            continue
        if _meet_body(bodies, i, t, b, x, y, z, SUN[0], SUN[1], SUN[2])[0] < FAR:
            share *= CLEAR * bodies.transparency[i, b]
    return share


@njit(cache=True, nogil=True)
def _colour(bodies, i, t, b, seed, x, y, z):
    """Colour of a body at a place of the world: pattern, lid, cracks."""
    colour, place, r = bodies.colour[i, b], bodies.place[i, t, b], bodies.rotation[i, t, b]
    x, y, z = x - place[0], y - place[1], z - place[2]
    u = r[0, 0] * x + r[1, 0] * y + r[2, 0] * z
    v = r[0, 1] * x + r[1, 1] * y + r[2, 1] * z
    w = r[0, 2] * x + r[1, 2] * y + r[2, 2] * z
    factor = shade_of(bodies.look[i, b], bodies.roughness[i, b], u, v, w, seed)
    if b == OBJECT:
        if bodies.has_lid[i] and abs(w / bodies.half[i, b, 2] - LID) < 0.12:
            factor *= KNOB
        if bodies.broken[i, t] and _is_crack(u, v, w):
            factor *= 0.1
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


@njit(cache=True, nogil=True)
def _is_crack(u, v, w):
    """Whether a place is on one of three families of crooked planes."""
    bend = 0.3 * math.sin(150 * (u - v + w))
    first, second = (u + 0.6 * v + 0.2 * w) / CRACK + bend, (0.5 * u - v + 0.4 * w) / CRACK - bend
    return abs(first - round(first)) < 0.1 or abs(second - round(second)) < 0.1
