"""Properties of objects: each a formula of the physics, in [0, 1]."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.impacts.scenes import BALL, BAR, BOX, OPEN, Objects
from nsmodels.formats.clips.names import PROPERTIES

GRAVITY = 9.81


def properties_of(objects: Objects) -> np.ndarray:
    """Properties float32 (n, 9), see `names.PROPERTIES`."""
    extents = objects.extents
    outer = extents.prod(axis=1)
    inner = np.maximum(extents - 2 * objects.wall[:, None], 0).prod(axis=1)
    values = {
        "hardness": _log(objects.hardness, 1.5e6, 10e9),
        "weight": _log(objects.mass, 0.005, 4.0),
        "size": (extents.max(axis=1) - 0.04) / 0.13,
        "animacy": objects.drive / (objects.drive + 0.5 * GRAVITY),
        "rigidity": _log(bending_stiffness(objects), 1e2, 1e9),
        "transparency": objects.transparency,
        "roughness": objects.roughness,
        "temperature": objects.temperature / 62,
        "containment": np.where(objects.opening == OPEN, inner / outer, 0.0),
    }
    return np.clip(np.stack([values[name] for name in PROPERTIES], 1), 0, 1).astype(np.float32)


def bending_stiffness(objects: Objects) -> np.ndarray:
    """E I / L^3, N/m, across the thinnest part, L the longest; of a box the walls, of a ball a rod of its diameter."""
    length = objects.extents.max(axis=1)
    thin = np.where(objects.shape == BOX, objects.wall, objects.extents[:, 2])
    wide = np.where(objects.shape == BAR, objects.extents[:, 1], length)
    moment = wide * thin**3 / 12
    moment = np.where(objects.shape == BALL, np.pi * length**4 / 64, moment)
    return objects.young * moment / length**3


def _log(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Where values are between two others, in their logarithms."""
    return np.log(values / low) / np.log(high / low)
