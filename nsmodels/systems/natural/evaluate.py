"""Evaluation of a checkpoint on a GQA folder: the report, example proofs and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Part
from nsmodels.core.orders import Order
from nsmodels.datasets.gqa.files.places import splits
from nsmodels.evaluation import plots
from nsmodels.evaluation.sealing import EvaluationResult, origin
from nsmodels.systems.natural.answering.premises import Premises
from nsmodels.systems.natural.answering.reasoner import Reasoner
from nsmodels.systems.natural.baselines.priors import Priors
from nsmodels.systems.natural.baselines.task import trained_answers
from nsmodels.systems.natural.config import NaturalEvaluation
from nsmodels.systems.natural.evaluation import several
from nsmodels.systems.natural.evaluation.clevr import evaluate as functions
from nsmodels.systems.natural.evaluation.depth import by_steps, consistency
from nsmodels.systems.natural.evaluation.latency import measure_latency
from nsmodels.systems.natural.evaluation.objects import ObjectScores, score_objects
from nsmodels.systems.natural.evaluation.official import official
from nsmodels.systems.natural.evaluation.proving import Proved, prove_sample, write_examples
from nsmodels.systems.natural.evaluation.report import table
from nsmodels.systems.natural.evaluation.scoring import (
    HEADLINE,
    Row,
    baseline_rows,
    calibration,
    outcomes,
    program_exact,
    rows,
    score_answers,
)
from nsmodels.systems.natural.evaluation.subject import Subject, read_subject
from nsmodels.systems.natural.evaluation.vqa import evaluate as answers
from nsmodels.systems.natural.language.asking import Question
from nsmodels.systems.natural.perception import frequencies
from nsmodels.systems.natural.perception.labels import LabelSpace
from nsmodels.systems.natural.perception.sources import read_photographs

BASELINES = ("blind", "cnn_lstm")
MODEL = "image and question only"
Answers = Mapping[str, Sequence[str]]


def score(order: Order[NaturalEvaluation]) -> EvaluationResult:
    """The scores on each folder of data. Raises `InputError` as `several.score`."""
    return several.score(order, {"gqa": score_programs, "vqa": answers.score, "clevr": functions.score})


def score_programs(order: Order[NaturalEvaluation]) -> EvaluationResult:
    """Score every balanced question of a split of a GQA folder; raise `InputError` for a broken checkpoint or data."""
    config = order.config
    reasoner = Reasoner.load(order.model, config.device, Premises(config.soft, config.rules))
    subject = read_subject(reasoner, order.data, config.split, config.max_images)
    learned = baseline_answers(order.model, subject)
    report, proved, objects = _report(order, subject, learned)

    def draw(part: Part) -> None:
        write_examples(proved, part.path / "proofs")
        _draw_rows(report, part)

    scored = [outcomes(subject), *([objects.outcomes] if objects else [])]
    return EvaluationResult(report, table(report), scored, headline(report), draw)


def headline(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures one looks at first, by name."""
    found: dict[str, Any] = {"accuracy": report["rows"][HEADLINE]["accuracy"]}
    found |= {f"accuracy/{name}": row["accuracy"] for name, row in report["rows"].items()}
    found |= {f"baseline/{name}": row["accuracy"] for name, row in report["baselines"].items()}
    ours = report["official"][MODEL]
    found |= {f"official/{name}": value for name, value in ours.items() if isinstance(value, float)}
    for split, shifted in report["shifted"].items():
        found |= {f"{split}/{name}": row["accuracy"] for name, row in shifted.items()}
    proofs = {f"proofs/{name}": value for name, value in report["proofs"].items() if value is not None}
    found |= {"program_exact": report["program_exact"], "calibration/ece": report["calibration"]["ece"], **proofs}
    if report["objects"]:
        of_objects = {k: v for k, v in report["objects"].items() if isinstance(v, float)}
        found |= {f"baseline/objects/{name}": of_objects.pop(name) for name in ("chance", "majority")}
        found |= {f"objects/{name}": value for name, value in of_objects.items()}
    return found


def baseline_answers(model: Path, subject: Subject) -> dict[str, list[str]]:
    """Answers of the checkpoint's trained baselines to all questions of a subject, by name; empty without any."""
    device = subject.reasoner.perception.mean.device
    return trained_answers(model, BASELINES, subject.data, subject.questions, device)


