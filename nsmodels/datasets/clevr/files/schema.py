"""Records of CLEVR's files, checked one by one: a scene, a question. Every fault is one line with record and field."""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.programs import normalise
from nsmodels.datasets.clevr.vocabulary import ANSWERS, ATTRIBUTES, MAX_OBJECTS, RELATIONS
from nsmodels.formats.scenes.records import REMEDY

# Keys of a question in the test split; the release withholds the others.
UNANSWERED_KEYS = ("image_index", "question_index", "image_filename", "question")
NUMBERED = re.compile(r"CLEVR_\w+_(\d+)\.\w+")
WORD = re.compile("[A-Za-z0-9]")
KNOWN_ANSWERS = frozenset(ANSWERS)

Record = dict[str, Any]


def check_scene(scene: Any, where: str) -> None:
    """Raise `InputError` unless `scene` has an image, at least one object of known attributes, and valid relations."""
    _require(scene, ("image_index", "objects", "relationships", "image_filename"), where)
    check_image(scene, where)
    objects = scene["objects"]
    if not isinstance(objects, list) or not objects:
        raise InputError(f"{where}: field 'objects': expected a list of at least one object, got {_shown(objects)}")
    for number, thing in enumerate(objects):
        _check_object(thing, f"{where}: objects[{number}]")
    _check_relationships(scene["relationships"], len(objects), where)


def image_of(record: Any, where: str) -> tuple[int, str]:
    """Index and file name of the image of a scene or question; raises `InputError` as `check_image`."""
    _require(record, ("image_index", "image_filename"), where)
    check_image(record, where)
    return record["image_index"], record["image_filename"]


def check_image(record: Record, where: str) -> None:
    """Raise `InputError` unless the image is named by its index and a plain file name that agree."""
    index, name = record["image_index"], record["image_filename"]
    if type(index) is not int or index < 0:
        raise InputError(f"{where}: field 'image_index': expected a number from 0 on, got {_shown(index)}")
    if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\\" in name or not name.isprintable():
        raise InputError(f"{where}: field 'image_filename': expected the plain name of a file, got {_shown(name)}")
    numbered = NUMBERED.fullmatch(name)
    if numbered and int(numbered[1]) != index:
        raise InputError(f"{where}: fields 'image_index' and 'image_filename' differ: {index} and '{name}'")


def check_single(record: Record, field: str, seen: dict[Any, int], number: int, where: str) -> None:
    """Raise `InputError` when `seen` has the value of `field` from an earlier record; `number` is that of this one."""
    first = seen.setdefault(record[field], number)
    if first != number:
        raise InputError(
            f"{where}[{number}]: field '{field}': {record[field]!r} is also that of item {first}; each must be there "
            "once (files of two runs must be numbered anew when they are joined)"
        )


def checked_question(question: Any, where: str, answered: bool = True) -> Record:
    """The question with a normalised program and its answer as text ("yes" for true, "3" for 3).

    With `answered=False` program and answer may be absent. Raises `InputError` for anything else.
    """
    _require(question, UNANSWERED_KEYS, where)
    check_image(question, where)
    if type(question["question_index"]) is not int:
        raise InputError(
            f"{where}: field 'question_index': expected a number, got {_shown(question['question_index'])}"
        )
    if not isinstance(question["question"], str) or not WORD.search(question["question"]):
        raise InputError(f"{where}: field 'question': expected a text with words, got {_shown(question['question'])}")
    if answered and ("answer" not in question or "program" not in question):
        raise InputError(
            f"{where}: has no answer or program; questions of a test split cannot be trained on or scored, use val"
        )
    if "program" in question:
        question["program"] = normalise(question["program"], where)
    if answered:
        question["answer"] = answer_text(question["answer"])
        _check_answer(question["answer"], where)
    return question


def answer_text(answer: Any) -> Any:
    """An answer in the release's spelling: the public generator writes true, false and numbers."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    return str(answer) if isinstance(answer, int) else answer


def points_of(scene: Record) -> list[tuple[float, float]]:
    """Centres of the objects of a scene in pixels."""
    return [(thing["pixel_coords"][0], thing["pixel_coords"][1]) for thing in scene["objects"]]


def _check_answer(answer: Any, where: str) -> None:
    if not isinstance(answer, str) or answer not in KNOWN_ANSWERS:
        raise InputError(
            f"{where}: field 'answer': expected a number up to {MAX_OBJECTS}, yes, no or an attribute value, "
            f"got {_shown(answer)}"
        )


def _check_object(thing: Any, where: str) -> None:
    _require(thing, (*ATTRIBUTES, "3d_coords", "pixel_coords"), where)
    for name, known in ATTRIBUTES.items():
        if thing[name] not in known:
            raise InputError(f"{where}: field '{name}': expected one of {', '.join(known)}, got {_shown(thing[name])}")
    for name in ("3d_coords", "pixel_coords"):
        if not _is_point(thing[name]):
            raise InputError(f"{where}: field '{name}': expected 2 or 3 finite numbers, got {_shown(thing[name])}")


def _is_point(value: Any) -> bool:
    if not isinstance(value, list) or len(value) not in (2, 3):
        return False
    return all(type(number) in (int, float) and isfinite(number) for number in value)


def _check_relationships(relationships: Any, count: int, where: str) -> None:
    where = f"{where}: relationships"
    _require(relationships, RELATIONS, where)
    for name in RELATIONS:
        rows = relationships[name]
        if not isinstance(rows, list) or len(rows) != count or not all(isinstance(row, list) for row in rows):
            raise InputError(f"{where}: field '{name}': expected {count} lists of object numbers below {count}")
        for number, row in enumerate(rows):
            if any(type(other) is not int or not 0 <= other < count or other == number for other in row):
                raise InputError(
                    f"{where}: field '{name}': expected {count} lists of object numbers below {count}, each of other "
                    f"objects; row {number} is {_shown(row)}"
                )
            if len(set(row)) < len(row):
                raise InputError(f"{where}: field '{name}': row {number} has an object twice: {_shown(row)}")


def _require(record: Any, keys: tuple[str, ...], where: str) -> None:
    if not isinstance(record, dict):
        raise InputError(f"{where}: expected an object, got {type(record).__name__}")
    for key in keys:
        if key not in record:
            raise InputError(f"{where}: field '{key}' is missing; {REMEDY}")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
