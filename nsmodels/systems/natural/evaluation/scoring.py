"""Scores of answers: four rows that separate errors of perception and parser, baselines, calibration.

Intervals resample whole images: the questions of one image share its perception errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nsmodels.evaluation.metrics import calibration_bins, expected_calibration_error, mean_interval, selective_accuracy
from nsmodels.evaluation.outcomes import Outcomes, distinct
from nsmodels.systems.natural.baselines.priors import Priors
from nsmodels.systems.natural.evaluation.subject import Subject
from nsmodels.systems.natural.language.asking import Question

ROWS = (
    "true_scene_true_program",
    "predicted_scene_true_program",
    "true_scene_predicted_program",
    "predicted_scene_predicted_program",
)
HEADLINE = ROWS[-1]
COVERAGES = (1.0, 0.9, 0.8)
FEWEST_IMAGES = 20  # of fewer the resampled means are too alike, and the interval too narrow
Row = dict[str, Any]


def rows(subject: Subject) -> dict[str, Row]:
    """The four rows; see `score_answers`. Those with a true scene are executed exactly, the others softly."""
    # Replacing one predicted input by the true one attributes the errors: true scene and predicted program leave those
    # of the parser, predicted scene and true program those of perception.
    asked = list(zip(subject.balanced, subject.programs, subject.parses, strict=False))
    answers = {
        ROWS[0]: [subject.exact(program, each.image) for each, program, _ in asked],
        ROWS[1]: [subject.soft(program, each.image).best for each, program, _ in asked],
        ROWS[2]: [subject.exact(parse.program, each.image) for each, _, parse in asked],
        ROWS[3]: [found.best for found in subject.answers[: subject.num_balanced]],
    }
    return {name: score_answers(found, subject.balanced) for name, found in answers.items()}


def score_answers(answers: Sequence[str], questions: Sequence[Question]) -> Row:
    """Accuracy with its interval, overall, of binary and open questions, and by type; an empty answer is none."""
    right = np.array([a == q.answer for a, q in zip(answers, questions, strict=True)], float)
    images = np.array([q.image for q in questions])
    row = mean_row(right, images) | {"unanswered": sum(not a for a in answers)}
    is_open = np.array([_type(q, "structural") == "query" for q in questions])
    row |= {"open": mean_row(right[is_open], images[is_open]), "binary": mean_row(right[~is_open], images[~is_open])}
    for kind in ("structural", "semantic"):
        types = np.array([_type(q, kind) for q in questions])
        row[f"by_{kind}"] = {
            name: mean_row(right[types == name], images[types == name]) for name in sorted(set(types.tolist()))
        }
    return row


def baseline_rows(priors: Priors, questions: Sequence[Question], learned: Mapping[str, Sequence[str]]) -> Row:
    """Chance, most frequent answers, and trained baselines (`learned`: their answers by name)."""
    chance = float(np.mean([priors.chance(question) for question in questions]))
    constant = {
        "majority": [priors.majority for _ in questions],
        "type_prior": [priors.of_type(question) for question in questions],
        "global_prior": [priors.of_global(question) for question in questions],
        "local_prior": [priors.of_local(question) for question in questions],
    }
    scored = {name: score_answers(found, questions) for name, found in {**constant, **learned}.items()}
    return {"chance": {"accuracy": chance, "interval": None, "n": len(questions)}, **scored}


def confidences(subject: Subject) -> np.ndarray:
    """Probability that each balanced question is read right and answered right, (n,).

    That it is well posed is no factor: the questions of the data are, which is a condition.
    """
    pairs = zip(subject.parses[: subject.num_balanced], subject.answers, strict=False)
    return np.array([parse.probability * found.confidence for parse, found in pairs])


def calibration(subject: Subject) -> dict[str, Any]:
    """Calibration of the confidence: ECE with its bins, and accuracy on the most confident 100, 90 and 80 %."""
    right = np.array([a.best == q.answer for a, q in zip(subject.answers, subject.balanced, strict=False)], float)
    return calibration_of(confidences(subject), right)


def calibration_of(confidence: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """The same of answers by their confidence (n,) and whether they are right (n,)."""
    bins = calibration_bins(confidence, right)
    return {
        "ece": expected_calibration_error(confidence, right),
        "mean_confidence": float(confidence.mean()),
        "selective_accuracy": {f"{c:.0%}": selective_accuracy(confidence, right, c) for c in COVERAGES},
        "bins": [
            {
                "low": float(bins.edges[k]),
                "high": float(bins.edges[k + 1]),
                "n": int(bins.count[k]),
                "confidence": float(bins.confidence[k]),
                "accuracy": float(bins.accuracy[k]),
            }
            for k in np.flatnonzero(bins.count)
        ],
    }


def program_exact(subject: Subject) -> float:
    """Share of the balanced questions whose program is read exactly, in normal form."""
    pairs = zip(subject.programs, subject.parses, strict=False)
    return float(np.mean([parse.released == program for program, parse in pairs]))


def outcomes(subject: Subject) -> Outcomes:
    """Correctness of the answer to each balanced question."""
    return outcomes_of([a.best for a in subject.answers[: subject.num_balanced]], subject.balanced, subject.split)


def outcomes_of(answers: Sequence[str], questions: Sequence[Question], split: str) -> Outcomes:
    """Correctness of an answer to each of the balanced questions of a split."""
    items = distinct(f"{split}/{question.id}" for question in questions)
    right = [answer == question.answer for answer, question in zip(answers, questions, strict=True)]
    return Outcomes("accuracy", split, items, [question.image for question in questions], np.array(right, float))


def _type(question: Question, kind: str) -> str:
    return str((question.types or {}).get(kind, ""))


def mean_row(right: np.ndarray, images: np.ndarray) -> Row:
    """Mean of shares (n,) as `accuracy`, its 95 % interval by image, and their number; None where there are few."""
    if not len(right):
        return {"accuracy": None, "interval": None, "n": 0}
    few = len(np.unique(images)) < FEWEST_IMAGES
    found = None if few else mean_interval(right, images)
    accuracy = float(right.mean())
    assert math.isfinite(accuracy)
    return {"accuracy": accuracy, "interval": found and list(found), "n": len(right)} | (
        {"is_few": True} if few else {}
    )
