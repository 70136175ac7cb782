"""Evaluation of a checkpoint on a VQA folder: official score, baselines, ceilings, pairs, calibration, latency."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core import artifact
from nsmodels.core.artifact import Part
from nsmodels.core.disk import write_json
from nsmodels.core.hardware import num_cores
from nsmodels.core.orders import Order
from nsmodels.datasets.vqa.files.names import pairs_name, splits
from nsmodels.datasets.vqa.files.pairs import read_pairs
from nsmodels.datasets.vqa.scoring.vocabulary import AnswerVocabulary
from nsmodels.engine import checkpoint, runtime
from nsmodels.evaluation import plots
from nsmodels.evaluation.sealing import EvaluationResult, origin
from nsmodels.systems.natural.answering.choosing.questions import AskedQuestions, read_asked
from nsmodels.systems.natural.answering.premises import Premises
from nsmodels.systems.natural.answering.respondent import Respondent, Response
from nsmodels.systems.natural.baselines.answer_priors import AnswerPriors
from nsmodels.systems.natural.baselines.network import Classifier, from_checkpoint
from nsmodels.systems.natural.baselines.soft import predict_soft
from nsmodels.systems.natural.config import NaturalEvaluation
from nsmodels.systems.natural.evaluation.vqa.report import table
from nsmodels.systems.natural.evaluation.vqa.scoring import (
    METRIC,
    Row,
    baseline_rows,
    calibration,
    ceilings,
    in_order,
    official,
    outcomes,
    pair_row,
    require_typed,
    row_of,
)

BASELINES = ("vqa_blind", "vqa_cnn_lstm")
HEADLINE, CHOSEN = "symbolic_first", "chosen"
NUM_PAIRS, WARM_UP = 30, 3  # questions whose latency is measured, and those of them before the clock counts
NUM_EXAMPLES = 20


@dataclass(frozen=True, eq=False)
class Answered:
    """Questions of a split with the model's responses, and the answers of trained baselines by name."""

    asked: AskedQuestions
    responses: Sequence[Response]
    learned: Mapping[str, Sequence[str]]

    @property
    def answers(self) -> list[str]:
        """The model's answers."""
        return [each.answer for each in self.responses]


def score(order: Order[NaturalEvaluation]) -> EvaluationResult:
    """Score every question of a split of a VQA folder; raise `InputError` for a broken checkpoint or data."""
    respondent = read_respondent(order)
    networks = read_baselines(order.model, respondent)
    vocabulary, split = AnswerVocabulary.read(order.model), order.config.split
    found = answer_split(respondent, networks, vocabulary, order.data, split, order.config.max_images)
    require_typed(found.asked.annotations, f"{order.data}, split {split}")
    values = in_order(found.asked, official(found.asked, found.answers))
    report = report_of(order, respondent, found, values, vocabulary)
    report["shifted"] = _shifted(order, respondent, networks, vocabulary, report)

    def draw(part: Part) -> None:
        _write_examples(found, values, part.path / "examples.json")
        _draw_rows(report, part)

    return EvaluationResult(report, table(report), [outcomes(found.asked, values, split)], headline(report), draw)


def read_respondent(order: Order[NaturalEvaluation]) -> Respondent:
    """The model of an order with the options of its configuration. Raises `InputError` as `Respondent.load`."""
    config = order.config
    return Respondent.load(order.model, config.device, Premises(config.soft, config.rules), config.programs)


def read_baselines(model: Path, respondent: Respondent) -> dict[str, Classifier]:
    """The trained baselines of a checkpoint, by name; empty without any."""
    found = {}
    for name in BASELINES:
        path = model / name / checkpoint.BEST
        if path.exists():
            network = from_checkpoint(checkpoint.load(path), str(path))
            found[name.removeprefix("vqa_")] = network.to(respondent.perception.mean.device)
    return found


def answer_split(
    respondent: Respondent,
    networks: Mapping[str, Classifier],
    answers: AnswerVocabulary,
    data: Path,
    split: str,
    max_images: int = 0,
) -> Answered:
    """The answers to all questions of a split; `max_images`: about the first so many images, 0: all."""
    asked = read_asked(data, split, num_images=max_images)
    questions = [(int(place), each.text) for place, each in zip(asked.places, asked.questions, strict=True)]
    responses = respondent.answer(respondent.see(asked.paths), questions, asked.paths)
    learned = {name: predict_soft(network, asked, answers) for name, network in networks.items()}
    return Answered(asked, responses, learned)


def report_of(
    order: Order[NaturalEvaluation],
    respondent: Respondent,
    found: Answered,
    values: np.ndarray,
    vocabulary: AnswerVocabulary,
) -> dict[str, Any]:
    """All figures of the scored split; `values`: the score of each answer of the model."""
    asked = found.asked
    chosen = [each.chosen[0] for each in found.responses]
    baselines = baseline_rows(asked, AnswerPriors.read(order.model), vocabulary, found.learned)
    confidence = np.array([each.confidence for each in found.responses])
    return {
        "data": _source(order, asked),
        "headline": HEADLINE,
        "rows": {HEADLINE: row_of(asked, found.answers), CHOSEN: row_of(asked, chosen)},
        "baselines": baselines,
        "ceilings": ceilings(asked, vocabulary),
        "pairs": _pairs(order.data, order.config.split, found, values),
        "symbolic_first": _symbolic(found, values, chosen),
        "calibration": calibration(confidence, values),
        "latency": measure_latency(respondent, asked),
        "num_parameters": respondent.num_parameters,
    }


