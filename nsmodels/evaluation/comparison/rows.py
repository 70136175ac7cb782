"""Rows of a comparison: what answers the same items, over its seeds, with intervals over seeds and by cluster.

Shapes: s seeds, n items.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from nsmodels.core.errors import InputError
from nsmodels.evaluation.measure import Measure
from nsmodels.evaluation.metrics import Interval, mean_interval, paired_comparison
from nsmodels.evaluation.outcomes import Outcomes, read_outcomes, write_file
from nsmodels.evaluation.replication import student_interval

Kind = Literal["guess", "network", "ours", "people"]
FEWEST_CLUSTERS = 20  # of fewer the resampled means are too alike, and the interval too narrow
NO_SEED = "-"  # of a row that depends on none


@dataclass(frozen=True, eq=False)
class Row:
    """Scores of one competitor.

    Attributes:
        name: as "blind".
        about: in words, for tables and figures.
        kind: a guess without training, a trained network, the model itself, or people.
        scored: outcomes by seed; by `NO_SEED` where none is used.
        cost: what is known of its networks: parameters, processor seconds of a training, epochs.
    """

    name: str
    about: str
    kind: Kind
    scored: Mapping[str, Outcomes]
    cost: Mapping[str, float] = field(default_factory=dict)

    @property
    def first(self) -> Outcomes:
        """The outcomes of its first seed."""
        return next(iter(self.scored.values()))

    @property
    def measure(self) -> Measure:
        """The metric."""
        return self.first.measure

    @property
    def seeds(self) -> list[str]:
        """Its seeds; empty where none is used."""
        return [seed for seed in self.scored if seed != NO_SEED]

    @cached_property
    def scores(self) -> list[float]:
        """Score of each seed."""
        return [each.mean for each in self.scored.values()]

    @property
    def mean(self) -> float:
        """Mean score over seeds."""
        return statistics.fmean(self.scores)

    @property
    def by_seed(self) -> Interval | None:
        """95 % interval of the mean over seeds (Student); None for fewer than two, and where all are equal."""
        return student_interval(self.scores, measure=self.measure)

    @cached_property
    def items(self) -> Float[np.ndarray, " n"]:
        """The score of each item, mean over seeds."""
        return np.mean([each.scores for each in self.scored.values()], 0)

    @cached_property
    def by_cluster(self) -> Interval | None:
        """95 % interval of the mean score, whole clusters of items resampled; None for fewer than twenty."""
        if self.first.num_clusters < FEWEST_CLUSTERS:
            return None
        return mean_interval(self.items, list(self.first.clusters), self.first.bounds)

    def ahead_of(self, other: Row) -> tuple[float, Interval | None]:
        """By how much it is better than a different row on the same items, with its 95 % interval by cluster."""
        sign, clusters = self.measure.sign, list(self.first.clusters)
        found = paired_comparison(sign * self.items, sign * other.items, clusters)
        return found.difference, found.interval if self.first.num_clusters >= FEWEST_CLUSTERS else None

    def to_dict(self) -> dict[str, Any]:
        """As plain values, without items."""
        return {
            "about": self.about,
            "kind": self.kind,
            "mean": self.mean,
            "scores": dict(zip(self.scored, self.scores, strict=True)),
            "interval_over_seeds": self.by_seed,
            "interval_by_cluster": self.by_cluster,
            "cost": dict(self.cost),
        }


def require_alike(rows: Sequence[Row], where: str) -> None:
    """Raise `InputError` unless all rows, and all seeds of each, were scored on the same items by the same metric."""
    wanted = rows[0].first
    for row in rows:
        for seed, found in row.scored.items():
            name = f"{where}: row '{row.name}'" + (f", seed {seed}" if seed != NO_SEED else "")
            if found.metric != wanted.metric:
                raise InputError(f"{name}: is scored by {found.metric}, '{rows[0].name}' by {wanted.metric}")
            if found.split != wanted.split:
                raise InputError(f"{name}: is of split '{found.split}', '{rows[0].name}' of '{wanted.split}'")
            if list(found.items) != list(wanted.items):
                raise InputError(
                    f"{name}: is of {len(found.items):,} other items than '{rows[0].name}'; score both on the same data"
                )


def write_rows(folder: Path, rows: Sequence[Row]) -> dict[str, Any]:
    """Write the outcomes of each row and seed as `<name>_<seed>.parquet`; returns the rows as plain values."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        for seed, outcomes in row.scored.items():
            write_file(folder / _file(row.name, seed), outcomes)
    return {row.name: row.to_dict() for row in rows}


def read_rows(folder: Path, described: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """The rows that `write_rows` wrote. Raises `InputError` for a broken file."""
    return [
        Row(
            name,
            each["about"],
            each["kind"],
            {seed: read_outcomes(folder / _file(name, seed)) for seed in each["scores"]},
            each["cost"],
        )
        for name, each in described.items()
    ]


def _file(name: str, seed: str) -> str:
    return f"{name}.parquet" if seed == NO_SEED else f"{name}_{seed}.parquet"
