"""Annotations of VQA v2 as released, ten answers a question: streamed, checked, written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.names import INFO, LICENSE, subtype
from nsmodels.datasets.vqa.files.questions import Questions, subtype_of, whole
from nsmodels.formats.scenes.records import opened, read_records

NUM_ANSWERS = 10
ANSWER_TYPES = ("yes/no", "number", "other")
CONFIDENCES = ("yes", "maybe", "no")
TEXTS = ("question_type", "answer_type", "multiple_choice_answer")
_TEN_TEXTS = [str] * NUM_ANSWERS

Annotation = dict[str, Any]


def read_annotations(
    path: Path, questions: Questions | None = None, is_strict: bool = False, others: dict[str, Any] | None = None
) -> Iterator[Annotation]:
    """Records of a released file, one in memory at a time.

    Args:
        path: the file.
        questions: those of the same split; every one of them must be annotated once, with its own image.
        is_strict: whether all fields of the release are demanded; else ids and ten answers, and what is there is right.
        others: receives what the file has beside the records.

    Raises `InputError`: file, record, field, what was expected.
    """
    name = str(path)
    check = AnnotationCheck(name, questions, is_strict)
    found = {} if others is None else others
    with opened(path) as file:
        for number, record in enumerate(read_records(file, "annotations", name, found)):
            yield check.add(record, number)
    check.finish(subtype_of(found))


class AnnotationCheck:
    """Checks the annotations of a split, record by record, against each other and against the questions.

    Parameters as of `read_annotations`; `where` names the file.
    """

    def __init__(self, where: str, questions: Questions | None = None, is_strict: bool = False) -> None:
        self.where, self.questions, self.is_strict = where, questions, is_strict
        self.seen: set[int] = set()
        self._texts: list[str] | None = None

    def add(self, record: Annotation, number: int) -> Annotation:
        """Check a record and return it; raises `InputError`."""
        where = f"{self.where}: annotations[{number}]"
        key = whole(record, "question_id", where)
        if key in self.seen:
            raise InputError(f"{where}: question {key} is annotated twice; keep one of the records")
        self.seen.add(key)
        require_answers(record, where)
        self._require_texts(record, where)
        if self.is_strict:
            require_released(record, where)
        if self.questions is not None:
            self._require_question(record, key, where)
        return record

    def finish(self, split: str = "") -> None:
        """Raise `InputError` for questions without annotation, and for files of different splits."""
        if not self.seen:
            raise InputError(f"{self.where}: has no annotations; give the annotations of a split")
        if self.questions is None:
            return
        self.require_subtype(split)
        missing = [key for key in self.questions.by_id if key not in self.seen]
        if missing:
            raise InputError(
                f"{self.where}: no annotation of {len(missing):,} of {len(self.questions.by_id):,} questions of "
                f"{self.questions.where}, the first is {missing[0]}; give files of the same split"
            )

    def require_subtype(self, split: str) -> None:
        """Raise `InputError` where questions and annotations name different splits."""
        asked = self.questions.subtype if self.questions else ""
        if split and asked and split != asked:
            raise InputError(
                f"{self.where}: annotations of {split}, but {self.questions and self.questions.where} has questions "
                f"of {asked}; give files of the same split"
            )

    def _require_texts(self, record: Annotation, where: str) -> None:
        """The types are in all records of a file or in none."""
        texts = [name for name in TEXTS if name in record]
        for name in texts:
            if type(record[name]) is not str:
                raise InputError(f"{where}: field '{name}': expected a text, got {record[name]!r}")
        if self._texts is None:
            self._texts = texts
        elif texts != self._texts:
            name = min({*texts} ^ {*self._texts})
            raise InputError(f"{where}: field '{name}' is in some records of the file only; complete it or remove it")

    def _require_question(self, record: Annotation, key: int, where: str) -> None:
        assert self.questions is not None
        question = self.questions.by_id.get(key)
        if question is None:
            raise InputError(f"{where}: question {key} is not in {self.questions.where}; give files of the same split")
        if record.get("image_id", question.image) != question.image:
            raise InputError(
                f"{where}: field 'image_id': {record['image_id']!r}, but question {key} is about image "
                f"{question.image} in {self.questions.where}; give files of the same release"
            )


def require_answers(record: Annotation, where: str) -> None:
    """Raise `InputError` unless a record has ten answers with texts."""
    answers = record.get("answers")
    if type(answers) is not list or len(answers) != NUM_ANSWERS:
        found = f"{len(answers)} of them" if isinstance(answers, list) else repr(answers)
        raise InputError(f"{where}: field 'answers': expected a list of ten answers, got {found}")
    try:
        if [type(answer["answer"]) for answer in answers] == _TEN_TEXTS:
            return
    except (TypeError, KeyError):
        pass
    for place, answer in enumerate(answers):
        if type(answer) is not dict or type(answer.get("answer")) is not str:
            raise InputError(f"{where}: answers[{place}]: expected an object with a text 'answer', got {answer!r}")


def require_released(record: Annotation, where: str) -> None:
    """Raise `InputError` unless a record has every field of the release."""
    whole(record, "image_id", where)
    for name in TEXTS:
        if name not in record:
            raise InputError(f"{where}: field '{name}': is missing")
    if (kind := record["answer_type"]) not in ANSWER_TYPES:
        raise InputError(f"{where}: field 'answer_type': expected {', '.join(ANSWER_TYPES)}, got '{kind}'")
    for place, answer in enumerate(record["answers"]):
        if answer.get("answer_confidence") not in CONFIDENCES:
            raise InputError(
                f"{where}: answers[{place}]: field 'answer_confidence': expected {', '.join(CONFIDENCES)}, got "
                f"{answer.get('answer_confidence')!r}"
            )
    ids = [answer.get("answer_id") for answer in record["answers"]]
    if any(type(each) is not int for each in ids) or sorted(ids) != list(range(1, NUM_ANSWERS + 1)):
        raise InputError(f"{where}: field 'answer_id': expected 1 to {NUM_ANSWERS}, each once")


def annotation(
    question: int, image: int, kinds: tuple[str, str], truth: str, answers: Iterable[tuple[str, str]]
) -> Annotation:
    """A record in the key order of the release; `kinds`: types of question and answer, `answers` with confidences."""
    given = [
        {"answer": answer, "answer_confidence": confidence, "answer_id": number}
        for number, (answer, confidence) in enumerate(answers, 1)
    ]
    found: Annotation = {"question_type": kinds[0], "multiple_choice_answer": truth, "answers": given}
    return found | {"image_id": image, "answer_type": kinds[1], "question_id": question}


def write_annotations(path: Path, split: str, annotations: Iterable[Annotation]) -> None:
    """Write annotations in the form and key order of the release."""
    top = {"info": INFO, "license": LICENSE, "data_subtype": subtype(split)}
    write_atomic(path, json.dumps({**top, "annotations": list(annotations), "data_type": "mscoco"}))
