"""File format of CLEVR's released tree: read, checked, written.

    root/images/<split>/CLEVR_<split>_000000.png
    root/scenes/CLEVR_<split>_scenes.json           {"info": {...}, "scenes": [...]}
    root/questions/CLEVR_<split>_questions.json     {"info": {...}, "questions": [...]}

Program nodes are read in the released form (`function`) and in that of the public generator (`type`, `side_inputs`, and
a leaked `_output`, which is dropped), and returned as {inputs, function, value_inputs}. Every fault of a file is an
`InputError` of one line: the file, the record, the field, the remedy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from nsmodels.core.artifact import MANIFEST
from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.schema import check_scene, check_single, checked_question
from nsmodels.datasets.clevr.files.split import SplitCheck, check_pair
from nsmodels.formats.scenes.records import MAKE, opened, read_records

SCENE_KEYS = ("image_index", "objects", "relationships", "image_filename", "split", "directions")
OBJECT_KEYS = ("color", "size", "rotation", "shape", "3d_coords", "material", "pixel_coords")
QUESTION_KEYS = (
    "image_index",
    "program",
    "question_index",
    "image_filename",
    "question_family_index",
    "split",
    "answer",
    "question",
)
Record = dict[str, Any]
Checked = TypeVar("Checked", bound=SplitCheck)


def scenes_path(root: Path, split: str) -> Path:
    """The scene file of a split."""
    return Path(root) / "scenes" / f"CLEVR_{split}_scenes.json"


def questions_path(root: Path, split: str) -> Path:
    """The question file of a split."""
    return Path(root) / "questions" / f"CLEVR_{split}_questions.json"


def image_path(root: Path, split: str, scene: Record) -> Path:
    """The image of a scene or of a question: anything with an `image_filename`."""
    return Path(root) / "images" / split / scene["image_filename"]


def splits(root: Path) -> list[str]:
    """Splits that have images; train, val and test first, in that order."""
    folders = [folder.name for folder in (Path(root) / "images").glob("*") if folder.is_dir()]
    known = [name for name in ("train", "val", "test") if name in folders]
    return known + sorted(set(folders) - set(known))


def training_splits(root: Path, train: str = "", val: str = "") -> tuple[str, str]:
    """Names of the splits for training and validation.

    Those given, else those that the data were prepared with, else `train` and `val`, else the only ones that begin so,
    as `trainA` and `valA` of CLEVR-CoGenT. Raises `InputError` listing the splits that there are.
    """
    prepared = _prepared(root)
    train, val = train or prepared.get("train_split", ""), val or prepared.get("val_split", "")
    train = train or _only(root, "train", "")
    suffix = train.removeprefix("train") if train.startswith("train") else ""
    names = (train, val or _only(root, "val", suffix))
    for name in names:
        if name not in splits(root):
            raise InputError(f"{root}: no split '{name}' ({_listed(root)})")
    return names


def _prepared(root: Path) -> Record:
    """Configuration of sealed data; empty for a plain folder."""
    try:
        return json.loads((Path(root) / MANIFEST).read_text(encoding="utf-8"))["config"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _only(root: Path, role: str, suffix: str) -> str:
    found = [name for name in splits(root) if name.startswith(role)]
    for name in (role, role + suffix, *(found if len(found) == 1 else ())):
        if name in found:
            return name
    remedy = f"name one with {role}_split" if found else f"expected images in images/{role}"
    raise InputError(f"{root}: no split '{role}' ({_listed(root)}); {remedy}")


def _listed(root: Path) -> str:
    return f"there are: {', '.join(splits(root)) or 'none'}"


def answered_splits(root: Path) -> list[str]:
    """Splits that have scenes and questions with answers, with or without images."""
    front, back = "CLEVR_", "_scenes.json"
    paths = sorted((Path(root) / "scenes").glob(f"{front}*{back}"))
    found = [path.name.removeprefix(front).removesuffix(back) for path in paths]
    return [split for split in found if _has_answers(questions_path(root, split))]


def _has_answers(path: Path) -> bool:
    if not path.is_file():
        return False
    with opened(path) as file:
        return "answer" in next(read_records(file, "questions", str(path)), {})


def read_scenes(root: Path, split: str) -> list[Record]:
    """The checked scenes of a split, in the order of the file; raises `InputError` for a missing or malformed file."""
    return list(each_scene(root, split))


def read_questions(root: Path, split: str, answered: bool = True) -> list[Record]:
    """The checked questions of a split, in the order of the file, with normalised programs and answers.

    With `answered=False` questions may lack program, answer and family, as those of the released test split do. Raises
    `InputError` for a missing or malformed file.
    """
    return list(each_question(root, split, answered))


def each_scene(root: Path, split: str) -> Iterator[Record]:
    """The scenes of `read_scenes`, one in memory at a time; each image has one scene."""
    path = scenes_path(root, split)
    seen: dict[int | str, int] = {}
    with opened(path) as file:
        for number, scene in enumerate(read_records(file, "scenes", str(path))):
            check_scene(scene, f"{path}: scenes[{number}]")
            for field in ("image_index", "image_filename"):
                check_single(scene, field, seen, number, f"{path}: scenes")
            yield scene


def each_question(root: Path, split: str, answered: bool = True) -> Iterator[Record]:
    """The questions of `read_questions`, one in memory at a time."""
    path = questions_path(root, split)
    with opened(path) as file:
        for number, question in enumerate(read_records(file, "questions", str(path))):
            yield checked_question(question, f"{path}: questions[{number}]", answered)


def pair(
    questions: list[Record], scenes: list[Record], root: Path = Path(), split: str = ""
) -> Iterator[tuple[Record, Record]]:
    """Each question with the scene of its image; raises `InputError` for a question whose image has no scene."""
    known = {scene["image_index"]: scene for scene in scenes}
    for number, question in enumerate(questions):
        scene = known.get(question["image_index"])
        where = f"{questions_path(root, split)}: questions[{number}]"
        check_pair(question, None if scene is None else scene["image_filename"], where, str(scenes_path(root, split)))
        assert scene is not None
        yield question, scene


def check_split(
    root: Path,
    split: str,
    answered: bool = True,
    kind: type[Checked] = SplitCheck,  # pyright: ignore[reportArgumentType]
) -> Checked:
    """Read a whole split and check that scenes, questions and image files match each other.

    Returns the check, of class `kind`, with the numbers of images and questions; image files must exist, but are not
    decoded (see `verify_image`). Raises `InputError` for the first fault.
    """
    check = kind(str(scenes_path(root, split)), str(questions_path(root, split)), answered)
    for name, add in (("scenes", check.add_scene), ("questions", check.add_question)):
        with opened(Path(getattr(check, name))) as file:
            for number, record in enumerate(read_records(file, name, getattr(check, name))):
                add(record, number)
    check.finish()
    for name in check.images.values():
        path = image_path(root, split, {"image_filename": name})
        if not path.is_file():
            raise InputError(f"{path}: no such image, though {check.scenes} lists it; {MAKE}")
    return check


def verify_image(path: Path) -> tuple[int, int]:
    """Decode an image file to the last byte; returns (width, height). Raises `InputError` when missing or corrupt."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            require_bytes(path, image.mode)
            return image.size
    except FileNotFoundError:
        raise InputError(f"{path}: no such image; {MAKE}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be decoded ({error}); replace it by a whole image") from None


