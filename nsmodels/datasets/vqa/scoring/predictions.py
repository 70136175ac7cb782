"""Predictions in the official result format of VQA, [{"question_id": 1, "answer": "yes"}], scored on annotations."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.annotations import read_annotations
from nsmodels.datasets.vqa.files.questions import Questions, read_questions, subtype_of
from nsmodels.datasets.vqa.scoring.accuracy import Scores
from nsmodels.formats.scenes.records import opened

FORM = 'expected a list of {"question_id": number, "answer": text}'
Predictions = dict[int, str]


def read_predictions(path: Path) -> Predictions:
    """Answers by question id; raises `InputError` for a malformed, double or non-text prediction."""
    if not path.exists():
        raise InputError(f"{path}: no such file; give predictions, {FORM.removeprefix('expected ')}")
    try:
        with opened(path) as file:
            document: Any = json.load(file)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON ({error}); {FORM}") from None
    if type(document) is not list:
        raise InputError(f"{path}: {FORM}, got {_kind(document)}")
    found: Predictions = {}
    for number, record in enumerate(document):
        if type(record) is not dict or "question_id" not in record or "answer" not in record:
            raise InputError(f"{path}: [{number}]: {FORM}, got {_kind(record)}")
        key, answer = record["question_id"], record["answer"]
        if type(key) is not int:
            raise InputError(f"{path}: [{number}]: field 'question_id': expected a whole number, got {key!r}")
        if type(answer) is not str:
            raise InputError(f"{path}: [{number}]: field 'answer' of question {key}: expected a text, got {answer!r}")
        if key in found:
            raise InputError(f"{path}: [{number}]: question {key} is answered twice; keep one of the answers")
        found[key] = answer
    return found


def score_files(predictions: Path, annotations: Path, questions: Path | None = None) -> Scores:
    """Scores of a file of predictions; `questions` are checked to be those of the annotations.

    Raises `InputError` for broken files, files of different splits, a split without annotations, and unless every
    annotated question is answered once.
    """
    answers = read_predictions(predictions)
    asked = _questions(questions) if questions else None
    scores, others, missing = Scores(), {}, []
    for record in read_annotations(annotations, asked, others=others):
        answer = answers.get(record["question_id"])
        if answer is None:
            missing.append(record["question_id"])
        else:
            scores.add(record, answer)
    _require_all(predictions, answers, scores, missing, subtype_of(others) or str(annotations))
    return scores


def _questions(path: Path) -> Questions:
    found = read_questions(path)
    if found.subtype.startswith("test"):
        raise InputError(
            f"{path}: questions of {found.subtype}, whose answers are not released; score val, or send the "
            "predictions to the evaluation server of VQA"
        )
    return found


def _require_all(path: Path, answers: Predictions, scores: Scores, missing: list[int], split: str) -> None:
    unknown = [key for key in answers if key not in scores.by_question]
    if unknown:
        raise InputError(
            f"{path}: {len(unknown):,} of {len(answers):,} predictions are for no question of {split}, the first is "
            f"question {unknown[0]}; remove them, or give the annotations of their split"
        )
    if missing:
        num = len(missing) + len(scores.by_question)
        raise InputError(
            f"{path}: no prediction for {len(missing):,} of {num:,} questions of {split}, the first is question "
            f"{missing[0]}; answer every question"
        )


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number", type(None): "null"}
    kind = names.get(type(value), type(value).__name__)
    return f"{kind} with {', '.join(map(repr, list(value)[:4])) or 'nothing'}" if isinstance(value, dict) else kind
