"""Questions of VQA v2 as released: read with one record in memory at a time, checked, written."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.names import QUESTIONS_PER_IMAGE_ID, head
from nsmodels.formats.scenes.records import opened, read_records


class Question(NamedTuple):
    """A question about an image, by ids."""

    id: int
    image: int
    text: str

    @classmethod
    def of(cls, record: dict[str, Any], where: str, is_strict: bool = False) -> Question:
        """From a record; raises `InputError` that names `where` and the field.

        `is_strict`: the id must be that of a released question, image_id · 1000 + k.
        """
        number, image = (whole(record, name, where) for name in ("question_id", "image_id"))
        text = record.get("question")
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"{where}: field 'question': expected a text, got {text!r}")
        if is_strict and number // QUESTIONS_PER_IMAGE_ID != image:
            raise InputError(
                f"{where}: question_id {number} belongs to image {number // QUESTIONS_PER_IMAGE_ID}, but image_id is "
                f"{image}; expected question_id = image_id · 1000 + k"
            )
        return cls(number, image, text)

    def as_json(self) -> dict[str, Any]:
        """The released record."""
        return {"image_id": self.image, "question": self.text, "question_id": self.id}


@dataclass
class Questions:
    """Questions of a split by id, in the order of the file; `subtype` is the split that the file `where` names."""

    where: str
    is_strict: bool = False
    by_id: dict[int, Question] = field(default_factory=dict)
    subtype: str = ""

    def add(self, record: dict[str, Any], number: int) -> Question:
        """Check and keep a record; raises `InputError` for a malformed one and for an id that is there twice."""
        question = Question.of(record, f"{self.where}: questions[{number}]", self.is_strict)
        if question.id in self.by_id:
            raise InputError(f"{self.where}: questions[{number}]: question_id {question.id} is there twice; keep one")
        self.by_id[question.id] = question
        return question


def read_questions(path: Path, is_strict: bool = False) -> Questions:
    """Questions of a file; raises `InputError` for a broken one: file, record, field. `is_strict`: of `Question.of`."""
    found, others = Questions(str(path), is_strict), {}
    with opened(path) as file:
        for number, record in enumerate(read_records(file, "questions", str(path), others)):
            found.add(record, number)
    found.subtype = subtype_of(others)
    return found


def write_questions(path: Path, split: str, questions: Iterable[Question]) -> None:
    """Write questions in the form and key order of the release."""
    write_atomic(path, json.dumps({**head(split), "questions": [each.as_json() for each in questions]}))


def subtype_of(others: dict[str, Any]) -> str:
    """The split that a file names for itself, empty where it names none."""
    found = others.get("data_subtype")
    return found if isinstance(found, str) else ""


def whole(record: dict[str, Any], name: str, where: str) -> int:
    """A field that is a whole number from 0 on; raises `InputError`."""
    value = record.get(name)
    if type(value) is not int or value < 0:
        problem = "is missing" if name not in record else f"expected a whole number from 0 on, got {value!r}"
        raise InputError(f"{where}: field '{name}': {problem}")
    return value
