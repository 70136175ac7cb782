"""Photographs with their graphs in a dataset folder, and the words of its scenes.

GQA has scene graphs, a VQA folder the boxes of COCO, CLEVR scenes of solids.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr import graphs as clevr
from nsmodels.datasets.gqa.files.format import each_graph
from nsmodels.datasets.gqa.files.places import graphs_path, image_path
from nsmodels.formats.scenes.graphs import Box, SceneGraph, Thing
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.folders import Kind, kind_of
from nsmodels.systems.natural.perception.labels import Photograph


def read_photographs(root: Path, split: str, num: int = 0) -> list[Photograph]:
    """Photographs of a split in the order of its file, the first `num` of them; 0: all.

    Raises `InputError` for a folder that does not hold what its kind has of the split.
    """
    return READERS[kind_of(root)](root, split, num)


def vocabulary_of(root: Path) -> SceneVocabulary:
    """The words of the scenes of a folder: those of CLEVR are fixed, others are stated. Raises `InputError`."""
    return FIXED.get(kind_of(root)) or SceneVocabulary.read(root)


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
    _require(graphs_path(root, split), root, split)
    graphs = itertools.islice(each_graph(root, split), num or None)
    return [Photograph(str(image_path(root, graph.image)), graph) for graph in graphs]


def _solids(root: Path, split: str, num: int) -> list[Photograph]:
    graphs = itertools.islice(clevr.each_graph(root, split), num or None)
    return [Photograph(str(path), graph) for path, graph in graphs]


def _boxed(root: Path, split: str, num: int) -> list[Photograph]:
    path = instances_path(root, split)
    _require(path, root, split)
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


def _require(path: Path, root: Path, split: str) -> None:
    if not path.is_file():
        raise InputError(f"{root}: no scene graphs of split '{split}'; expected {path.name}")


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not JSON ({error}); fetch or prepare the data again") from None
    if not isinstance(document, dict):
        raise InputError(f"{path}: expected a JSON object; fetch or prepare the data again")
    return document


# The twin of VQA also holds graphs, its truth, which the release has not: they are not read.
READERS: Mapping[Kind, Callable[[Path, str, int], list[Photograph]]] = {
    "gqa": _described,
    "vqa": _boxed,
    "clevr": _solids,
}
FIXED: Mapping[Kind, SceneVocabulary] = {"clevr": clevr.VOCABULARY}
