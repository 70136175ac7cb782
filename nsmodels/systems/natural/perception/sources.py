"""Photographs with their graphs in a dataset folder: GQA's scene graphs, or the boxes of COCO in a VQA folder."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import each_graph
from nsmodels.datasets.gqa.files.places import graphs_path, image_path
from nsmodels.formats.scenes.graphs import Box, SceneGraph, Thing
from nsmodels.systems.natural.perception.labels import Photograph


def read_photographs(root: Path, split: str, num: int = 0) -> list[Photograph]:
    """Photographs of a split in the order of its file, the first `num` of them; 0: all.

    Raises `InputError` for a folder that holds neither scene graphs nor boxes of the split.
    """
    graphs, instances = graphs_path(root, split), instances_path(root, split)
    if instances.is_file():  # first: the twin of VQA also holds graphs, its truth, which the release has not
        return _boxed(root, split, instances, num)
    if graphs.is_file():
        return _described(root, split, num)
    raise InputError(f"{root}: no scene graphs of split '{split}'; expected {graphs.name} or {instances.name}")


def learnt_from(photographs: Sequence[Photograph], num_held_out: int) -> list[Photograph]:
    """All but the last `num_held_out` training images. Raises `InputError` where none is left."""
    if num_held_out >= len(photographs) > 0:
        raise InputError(
            f"calibration_images={num_held_out}: there are {len(photographs)} training images; choose fewer"
        )
    return list(photographs[: len(photographs) - num_held_out])


def to_calibrate_on(photographs: Sequence[Photograph], num_held_out: int, most: int) -> list[Photograph]:
    """The training images that are not learnt from; where all are, the first `most` of them."""
    return list(photographs[len(photographs) - num_held_out :] if num_held_out else photographs[:most])


def instances_path(root: Path, split: str) -> Path:
    """The boxes of a split of a VQA folder."""
    return root / "annotations" / f"instances_{split}2014.json"


def _described(root: Path, split: str, num: int) -> list[Photograph]:
    graphs = itertools.islice(each_graph(root, split), num or None)
    return [Photograph(str(image_path(root, graph.image)), graph) for graph in graphs]


def _boxed(root: Path, split: str, path: Path, num: int) -> list[Photograph]:
    document = _read(path)
    try:
        images = document["images"][: num or None]
        names = {each["id"]: each["name"] for each in document["categories"]}
        things: dict[int, list[Thing]] = {each["id"]: [] for each in images}
        for each in document["annotations"]:
            if each["image_id"] in things and not each.get("iscrowd"):
                x, y, w, h = (round(side) for side in each["bbox"])
                things[each["image_id"]].append(Thing(str(each["id"]), names[each["category_id"]], Box(x, y, w, h)))
        graphs = [SceneGraph(str(i["id"]), i["width"], i["height"], tuple(things[i["id"]])) for i in images]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not the boxes of COCO ({error!r}); fetch the file again") from None
    folder = root / f"{split}2014"
    files = [str(folder / image["file_name"]) for image in images]
    return [Photograph(file, graph, is_described=False) for file, graph in zip(files, graphs, strict=True)]


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); fetch or prepare the data again") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: expected a JSON object; fetch or prepare the data again")
    return document
