"""Scores of a policy on the validation maps, for studies and checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.mazes.files.format import read_split
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import Labels, label
from nsmodels.systems.nav.evaluation import scoring
from nsmodels.systems.nav.planning import heuristics

PolicyFunction = Callable[[Maps], NDArray[np.int8]]
SPLIT = "val"
SCORES = ("success", "spl", "any_optimal")


@dataclass(frozen=True)
class ValMaps:
    """Validation maps with their labels, one entry per shape; `clusters` (n,): mark of each problem's map."""

    groups: list[tuple[Maps, Labels]]
    clusters: NDArray

    @classmethod
    def read(cls, data: Path, max_maps: int | None = None) -> ValMaps:
        """The validation maps of a data folder, at most `max_maps`; raise `InputError` when they cannot be read."""
        split = read_split(data, SPLIT)
        chosen = [(group.rows[group.rows < (max_maps or len(split.index))], group) for group in split.groups]
        maps = [group.maps[: len(rows)] for rows, group in chosen if len(rows)]
        marks = split.index["mark"].to_numpy()[np.concatenate([rows for rows, _ in chosen])]
        return cls([(some, label(some)) for some in maps], marks)

    def __len__(self) -> int:
        return len(self.clusters)

    def score(self, policy: PolicyFunction) -> dict[str, Any]:
        """`success` and `spl` of the rollouts from start to goal, `any_optimal`: share of cells with an optimal action.

        Each with value, 95 % interval by map and number of samples.
        """
        tables = [scoring.score(policy(maps), maps, labels) for maps, labels in self.groups]
        found = scoring.metrics(scoring.concatenate_tables(tables), self.clusters)
        return {name: found[name] for name in SCORES}

    def baselines(self, seed: int = 0) -> dict[str, dict[str, Any]]:
        """Scores of the greedy rule and of chance."""
        random = np.random.default_rng(seed)
        return {
            "greedy": self.score(heuristics.greedy),
            "chance": self.score(lambda maps: heuristics.uniform(maps, random)),
        }
