"""What perception reads from images, as arrays, and the beliefs that follow. Torch-free.

Shapes: b images, n places where an object may be, c features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES
from nsmodels.systems.visual.reasoning.belief import SceneBelief

Array = np.ndarray

# Ground coordinates are within ±3 scene units; perception predicts them in units of this half width.
GROUND_HALF_WIDTH = 3.0
MIN_PRESENCE = 0.05  # places with a lower probability of an object are dropped
# Names in a graph; the outputs are in the order of `Candidates.tensors`.
INPUT = "images"
OUTPUTS = ("points", "logits", "ground", "features", *ATTRIBUTES)


@dataclass(frozen=True, eq=False)
class Readout:
    """Output of perception for a batch.

    Attributes:
        points: (b, n, 2), x and y in 0..1 of the image, strongest first.
        logits: (b, n), of the peaks there.
        ground: (b, n, 2), x and y on the ground in units of `GROUND_HALF_WIDTH`.
        features: (b, c), by which an image is compared with those of the training.
        attributes: logits (b, n, k) by attribute.
    """

    points: Array
    logits: Array
    ground: Array
    features: Array
    attributes: dict[str, Array]

    @classmethod
    def from_arrays(cls, arrays: Sequence[Array]) -> Readout:
        """The readout whose arrays are in the order of `OUTPUTS`."""
        points, logits, ground, features, *tables = (np.asarray(array, float) for array in arrays)
        return cls(points, logits, ground, features, dict(zip(ATTRIBUTES, tables, strict=True)))

    def beliefs(
        self, sizes: Array, presence_map: Sequence[float], min_presence: float = MIN_PRESENCE
    ) -> list[SceneBelief]:
        """A belief per image; `sizes` (b, 2): width and height of the image files in pixels, in which positions are.

        `presence_map`: slope a and intercept b of the probability of an object at a peak of logit l, σ(a·l + b).
        """
        slope, intercept = presence_map
        presence = 1 / (1 + np.exp(-np.clip(self.logits * slope + intercept, -60, 60)))
        tables = {name: softmax(logits) for name, logits in self.attributes.items()}
        return [
            _make_belief(
                presence[row],
                self.points[row],
                self.ground[row],
                {name: table[row] for name, table in tables.items()},
                sizes[row],
                min_presence,
            )
            for row in range(len(presence))
        ]


def softmax(logits: Array) -> Array:
    """Probabilities (..., k) of logits along the last axis."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def _make_belief(
    presence: Array, points: Array, ground: Array, tables: dict[str, Array], size: Array, least: float
) -> SceneBelief:
    pixels = points * size - 0.5  # pixel coordinates count from the centre of the first pixel
    kept = _suppress_duplicates(np.flatnonzero(presence >= least), points)
    attributes = {name: table[kept] for name, table in tables.items()}
    # Objects rest on the ground, so the height of the centre is half the size, 0.7 (large) or 0.35; its expectation:
    height = attributes["size"] @ np.array([0.7, 0.35])
    coords = np.column_stack([ground[kept] * GROUND_HALF_WIDTH, height])
    return SceneBelief.from_predictions(presence[kept], attributes, coords, pixels[kept], (int(size[0]), int(size[1])))


def _suppress_duplicates(order: Array, points: Array, least: float = 0.006) -> list[int]:
    """Rows of `order` (strongest first) whose point is no nearer than `least` of the image to a stronger one."""
    kept: list[int] = []
    for row in order.tolist():
        if all(np.abs(points[row] - points[other]).max() >= least for other in kept):
            kept.append(row)
    return kept