def headline(report: Mapping[str, Any]) -> dict[str, Any]:
    """The figures one looks at first, by name."""
    ours = report["rows"][HEADLINE]
    found: dict[str, Any] = {METRIC: ours["score"]}
    found |= {f"{METRIC}/{kind.replace('/', '_')}": row["score"] for kind, row in ours["by_answer_type"].items()}
    found |= {f"{METRIC}/{name}": row["score"] for name, row in report["rows"].items()}
    found |= {f"baseline/{name}": row["score"] for name, row in report["baselines"].items()}
    found |= {f"ceiling/{name}": row["score"] for name, row in report["ceilings"].items()}
    found |= {f"pairs/{name}": row["both_right"] for name, row in report["pairs"].items() if row["n"]}
    found |= {
        f"{split}/{name}": row["score"] for split, rows in report["shifted"].items() for name, row in rows.items()
    }
    symbolic = report["symbolic_first"]
    found |= {f"symbolic/{name}": value for name, value in symbolic.items() if value is not None}
    return found | {"calibration/vqa_ece": report["calibration"]["ece"]}


def _source(order: Order[NaturalEvaluation], asked: AskedQuestions) -> dict[str, Any]:
    metrics = artifact.read_manifest(order.model).metrics
    return origin(order.model, order.data, order.config.split) | {
        "num_questions": len(asked),
        "num_images": len(asked.paths),
        "num_train_questions": metrics.get("num_vqa_train_questions"),
    }


def _pairs(data: Path, split: str, found: Answered, values: np.ndarray) -> dict[str, Row]:
    """Complementary pairs of the model and of trained baselines; empty where the folder has none of the split."""
    path = data / pairs_name(split)
    if not path.is_file():
        return {}
    pairs = read_pairs(path)
    rows = {HEADLINE: pair_row(found.asked, values, pairs)}
    for name, answers in found.learned.items():
        rows[name] = pair_row(found.asked, in_order(found.asked, official(found.asked, answers)), pairs)
    return rows


def _symbolic(found: Answered, values: np.ndarray, chosen: Sequence[str]) -> dict[str, Any]:
    """Share and score of proved answers, the score of the chosen ones in their place, and of the others."""
    proved = np.array([each.is_proved for each in found.responses], bool)
    instead = in_order(found.asked, official(found.asked, chosen))
    return {
        "share": float(proved.mean()),
        "score_proved": float(values[proved].mean()) if proved.any() else None,
        "score_chosen_there": float(instead[proved].mean()) if proved.any() else None,
        "score_not_proved": float(values[~proved].mean()) if (~proved).any() else None,
    }


def _shifted(
    order: Order[NaturalEvaluation],
    respondent: Respondent,
    networks: Mapping[str, Classifier],
    vocabulary: AnswerVocabulary,
    report: Mapping[str, Any],
) -> dict[str, dict[str, Row]]:
    """Scores of the model and of trained baselines in further splits, and their change against the scored one."""
    before = {HEADLINE: report["rows"][HEADLINE], **report["baselines"]}
    found: dict[str, dict[str, Row]] = {}
    for split in splits(order.data, order.config.shifted_splits):
        if split == order.config.split:
            continue
        shifted = answer_split(respondent, networks, vocabulary, order.data, split, order.config.max_images)
        answers = {HEADLINE: shifted.answers, **shifted.learned}
        rows = {name: row_of(shifted.asked, each) for name, each in answers.items()}
        kept = ("score", "interval", "n")
        found[split] = {
            name: {key: row[key] for key in kept} | {"change": row["score"] - before[name]["score"]}
            for name, row in rows.items()
        }
    return found


def measure_latency(respondent: Respondent, asked: AskedQuestions) -> dict[str, Any]:
    """Milliseconds at batch 1, from the image file to the answer, on one thread."""
    times = []
    with runtime.threads(1):
        for place in np.linspace(0, len(asked) - 1, min(NUM_PAIRS, len(asked))).astype(int).tolist():
            start = time.perf_counter()
            respondent.respond([asked.paths[int(asked.places[place])]], [asked.questions[place].text])
            times.append(1e3 * (time.perf_counter() - start))
    kept = times[min(WARM_UP, len(times) - 1) :]
    return {
        "milliseconds_median": float(np.median(kept)),
        "milliseconds_p95": float(np.percentile(kept, 95)),
        "n": len(kept),
        "device": str(respondent.perception.mean.device),
        "machine": f"{platform.platform()}, {num_cores()} usable cores",
    }


def _write_examples(found: Answered, values: np.ndarray, path: Path) -> None:
    """Responses to questions spread over the split, right or wrong, with their scores."""
    places = np.linspace(0, len(values) - 1, min(NUM_EXAMPLES, len(values))).astype(int).tolist()
    write_json(path, [found.responses[k].record() | {"score": float(values[k])} for k in places])


def _draw_rows(report: Mapping[str, Any], part: Part) -> None:
    groups = {"": report["rows"], "baseline": report["baselines"], "ceiling": report["ceilings"]}
    figure = plots.row_bars(groups, "official VQA score, %", "score")
    source = f"{report['data']['source']}, split {report['data']['split']}"
    plots.save_figure(figure, part.path / "figures" / "vqa_score", "Official score with 95 % intervals", source)
