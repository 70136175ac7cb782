"""Random CLEVR scenes in the released format: objects, relations, camera, lamps (Johnson et al., CVPR 2017)."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nsmodels.datasets.clevr.rendering.camera import Camera, project, sample_camera
from nsmodels.datasets.clevr.rendering.caster import visible_pixels
from nsmodels.datasets.clevr.rendering.lighting import LAMP_JITTER, LAMP_POSITIONS
from nsmodels.datasets.clevr.rendering.shapes import HALF_EXTENT, object_table
from nsmodels.datasets.clevr.vocabulary import COLORS, MATERIALS, MAX_OBJECTS, SHAPES, SIZES

# Unit vectors of the relations. The release computes them before the camera is jittered, so all scenes share them.
DIRECTIONS: dict[str, list[float]] = {
    "right": [0.6563112735748291, 0.7544902563095093, -0.0],
    "behind": [-0.754490315914154, 0.6563112735748291, 0.0],
    "above": [0.0, 0.0, 1.0],
    "below": [-0.0, -0.0, -1.0],
    "left": [-0.6563112735748291, -0.7544902563095093, 0.0],
    "front": [0.754490315914154, -0.6563112735748291, -0.0],
}
RELATION_ORDER = ("right", "behind", "front", "left")
RELATION_MARGIN = 0.2
MIN_OBJECTS = 3
# Of the release, in scene units: centres in ±REACH along x and y, GAP between the circles of two objects' half extents,
# centres DIRECTION_GAP apart along the axis of every relation, so that none is ambiguous.
REACH = 3.0
GAP = 0.25
DIRECTION_GAP = 0.4
MAX_TRIES = 50  # places tried for an object before the scene is drawn again
# Visible pixels every object must keep in an image 480 wide, and the width at which they are counted here.
# 40 official scenes go down to 224 at 480 wide, so the 200 of the release hold at its own resolution.
MIN_PIXELS = 200
COUNTING_WIDTH = 240

Array = NDArray[np.float64]


def scene_generator(seed: int, split: str, index: int) -> np.random.Generator:
    """The generator of one scene; streams of different splits, scenes and seeds are independent."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(split.encode()), index]))


def relationships(coords: ArrayLike) -> dict[str, list[list[int]]]:
    """Coordinates (n, 3) → relation name → for each object i the ascending list of the j that are `name` of i."""
    # j is right of i when the component of p_j - p_i along the relation's direction exceeds the margin.
    points = np.asarray(coords, float).reshape(-1, 3)
    offsets = points[None, :, :] - points[:, None, :]
    return {
        name: [np.flatnonzero(row > RELATION_MARGIN).tolist() for row in offsets @ np.asarray(DIRECTIONS[name])]
        for name in RELATION_ORDER
    }


def sample_scene(
    rng: np.random.Generator, split: str = "train", index: int = 0, width: int = 480, height: int = 320
) -> tuple[dict[str, Any], Camera, Array]:
    """A scene in the released key order, its camera, and the positions (3, 3) of key, fill and back lamp.

    3 to 10 objects, apart by the margins of the release; each has at least 200 visible pixels in an image 480 wide.
    """
    camera = sample_camera(rng)
    lamps = np.asarray(LAMP_POSITIONS) + rng.uniform(-LAMP_JITTER, LAMP_JITTER, (3, 3))
    count = int(rng.integers(MIN_OBJECTS, MAX_OBJECTS + 1))
    objects = None
    while objects is None:
        objects = _place(rng, count, camera, width / height)
    pixels = project([o["3d_coords"] for o in objects], camera, width, height)
    for thing, (x, y, depth) in zip(objects, pixels, strict=True):
        thing["pixel_coords"] = [round(x), round(y), float(depth)]
    return _released(objects, split, index), camera, lamps


def _released(objects: list[dict[str, Any]], split: str, index: int) -> dict[str, Any]:
    return {
        "image_index": index,
        "objects": objects,
        "relationships": relationships([o["3d_coords"] for o in objects]),
        "image_filename": f"CLEVR_{split}_{index:06d}.png",
        "split": split,
        "directions": {name: list(vector) for name, vector in DIRECTIONS.items()},
    }


def _place(rng: np.random.Generator, count: int, camera: Camera, aspect: float) -> list[dict[str, Any]] | None:
    """`count` objects that keep their distances and are all visible, or None when one has no place or is hidden."""
    objects: list[dict[str, Any]] = []
    while len(objects) < count:
        size = SIZES[rng.integers(len(SIZES))]
        spot = _free_spot(rng, objects, HALF_EXTENT[size])
        if spot is None:
            return None
        objects.append(_thing(rng, size, spot))
    width = COUNTING_WIDTH
    seen = visible_pixels(object_table(objects), camera, width, round(width / aspect))
    return objects if seen.min() >= MIN_PIXELS * (width / 480) ** 2 else None


def _free_spot(rng: np.random.Generator, objects: list[dict[str, Any]], extent: float) -> Array | None:
    taken = np.asarray([o["3d_coords"][:2] for o in objects]).reshape(-1, 2)
    reach = np.asarray([HALF_EXTENT[o["size"]] for o in objects]) + extent + GAP
    axes = np.asarray([DIRECTIONS["right"][:2], DIRECTIONS["behind"][:2]])
    for spot in rng.uniform(-REACH, REACH, (MAX_TRIES, 2)):
        apart = spot - taken
        if (np.hypot(*apart.T) >= reach).all() and (np.abs(apart @ axes.T) >= DIRECTION_GAP).all():
            return spot
    return None


def _thing(rng: np.random.Generator, size: str, spot: Array) -> dict[str, Any]:
    """One object in the released key order; coordinates are float32 as in the release."""
    shape, color = SHAPES[rng.integers(len(SHAPES))], COLORS[rng.integers(len(COLORS))]
    place = [float(np.float32(value)) for value in (*spot, HALF_EXTENT[size])]
    return {
        "color": color,
        "size": size,
        "rotation": float(rng.uniform(0.0, 360.0)),
        "shape": shape,
        "3d_coords": place,
        "material": MATERIALS[rng.integers(len(MATERIALS))],
        "pixel_coords": [],
    }
