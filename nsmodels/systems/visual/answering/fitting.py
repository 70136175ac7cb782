"""Calibration of a trained perception: its peaks, the well-posedness of questions, the images that are familiar."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from nsmodels.datasets.clevr.files.format import read_questions, read_scenes
from nsmodels.systems.visual.answering.calibration import IDENTITY, Calibration, LogisticMap, logit
from nsmodels.systems.visual.answering.posing import Posed, posed_pairs
from nsmodels.systems.visual.perception.familiarity import Familiarity
from nsmodels.systems.visual.perception.images import read_images
from nsmodels.systems.visual.perception.matching import match_points
from nsmodels.systems.visual.perception.network import Perception, read_out
from nsmodels.systems.visual.perception.readout import Readout
from nsmodels.systems.visual.reasoning.belief import Array, SceneBelief
from nsmodels.systems.visual.reasoning.execution import Answer, answer

Records = Sequence[dict[str, Any]]

# Training images to which presence and familiarity are fitted; further ones, as many, give the usual distance and the
# questions: so many well-posed ones, each with an ill-posed one.
NUM_IMAGES = 400
NUM_POSED = 1000
BATCH = 32
MATCH_DISTANCE = 0.02  # of the image width, or from the centre of a heat-map cell to its corner where that is more


@dataclass(frozen=True, eq=False)
class Sample:
    """Images of a split: scenes, what perception reads, and width and height of the files (b, 2)."""

    scenes: Records
    read: list[Readout]
    sizes: Array

    @classmethod
    def of(cls, model: Perception, data: Path, split: str, scenes: Records) -> Sample:
        """Read the images and what is in them; raise `InputError` for one that is missing or broken."""
        images, sizes = read_images(data, split, list(scenes), model.config.image_width, model.config.image_height)
        return cls(scenes, [read_out(model, images[k : k + BATCH]) for k in range(0, len(images), BATCH)], sizes)

    @property
    def features(self) -> Array:
        """Features of the images, (n, c)."""
        return np.concatenate([read.features for read in self.read])

    def beliefs(self, presence_map: LogisticMap) -> list[SceneBelief]:
        """The belief about each image."""
        sizes = np.split(self.sizes, range(BATCH, len(self.sizes), BATCH))
        return [b for read, size in zip(self.read, sizes, strict=True) for b in read.beliefs(size, presence_map)]


def calibrate(model: Perception, data: Path, split: str) -> Calibration:
    """Fit the calibration to images of the training split: no other takes part, so that all others may be scored."""
    scenes = read_scenes(data, split)
    num = min(NUM_IMAGES, len(scenes) // 2)
    first, second = (Sample.of(model, data, split, part) for part in (scenes[:num], scenes[num : 2 * num]))
    distance = max(MATCH_DISTANCE, model.layout.stride / math.sqrt(2) / model.config.image_width)
    presence = logistic_fit(*_labelled_peaks(first, distance))
    posed = fit_posed(second.scenes, second.beliefs(presence), read_questions(data, split))
    return Calibration(presence, posed, Familiarity.fitted(first.features, second.features))


def fit_posed(scenes: Records, beliefs: Sequence[SceneBelief], questions: Records, seed: int = 0) -> LogisticMap:
    """The map of the probability that a question is well posed, fitted to as many well-posed as ill-posed ones."""
    pairs = posed_pairs(scenes, questions, NUM_POSED, seed)
    raw = [logit(found.well_posed) for found in posed_answers(pairs, beliefs, questions)]
    return logistic_fit(np.array(raw), np.array([pair.is_well_posed for pair in pairs]))


def posed_answers(pairs: Sequence[Posed], beliefs: Sequence[SceneBelief], questions: Records) -> list[Answer]:
    """The soft executor's answer to each pair, by the true program."""
    return [answer(questions[pair.question]["program"], beliefs[pair.scene]) for pair in pairs]


def _labelled_peaks(sample: Sample, distance: float) -> tuple[Array, Array]:
    """Logits of the peaks, and whether an object is within `distance` of each, in widths of the image."""
    logits, labels = [], []
    rows = [(read, row) for read in sample.read for row in range(len(read.logits))]
    for (read, row), scene, size in zip(rows, sample.scenes, sample.sizes, strict=True):
        true = np.array([o["pixel_coords"][:2] for o in scene["objects"]], float) + 0.5
        hit = {pair[0] for pair in match_points(read.points[row] * size, true, distance * size[0])}
        logits.append(read.logits[row])
        labels.append([k in hit for k in range(len(logits[-1]))])
    return np.concatenate(logits), np.concatenate(labels)


def logistic_fit(logits: Array, labels: Array) -> LogisticMap:
    """Slope and intercept of Platt's (1999) map, σ(a·l + b), from logits (n,) to the probability of `labels` (n,).

    A weak pull to the identity keeps separable data finite.
    """
    known = np.isfinite(logits)
    design = np.column_stack([logits[known], np.ones(known.sum())]).astype(float)
    wanted, prior = labels[known].astype(float), np.array(IDENTITY)

    def loss(weights: Array) -> tuple[float, Array]:
        scores, pull = design @ weights, weights - prior
        surprise = np.logaddexp(0.0, scores).sum() - wanted @ scores
        return float(surprise + pull @ pull / 2), design.T @ (expit(scores) - wanted) + pull

    slope, intercept = minimize(loss, prior, jac=True).x
    return float(slope), float(intercept)
