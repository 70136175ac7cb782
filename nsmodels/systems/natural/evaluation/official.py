"""The official metrics of GQA of the model and of each baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import read_choices
from nsmodels.datasets.gqa.files.places import choice_files
from nsmodels.datasets.gqa.scoring.items import Attention, Item, each_item
from nsmodels.datasets.gqa.scoring.metrics import Scorer
from nsmodels.systems.natural.evaluation.subject import Subject
from nsmodels.systems.natural.reasoning.sets import Found

BOXES = 6  # least number of rows of an attention over boxes: five rows of five numbers are taken for cells


def official(
    subject: Subject, answers: Mapping[str, Sequence[str]], has_grounding: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Scores by name, of answers to all questions of a subject; grounding for those named, by `attention`."""
    has_choices = bool(choice_files(subject.data, subject.split))
    choices = read_choices(subject.data, subject.split) if has_choices else None
    items = items_of(subject)
    reason = "the data have no choices"
    left_out: dict[str, str] = {} if has_choices else {"validity": reason, "plausibility": reason}
    truth = {question.id: question.answer for question in subject.questions}
    maps = attentions(subject) if has_grounding else None
    found: dict[str, dict[str, Any]] = {}
    for name, given in answers.items():
        predictions = {question.id: answer for question, answer in zip(subject.questions, given, strict=True)}
        scorer = Scorer(predictions, choices, maps if name in has_grounding else None)
        _add_all(scorer, items, subject)
        found[name] = scorer.finish(truth, left_out).as_dict()
    return found


def items_of(subject: Subject) -> list[Item]:
    """The balanced questions of a subject as the metrics see them, in the order of the files."""
    wanted = {question.id for question in subject.balanced}
    return [each for each in each_item(subject.data, subject.split, "balanced", {}) if each.id in wanted]


def _add_all(scorer: Scorer, items: Sequence[Item], subject: Subject) -> None:
    for item in items:
        scorer.add(item, subject.graphs[item.image])


def attentions(subject: Subject) -> dict[str, Attention]:
    """Where the answer to each balanced question comes from: boxes in shares of the image, with their weights."""
    pairs = zip(subject.balanced, subject.parses, strict=False)
    return {question.id: attention(subject, question.image, parse.program) for question, parse in pairs}


def attention(subject: Subject, image: str, program: Any) -> Attention:
    """Rows x0, y0, x1, y1, weight of the objects that the steps of a program mean; weights sum to 1."""
    belief = subject.beliefs[image]
    weights = np.zeros(len(belief))
    try:
        values, _ = subject.executors[image].trace(program)
    except InputError:
        values = []
    for value in values:
        if isinstance(value, Found) and not value.is_scene:
            total = value.preferred.sum()
            weights += value.preferred / total if total > 0 else 0
    width, height = belief.size
    corners = belief.boxes[:, :2], belief.boxes[:, :2] + belief.boxes[:, 2:]
    shares = np.concatenate([corner / np.array([width, height]) for corner in corners], 1)
    rows = np.column_stack([shares, weights / weights.sum() if weights.sum() > 0 else weights]).tolist()
    return rows + [[0.0, 0.0, 0.0, 0.0, 0.0]] * max(0, BOXES - len(rows))
