"""Evaluation of a checkpoint on a CLEVR tree: the report, example proofs and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from nsmodels.core import artifact, disk
from nsmodels.core.artifact import Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.datasets.clevr.files.format import image_path, read_questions, read_scenes, splits, training_splits
from nsmodels.datasets.clevr.validation import require_valid
from nsmodels.engine import runtime
from nsmodels.engine.checkpoint import load
from nsmodels.engine.config import EvaluationConfig
from nsmodels.evaluation import plots
from nsmodels.evaluation.sealing import EvaluationResult, origin
from nsmodels.formats.images.cache import read_pixels
from nsmodels.systems.visual.baselines import cnn_lstm
from nsmodels.systems.visual.baselines.priors import PRIORS, Prior
from nsmodels.systems.visual.baselines.task import predict_answers, read_vqa_split
from nsmodels.systems.visual.evaluation import posedness
from nsmodels.systems.visual.evaluation.latency import measure_latency
from nsmodels.systems.visual.evaluation.report import HEADLINE, Report, report, table
from nsmodels.systems.visual.evaluation.scoring import Predictions, Scored, outcomes, rows
from nsmodels.systems.visual.language.tokens import UNKNOWN
from nsmodels.systems.visual.model import VisualReasoner
from nsmodels.systems.visual.reasoning.drawing import draw_proof
from nsmodels.systems.visual.reasoning.proof import NoProof, prove
from nsmodels.systems.visual.reasoning.replay import check

LATENCY_PAIRS = 40
NUM_EXAMPLES = 4  # proofs of right answers, and of wrong ones
MOST_TRIED = 200  # answers of each kind: some have no proof


def score(order: Order[EvaluationConfig]) -> EvaluationResult:
    """Score every question of a split; raise InputError for a broken checkpoint or data."""
    checkpoint, data, split = order.model, order.data, order.config.split
    model = VisualReasoner.load(checkpoint, order.config.device)
    predictions = predict(model, data, split)
    scored = rows(predictions)
    posed = posedness.measure(predictions.scenes, predictions.beliefs, predictions.questions, model.calibration)
    result = _report(model, checkpoint, data, split, predictions, scored, posed)

    found = outcomes(scored[1], predictions.questions, split)

    def draw(part: Part) -> None:
        _draw_examples(predictions, found.scores, data, split, part.path / "proofs")
        _draw_figures(result, posed, part)

    return EvaluationResult(result, table(result), [found], headline(result), draw)


def predict(model: VisualReasoner, data: Path, split: str) -> Predictions:
    """What the model believes of each scene and reads from each question of a split."""
    require_valid(data, [split])
    scenes, questions = read_scenes(data, split), read_questions(data, split)
    beliefs = model.perceive_split(data, split, scenes)
    return Predictions(scenes, beliefs, questions, read_programs(model, [q["question"] for q in questions]))


def read_programs(model: VisualReasoner, questions: list[str]) -> list[Any]:
    """A program per question; None where a word is unknown to the parser."""
    words = model.parser.vocabulary
    known = [k for k, text in enumerate(questions) if UNKNOWN not in words.numbers(text)]
    programs: list[Any] = [None] * len(questions)
    for k, parse in zip(known, model.parser.parse([questions[k] for k in known]), strict=True):
        programs[k] = parse.program
    return programs


def headline(result: Report) -> dict[str, Any]:
    """The figures one looks at first, by name."""
    rows = {f"accuracy/{name}": row["accuracy"] for name, row in result["rows"].items()}
    baselines = {f"baseline/{name}": row["accuracy"] for name, row in result["baselines"].items()}
    objects = {f"objects/{name}": result["objects"][name] for name in ("precision", "recall", "all_attributes")}
    ece = {"calibration/ece": result["calibration"]["ece"]}
    return {"accuracy": result["rows"][HEADLINE]["accuracy"], **rows, **baselines, **objects, **ece}


def _report(
    model: VisualReasoner,
    checkpoint: Path,
    data: Path,
    split: str,
    predictions: Predictions,
    scored: Scored,
    posed: posedness.Posedness,
) -> Report:
    metrics = artifact.read_manifest(checkpoint).metrics
    source = origin(checkpoint, data, split) | {
        "num_annotated_images": metrics.get("num_train_images"),
        "num_annotated_questions": metrics.get("num_train_questions"),  # not in older checkpoints
    }
    return report(
        predictions,
        find_prior(checkpoint, data, predictions),
        latency=_latency(model, data, split, predictions),
        num_parameters=model.num_parameters,
        source=source,
        learned=baseline_answers(checkpoint, data, split, predictions, model.device),
        scored=scored,
        posedness=posed.report(),
    )


def find_prior(checkpoint: Path, data: Path, predictions: Predictions) -> Prior:
    """The answers of the data's train split, else of the checkpoint's own training data, else of what is scored.

    The last is for older checkpoints without `priors.json`; it flatters the baselines, which the report notes.
    """
    if train := prior_split(data):
        return Prior.fitted(read_questions(data, train), f"the {train} split of the scored data")
    if (checkpoint / PRIORS).exists():
        return Prior.read(checkpoint / PRIORS)
    return Prior.fitted(predictions.questions, "the scored questions themselves")


def prior_split(data: Path) -> str:
    """Name of the training split of a CLEVR tree; empty where it has none, or several."""
    try:
        return training_splits(data, val=splits(data)[0])[0] if splits(data) else ""
    except InputError:
        return ""


def baseline_answers(
    checkpoint: Path, data: Path, split: str, predictions: Predictions, device: torch.device
) -> dict[str, list[str]]:
    """Answers of the checkpoint's CNN+LSTM ("cnn_lstm"; "lstm" when it sees no image); empty without one."""
    weights = checkpoint / "baseline" / "best.pt"
    if not weights.exists():
        return {}
    network = cnn_lstm.from_checkpoint(load(weights), str(weights)).to(device)
    asked = read_vqa_split(data, split, network.config, list(predictions.scenes), list(predictions.questions))
    return {"cnn_lstm" if network.config.use_image else "lstm": predict_answers(network, asked)}


