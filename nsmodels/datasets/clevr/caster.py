"""The compiled analytic ray caster: 2x2 samples a pixel, soft shadows, one mirror bounce; and who is visible where."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.clevr.camera import FOCAL_PER_WIDTH, Camera
from nsmodels.datasets.clevr.lighting import ground_light, surface
from nsmodels.datasets.clevr.shapes import nearest

Array = NDArray[np.float64]
SPREAD = 0.25


def radiance(objects: Array, camera: Camera, lamps: Array, studio: Array, width: int, height: int) -> Array:
    """Linear image (height, width, 3) from the tables of solids and lamps."""
    eye = np.asarray(camera.position, float)
    return _cast(objects, lamps, studio, eye, camera.axes, FOCAL_PER_WIDTH * width, width, height)


@njit(cache=True, nogil=True)
def _direction(axes: Array, x: float, y: float) -> tuple:
    """Unit viewing direction through the image-plane point (x, y) at distance 1."""
    scale = 1.0 / math.sqrt(x * x + y * y + 1.0)
    return (
        (x * axes[0, 0] + y * axes[1, 0] + axes[2, 0]) * scale,
        (x * axes[0, 1] + y * axes[1, 1] + axes[2, 1]) * scale,
        (x * axes[0, 2] + y * axes[1, 2] + axes[2, 2]) * scale,
    )


@njit(cache=True, nogil=True)
def _noise(seed: int) -> float:
    """A number in [0, 1) from an integer hash."""
    seed = (seed ^ 61) ^ (seed >> 16)
    seed = (seed * 9) & 0xFFFFFFFF
    seed ^= seed >> 4
    seed = (seed * 0x27D4EB2D) & 0xFFFFFFFF
    return ((seed ^ (seed >> 15)) & 0xFFFFFF) / 16777216.0


@njit(cache=True, nogil=True)
def _cast(
    objects: Array, lamps: Array, studio: Array, eye: Array, axes: Array, focal: float, width: int, height: int
) -> Array:
    image = np.empty((height, width, 3))
    o = (eye[0], eye[1], eye[2])
    for row in range(height):
        for column in range(width):
            seed = 2 * (row * width + column)
            u0, v0 = _noise(seed), _noise(seed + 1)
            red = green = blue = 0.0
            for s in range(4):
                i, j = s & 1, s >> 1
                x = (column + 0.5 + (i - 0.5) * 2 * SPREAD - 0.5 * width) / focal
                y = (0.5 * height - row - 0.5 - (j - 0.5) * 2 * SPREAD) / focal
                d = _direction(axes, x, y)
                u, v = (i + u0) / 2 - 0.5, (j + v0) / 2 - 0.5
                k, t = nearest(objects, -1, o, d)
                if k >= 0:
                    p = (o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2])
                    r, g, b = surface(objects, k, lamps, studio, p, d, u, v)
                else:
                    t = -o[2] / min(d[2], -1e-3)
                    p = (o[0] + t * d[0], o[1] + t * d[1], 0.0)
                    r, g, b = ground_light(objects, lamps, studio, p, u, v)
                red, green, blue = red + r, green + g, blue + b
            image[row, column, 0] = red / 4
            image[row, column, 1] = green / 4
            image[row, column, 2] = blue / 4
    return image


def visible_pixels(objects: Array, camera: Camera, width: int, height: int) -> NDArray[np.int64]:
    """Number of pixels of a (height, width) image in which each solid is the first thing seen, shape (n,)."""
    seen = _first_seen(objects, np.asarray(camera.position, float), camera.axes, FOCAL_PER_WIDTH * width, width, height)
    return np.bincount(seen.ravel() + 1, minlength=len(objects) + 1)[1:]


@njit(cache=True, nogil=True)
def _first_seen(objects: Array, eye: Array, axes: Array, focal: float, width: int, height: int) -> NDArray[np.int64]:
    seen = np.empty((height, width), np.int64)
    for row in range(height):
        for column in range(width):
            d = _direction(axes, (column + 0.5 - 0.5 * width) / focal, (0.5 * height - row - 0.5) / focal)
            seen[row, column] = nearest(objects, -1, (eye[0], eye[1], eye[2]), d)[0]
    return seen