def require_bytes(path: Path, mode: str) -> None:
    """Raise `InputError` for a mode of Pillow whose values are no bytes: in RGB they would be cut off at 255."""
    if mode.startswith(("I", "F")):
        raise InputError(f"{path}: has one channel of more than 8 bits ({mode}); convert it to RGB of 8 bits")


def write_scenes(root: Path, split: str, scenes: list[Record], info: Record | None = None) -> Path:
    """Write the scene file of a split in the released key order, atomically."""
    ordered = [
        _ordered({**scene, "objects": [_ordered(thing, OBJECT_KEYS) for thing in scene["objects"]]}, SCENE_KEYS)
        for scene in scenes
    ]
    return _write(scenes_path(root, split), {"info": info or synthetic_info(split), "scenes": ordered})


def write_questions(root: Path, split: str, questions: list[Record], info: Record | None = None) -> Path:
    """Write the question file of a split in the released key order, atomically."""
    ordered = [_ordered(question, QUESTION_KEYS) for question in questions]
    return _write(questions_path(root, split), {"info": info or synthetic_info(split), "questions": ordered})


def synthetic_info(split: str) -> Record:
    """An `info` block in the released form that marks the data as synthetic."""
    return {"split": split, "license": "synthetic, made by nsmodels", "version": "1.0", "date": "synthetic"}


def _write(path: Path, content: Record) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, json.dumps(content))
    return path


def _ordered(record: Record, keys: tuple[str, ...]) -> Record:
    """The record with the released keys first, in their order."""
    return {key: record[key] for key in keys if key in record} | record
