"""Official scores of answers with intervals by image, of baselines, of people, and of complementary pairs.

All scores are accuracies of VQA in [0, 1]: agreement with ten people, one of them left out in turn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.annotations import ANSWER_TYPES, Annotation
from nsmodels.datasets.vqa.questions.ceilings import left_out
from nsmodels.datasets.vqa.scoring.accuracy import Scores, normal_form, score
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.evaluation.metrics import calibration_bins, expected_calibration_error, mean_interval, selective_accuracy
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.systems.natural.answering.choosing.questions import AskedQuestions
from nsmodels.systems.natural.baselines.answer_priors import AnswerPriors

FEWEST_IMAGES = 20  # of fewer the resampled means are too alike, and the interval too narrow
COVERAGES = (1.0, 0.9, 0.8)
RIGHT = 0.5  # accuracy from which on an answer counts as right in a pair: two of ten people give it, or more
METRIC = "vqa_score"
Row = dict[str, Any]


def official(asked: AskedQuestions, answers: Sequence[str]) -> Scores:
    """Scores by the official evaluation of answers in the order of the questions."""
    named = {question.id: answer for question, answer in zip(asked.questions, answers, strict=True)}
    return score(asked.annotations, named)


def row_of(asked: AskedQuestions, answers: Sequence[str]) -> Row:
    """The official score with its interval, overall and by type of answer, and the official figures in per cent."""
    scores = official(asked, answers)
    return {**row_of_scores(asked, in_order(asked, scores)), "official": scores.as_dict()}


def in_order(asked: AskedQuestions, scores: Scores) -> np.ndarray:
    """The accuracy of each question, (q,), in the order of the questions."""
    return np.array([scores.by_question[question.id] for question in asked.questions])


def row_of_scores(asked: AskedQuestions, values: np.ndarray) -> Row:
    """Mean of scores (q,) with its interval, overall and by type of answer."""
    kinds = np.array([record.get("answer_type", "") for record in asked.annotations])
    by_type = {kind: _mean(values[kinds == kind], asked.places[kinds == kind]) for kind in ANSWER_TYPES}
    return {**_mean(values, asked.places), "by_answer_type": {kind: row for kind, row in by_type.items() if row["n"]}}


def _mean(values: np.ndarray, images: np.ndarray) -> Row:
    if not len(values):
        return {"score": None, "interval": None, "n": 0}
    is_few = len(np.unique(images)) < FEWEST_IMAGES
    found = None if is_few else mean_interval(values, images)
    few = {"is_few": True} if is_few else {}
    return {"score": float(values.mean()), "interval": found and list(found), "n": len(values), **few}


def baseline_rows(
    asked: AskedQuestions, priors: AnswerPriors, answers: AnswerVocabulary, learned: Mapping[str, Sequence[str]]
) -> dict[str, Row]:
    """Chance, most frequent answers, and trained baselines (`learned`: their answers by name)."""
    constant = {
        "majority": [priors.majority for _ in asked.questions],
        "type_prior": [priors.of_type(record) for record in asked.annotations],
    }
    scored = {name: row_of(asked, found) for name, found in {**constant, **learned}.items()}
    return {"chance": row_of_scores(asked, chances(asked, answers)), **scored}


def chances(asked: AskedQuestions, answers: AnswerVocabulary) -> np.ndarray:
    """Expected score of an answer drawn from the vocabulary, (q,)."""
    return np.array([sum(answers.targets(each).values()) / max(1, len(answers.answers)) for each in asked.annotations])


def one_person(asked: AskedQuestions) -> np.ndarray:
    """Score of one of the ten people by the nine others, (q,)."""
    return np.array([left_out(record) for record in asked.annotations])


def ceilings(asked: AskedQuestions, answers: AnswerVocabulary) -> dict[str, Row]:
    """What people reach: one of the ten by the other nine; their most frequent answer; the best of the vocabulary."""
    consensus = [normal_form(record["multiple_choice_answer"]) for record in asked.annotations]
    return {
        "one_person": row_of_scores(asked, one_person(asked)),
        "consensus": row_of(asked, consensus),
        "vocabulary": row_of(asked, [answers.best(record) for record in asked.annotations]),
    }


def pair_row(asked: AskedQuestions, values: np.ndarray, pairs: Sequence[tuple[int, int]]) -> Row:
    """Share of complementary pairs with both answers right (accuracy of `RIGHT` or more), and the mean of the worse."""
    place = {question.id: k for k, question in enumerate(asked.questions)}
    known = [(place[a], place[b]) for a, b in pairs if a in place and b in place]
    if not known:
        return {"both_right": None, "worse": None, "n": 0}
    worse = values[np.array(known)].min(1)
    return {"both_right": float((worse >= RIGHT).mean()), "worse": float(worse.mean()), "n": len(known)}


def calibration(confidence: np.ndarray, values: np.ndarray) -> dict[str, Any]:
    """How well confidences foretell scores: ECE with its bins, and the score of the most confident 100, 90 and 80 %."""
    bins = calibration_bins(confidence, values)
    return {
        "ece": expected_calibration_error(confidence, values),
        "mean_confidence": float(confidence.mean()),
        "selective_score": {f"{c:.0%}": selective_accuracy(confidence, values, c) for c in COVERAGES},
        "bins": [
            {
                "low": float(bins.edges[k]),
                "high": float(bins.edges[k + 1]),
                "n": int(bins.count[k]),
                "confidence": float(bins.confidence[k]),
                "score": float(bins.accuracy[k]),
            }
            for k in np.flatnonzero(bins.count)
        ],
    }


def outcomes(asked: AskedQuestions, values: np.ndarray, split: str) -> Outcomes:
    """The score of each question of a split."""
    items = [f"{split}/{question.id}" for question in asked.questions]
    return Outcomes(METRIC, split, items, [str(question.image) for question in asked.questions], values)


def require_typed(annotations: Sequence[Annotation], where: str) -> None:
    """Raise `InputError` for annotations without most frequent answers, which baselines and ceilings need."""
    for record in annotations:
        if "multiple_choice_answer" not in record:
            raise InputError(
                f"{where}: question {record['question_id']} has no 'multiple_choice_answer'; fetch it again"
            )
