"""Presence of objects as a probability, fitted on training images; kept in `calibration.json` of a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.formats.images.cache import read_images
from nsmodels.systems.natural.perception.decoding import MIN_PRESENCE, perceive
from nsmodels.systems.natural.perception.labels import Photograph
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.scoring import match_boxes

FILE = "calibration.json"
NUM_IMAGES = 400  # at most, where perception has learnt from all
BATCH = 32
LogisticMap = tuple[float, float]
IDENTITY: LogisticMap = (1.0, 0.0)


def calibrate(model: Perception, photographs: Sequence[Photograph], num_workers: int) -> LogisticMap:
    """Slope and intercept of the probability that there is an object at a peak, set in `model` as well."""
    config = model.config
    pixels, _ = read_images([Path(p.path) for p in photographs], config.image_width, config.image_height, num_workers)
    model.presence_map.copy_(torch.tensor(IDENTITY))
    beliefs, _ = perceive(model, pixels, [photograph.size for photograph in photographs], BATCH)
    logits, labels = [], []
    for photograph, belief in zip(photographs, beliefs, strict=True):
        true = np.array([(t.box.x, t.box.y, t.box.w, t.box.h) for t in photograph.graph], np.float32).reshape(-1, 4)
        hit = np.isin(np.arange(len(belief)), match_boxes(belief.boxes, true)[:, 0])
        logits.append(np.log(belief.presence / np.maximum(1 - belief.presence, 1e-7)))
        labels.append(hit)
    found = logistic_fit(np.concatenate(logits), np.concatenate(labels))
    model.presence_map.copy_(torch.tensor(found))
    return found


def logistic_fit(logits: np.ndarray, labels: np.ndarray) -> LogisticMap:
    """Slope and intercept of Platt's (1999) map, σ(a·l + b), from logits (n,) to the probability of `labels` (n,).

    A weak pull to the identity keeps separable data finite.
    """
    design, prior = np.column_stack([logits, np.ones(len(logits))]).astype(float), np.array(IDENTITY)
    wanted = labels.astype(float)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        scores, pull = design @ weights, weights - prior
        surprise = np.logaddexp(0.0, scores).sum() - wanted @ scores
        return float(surprise + pull @ pull / 2), design.T @ (expit(scores) - wanted) + pull

    slope, intercept = minimize(loss, prior, jac=True).x
    return float(slope), float(intercept)


def write(folder: Path, presence_map: LogisticMap) -> None:
    """Write the file into a checkpoint folder."""
    disk.write_json(folder / FILE, {"presence_map": list(presence_map), "least": MIN_PRESENCE})


def load_calibrated(folder: Path, device: torch.device | str) -> Perception:
    """Perception of a checkpoint folder with its calibration. Raises `InputError` where a file is missing or broken."""
    weights = folder / "perception" / checkpoint.BEST
    model = Perception.from_checkpoint(checkpoint.load(weights), str(weights))
    path = folder / FILE
    try:
        slope, intercept = json.loads(path.read_text(encoding="utf-8"))["presence_map"]
        model.presence_map.copy_(torch.tensor([float(slope), float(intercept)]))
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None
    return model.to(device).eval()
