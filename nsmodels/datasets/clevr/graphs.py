"""Scenes of CLEVR as scene graphs: shapes are names, the stated relationships relations, boxes those of the solids.

The files state no boxes. What they state of an object is enough for one: the pixel and the depth of its centre, its
shape, its size and its rotation. The solid is drawn around that pixel with the camera of the release; what is unknown
is the jitter of the camera's position, within which a box moves by about a pixel. A box is that of the whole solid:
parts that other objects hide, or that are outside of the image, belong to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.format import each_scene, image_path
from nsmodels.datasets.clevr.rendering.camera import FOCAL_PER_WIDTH, Camera
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS, RELATIONS, SHAPES
from nsmodels.formats.images.decoding import Size, opened, upright_size
from nsmodels.formats.scenes.graphs import Box, Relation, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

HALF_SIZES = {"large": 0.7, "small": 0.35}  # scene units; cubes too have this half edge
NUM_POINTS = 24  # on a circle
DESCRIBED = tuple(name for name in ATTRIBUTES if name != "shape")
VOCABULARY = SceneVocabulary(
    names=SHAPES,
    attributes={name: ATTRIBUTES[name] for name in DESCRIBED},
    relations=RELATIONS,
    inverses={"left": "right", "right": "left", "front": "behind", "behind": "front"},
    functions=FUNCTIONS,
)


def each_graph(root: Path, split: str) -> Iterator[tuple[Path, SceneGraph]]:
    """Image file and scene graph of each scene of a split, in the order of the file, one in memory at a time.

    Raises `InputError` for a missing or malformed file, and for an image that is missing or broken.
    """
    for scene in each_scene(root, split):
        path = image_path(root, split, scene)
        with opened(path) as image:
            size = upright_size(image)
        yield path, scene_graph(scene, size)


def scene_graph(scene: dict[str, Any], size: Size) -> SceneGraph:
    """The graph of a checked scene; `size`: width and height of its image in pixels.

    Ids are places in the list of objects, from 0; the image is called as its file. Raises `InputError` for an object
    without a place in the image.
    """
    relations: list[list[Relation]] = [[] for _ in scene["objects"]]
    for name in RELATIONS:
        for anchor, members in enumerate(scene["relationships"][name]):
            for member in members:
                relations[member].append(Relation(name, str(anchor)))
    things = tuple(
        Thing(
            str(number),
            thing["shape"],
            solid_box(thing, size, f"{scene['image_filename']}: objects[{number}]"),
            tuple(thing[name] for name in DESCRIBED),
            tuple(relations[number]),
        )
        for number, thing in enumerate(scene["objects"])
    )
    return SceneGraph(scene["image_filename"], size[0], size[1], things)


def solid_box(thing: dict[str, Any], size: Size, where: str = "object") -> Box:
    """The box of an object's solid in whole pixels, at least one wide and high."""
    corners = _outline(thing["shape"], HALF_SIZES[thing["size"]], float(thing.get("rotation", 0.0)))
    depth = _depth(thing)
    if depth <= 1.0:
        raise InputError(f"{where}: field 'pixel_coords': depth {depth:.2f}, expected one before the camera")
    # Weak perspective would be off by a tenth of the size: each point of the solid has its own depth.
    right, up, forward = _axes() @ corners.T
    scale = FOCAL_PER_WIDTH * size[0] / (depth + forward)
    x, y = thing["pixel_coords"][0] + scale * right, thing["pixel_coords"][1] - scale * up
    # The rays through a solid's centre and through its image are not parallel off the axis: the shift that they share.
    across, down = (thing["pixel_coords"][k] - size[k] / 2 for k in (0, 1))
    x, y = x + across * (depth / (depth + forward) - 1), y + down * (depth / (depth + forward) - 1)
    left, top = round(float(x.min())), round(float(y.min()))
    return Box(left, top, max(1, round(float(x.max())) - left), max(1, round(float(y.max())) - top))


def _depth(thing: dict[str, Any]) -> float:
    """Depth of the centre: as stated, or that for the camera of the release without its jitter."""
    if len(thing["pixel_coords"]) == 3:
        return float(thing["pixel_coords"][2])
    place = (*thing["3d_coords"], HALF_SIZES[thing["size"]])[:3]
    return float((np.asarray(place) - Camera().position) @ _axes()[2])


@lru_cache(maxsize=1)
def _axes() -> np.ndarray:
    return Camera().axes


@lru_cache(maxsize=4096)
def _outline(shape: str, half: float, rotation: float) -> np.ndarray:
    """Points (k, 3) on the surface of a solid, from its centre, whose hull has its outline."""
    around = np.linspace(0, 2 * np.pi, NUM_POINTS, endpoint=False)
    if shape == "sphere":  # the circle that faces the camera
        right, up, _ = _axes()
        return half * (np.multiply.outer(np.cos(around), right) + np.multiply.outer(np.sin(around), up))
    if shape == "cube":
        around = np.pi / 4 + np.arange(4) * np.pi / 2 + rotation  # called degrees, used as radians by the release
    reach = half * (np.sqrt(2) if shape == "cube" else 1.0)
    ring = np.column_stack([reach * np.cos(around), reach * np.sin(around)])
    ends = [np.column_stack([ring, np.full(len(ring), z)]) for z in (-half, half)]
    return np.concatenate(ends)
