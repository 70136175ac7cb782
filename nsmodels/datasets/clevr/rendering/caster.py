"""The compiled analytic ray caster: four rays per pixel on a rotated grid; and the solid visible at each pixel."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.clevr.rendering import lighting, materials, shapes
from nsmodels.datasets.clevr.rendering.camera import FOCAL_PER_WIDTH, Camera
from nsmodels.datasets.clevr.rendering.lighting import ground_radiance
from nsmodels.datasets.clevr.rendering.materials import surface_radiance
from nsmodels.datasets.clevr.rendering.shapes import BOUND, MATERIAL, OPTIONS, compiled, nearest

Array = NDArray[np.float64]
# Standard deviation, in pixels of an image 480 wide, of the extra blur of official edges beyond a pixel's box.
FILTER = 0.45


def _blurred(image: Array, share: float) -> Array:
    """The image after the kernel (share, 1 - 2 share, share) along both axes; the border repeats."""
    for axis in (0, 1):
        wide = np.pad(image, [(1, 1) if axis == a else (0, 0) for a in range(3)], mode="edge")
        before, after = (wide[:-2], wide[2:]) if axis == 0 else (wide[:, :-2], wide[:, 2:])
        image = (1.0 - 2.0 * share) * image + share * (before + after)
    return image


def radiance(objects: Array, camera: Camera, lamps: Array, studio: Array, width: int, height: int) -> Array:
    """Linear image (height, width, 3), float64, from the tables of solids (n, COLUMNS) and lamps (4, 10)."""
    # The variance of the kernel (s, 1 - 2 s, s) is 2 s pixels²: s is half the square of the wanted deviation.
    eye = np.asarray(camera.position, float)
    image = _cast(objects, lamps, studio, eye, camera.axes, FOCAL_PER_WIDTH * width, width, height)
    return _blurred(image, 0.5 * (FILTER * width / 480) ** 2)


@compiled
def _direction(axes: Array, x: float, y: float) -> tuple:
    """Unit viewing direction through the point (x, y) of the image plane at distance 1: x right + y up + forward."""
    scale = 1.0 / math.sqrt(x * x + y * y + 1.0)
    return (
        (x * axes[0, 0] + y * axes[1, 0] + axes[2, 0]) * scale,
        (x * axes[0, 1] + y * axes[1, 1] + axes[2, 1]) * scale,
        (x * axes[0, 2] + y * axes[1, 2] + axes[2, 2]) * scale,
    )


@compiled
def _noise(seed: int) -> float:
    """A number in [0, 1) from Wang's 32-bit integer hash, so that noise is a function of the pixel alone."""
    seed = (seed ^ 61) ^ (seed >> 16)
    seed = (seed * 9) & 0xFFFFFFFF
    seed ^= seed >> 4
    seed = (seed * 0x27D4EB2D) & 0xFFFFFFFF
    return ((seed ^ (seed >> 15)) & 0xFFFFFF) / 16777216.0


def visible_pixels(objects: Array, camera: Camera, width: int, height: int) -> NDArray[np.int64]:
    """Number of pixels of a (height, width) image in which each solid is in front, int64 (n,)."""
    seen = _first_seen(objects, np.asarray(camera.position, float), camera.axes, FOCAL_PER_WIDTH * width, width, height)
    return np.bincount(seen.ravel() + 1, minlength=len(objects) + 1)[1:]


@compiled
def _windows(objects: Array, eye: Array, axes: Array, focal: float, width: int, height: int) -> NDArray[np.int64]:
    """First and last column and row (n, 4) of a window that contains each solid with a margin."""
    # The bounding sphere at the depth of its front, depth - R, projects to focal · R / (depth - R) pixels. Off the
    # optical axis its image is longer by 1 / cos of the angle, at most 1.14 in the corner of a 3:2 image: hence 1.15.
    windows = np.empty((objects.shape[0], 4), np.int64)
    for i in range(objects.shape[0]):
        x, y, depth = 0.0, 0.0, 0.0
        for c in range(3):
            offset = objects[i, c] - eye[c]
            x, y, depth = x + offset * axes[0, c], y + offset * axes[1, c], depth + offset * axes[2, c]
        reach = 1.15 * focal * objects[i, BOUND] / max(depth - objects[i, BOUND], 0.1) + 1.0
        column, row = 0.5 * width + focal * x / depth, 0.5 * height - focal * y / depth
        windows[i, 0], windows[i, 1] = int(column - reach), int(column + reach)
        windows[i, 2], windows[i, 3] = int(row - reach), int(row + reach)
    return windows


@compiled
def _in_windows(windows: NDArray[np.int64], row: int, column: int) -> int:
    """Bit mask of the windows that contain the pixel."""
    mask = 0
    for i in range(windows.shape[0]):
        if windows[i, 0] <= column <= windows[i, 1] and windows[i, 2] <= row <= windows[i, 3]:
            mask |= 1 << i
    return mask


