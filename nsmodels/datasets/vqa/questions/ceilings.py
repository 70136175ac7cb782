"""What people and the truth reach on the questions of the twin by the official accuracy: ceilings of every model."""

from __future__ import annotations

from typing import Any

from nsmodels.datasets.vqa.files.annotations import ANSWER_TYPES, Annotation
from nsmodels.datasets.vqa.questions.asking import Asked
from nsmodels.datasets.vqa.questions.types import answer_type
from nsmodels.datasets.vqa.scoring.accuracy import ENOUGH, Mean, accuracy, normal_form


def ceilings(asked: Asked) -> dict[str, Any]:
    """Per cent by type of the true answer: one person left out and scored by the other nine; the truth."""
    people = {kind: Mean() for kind in ANSWER_TYPES}
    truth = {kind: Mean() for kind in ANSWER_TYPES}
    for record in asked.annotations:
        _, right = asked.truths[record["question_id"]]
        kind = answer_type(right)
        people[kind].add(left_out(record))
        truth[kind].add(accuracy(right, record["answers"]))
    return {
        f"ceiling_{name}_{kind.replace('/', '_')}": mean.percent
        for name, means in (("person", people), ("truth", truth))
        for kind, mean in means.items()
        if mean.num
    }


def left_out(record: Annotation) -> float:
    """Mean accuracy of each of the ten people by the other nine."""
    given = [normal_form(answer["answer"]) for answer in record["answers"]]
    return sum(min(1.0, (given.count(answer) - 1) / ENOUGH) for answer in given) / len(given)
