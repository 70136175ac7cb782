"""Scores of perception on the objects of a split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.perception.labels import LabelSpace, Photograph
from nsmodels.systems.natural.perception.scoring import named_objects, score_beliefs

METRIC = "objects"


@dataclass(frozen=True)
class ObjectScores:
    """Objects that are found and named as they are; chance and the most frequent name beside them.

    Attributes:
        outcomes: of each object.
        figures: recall, precision and so on, as `perception.scoring.score_beliefs` has them.
        chance, majority: scores of names that ignore the image.
    """

    outcomes: Outcomes
    figures: dict[str, float]
    chance: float
    majority: float

    def report(self) -> dict[str, Any]:
        """The scores as plain values."""
        interval = self.outcomes.interval
        found = {"objects": self.outcomes.mean, "interval": interval and list(interval), **self.figures}
        return found | {"chance": self.chance, "majority": self.majority}


def score_objects(
    photographs: Sequence[Photograph],
    beliefs: Sequence[Belief],
    space: LabelSpace,
    split: str,
    counts: Mapping[str, int],
    metric: str = METRIC,
) -> ObjectScores | None:
    """Scores of beliefs about the photographs of a split; None where these have no objects.

    `counts`: how many training objects have each name; empty: rare names are not told apart.
    """
    items, clusters, hits = [], [], []
    for photograph, belief in zip(photographs, beliefs, strict=True):
        right = named_objects(photograph, belief, space)
        items += [f"{photograph.graph.image}/{thing.id}" for thing in photograph.graph]
        clusters += [photograph.graph.image] * len(right)
        hits += right.tolist()
    if not items:
        return None
    outcomes = Outcomes(metric, split, items, clusters, np.array(hits, float))
    names = Counter(thing.name for photograph in photographs for thing in photograph.graph)
    majority = max(names.values(), default=0) / max(1, names.total())
    figures = score_beliefs(photographs, beliefs, space, counts)
    if not counts:
        del figures["rare_names"]
    return ObjectScores(outcomes, figures, 1 / max(1, len(space.words.names)), majority)
