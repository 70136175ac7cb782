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
from typing import Any

from nsmodels.core.artifact import require_listed
from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.files.records import read_records
from nsmodels.datasets.clevr.vocabulary import ANSWERS, ATTRIBUTE_OF, ATTRIBUTES, FUNCTIONS, MAX_OBJECTS, RELATIONS

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
# Keys of a question in the test split; the release withholds the others.
UNANSWERED_KEYS = ("image_index", "question_index", "image_filename", "question")
MAKE = "make the dataset first (see nsmodels clevr --help)"
REMAKE = "delete it and make the dataset again"

Record = dict[str, Any]


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


def answered_splits(root: Path) -> list[str]:
    """Splits that have scenes and questions with answers, with or without images."""
    front, back = "CLEVR_", "_scenes.json"
    paths = sorted((Path(root) / "scenes").glob(f"{front}*{back}"))
    found = [path.name.removeprefix(front).removesuffix(back) for path in paths]
    return [split for split in found if _has_answers(questions_path(root, split))]


def _has_answers(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            first = next(read_records(file, "questions", str(path)), {})
    except FileNotFoundError:
        return False
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text ({error.reason}); {REMAKE}") from None
    return "answer" in first


def read_scenes(root: Path, split: str) -> list[Record]:
    """The checked scenes of a split, in the order of the file; raises `InputError` for a missing or malformed file."""
    path = scenes_path(root, split)
    scenes = _records(path, "scenes")
    for number, scene in enumerate(scenes):
        _check_scene(scene, f"{path}: scenes[{number}]")
    return scenes


def read_questions(root: Path, split: str, answered: bool = True) -> list[Record]:
    """The checked questions of a split, in the order of the file, with normalised programs.

    With `answered=False` questions may lack program, answer and family, as those of the released test split do. Raises
    `InputError` for a missing or malformed file.
    """
    path = questions_path(root, split)
    questions = _records(path, "questions")
    for number, question in enumerate(questions):
        where = f"{path}: questions[{number}]"
        _require(question, UNANSWERED_KEYS, where)
        if "program" in question:
            question["program"] = normalise(question["program"], where)
        if answered:
            _check_answered(question, where)
    return questions


def normalise(program: Any, where: str = "program") -> list[Record]:
    """A program with nodes {inputs, function, value_inputs}, from either dialect.

    Raises `InputError` for an unknown function or value, a wrong number of inputs, or inputs from later nodes.
    """
    if not isinstance(program, list) or not program:
        raise InputError(f"{where}: field 'program': expected a list of at least one function")
    return [_node(node, number, f"{where}: program node {number}") for number, node in enumerate(program)]


def pair(
    questions: list[Record], scenes: list[Record], root: Path = Path(), split: str = ""
) -> Iterator[tuple[Record, Record]]:
    """Each question with the scene of its image; raises `InputError` for a question whose image has no scene."""
    known = {scene["image_index"]: scene for scene in scenes}
    for number, question in enumerate(questions):
        scene = known.get(question["image_index"])
        if scene is None:
            raise InputError(
                f"{questions_path(root, split)}: questions[{number}]: image_index {question['image_index']} has no "
                f"scene in {scenes_path(root, split)}; the two files must come from the same dataset"
            )
        yield question, scene


def check_split(root: Path, split: str, answered: bool = True) -> tuple[int, int]:
    """Read a whole split and check that scenes, questions and image files match each other.

    Returns the numbers of scenes and of questions; image files must exist, but are not decoded (see `verify_image`).
    Raises `InputError` for the first fault.
    """
    scenes, questions = read_scenes(root, split), read_questions(root, split, answered)
    for _ in pair(questions, scenes, root, split):
        pass
    for scene in scenes:
        if not image_path(root, split, scene).is_file():
            raise InputError(
                f"{image_path(root, split, scene)}: no such image, though {scenes_path(root, split)} lists it; {MAKE}"
            )
    return len(scenes), len(questions)


def verify_image(path: Path) -> tuple[int, int]:
    """Decode an image file to the last byte; returns (width, height). Raises `InputError` when missing or corrupt."""
    from PIL import Image

    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except FileNotFoundError:
        raise InputError(f"{path}: no such image; {MAKE}") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise InputError(f"{path}: cannot be decoded ({error}); {REMAKE}") from None


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


def _records(path: Path, name: str) -> list[Record]:
    require_listed([path])
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; {MAKE}") from None
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}: broken or cut off at line {error.lineno} column {error.colno} (character {error.pos}: "
            f"{error.msg}); {REMAKE}"
        ) from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not text (byte {error.start}); {REMAKE}") from None
    records = content.get(name) if isinstance(content, dict) else None
    if not isinstance(records, list):
        raise InputError(f"{path}: expected an object with a list '{name}'; is this a CLEVR {name} file?")
    return records


def _require(record: Any, keys: tuple[str, ...], where: str) -> None:
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected an object, got {type(record).__name__}")
    missing = [key for key in keys if key not in record]
    if missing:
        raise InputError(f"{where}: field '{missing[0]}' is missing; {REMAKE}")


def _check_scene(scene: Record, where: str) -> None:
    _require(scene, ("image_index", "objects", "relationships", "image_filename"), where)
    for number, thing in enumerate(scene["objects"]):
        _require(thing, (*ATTRIBUTES, "3d_coords", "pixel_coords"), f"{where}: objects[{number}]")
        for name, known in ATTRIBUTES.items():
            if thing[name] not in known:
                raise InputError(
                    f"{where}: objects[{number}]: field '{name}': expected one of {', '.join(known)}, "
                    f"got {thing[name]!r}"
                )
    _check_relationships(scene, where)


def _check_relationships(scene: Record, where: str) -> None:
    count = len(scene["objects"])
    _require(scene["relationships"], RELATIONS, f"{where}: relationships")
    for name in RELATIONS:
        rows = scene["relationships"][name]
        if len(rows) != count or any(not 0 <= other < count for row in rows for other in row):
            raise InputError(
                f"{where}: relationships: field '{name}': expected {count} lists of object numbers below {count}"
            )


def _check_answered(question: Record, where: str) -> None:
    if "answer" not in question or "program" not in question:
        raise InputError(
            f"{where}: has no answer or program; questions of a test split cannot be trained on or scored, use val"
        )
    if question["answer"] not in ANSWERS:
        raise InputError(
            f"{where}: field 'answer': expected a number up to {MAX_OBJECTS}, yes, no or an attribute value, "
            f"got {question['answer']!r}"
        )


def _node(node: Any, number: int, where: str) -> Record:
    _require(node, ("inputs",), where)
    function = node.get("function", node.get("type"))
    if function not in FUNCTIONS:
        raise InputError(f"{where}: field 'function': unknown function {function!r}")
    inputs, values = node["inputs"], node.get("value_inputs", node.get("side_inputs", []))
    if len(inputs) != len(FUNCTIONS[function][0]) or any(not 0 <= index < number for index in inputs):
        raise InputError(f"{where} ({function}): field 'inputs': {inputs} do not fit the function")
    _check_values(function, values, where)
    return {"inputs": inputs, "function": function, "value_inputs": values}


def _check_values(function: str, values: list[str], where: str) -> None:
    if function == "relate":
        is_known = len(values) == 1 and values[0] in RELATIONS
    elif function.startswith("filter_"):
        is_known = len(values) == 1 and ATTRIBUTE_OF.get(values[0]) == function.removeprefix("filter_")
    else:
        is_known = not values
    if not is_known:
        raise InputError(f"{where} ({function}): field 'value_inputs': unknown value {values}")
