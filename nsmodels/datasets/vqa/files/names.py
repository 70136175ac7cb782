"""Names of the released files of VQA v2, below the folder of a dataset, and the heads of those written here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError

SPLITS = ("train", "val")  # of the release, those with annotations; test2015 has questions only
TWIN_SPLITS = (*SPLITS, "ood", "unseen")
QUESTIONS_PER_IMAGE_ID = 1000  # question_id = image_id · 1000 + k
REMEDY = "give a folder of VQA v2 (nsmodels vqa prepare)"

# Heads of the synthetic files: the keys of the release, our own content.
INFO = {
    "description": "Synthetic twin of the VQA v2.0 format.",
    "url": "",
    "version": "2.0",
    "year": 2014,
    "contributor": "nsmodels",
    "date_created": "2014-01-01 00:00:00",
}
LICENSE = {"url": "http://creativecommons.org/licenses/by/4.0/", "name": "synthetic, made by nsmodels; CC BY 4.0"}


def subtype(split: str) -> str:
    """The split in names of files: train → train2014."""
    return f"{split}2014"


def questions_name(split: str) -> str:
    """Name of the file of questions."""
    return f"v2_OpenEnded_mscoco_{subtype(split)}_questions.json"


def annotations_name(split: str) -> str:
    """Name of the file of annotations."""
    return f"v2_mscoco_{subtype(split)}_annotations.json"


def pairs_name(split: str) -> str:
    """Name of the file of complementary pairs."""
    return f"v2_mscoco_{subtype(split)}_complementary_pairs.json"


def instances_name(split: str) -> str:
    """Name of COCO's file of named boxes."""
    return f"annotations/instances_{subtype(split)}.json"


def image_name(split: str, image: int) -> str:
    """Name of an image: train2014/COCO_train2014_000000458752.jpg."""
    return f"{subtype(split)}/COCO_{subtype(split)}_{image:012d}.jpg"


def splits(folder: Path, among: Sequence[str] = TWIN_SPLITS) -> list[str]:
    """Splits with questions and annotations in a folder, in the order of `among`."""
    files = (questions_name, annotations_name)
    return [split for split in among if all((folder / name(split)).is_file() for name in files)]


def require_split(folder: Path, split: str) -> None:
    """Raise `InputError` where a folder has no such split with annotations, naming what it has instead."""
    if split.startswith("test"):
        raise InputError(
            f"{folder}: split '{split}' has no annotations, so it cannot be scored here; score val, or send the "
            "predictions to the evaluation server of VQA"
        )
    if split in splits(folder, [split]):
        return
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; {REMEDY}")
    if (folder / "questions").is_dir():
        raise InputError(f"{folder}: has a folder questions/, as GQA and CLEVR have; expected VQA v2: {REMEDY}")
    missing = next(name(split) for name in (questions_name, annotations_name) if not (folder / name(split)).is_file())
    found = ", ".join(splits(folder)) or "none"
    raise InputError(f"{folder / missing}: missing (splits with annotations: {found}); {REMEDY}")


def head(split: str) -> dict[str, Any]:
    """Head of a file of questions, in the order of the release."""
    kind = {"task_type": "Open-Ended", "data_type": "mscoco"}
    return {"info": INFO, **kind, "license": LICENSE, "data_subtype": subtype(split)}
