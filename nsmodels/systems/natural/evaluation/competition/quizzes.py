"""GQA and VQA as classifiers of answers see them: questions, choices, scores, and rows that need no training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import Question, each_question
from nsmodels.datasets.gqa.files.places import image_path
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.evaluation.comparison.rows import NO_SEED, Kind, Row
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.layers.answers.batches import credited, numbered
from nsmodels.layers.answers.quiz import SEED, Quiz, Side, drawn
from nsmodels.layers.answers.task import known_loss, soft_loss
from nsmodels.systems.natural.answering.choosing.questions import AskedQuestions, read_asked
from nsmodels.systems.natural.baselines.answer_priors import AnswerPriors
from nsmodels.systems.natural.baselines.priors import Priors
from nsmodels.systems.natural.baselines.task import frequent_answers, images_of
from nsmodels.systems.natural.evaluation import report as gqa_report
from nsmodels.systems.natural.evaluation import scoring as gqa
from nsmodels.systems.natural.evaluation.competition.config import NaturalBaselines
from nsmodels.systems.natural.evaluation.vqa import report as vqa_report
from nsmodels.systems.natural.evaluation.vqa import scoring as vqa
from nsmodels.systems.natural.folders import NAMES, kind_of
from nsmodels.systems.natural.language.tokens import Vocabulary, words_of


def quiz_of(data: Path, config: NaturalBaselines) -> Quiz:
    """The questions of a GQA or VQA folder. Raises `InputError` for broken data."""
    quizzes, kind = {"gqa": gqa_quiz, "vqa": vqa_quiz}, kind_of(data)
    if kind not in quizzes:
        raise InputError(
            f"{data}: is a folder of {NAMES[kind]}; its baselines are those of `nsmodels visual study baselines`"
        )
    return quizzes[kind](data, config)


def gqa_quiz(data: Path, config: NaturalBaselines) -> Quiz:
    """The balanced questions of GQA, with the accuracy of the reasoner's evaluation."""
    everything = _balanced(data, config.train_split)
    train, scored = drawn(everything, config.max_questions), _balanced(data, config.split)
    choices = frequent_answers(train, config.classifier.num_answers)

    def side(questions: Sequence[Question]) -> Side:
        names, places = images_of(questions)
        answers = numbered([question.answer for question in questions], choices)
        return Side([each.text for each in questions], [image_path(data, name) for name in names], places, answers)

    def score(answers: Sequence[str]) -> Outcomes:
        return gqa.outcomes_of(answers, scored, config.split)

    priors, vocabulary = Priors.fitted(everything), _vocabulary([each.text for each in train])
    held_out = side(scored)
    return Quiz(
        "GQA",
        side(train),
        held_out.first(config.max_val_questions),
        held_out,
        choices,
        vocabulary.words,
        lambda text: vocabulary.numbers(words_of(text)),
        known_loss,
        score,
        _gqa_guesses(priors, scored, score),
        [(name, value, source) for name, value, source in gqa_report.PUBLISHED],
        ["people: no answers of annotators are known of these questions"],
    )


def _gqa_guesses(priors: Priors, scored: Sequence[Question], score: Callable[[Sequence[str]], Outcomes]) -> list[Row]:
    constant = {
        "majority": ("most frequent answer", [priors.majority for _ in scored]),
        "type_prior": ("prior per type", [priors.of_type(question) for question in scored]),
        "global_prior": ("prior per global group", [priors.of_global(question) for question in scored]),
        "local_prior": ("prior per local group", [priors.of_local(question) for question in scored]),
    }
    rows = [_row(name, about, score(answers)) for name, (about, answers) in constant.items()]
    chance = replace(rows[0].first, scores=np.array([priors.chance(question) for question in scored]))
    return [_row("chance", "chance", chance), *rows]


def vqa_quiz(data: Path, config: NaturalBaselines) -> Quiz:
    """The questions of VQA with soft targets, and the official score."""
    train = read_asked(data, config.train_split, config.max_questions, SEED)
    scored, answers = read_asked(data, config.split), AnswerVocabulary.read(data)
    vqa.require_typed(scored.annotations, f"{data}, split {config.split}")
    vocabulary = _vocabulary([each.text for each in train.questions])

    def score(given: Sequence[str]) -> Outcomes:
        return vqa.outcomes(scored, vqa.in_order(scored, vqa.official(scored, given)), config.split)

    held_out = _vqa_side(scored, answers)
    return Quiz(
        "VQA",
        _vqa_side(train, answers),
        held_out.first(config.max_val_questions),
        held_out,
        answers.answers,
        vocabulary.words,
        lambda text: vocabulary.numbers(words_of(text) or ["?"]),
        soft_loss,
        score,
        _vqa_beside(data, config, scored, answers, score),
        [
            (name, float(value), f"OpenVQA, {parts}" if parts else "OpenVQA")
            for name, value, parts in vqa_report.PUBLISHED
        ],
    )


def _vqa_side(asked: AskedQuestions, answers: AnswerVocabulary) -> Side:
    credit = credited([answers.targets(each) for each in asked.annotations], len(answers.answers))
    return Side([each.text for each in asked.questions], asked.paths, asked.places, credit)


def _vqa_beside(
    data: Path,
    config: NaturalBaselines,
    scored: AskedQuestions,
    answers: AnswerVocabulary,
    score: Callable[[Sequence[str]], Outcomes],
) -> list[Row]:
    priors = AnswerPriors.fitted(read_asked(data, config.train_split).annotations)
    majority = score([priors.majority for _ in scored.questions])
    values: Mapping[str, tuple[str, Kind, np.ndarray]] = {
        "chance": ("chance", "guess", vqa.chances(scored, answers)),
        "one_person": ("one annotator, by the nine others", "people", vqa.one_person(scored)),
    }
    rows = {
        name: _row(name, about, replace(majority, scores=found), kind) for name, (about, kind, found) in values.items()
    }
    by_type = score([priors.of_type(record) for record in scored.annotations])
    guesses = [_row("majority", "most frequent answer", majority), _row("type_prior", "prior per type", by_type)]
    return [rows["chance"], *guesses, rows["one_person"]]


def _row(name: str, about: str, outcomes: Outcomes, kind: Kind = "guess") -> Row:
    return Row(name, about, kind, {NO_SEED: outcomes})


def _balanced(data: Path, split: str) -> list[Question]:
    found = list({question.id: question for question in each_question(data, split)}.values())
    if not found:
        raise InputError(f"{data}: split '{split}' has no balanced questions; choose a different one")
    return found


def _vocabulary(texts: Sequence[str]) -> Vocabulary:
    return Vocabulary.from_questions(words_of(text) for text in texts)