def _latency(model: VisualReasoner, data: Path, split: str, predictions: Predictions) -> dict[str, Any]:
    """Batch 1 on one thread, from the image file to the proof."""
    with runtime.threads(1):
        places = predictions.places
        asked = [k for k in range(len(places)) if predictions.programs[k] is not None][:LATENCY_PAIRS]
        paths = [image_path(data, split, predictions.scenes[places[k]]) for k in asked]
        return measure_latency(
            lambda given: [model.perceive_file(path) for path in given],  # type: ignore[arg-type]
            lambda given: [parse.program for parse in model.parser.parse(given)],
            paths,  # type: ignore[arg-type]
            [predictions.questions[k]["question"] for k in asked],
            device=model.device,
        )


def _draw_examples(predictions: Predictions, scores: np.ndarray, data: Path, split: str, folder: Path) -> None:
    """Proofs of right and of wrong answers, drawn among each with a fixed seed: as text, as JSON, over the image."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = np.random.default_rng(0)
    for kind, places in (("right", np.flatnonzero(scores > 0)), ("wrong", np.flatnonzero(scores == 0))):
        drawn = iter(chance.permutation(places)[:MOST_TRIED].tolist())
        for number in range(NUM_EXAMPLES):
            any(_draw_example(predictions, k, data, split, folder / f"{kind}_{number}") for k in drawn)


def _draw_example(predictions: Predictions, k: int, data: Path, split: str, name: Path) -> bool:
    """Write the proof of the answer to question `k`; returns whether there is one."""
    place, program, question = predictions.places[k], predictions.programs[k], predictions.questions[k]
    if program is None:
        return False
    try:
        proof = prove(program, predictions.beliefs[place])
    except NoProof:
        return False
    check(proof)
    head = f"{question['image_filename']}: {question['question']}\ntrue answer: {question['answer']}\n"
    disk.write_atomic(name.with_suffix(".txt"), head + proof.text() + "\n")
    disk.write_atomic(name.with_suffix(".json"), proof.to_json())
    pixels = read_pixels(image_path(data, split, predictions.scenes[place]))
    asked = f"{question['question']} (true answer: {question['answer']})"
    draw_proof(pixels, proof, predictions.beliefs[place], name.with_suffix(".png"), asked)
    return True


def _draw_figures(result: Report, posed: posedness.Posedness, part: Part) -> None:
    figure = plots.row_bars({"": result["rows"], "baseline": result["baselines"]}, "accuracy, %")
    source = f"{result['data']['source']}, split {result['data']['split']}, {result['data']['num_questions']} questions"
    plots.save_figure(figure, part.path / "figures" / "accuracy", "Accuracy with 95 % intervals", source)
    if len(posed.truth):
        figure = plots.reliability_diagram(posed.posed, posed.truth)
        caption = "Probability that a question is well posed, and the share of questions that are"
        plots.save_figure(figure, part.path / "figures" / "posedness", caption, source)
