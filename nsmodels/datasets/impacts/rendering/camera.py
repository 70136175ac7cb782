"""The camera, fixed in front of the table: rays through its pixels, and where on the picture a ball appears.

The picture is SIDE x SIDE pixels; x goes right, y down, both in pixels with centres at halves.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

# Divisions by 0 give inf, as everywhere in numpy; terms of a sum may be reordered.
compiled = njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp", "nsz"})

SIDE = 64
EYE = (0.0, -0.75, 0.55)  # m
TARGET = (0.0, 0.0, 0.01)  # m
ANGLE = math.radians(27.0)  # field of view


def _axes() -> list[tuple[float, float, float]]:
    """Unit vectors to the right, up and forward."""
    forward = np.subtract(TARGET, EYE)
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    return [(float(x), float(y), float(z)) for x, y, z in (right, np.cross(right, forward), forward)]


RIGHT, UP, FORWARD = _axes()
FOCAL = SIDE / (2 * math.tan(ANGLE / 2))  # pixels


@compiled
def ray(x: float, y: float) -> tuple[float, float, float]:
    """Unit direction from the eye through a place on the picture."""
    a, b = (x - SIDE / 2) / FOCAL, (SIDE / 2 - y) / FOCAL
    u = FORWARD[0] + a * RIGHT[0] + b * UP[0]
    v = FORWARD[1] + a * RIGHT[1] + b * UP[1]
    w = FORWARD[2] + a * RIGHT[2] + b * UP[2]
    scale = 1.0 / math.sqrt(u * u + v * v + w * w)
    return u * scale, v * scale, w * scale


@compiled
def circle(x: float, y: float, z: float, radius: float) -> tuple[float, float, float]:
    """Place and radius on the picture, pixels, of a circle that contains a ball in front of the eye."""
    x, y, z = x - EYE[0], y - EYE[1], z - EYE[2]
    depth = x * FORWARD[0] + y * FORWARD[1] + z * FORWARD[2]
    if depth < 2 * radius:
        return SIDE / 2, SIDE / 2, 2.0 * SIDE
    across = FOCAL * (x * RIGHT[0] + y * RIGHT[1] + z * RIGHT[2]) / depth
    above = FOCAL * (x * UP[0] + y * UP[1] + z * UP[2]) / depth
    # Off the axis a ball appears as an ellipse, longer by 1/cos² of the angle at most.
    stretch = 1.0 + (across * across + above * above) / (FOCAL * FOCAL)
    return SIDE / 2 + across, SIDE / 2 - above, FOCAL * radius / (depth - radius) * stretch + 1.0