def _report(
    order: Order[NaturalEvaluation], subject: Subject, learned: Answers
) -> tuple[dict[str, Any], Proved, ObjectScores | None]:
    priors = Priors.read(order.model)
    photographs = [
        each for each in read_photographs(order.data, order.config.split) if each.graph.image in subject.graphs
    ]
    beliefs = [subject.beliefs[photograph.graph.image] for photograph in photographs]
    space, counts = LabelSpace(subject.reasoner.words), frequencies.read(order.model)
    objects = score_objects(photographs, beliefs, space, order.config.split, counts)
    proved = prove_sample(subject, order.config.num_proofs)
    scored, beside = rows(subject), baseline_rows(priors, subject.balanced, _balanced(learned, subject))
    answers = _all_answers(subject, learned, priors)
    report = {
        "data": _source(order, subject),
        "headline": HEADLINE,
        "rows": scored,
        "baselines": beside,
        "official": official(subject, answers, (MODEL,)),
        "steps": by_steps(subject, {name: answers[name] for name in (MODEL, *learned)}),
        "consistency": consistency(subject, {name: answers[name] for name in (MODEL, *learned)}),
        "shifted": _shifted(order, subject.reasoner, scored[HEADLINE], beside),
        "program_exact": program_exact(subject),
        "proofs": proved.report(),
        "calibration": calibration(subject),
        "objects": objects.report() if objects else {},
        "latency": measure_latency(subject),
        "num_parameters": subject.reasoner.num_parameters,
    }
    return report, proved, objects


def _source(order: Order[NaturalEvaluation], subject: Subject) -> dict[str, Any]:
    metrics = artifact.read_manifest(order.model).metrics
    return origin(order.model, order.data, subject.split) | {
        "num_questions": subject.num_balanced,
        "num_images": len(subject.graphs),
        "num_annotated_images": metrics.get("num_train_images"),
        "num_annotated_questions": metrics.get("num_train_questions"),
    }


def _balanced(learned: Answers, subject: Subject) -> Answers:
    return {name: answers[: subject.num_balanced] for name, answers in learned.items()}


def _all_answers(subject: Subject, learned: Answers, priors: Priors) -> Answers:
    """Answers to all questions by name: the model's, those of trained baselines and of priors."""
    constant = {
        "majority": [priors.majority for _ in subject.questions],
        "type prior": [priors.of_type(question) for question in subject.questions],
        "global prior": [priors.of_global(question) for question in subject.questions],
        "local prior": [priors.of_local(question) for question in subject.questions],
    }
    return {MODEL: [found.best for found in subject.answers], **learned, **constant}


def _shifted(
    order: Order[NaturalEvaluation], reasoner: Reasoner, own: Row, baselines: Row
) -> dict[str, dict[str, Any]]:
    """Accuracy of the model and of trained baselines in further splits, and its change against the scored one."""
    found = {}
    for split in order.config.shifted_splits:
        if split == order.config.split or split not in splits(order.data):
            continue
        subject = read_subject(reasoner, order.data, split, order.config.max_images)
        answers: dict[str, Sequence[str]] = {HEADLINE: [each.best for each in subject.answers]}
        answers |= baseline_answers(order.model, subject)
        before = {HEADLINE: own["accuracy"], **{name: row["accuracy"] for name, row in baselines.items()}}
        found[split] = {
            name: _changed(given[: subject.num_balanced], subject.balanced, before.get(name))
            for name, given in answers.items()
        }
    return found


def _changed(answers: Sequence[str], questions: Sequence[Question], before: float | None) -> Row:
    row = score_answers(answers, questions)
    kept = {name: row[name] for name in ("accuracy", "interval", "n")}
    return kept | {"change": None if before is None else row["accuracy"] - before}


def _draw_rows(report: Mapping[str, Any], part: Part) -> None:
    figure = plots.row_bars({"": report["rows"], "baseline": report["baselines"]}, "accuracy, %")
    source = f"{report['data']['source']}, split {report['data']['split']}"
    plots.save_figure(figure, part.path / "figures" / "accuracy", "Accuracy with 95 % intervals", source)
