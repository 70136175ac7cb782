"""The CLEVR camera: a pinhole at a jittered position, directed at the origin, 35 mm lens on a 32 mm sensor.

A point with camera coordinates X (right), Y (up), Z (forward, its depth) is at pixel x = w/2 + f X / Z to the right and
y = h/2 - f Y / Z downwards, with the focal length f = 35/32 · w pixels for both axes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BASE_POSITION = (7.48113, -6.50764, 5.34367)  # of the release, in scene units
JITTER = 0.5  # likewise, along each axis
FOCAL_PER_WIDTH = 35.0 / 32.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A camera at `position` (x, y, z in scene units), directed at the origin with z upwards."""

    position: tuple[float, float, float] = BASE_POSITION

    @property
    def axes(self) -> Array:
        """Rows: unit vectors to the right, upwards and forwards in scene coordinates, float64 (3, 3)."""
        # right = forward × z and up = right × forward: the image is level, whatever the camera's height.
        forward = -np.asarray(self.position) / np.linalg.norm(self.position)
        right = np.cross(forward, (0.0, 0.0, 1.0))
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(right, forward), forward])


def sample_camera(rng: np.random.Generator) -> Camera:
    """The base camera moved by U(-0.5, 0.5) along each axis."""
    x, y, z = np.asarray(BASE_POSITION) + rng.uniform(-JITTER, JITTER, 3)
    return Camera((float(x), float(y), float(z)))


def project(coords: ArrayLike, camera: Camera, width: int, height: int) -> Array:
    """Scene points (n, 3) → (n, 3): pixel x (rightwards), pixel y (downwards), depth along the optical axis."""
    x, y, depth = ((np.asarray(coords, float).reshape(-1, 3) - camera.position) @ camera.axes.T).T
    focal = FOCAL_PER_WIDTH * width
    return np.stack([width / 2 + focal * x / depth, height / 2 - focal * y / depth, depth], axis=1)


def unproject(pixels: ArrayLike, camera: Camera, width: int, height: int) -> Array:
    """Pixel x, y and depth (n, 3) → scene points (n, 3); the inverse of `project`."""
    x, y, depth = np.asarray(pixels, float).reshape(-1, 3).T
    focal = FOCAL_PER_WIDTH * width
    local = np.stack([(x - width / 2) / focal, (height / 2 - y) / focal, np.ones_like(x)], axis=1)
    return np.asarray(camera.position) + (local * depth[:, None]) @ camera.axes


def unproject_to_height(pixels: ArrayLike, z: ArrayLike, camera: Camera, width: int, height: int) -> Array:
    """Pixels x, y (n, 2) → the scene points (n, 3) of their rays at height `z` (scalar or (n,))."""
    # Points of a ray are camera + λ · ray; its height is z for λ = (z - camera_z) / ray_z.
    flat = np.asarray(pixels, float).reshape(-1, 2)
    rays = unproject(np.column_stack([flat, np.ones(len(flat))]), camera, width, height) - camera.position
    return camera.position + rays * ((np.asarray(z, float) - camera.position[2]) / rays[:, 2])[:, None]