@compiled
def _shade(
    objects: Array, lamps: Array, studio: Array, o: tuple, d: tuple, i: int, t: float, spots: tuple
) -> tuple[float, float, float]:
    """Radiance (r, g, b) of solid i, or of the ground for -1, seen from o along d at distance t."""
    if i >= 0:
        p = (o[0] + t * d[0], o[1] + t * d[1], o[2] + t * d[2])
        return surface_radiance(objects, i, lamps, studio, p, d, spots)
    # the plane z = 0; rays at or above the horizon meet it a thousand eye heights away
    t = -o[2] / min(d[2], -1e-3)
    return ground_radiance(objects, lamps, studio, (o[0] + t * d[0], o[1] + t * d[1], 0.0), spots)


@compiled
def _pixel(
    objects: Array,
    lamps: Array,
    studio: Array,
    eye: Array,
    axes: Array,
    x: float,
    y: float,
    step: float,
    mask: int,
    u: float,
    v: float,
) -> tuple[float, float, float]:
    """Mean radiance (r, g, b) of the pixel of side `step` around the image-plane point (x, y).

    Ground and rubber are smooth: where all four rays meet the same solid, one shading with four lamp spots is enough.
    Elsewhere each ray is shaded on its own, with one lamp spot.
    """
    o, rays = (eye[0], eye[1], eye[2]), 1
    # Metal always takes four shaded rays: its reflections vary within a pixel.
    if mask:
        first, _ = nearest(objects, mask, o, _direction(axes, x, y))
        rays = 1 if first < 0 or objects[first, MATERIAL] == 0.0 else 4
        for s in range(4):
            if rays == 1 and nearest(objects, mask, o, _offset(axes, x, y, step, s))[0] != first:
                rays = 4
    r = g = b = 0.0
    for s in range(rays):
        d = _direction(axes, x, y) if rays == 1 else _offset(axes, x, y, step, s)
        spots = (u, v, 0, 4) if rays == 1 else (u, v, s, s + 1)
        i, t = nearest(objects, mask, o, d)
        red, green, blue = _shade(objects, lamps, studio, o, d, i, t, spots)
        r, g, b = r + red / rays, g + green / rays, b + blue / rays
    return r, g, b


@compiled
def _offset(axes: Array, x: float, y: float, step: float, s: int) -> tuple:
    """Viewing direction of sample s of a pixel."""
    # Rotated grid: a 2x2 grid of spacing 1/2 turned by atan(1/2), so that its four samples have four different columns
    # and rows: an edge that is nearly horizontal or vertical is drawn in four steps in place of two.
    i, j = s & 1, s >> 1
    return _direction(axes, x + step * (0.5 * i + 0.25 * j - 0.375), y - step * (0.5 * j - 0.25 * i - 0.125))


def _compiled(sources: str) -> tuple[Any, Any]:
    """The two entry points, cached on disk under the hash of `sources`, since numba itself checks this file only.

    The hash enters the cache key as a closure variable of the compiled functions.
    """

    @njit(cache=True, **OPTIONS)
    def cast(
        objects: Array, lamps: Array, studio: Array, eye: Array, axes: Array, focal: float, width: int, height: int
    ) -> Array:
        _ = sources
        image = np.empty((height, width, 3))
        windows = _windows(objects, eye, axes, focal, width, height)
        for row in range(height):
            for column in range(width):
                # (u, v) moves the lamp spots of this pixel: noise in place of banded shadows. (x, y) is the pixel's
                # centre on the image plane at distance 1, the inverse of `camera.project`.
                seed = 2 * (row * width + column)
                u, v = _noise(seed), _noise(seed + 1)
                x, y = (column + 0.5 - 0.5 * width) / focal, (0.5 * height - row - 0.5) / focal
                mask = _in_windows(windows, row, column)
                r, g, b = _pixel(objects, lamps, studio, eye, axes, x, y, 1.0 / focal, mask, u, v)
                image[row, column, 0], image[row, column, 1], image[row, column, 2] = r, g, b
        return image

    @njit(cache=True, **OPTIONS)
    def first_seen(objects: Array, eye: Array, axes: Array, focal: float, width: int, height: int) -> NDArray[np.int64]:
        _ = sources
        seen = np.empty((height, width), np.int64)
        windows = _windows(objects, eye, axes, focal, width, height)
        for row in range(height):
            for column in range(width):
                d = _direction(axes, (column + 0.5 - 0.5 * width) / focal, (0.5 * height - row - 0.5) / focal)
                seen[row, column] = nearest(objects, _in_windows(windows, row, column), (eye[0], eye[1], eye[2]), d)[0]
        return seen

    return cast, first_seen


_SOURCES = b"".join(Path(module.__file__ or "").read_bytes() for module in (shapes, lighting, materials))
_cast, _first_seen = _compiled(hashlib.sha256(_SOURCES).hexdigest())
