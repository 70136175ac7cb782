"""Two figures of a policy on the validation maps: cells decided rightly, and starts from which the goal is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.format import read_split
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.labels import Labels, action_sets, label
from nsmodels.engine.metrics import clustered_interval, wilson_interval
from nsmodels.systems.nav import rules
from nsmodels.systems.nav.rollout import follow

Acting = Callable[[Maps], NDArray[np.int8]]
SPLIT = "val"


@dataclass(frozen=True)
class ValMaps:
    """The validation maps with their labels, one entry per shape."""

    groups: list[tuple[Maps, Labels]]

    @classmethod
    def read(cls, data: Path) -> ValMaps:
        """Those of a data folder."""
        return cls([(group.maps, label(group.maps)) for group in read_split(data, SPLIT).groups])

    def __len__(self) -> int:
        return sum(len(maps) for maps, _ in self.groups)

    def score(self, act: Acting) -> dict[str, Any]:
        """`accuracy`: share of cells with an optimal action; `success`: share of starts that lead to the goal.

        Each with value, 95 % interval (accuracy: whole maps resampled) and number of samples.
        """
        parts = [_judged(maps, labels, act(maps)) for maps, labels in self.groups]
        hits, sizes, success = (np.concatenate(column) for column in zip(*parts, strict=True))
        maps = np.repeat(np.arange(len(sizes)), sizes)
        return {"accuracy": _proportion(hits, maps), "success": _proportion(success, None)}

    def baselines(self, seed: int = 0) -> dict[str, dict[str, Any]]:
        """The same of the greedy rule and of chance."""
        random = np.random.default_rng(seed)
        return {"greedy": self.score(rules.greedy), "chance": self.score(lambda maps: rules.uniform(maps, random))}


def _judged(maps: Maps, labels: Labels, actions: NDArray[np.int8]) -> tuple[NDArray, NDArray, NDArray]:
    """Of each cell with a way to the goal, whether it is right; how many a map has; which starts succeed."""
    sets = action_sets(labels.optimal, maps.connectivity)
    is_right = np.take_along_axis(sets, actions[:, None].astype(np.int64), axis=1)[:, 0]
    is_asked = np.asarray(sets.any(1))
    return is_right[is_asked], is_asked.sum((1, 2)), follow(actions, maps).success


def _proportion(hits: NDArray[np.bool_], clusters: NDArray[np.int64] | None) -> dict[str, Any]:
    """A share with its interval; Wilson's where samples are independent, or all alike so that no resample differs."""
    count, total = int(hits.sum()), len(hits)
    if clusters is None:
        low, high = wilson_interval(count, total)
    elif count in (0, total):
        num = len(np.unique(clusters))
        low, high = wilson_interval(num if count else 0, num)
    else:
        low, high = clustered_interval(hits, clusters)
    return {"value": count / total, "interval": [low, high], "n": total}
