"""Outcomes by which parts of the model are judged: answers, objects, rare ones, and names confused within a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.systems.natural.answering.premises import Premises
from nsmodels.systems.natural.answering.reasoner import Reasoner
from nsmodels.systems.natural.baselines.priors import Priors
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.config import NaturalEvaluation
from nsmodels.systems.natural.evaluation import scoring
from nsmodels.systems.natural.evaluation.studies.config import CLASS_ERRORS, RARE
from nsmodels.systems.natural.evaluation.subject import read_subject
from nsmodels.systems.natural.evaluation.vqa.evaluate import answer_split, read_respondent
from nsmodels.systems.natural.evaluation.vqa.scoring import chances, in_order, official, outcomes
from nsmodels.systems.natural.folders import sorted_by_kind
from nsmodels.systems.natural.perception import frequencies
from nsmodels.systems.natural.perception.labels import LabelSpace, Photograph
from nsmodels.systems.natural.perception.scoring import named_numbers, rare_names
from nsmodels.systems.natural.perception.sources import read_photographs

OBJECTS = "objects"


def score_programs(order: Order[NaturalEvaluation]) -> list[Outcomes]:
    """Answers of balanced questions of a GQA folder, and the objects of their images."""
    config, data = order.config, order.data
    reasoner = Reasoner.load(order.model, config.device, Premises(config.soft, config.rules))
    subject = read_subject(reasoner, data, config.split, config.max_images, has_unbalanced=False)
    photographs = [each for each in read_photographs(data, config.split) if each.graph.image in subject.graphs]
    beliefs = [subject.beliefs[each.graph.image] for each in photographs]
    seen = object_outcomes(photographs, beliefs, reasoner.perception.space, frequencies.read(order.model), config.split)
    priors = Priors.read(order.model)
    level = float(np.mean([priors.chance(question) for question in subject.balanced]))
    return [replace(scoring.outcomes(subject), chance=level), *seen]


def score_answers(order: Order[NaturalEvaluation]) -> list[Outcomes]:
    """Official scores of the questions of the VQA folder of an order."""
    config = order.config
    data = sorted_by_kind(order.inputs.datasets.values())["vqa"]
    vocabulary = AnswerVocabulary.read(order.model)
    found = answer_split(read_respondent(order), {}, vocabulary, data, config.split, config.max_images)
    scored = outcomes(found.asked, in_order(found.asked, official(found.asked, found.answers)), config.split)
    return [replace(scored, chance=float(chances(found.asked, vocabulary).mean()))]


def object_outcomes(
    photographs: Sequence[Photograph],
    beliefs: Sequence[Belief],
    space: LabelSpace,
    counts: Mapping[str, int],
    split: str,
) -> list[Outcomes]:
    """Of each true object whether it is found and named, of rare ones alone too; whether it is confused in its class.

    `counts`: of names in training; rare is the least frequent quarter of them. Raises `InputError` without objects.
    """
    rare, classes = rare_names(space, counts), np.array(space.class_numbers)
    items, clusters, named, wanted, found = [], [], [], [], []
    for photograph, belief in zip(photographs, beliefs, strict=True):
        numbers, truth = named_numbers(photograph, belief, space)
        items += [f"{photograph.graph.image}/{thing.id}" for thing in photograph.graph]
        clusters += [photograph.graph.image] * len(truth)
        found.append(numbers)
        wanted.append(truth)
        named += [space.words.names[k] in rare for k in truth]
    if not items:
        raise InputError(f"split '{split}': its images have no objects")
    read, true, is_rare = np.concatenate(found), np.concatenate(wanted), np.array(named, bool)
    right = read == true
    confused = (read >= 0) & ~right & (classes[read] == classes[true])
    level = 1 / max(1, len(space.words.names))
    measured = [Outcomes(OBJECTS, split, items, clusters, right.astype(float), chance=level)]
    if is_rare.any():
        kept = np.flatnonzero(is_rare).tolist()
        own = [items[k] for k in kept], [clusters[k] for k in kept], right[is_rare].astype(float)
        measured.append(Outcomes(RARE, split, *own, chance=level))
    return [*measured, Outcomes(CLASS_ERRORS, split, items, clusters, confused.astype(float), direction="lower")]
