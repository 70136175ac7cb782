"""Evaluation of a checkpoint on a CLEVR folder: four rows, baselines, calibration, objects, latency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.artifact import Part
from nsmodels.core.orders import Order
from nsmodels.evaluation import plots
from nsmodels.evaluation.outcomes import Outcomes, distinct
from nsmodels.evaluation.sealing import EvaluationResult, origin
from nsmodels.systems.natural.answering.functions import FunctionReasoner, execute
from nsmodels.systems.natural.baselines.priors import CLEVR_PRIORS, Priors
from nsmodels.systems.natural.baselines.task import trained_answers
from nsmodels.systems.natural.config import NaturalEvaluation
from nsmodels.systems.natural.evaluation.clevr.report import table
from nsmodels.systems.natural.evaluation.function_subject import FunctionSubject, read_subject
from nsmodels.systems.natural.evaluation.latency import measure_latency
from nsmodels.systems.natural.evaluation.objects import ObjectScores, score_objects
from nsmodels.systems.natural.evaluation.scoring import HEADLINE, ROWS, Row, calibration_of, mean_row
from nsmodels.systems.natural.language.asking import FunctionQuestion
from nsmodels.systems.natural.language.parser import Parse
from nsmodels.systems.natural.perception.labels import LabelSpace

METRIC, OBJECTS = "clevr_accuracy", "clevr_objects"
BASELINES = ("clevr_blind", "clevr_cnn_lstm")


def score(order: Order[NaturalEvaluation]) -> EvaluationResult:
    """Score every question of a split of a CLEVR folder; raise `InputError` for a broken checkpoint or data."""
    config = order.config
    reasoner = FunctionReasoner.load(order.model, config.device)
    subject = read_subject(reasoner, order.data, config.split, config.max_images)
    beliefs, space = list(subject.beliefs.values()), LabelSpace(subject.reasoner.words)
    objects = score_objects(subject.photographs, beliefs, space, subject.split, {}, OBJECTS)
    report = _report(order, subject, objects)

    def draw(part: Part) -> None:
        _draw_rows(report, part)

    scored = [outcomes(subject), *([objects.outcomes] if objects else [])]
    return EvaluationResult(report, table(report), scored, headline(report), draw)


def headline(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures one looks at first, by name."""
    found: dict[str, Any] = {METRIC: report["rows"][HEADLINE]["accuracy"]}
    found |= {f"{METRIC}/{name}": row["accuracy"] for name, row in report["rows"].items()}
    found |= {f"baseline/{name}": row["accuracy"] for name, row in report["baselines"].items()}
    found |= {"clevr_program_exact": report["program_exact"], "calibration/clevr_ece": report["calibration"]["ece"]}
    if report["objects"]:
        of_objects = {k: v for k, v in report["objects"].items() if isinstance(v, float)}
        found[OBJECTS] = of_objects.pop("objects")
        found |= {f"baseline/{OBJECTS}/{name}": of_objects.pop(name) for name in ("chance", "majority")}
        found |= {f"{OBJECTS}/{name}": value for name, value in of_objects.items()}
    return found


def rows(subject: FunctionSubject) -> dict[str, Row]:
    """The four rows. Those with a true scene are executed by the dataset's executor, the others softly."""
    asked = list(zip(subject.questions, subject.programs, subject.parses, strict=True))
    soft = [execute(subject.executors[each.image], Parse(program, 1.0)).best for each, program, _ in asked]
    answers = {
        ROWS[0]: [subject.exact(program, each.image) for each, program, _ in asked],
        ROWS[1]: soft,
        ROWS[2]: [subject.exact(parse.program, each.image) for each, _, parse in asked],
        ROWS[3]: [found.best for found in subject.answers],
    }
    return {name: score_answers(found, subject.questions) for name, found in answers.items()}


def score_answers(answers: Sequence[str], questions: Sequence[FunctionQuestion]) -> Row:
    """Accuracy with its interval by image, overall and by group of questions; an empty answer is none."""
    right = np.array([a == q.answer for a, q in zip(answers, questions, strict=True)], float)
    images = np.array([question.image for question in questions])
    types = np.array([question.types["structural"] for question in questions])
    grouped = {name: mean_row(right[types == name], images[types == name]) for name in sorted(set(types.tolist()))}
    return mean_row(right, images) | {"unanswered": sum(not a for a in answers), "by_structural": grouped}


def baseline_rows(
    priors: Priors, questions: Sequence[FunctionQuestion], learned: Mapping[str, Sequence[str]]
) -> dict[str, Row]:
    """Chance among the answers to a kind of question, most frequent answers, and trained baselines by name."""
    chance = float(np.mean([1 / question.num_answers for question in questions]))
    constant = {
        "majority": [priors.majority for _ in questions],
        "type_prior": [priors.of_type(question) for question in questions],
    }
    scored = {name: score_answers(found, questions) for name, found in {**constant, **learned}.items()}
    return {"chance": {"accuracy": chance, "interval": None, "n": len(questions)}, **scored}


def baseline_answers(model: Path, subject: FunctionSubject) -> dict[str, list[str]]:
    """Answers of the checkpoint's trained baselines, by name; empty without any."""
    device = subject.reasoner.perception.mean.device
    found = trained_answers(model, BASELINES, subject.data, subject.questions, device)
    return {name.removeprefix("clevr_"): answers for name, answers in found.items()}


def outcomes(subject: FunctionSubject) -> Outcomes:
    """Correctness of the answer to each question."""
    items = distinct(f"{subject.split}/{question.id}" for question in subject.questions)
    return Outcomes(METRIC, subject.split, items, [q.image for q in subject.questions], _right(subject))


def _right(subject: FunctionSubject) -> np.ndarray:
    return np.array([a.best == q.answer for a, q in zip(subject.answers, subject.questions, strict=True)], float)


def _report(order: Order[NaturalEvaluation], subject: FunctionSubject, objects: ObjectScores | None) -> dict[str, Any]:
    confidence = [p.probability * a.confidence for p, a in zip(subject.parses, subject.answers, strict=True)]
    exact = [p.program == program for p, program in zip(subject.parses, subject.programs, strict=True)]
    learned = baseline_answers(order.model, subject)
    return {
        "data": _source(order, subject),
        "headline": HEADLINE,
        "rows": rows(subject),
        "baselines": baseline_rows(Priors.read(order.model, CLEVR_PRIORS), subject.questions, learned),
        "program_exact": float(np.mean(exact)),
        "calibration": calibration_of(np.array(confidence), _right(subject)),
        "objects": objects.report() if objects else {},
        "latency": measure_latency(subject),
        "num_parameters": subject.reasoner.num_parameters,
    }


def _source(order: Order[NaturalEvaluation], subject: FunctionSubject) -> dict[str, Any]:
    metrics = artifact.read_manifest(order.model).metrics
    return origin(order.model, order.data, subject.split) | {
        "num_questions": len(subject.questions),
        "num_images": len(subject.photographs),
        "num_annotated_images": metrics.get("num_train_images"),
        "num_annotated_questions": metrics.get("num_clevr_train_questions"),
    }


def _draw_rows(report: Mapping[str, Any], part: Part) -> None:
    figure = plots.row_bars({"": report["rows"], "baseline": report["baselines"]}, "accuracy, %")
    source = f"{report['data']['source']}, split {report['data']['split']}"
    plots.save_figure(figure, part.path / "figures" / "clevr_accuracy", "Accuracy with 95 % intervals", source)
