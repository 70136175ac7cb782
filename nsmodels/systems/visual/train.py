"""Training beyond the phases: calibration of perception, and the prior of the training answers."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from nsmodels.core import disk
from nsmodels.core.artifact import Part
from nsmodels.core.orders import Order
from nsmodels.datasets.clevr.files.format import read_questions, read_scenes, training_splits
from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import resolve_device
from nsmodels.systems.visual.baselines.priors import PRIORS, Prior
from nsmodels.systems.visual.config import VisualConfig
from nsmodels.systems.visual.perception.images import read_images
from nsmodels.systems.visual.perception.matching import match_points
from nsmodels.systems.visual.perception.network import Perception, find_candidates
from nsmodels.systems.visual.phases import parser_questions

# Images of the training split on which the strength of a peak is turned into a probability.
CALIBRATION_IMAGES = 400
MATCH_DISTANCE = 0.02  # of the image width, or from the centre of a heat-map cell to its corner where that is more


def calibrate(order: Order[VisualConfig], part: Part) -> None:
    """Turn the peaks of the trained perception into probabilities: writes `calibration.json`."""
    weights = part.path / "perception" / checkpoint.BEST
    train, _ = training_splits(order.data, order.config.train_split, order.config.val_split)
    presence = fit_presence(weights, order.data, train, resolve_device(order.config.training.device))
    disk.write_json(part.path / "calibration.json", {"presence_map": presence})


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


def fit_presence(weights: Path, data: Path, split: str, device: torch.device) -> list[float]:
    """Slope and intercept of Platt's (1999) logistic map from a peak's logit to P(an object stands there)."""
    model = Perception.from_checkpoint(checkpoint.load(weights), str(weights))
    logits, is_object = _labelled_peaks(model.to(device), data, split)
    return _logistic_fit(logits, is_object)


def _labelled_peaks(model: Perception, data: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    scenes = read_scenes(data, split)[:CALIBRATION_IMAGES]
    shape = (model.config.image_width, model.config.image_height)
    images, sizes = read_images(data, split, scenes, *shape)
    distance = max(MATCH_DISTANCE, model.layout.stride / math.sqrt(2) / model.config.image_width)
    logits, labels = [], []
    for first in range(0, len(scenes), 32):
        pixels = torch.tensor(images[first : first + 32]).permute(0, 3, 1, 2)
        with torch.inference_mode():
            found = find_candidates(model, pixels.to(model.presence_map.device))
        for row, scene in enumerate(scenes[first : first + 32]):
            size = sizes[first + row]
            true = np.array([o["pixel_coords"][:2] for o in scene["objects"]], float) + 0.5
            pairs = match_points(found.points[row].cpu().numpy() * size, true, distance * size[0])
            hit = {pair[0] for pair in pairs}
            logits.append(found.logits[row].cpu().numpy())
            labels.append([k in hit for k in range(len(logits[-1]))])
    return np.concatenate(logits), np.concatenate(labels)


def _logistic_fit(logits: np.ndarray, labels: np.ndarray, steps: int = 50) -> list[float]:
    """Two parameters by Newton's method; a weak pull to the identity keeps separable data finite."""
    known = np.isfinite(logits)
    design = np.column_stack([logits[known], np.ones(known.sum())]).astype(float)
    wanted, weights, prior = labels[known].astype(float), np.array([1.0, 0.0]), np.array([1.0, 0.0])
    for _ in range(steps):
        chance = 1 / (1 + np.exp(-np.clip(design @ weights, -30, 30)))
        slope = design.T @ (chance - wanted) + (weights - prior)
        curve = design.T @ (design * (chance * (1 - chance))[:, None]) + np.eye(2)
        weights = weights - np.linalg.solve(curve, slope)
    return [float(weights[0]), float(weights[1])]
