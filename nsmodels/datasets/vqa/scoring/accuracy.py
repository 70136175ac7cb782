"""Accuracy of answers by the official evaluation of VQA v2: against ten people, one left out in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.scoring.normalisation import cleaned, normalised

ENOUGH = 3  # equal answers of other people for full accuracy
DECIMALS = 2

Answer = Mapping[str, Any]  # "answer", and what else the release has: "answer_confidence", "answer_id"


def accuracy(prediction: str, answers: Sequence[Answer]) -> float:
    """Accuracy in [0, 1]: mean over the people of min(1, equal answers among the others / 3).

    Unanimous answers are compared as they are typed; else all are normalised. "The others" are the answers that differ
    from that of the person *as records*: with `answer_id` nine, without one equal answers leave together.

    Raises `InputError` where there are no answers.
    """
    if not answers:
        raise InputError("answers: there are none, expected ten; read the annotations again")
    given = [answer["answer"] for answer in answers]
    wanted, form = cleaned(prediction), form_of(given)
    if form is not cleaned:
        wanted = normalised(wanted)
    right = {answer for answer in set(given) if form(answer) == wanted}
    hits = tuple([answer in right for answer in given])
    if has_ids(answers):
        return _of_hits(hits)
    records = [{**record, "answer": form(record["answer"])} for record in answers]
    return _mean([sum(hit for hit, each in zip(hits, records, strict=True) if each != left) for left in records])


def form_of(answers: Sequence[str]) -> Callable[[str], str]:
    """How answers are compared: unanimous ones cleaned only, else in their normal form."""
    different = set(answers)
    is_unanimous = len(different) == 1 or len({cleaned(answer) for answer in different}) == 1
    return cleaned if is_unanimous else normal_form


@lru_cache(maxsize=1 << 18)
def normal_form(answer: str) -> str:
    """Normal form of an answer as it was typed."""
    return normalised(cleaned(answer))


def has_ids(answers: Sequence[Answer]) -> bool:
    """Whether every answer has an id of its own, so that no two are equal as records."""
    ids = [answer.get("answer_id") for answer in answers]
    try:
        return len(set(ids)) == len(ids) and None not in ids
    except TypeError:  # ids that are lists or objects
        return False


@lru_cache(maxsize=1 << 12)
def _of_hits(hits: tuple[bool, ...]) -> float:
    total = sum(hits)
    return _mean([total - hit for hit in hits])


def _mean(matches: Iterable[int]) -> float:
    # Summed in the order of the people, as published: other orders differ in the last bit. `sum` compensates from
    # Python 3.12 on.
    total, num = 0.0, 0
    for number in matches:
        total, num = total + min(1, number / ENOUGH), num + 1
    return total / num


@dataclass
class Mean:
    """Mean of accuracies in per cent."""

    total: float = 0.0
    num: int = 0

    def add(self, value: float) -> None:
        """Add one accuracy."""
        self.total, self.num = self.total + value, self.num + 1

    @property
    def percent(self) -> float:
        """The mean with two decimals."""
        return round(100 * self.total / self.num, DECIMALS)


@dataclass
class Scores:
    """Accuracies of many questions.

    Attributes:
        overall: of all.
        by_answer_type, by_question_type: of each type, in the order in which they occur; empty where types are missing.
        by_question: accuracy in [0, 1] by question id.
    """

    overall: Mean = field(default_factory=Mean)
    by_answer_type: dict[str, Mean] = field(default_factory=dict)
    by_question_type: dict[str, Mean] = field(default_factory=dict)
    by_question: dict[int, float] = field(default_factory=dict)

    def add(self, annotation: Mapping[str, Any], prediction: str) -> None:
        """Score the answer to one question."""
        value = accuracy(prediction, annotation["answers"])
        self.by_question[annotation["question_id"]] = value
        self.overall.add(value)
        for name, found in (("answer_type", self.by_answer_type), ("question_type", self.by_question_type)):
            if name in annotation:
                mean = found.get(annotation[name])
                if mean is None:
                    mean = found[annotation[name]] = Mean()
                mean.add(value)

    def pairs(self, pairs: Iterable[tuple[int, int]]) -> Mean:
        """Mean of the lower accuracy of both questions of complementary pairs: a guess without the image fails one."""
        mean = Mean()
        for first, second in pairs:
            mean.add(min(self.by_question[first], self.by_question[second]))
        return mean

    def as_dict(self) -> dict[str, Any]:
        """Figures in per cent, by the names of the official evaluation."""
        return {
            "overall": self.overall.percent,
            "perAnswerType": {name: mean.percent for name, mean in self.by_answer_type.items()},
            "perQuestionType": {name: mean.percent for name, mean in self.by_question_type.items()},
        }

    def lines(self) -> Iterator[str]:
        """A table for people: figure, number of questions, name."""
        yield f"{self.overall.percent:6.2f}  {self.overall.num:>9,}  all questions"
        for head, means in (("answer type", self.by_answer_type), ("question type", self.by_question_type)):
            rows = sorted(means.items(), key=lambda row: (-row[1].num, row[0]))
            yield from (f"{mean.percent:6.2f}  {mean.num:>9,}  {head}: {name}" for name, mean in rows)


def score(annotations: Iterable[Mapping[str, Any]], predictions: Mapping[int, str]) -> Scores:
    """Scores of predictions by question id, in the order of the annotations (fields as released)."""
    scores = Scores()
    for annotation in annotations:
        scores.add(annotation, predictions[annotation["question_id"]])
    return scores
