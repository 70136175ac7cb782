"""A small release of VQA v2 in its archives: written by hand with the standard library, for the tests."""

from __future__ import annotations

import io
import json
import zipfile
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

SIZES = {"train": 30, "val": 10}
PER_IMAGE = 3
OTHERS = {"info": {"description": "ä test", "version": "2.0"}, "license": {"name": "none"}}


def image_ids(split: str) -> list[int]:
    """Ids in the order of the archive, which is not that of the numbers."""
    start = 1 if split == "train" else 1001
    rng = np.random.default_rng(start)
    return [int(number) for number in rng.permutation(np.arange(start, start + SIZES[split]) * 3)]


def jpeg(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=95)
    return stream.getvalue()


def questions(split: str) -> list[dict[str, Any]]:
    """The last question of an image is that of its partner, in the order of the numbers."""
    ids = sorted(image_ids(split))
    return [
        {"image_id": image, "question": f"What is {q if q else place // 2}?", "question_id": image * 1000 + q}
        for place, image in enumerate(ids)
        for q in range(PER_IMAGE)
    ]


def pairs(split: str) -> list[list[int]]:
    """First questions of neighbours in the order of the numbers."""
    ids = sorted(image_ids(split))
    return [[one * 1000, other * 1000] for one, other in zip(ids[::2], ids[1::2], strict=True)]


def annotations(split: str) -> list[dict[str, Any]]:
    return [
        {
            "question_type": "what is",
            "multiple_choice_answer": "yes" if each["question_id"] % 2 else "2",
            "answers": [
                {"answer": "yes" if each["question_id"] % 2 else "2", "answer_confidence": "maybe", "answer_id": number}
                for number in range(1, 11)
            ],
            "image_id": each["image_id"],
            "answer_type": "yes/no" if each["question_id"] % 2 else "number",
            "question_id": each["question_id"],
        }
        for each in questions(split)
    ]


def instances(split: str) -> dict[str, Any]:
    ids = image_ids(split)
    images = [{"license": 1, "file_name": "x.jpg", "height": 40, "width": 56, "id": image} for image in ids]
    boxes = [
        {
            "segmentation": [],
            "area": 4.0,
            "iscrowd": 0,
            "image_id": i,
            "bbox": [1.5, 2, 8, 9],
            "category_id": 18,
            "id": i,
        }
        for i in ids
    ]
    categories = [{"supercategory": "animal", "id": 18, "name": "dog"}]
    return {"info": {}, "images": images, "licenses": [], "annotations": boxes, "categories": categories}


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            kind = zipfile.ZIP_STORED if name.endswith(".jpg") else zipfile.ZIP_DEFLATED
            archive.writestr(name, data, kind)
    return buffer.getvalue()


@cache
def tree() -> dict[str, bytes]:
    """The unpacked release: content by name below the folder."""
    files: dict[str, bytes] = {}
    for split in SIZES:
        head = {**OTHERS, "data_subtype": f"{split}2014"}
        files[f"v2_OpenEnded_mscoco_{split}2014_questions.json"] = dumped({**head, "questions": questions(split)})
        files[f"v2_mscoco_{split}2014_annotations.json"] = dumped({**head, "annotations": annotations(split)})
        files[f"v2_mscoco_{split}2014_complementary_pairs.json"] = dumped(pairs(split))
        files[f"annotations/instances_{split}2014.json"] = dumped(instances(split))
        files |= {f"{split}2014/COCO_{split}2014_{image:012d}.jpg": jpeg(image) for image in image_ids(split)}
    return files


def archives(files: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """The nine archives by path on the server; `files`: instead of those of the release."""
    files = {**tree(), **(files or {})}
    found = {}
    for split in SIZES:
        images = {name: data for name, data in files.items() if name.startswith(f"{split}2014/")}
        found[f"/zips/{split}2014.zip"] = zipped({f"{split}2014/": b""} | images)
        for kind, name in (
            ("Questions", f"v2_OpenEnded_mscoco_{split}2014_questions.json"),
            ("Annotations", f"v2_mscoco_{split}2014_annotations.json"),
            ("Complementary_Pairs", f"v2_mscoco_{split}2014_complementary_pairs.json"),
        ):
            found[f"/vqa/v2_{kind}_{split.capitalize()}_mscoco.zip"] = zipped({name: files[name]})
    boxes = {
        f"annotations/instances_{split}2014.json": files[f"annotations/instances_{split}2014.json"] for split in SIZES
    }
    more = {"annotations/captions_train2014.json": np.random.default_rng(0).bytes(400_000)}
    found["/annotations/annotations_trainval2014.zip"] = zipped(boxes | more)
    return found


def dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
