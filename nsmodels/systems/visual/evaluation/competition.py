"""The study of baselines on CLEVR: networks over seeds beside the reasoner, scored on the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import Order
from nsmodels.datasets.clevr.files.format import image_path, pair, read_questions, read_scenes
from nsmodels.datasets.clevr.vocabulary import ANSWERS
from nsmodels.evaluation.comparison.rows import NO_SEED, Row
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.layers.answers.batches import numbered
from nsmodels.layers.answers.competitors import competitors_of
from nsmodels.layers.answers.config import STUDY_VERSION, BaselineStudyConfig
from nsmodels.layers.answers.quiz import Quiz, Side, drawn
from nsmodels.layers.answers.study import Study, run_study
from nsmodels.layers.answers.task import known_loss
from nsmodels.systems.visual.baselines.priors import CHANCE, PUBLISHED, Prior
from nsmodels.systems.visual.evaluation.scoring import outcomes_of
from nsmodels.systems.visual.language.tokens import Vocabulary

MAKER = "nsmodels.systems.visual"
Record = dict[str, Any]


def compare(order: Order[BaselineStudyConfig]) -> Manifest:
    """Train the baselines on a CLEVR tree over all seeds, and seal the study.

    Raises `InputError` for broken data, and `Interrupted` when asked to stop.
    """
    quiz = clevr_quiz(order.data, order.config)
    return run_study(order, Study(quiz, *competitors_of(quiz, order.config)), MAKER, STUDY_VERSION)


def clevr_quiz(data: Path, config: BaselineStudyConfig) -> Quiz:
    """The questions of a CLEVR tree with the accuracy of the reasoner's evaluation."""
    everything, scored = read_questions(data, config.train_split), read_questions(data, config.split)
    train = drawn(everything, config.max_questions)
    vocabulary = Vocabulary.from_questions(each["question"] for each in train)

    def score(answers: Sequence[str]) -> Outcomes:
        return outcomes_of(answers, scored, config.split)

    held_out = _side(data, config.split, scored)
    return Quiz(
        "CLEVR",
        _side(data, config.train_split, train),
        held_out.first(config.max_val_questions),
        held_out,
        tuple(ANSWERS),
        vocabulary.words,
        vocabulary.numbers,
        known_loss,
        score,
        _guesses(Prior.fitted(everything), scored, score),
        [(each["name"], 100 * each["accuracy"], each["source"]) for each in PUBLISHED],
    )


def _side(data: Path, split: str, questions: list[Record]) -> Side:
    scenes = read_scenes(data, split)
    row: dict[int, int] = {}
    for _, scene in pair(questions, scenes, data, split):
        row.setdefault(scene["image_index"], len(row))
    known = {scene["image_index"]: scene for scene in scenes}
    return Side(
        [each["question"] for each in questions],
        [image_path(data, split, known[index]) for index in row],
        np.array([row[each["image_index"]] for each in questions], np.int64),
        numbered([each["answer"] for each in questions], ANSWERS),
    )


def _guesses(prior: Prior, scored: Sequence[Record], score: Any) -> list[Row]:
    majority = score([prior.majority for _ in scored])
    found = {
        "chance": ("chance", replace(majority, scores=np.full(len(scored), CHANCE))),
        "majority": ("most frequent answer", majority),
        "type_prior": ("prior per type", score([prior.answer(each) for each in scored])),
    }
    return [Row(name, about, "guess", {NO_SEED: outcomes}) for name, (about, outcomes) in found.items()]
