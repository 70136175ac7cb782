"""Images and boxes of scene graphs, checked against each other."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.places import image_path
from nsmodels.formats.scenes.graphs import SceneGraph

MOST_OUTSIDE = 0.05  # of the side of an image that a box may stick out


def require_boxes(graph: SceneGraph, where: str) -> SceneGraph:
    """The graph, if its boxes are in the image, but for a rim. Raises `InputError` that names file, image, object."""
    for thing in graph:
        box = thing.box
        for name, start, size, whole in (("x", box.x, box.w, graph.width), ("y", box.y, box.h, graph.height)):
            rim = MOST_OUTSIDE * whole
            if start < -rim or start + size > whole + rim:
                raise InputError(
                    f"{where}: image '{graph.image}', object '{thing.id}', field '{name}': from {start} to "
                    f"{start + size}, expected a box in the {whole} pixels of the image"
                )
    return graph


def check_image(folder: Path, graph: SceneGraph) -> None:
    """Decode the image of a graph to its last byte; raises `InputError` when it is missing, broken or resized."""
    from PIL import Image

    path = image_path(folder, graph.image)
    try:
        with Image.open(path) as image:
            image.load()
            size = image.size
    except FileNotFoundError:
        raise InputError(f"{path}: no such image") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be decoded ({error}); replace it by a whole image") from None
    if size != (graph.width, graph.height):
        raise InputError(f"{path}: {size[0]}x{size[1]} pixels, its scene graph states {graph.width}x{graph.height}")


def faults_of_images(folder: Path, graphs: Iterable[SceneGraph]) -> list[str]:
    """One line for each image that `check_image` refuses."""

    def fault(graph: SceneGraph) -> str:
        try:
            check_image(folder, graph)
        except InputError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor() as pool:
        return [line for line in pool.map(fault, graphs) if line]
