"""Accuracy by the number of steps of a question, and consistency of its answer with what follows from it.

Both as the official metrics define them, with intervals by image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nsmodels.systems.natural.evaluation.official import items_of
from nsmodels.systems.natural.evaluation.scoring import Row, mean_row
from nsmodels.systems.natural.evaluation.subject import Subject

Answers = Mapping[str, Sequence[str]]  # to all questions of a subject, by the name of what gives them


def by_steps(subject: Subject, answers: Answers) -> dict[str, dict[str, Row]]:
    """Accuracy on balanced questions by number of steps, the name of the answerer first; see `scoring.mean_row`."""
    items = items_of(subject)
    images, steps = (np.array([getattr(item, name) for item in items]) for name in ("image", "num_steps"))
    found = {}
    for name, given in answers.items():
        said = _by_id(subject, given)
        right = np.array([said[item.id] == item.answer for item in items], float)
        found[name] = {str(k): mean_row(right[steps == k], images[steps == k]) for k in sorted(set(steps.tolist()))}
    return found


def consistency(subject: Subject, answers: Answers) -> dict[str, dict[str, Any]]:
    """Share of entailed questions that are right, of each balanced question with some that is answered right.

    By the name of the answerer: the mean over such questions (`accuracy`, see `scoring.mean_row`), and by structural
    type. Empty where answers to entailed questions are missing.
    """
    truth, found = {question.id: question.answer for question in subject.questions}, {}
    items = [item for item in items_of(subject) if item.entailed]
    if any(key not in truth for item in items for key in item.entailed):
        return {}
    for name, given in answers.items():
        said = _by_id(subject, given)
        kept = [item for item in items if said[item.id] == item.answer]
        shares = np.array([np.mean([said[key] == truth[key] for key in item.entailed]) for item in kept], float)
        images, kinds = (np.array([getattr(item, what) for item in kept]) for what in ("image", "structural"))
        whole = mean_row(shares, images)
        by = {kind: mean_row(shares[kinds == kind], images[kinds == kind]) for kind in sorted(set(kinds.tolist()))}
        found[name] = {**whole, "by_structural": by}
    return found


def _by_id(subject: Subject, answers: Sequence[str]) -> dict[str, str]:
    return {question.id: answer for question, answer in zip(subject.questions, answers, strict=True)}
