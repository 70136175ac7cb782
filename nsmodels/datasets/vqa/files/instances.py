"""Named boxes of COCO as released: `annotations/instances_<split>2014.json`, streamed, checked, written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.names import INFO, LICENSE, image_name
from nsmodels.datasets.vqa.files.questions import whole
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.formats.scenes.records import opened, read_records
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

SLACK = 5.0  # pixels by which a released box may leave its image: they are made from polygons


@dataclass(frozen=True)
class Instance:
    """A named thing in an image; `box`: x, y of the upper left corner, width, height in pixels."""

    name: str
    box: tuple[float, float, float, float]
    is_crowd: bool = False


@dataclass
class Instances:
    """Named boxes of a split.

    Attributes:
        categories: name and supercategory by id.
        sizes: width and height of each image in pixels.
        by_image: the things of each image that has some.
    """

    categories: dict[int, tuple[str, str]] = field(default_factory=dict)
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    by_image: dict[int, list[Instance]] = field(default_factory=dict)

    def vocabulary(self) -> SceneVocabulary:
        """The names, with their supercategories where these are different words."""
        parents = {name: (above,) for name, above in self.categories.values() if above and above != name}
        return SceneVocabulary(names=tuple(name for name, _ in self.categories.values()), parents=parents)


def read_instances(path: Path) -> Instances:
    """Boxes of a released file, which may list its parts in any order. Raises `InputError`: file, record, field."""
    found, others = Instances(), {}
    kept: list[tuple[int, int, Any, bool]] = []
    with opened(path) as file:
        for number, record in enumerate(read_records(file, "annotations", str(path), others)):
            where = f"{path}: annotations[{number}]"
            image, category = whole(record, "image_id", where), whole(record, "category_id", where)
            kept.append((image, category, _box(record, where), bool(record.get("iscrowd"))))
    _read_head(path, others, found)
    for number, (image, category, box, is_crowd) in enumerate(kept):
        where = f"{path}: annotations[{number}]"
        if category not in found.categories:
            raise InputError(f"{where}: field 'category_id': {category} is not in 'categories'; fetch the file again")
        _require_inside(box, found.sizes.get(image), image, where)
        found.by_image.setdefault(image, []).append(Instance(found.categories[category][0], box, is_crowd))
    return found


def write_instances(path: Path, split: str, graphs: Sequence[SceneGraph], words: SceneVocabulary) -> None:
    """Write the boxes of scene graphs in the form and key order of the release; segmentations are the boxes."""
    ids = {name: number for number, name in enumerate(words.names, 1)}
    images = [
        {
            "license": 1,
            "file_name": image_name(split, int(graph.image)).rpartition("/")[2],
            "coco_url": "",
            "height": graph.height,
            "width": graph.width,
            "date_captured": INFO["date_created"],
            "flickr_url": "",
            "id": int(graph.image),
        }
        for graph in graphs
    ]
    things = [(int(graph.image), thing) for graph in graphs for thing in graph]
    annotations = [
        _as_json(image, ids[thing.name], (thing.box.x, thing.box.y, thing.box.w, thing.box.h), number)
        for number, (image, thing) in enumerate(things, 1)
    ]
    categories = [
        {"supercategory": next(iter(words.parents.get(name, ())), name), "id": number, "name": name}
        for name, number in ids.items()
    ]
    licenses = [{"url": LICENSE["url"], "id": 1, "name": LICENSE["name"]}]
    top: Mapping[str, Any] = {"info": INFO, "images": images, "licenses": licenses}
    write_atomic(path, json.dumps({**top, "annotations": annotations, "categories": categories}))


def _as_json(image: int, category: int, box: tuple[int, int, int, int], number: int) -> dict[str, Any]:
    x, y, w, h = box
    shape = {"segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]], "area": w * h, "iscrowd": 0}
    return shape | {"image_id": image, "bbox": list(box), "category_id": category, "id": number}


def _box(record: Mapping[str, Any], where: str) -> tuple[float, float, float, float]:
    box = record.get("bbox")
    is_box = isinstance(box, list) and len(box) == 4 and all(type(each) in (int, float) for each in box)
    if not is_box or not isinstance(box, list) or min(box[2:]) < 0:
        raise InputError(f"{where}: field 'bbox': expected [x, y, width, height] in pixels, got {box!r}")
    return box[0], box[1], box[2], box[3]


def _read_head(path: Path, others: Mapping[str, Any], found: Instances) -> None:
    for name in ("images", "categories"):
        if not isinstance(others.get(name), list):
            raise InputError(f"{path}: field '{name}': expected a list; is this a file of COCO's instances?")
    for number, record in enumerate(others["images"]):
        where = f"{path}: images[{number}]"
        found.sizes[whole(record, "id", where)] = whole(record, "width", where), whole(record, "height", where)
    for number, record in enumerate(others["categories"]):
        key = whole(record, "id", f"{path}: categories[{number}]")
        found.categories[key] = str(record.get("name", "")), str(record.get("supercategory", ""))


def _require_inside(
    box: tuple[float, float, float, float], size: tuple[int, int] | None, image: int, where: str
) -> None:
    if size is None:
        raise InputError(f"{where}: field 'image_id': {image} is not in 'images'; fetch the file again")
    x, y, w, h = box
    if min(x, y) < -SLACK or x + w > size[0] + SLACK or y + h > size[1] + SLACK:
        raise InputError(
            f"{where}: field 'bbox': {list(box)} is outside of image {image}, {size[0]}x{size[1]} pixels; were the "
            "images made smaller?"
        )
