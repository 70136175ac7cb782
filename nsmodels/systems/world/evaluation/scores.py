"""Scores of the world model and of its rivals on the same items, with intervals and paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.evaluation.measure import SHARE, Bounds, Direction, Measure
from nsmodels.evaluation.metrics import mean_interval, paired_comparison
from nsmodels.evaluation.outcomes import Outcomes

WORLD, CHANCE, CEILING = "world", "chance", "ceiling"
Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Metric:
    """One metric by item, of the model and of what it is compared with.

    Attributes:
        name: as in the ledger.
        family: which of the six metrics it belongs to.
        split: of the data.
        items: names (n,), all different. clusters: names (n,) of what succeeds and fails together.
        scores: (n,) by rival, `WORLD` first.
        levels: levels that have no items: chance, and a ceiling that is exact.
        ceiling: the name in `scores` or `levels` of the ceiling; empty where there is none.
        unit, bounds, direction: see `Measure`.
        about: the protocol in one line.
    """

    name: str
    family: str
    split: str
    items: Sequence[str]
    clusters: Sequence[str]
    scores: Mapping[str, Scores]
    levels: Mapping[str, float] = field(default_factory=dict)
    ceiling: str = ""
    unit: str = SHARE
    bounds: Bounds = (0.0, 1.0)
    direction: Direction = "higher"
    about: str = ""

    @property
    def measure(self) -> Measure:
        """Name, unit, bounds and direction."""
        return Measure(self.name, self.unit, self.bounds, self.direction)

    @property
    def outcomes(self) -> Outcomes:
        """The scores of the model by item, for the ledger."""
        how: Any = {"unit": self.unit, "bounds": self.bounds, "direction": self.direction}
        how["chance"] = self.levels.get(CHANCE)
        return Outcomes(self.name, self.split, self.items, self.clusters, self.scores[WORLD], **how)

    @property
    def baselines(self) -> dict[str, float]:
        """Mean scores of what is to be beaten: everything but the model and the ceiling."""
        found = {name: float(np.mean(each)) for name, each in self.scores.items()} | dict(self.levels)
        return {name: value for name, value in found.items() if name not in (WORLD, self.ceiling)}

    def report(self) -> dict[str, Any]:
        """As plain values: a row for each rival, with its interval and how far the model is ahead of it."""
        rows = {name: self._row(name, each) for name, each in self.scores.items()}
        rows |= {name: {"score": value, "interval": None, "ahead": None} for name, value in self.levels.items()}
        return {
            "family": self.family, "split": self.split, "n": len(self.items), "num_clusters": len(set(self.clusters)),
            "unit": self.unit, "direction": self.direction, "bounds": self.bounds, "ceiling": self.ceiling,
            "about": self.about, "rows": rows,
        }  # fmt: skip

    def _row(self, name: str, scores: Scores) -> dict[str, Any]:
        row: dict[str, Any] = {"score": float(np.mean(scores)), "ahead": None}
        row["interval"] = mean_interval(scores, list(self.clusters), self.bounds)
        if name != WORLD:
            sign, widest = self.measure.sign, self.measure.range
            found = paired_comparison(sign * self.scores[WORLD], sign * scores, list(self.clusters), widest)
            row["ahead"] = {"difference": found.difference, "interval": found.interval}
        return row
