"""Training beyond the phases: calibration of perception, priors of the answers, and the size of the training data."""

from __future__ import annotations

from typing import Any

from nsmodels.core.artifact import Part
from nsmodels.core.orders import Order
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.natural.baselines.priors import Priors
from nsmodels.systems.natural.config import NaturalConfig
from nsmodels.systems.natural.perception import calibration
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.sources import read_photographs
from nsmodels.systems.natural.phases import training_questions


def calibrate_perception(order: Order[NaturalConfig], part: Part) -> dict[str, Any]:
    """Turn peaks of the trained perception into probabilities: writes `calibration.json`.

    Training images alone take part, so that all others may be scored.
    """
    weights, config = part.path / "perception" / checkpoint.BEST, order.config
    model = Perception.from_checkpoint(checkpoint.load(weights), str(weights))
    photographs = read_photographs(order.data, config.train_split, config.max_images)
    model = model.to(resolve_device(config.training.device))
    calibration.write(part.path, calibration.calibrate(model, photographs, config.training.num_workers))
    return {"num_train_images": len(photographs)}


def record_training_questions(order: Order[NaturalConfig], part: Part) -> dict[str, Any]:
    """Number of questions that the parser learns from; writes the priors of all training answers."""
    questions = training_questions(order.data, order.config, 0)
    Priors.fitted(questions).write(part.path)
    return {"num_train_questions": min(len(questions), order.config.parser.max_questions or len(questions))}
