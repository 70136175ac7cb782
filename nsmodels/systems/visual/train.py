"""Training beyond the phases: calibration of perception, and the prior of the training answers."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from nsmodels.core import disk
from nsmodels.core.artifact import Part
from nsmodels.core.orders import Order
from nsmodels.datasets.clevr.files.format import read_questions, read_scenes, training_splits
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.visual.answering import calibration, fitting
from nsmodels.systems.visual.answering.exported import EXPORTED
from nsmodels.systems.visual.baselines.priors import PRIORS, Prior
from nsmodels.systems.visual.config import VisualConfig
from nsmodels.systems.visual.model import VisualReasoner
from nsmodels.systems.visual.perception.network import Perception
from nsmodels.systems.visual.phases import parser_questions


def calibrate(order: Order[VisualConfig], part: Part) -> None:
    """Turn outputs of the trained perception into probabilities: writes `calibration.json`."""
    weights = part.path / "perception" / checkpoint.BEST
    train, _ = training_splits(order.data, order.config.train_split, order.config.val_split)
    model = Perception.from_checkpoint(checkpoint.load(weights), str(weights))
    found = fitting.calibrate(model.to(resolve_device(order.config.training.device)), order.data, train)
    disk.write_json(part.path / calibration.FILE, found.to_json())


def record_training_data(order: Order[VisualConfig], part: Part) -> dict[str, Any]:
    """Number of images and questions that the networks learn from; writes the prior of their answers."""
    train, _ = training_splits(order.data, order.config.train_split, order.config.val_split)
    questions = read_questions(order.data, train)
    prior = Prior.fitted(
        questions, f"the {train} split of the checkpoint's data ({part.source}, {len(questions)} questions)"
    )
    disk.write_json(part.path / PRIORS, asdict(prior))
    return {
        "num_train_images": len(read_scenes(order.data, train)),
        "num_train_questions": len(parser_questions(order.config, questions)),
    }


def export(part: Part) -> None:
    """Write the form of the trained model that answers without torch into its folder."""
    VisualReasoner.read(part.path, "cpu").export(part.path / EXPORTED)
