"""Regressions: an evaluation compared with the one before it of the same asset, on the same data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nsmodels.evaluation.measure import SHARE
from pipeline.lib.checks import Verdict
from pipeline.lib.training import Training

if TYPE_CHECKING:
    from nsmodels.evaluation.ledger import Comparison, Entry

NAME = "no_regression"
# Where one of these differs, two evaluations measure different things.
SAME = ("data_fingerprint", "split", "metric", "unit", "direction", "bounds", "evaluation")


@dataclass(frozen=True)
class Pair:
    """An evaluation and the one before it, compared item by item."""

    compared: Comparison

    @property
    def id(self) -> str:
        """The ids of both in the ledger."""
        return f"{self.compared.second.id} {self.compared.first.id}"

    @property
    def is_worse(self) -> bool:
        """Whether even the best that the 95 % interval allows is below the one before."""
        return self.compared.gain[1] < 0

    @property
    def is_better(self) -> bool:
        """Whether even the worst is above it."""
        return self.compared.gain[0] > 0

    def text(self) -> str:
        """Both scores and the difference with its interval, in one line."""
        late, early, found = self.compared.first, self.compared.second, self.compared
        measure = late.measure
        ends = [measure.difference(value) for value in (found.difference, found.low, found.high)]
        word = "worse" if self.is_worse else "better" if self.is_better else "not shown to differ"
        scores = [measure.with_unit(score) for score in (early.score, late.score)]
        unit = "points" if measure.unit == SHARE else measure.unit
        return (
            f"{late.key}: {word}, {late.metric} {scores[0]} -> {scores[1]} on {late.source}, {late.split}: "
            f"{' '.join(filter(None, (ends[0], unit)))}, 95 % interval {ends[1]} to {ends[2]}"
        )

    def numbers(self) -> dict[str, Any]:
        """Numbers for the page of the check."""
        found = self.compared
        ends = {name: end for name, end in (("low", found.low), ("high", found.high)) if math.isfinite(end)}
        numbers = {"difference": found.difference, **ends, "n": found.n}
        return {"pair": self.id, "score": found.first.score, "score_before": found.second.score, **numbers}


def history(training: Training[Any, Any]) -> list[Entry]:
    """The evaluations of a training's model in the ledger, the oldest first; not those of replicates and trials."""
    from nsmodels.evaluation import ledger

    mine = (training.evaluation_key, training.model_key)
    return [entry for entry in ledger.entries() if (entry.key, entry.name) == mine]


def pair_of(entry: Entry, before: list[Entry]) -> Pair | None:
    """An evaluation and the last one before it that measures the same on the same data, if there is one."""
    from nsmodels.evaluation import ledger

    alike = [other for other in before if all(getattr(other, name) == getattr(entry, name) for name in SAME)]
    return Pair(ledger.compare(entry, alike[-1])) if alike else None


def since(entries: list[Entry], last: str | None) -> list[Pair]:
    """The pairs of the evaluations after the one of id `last`; of the latest one alone where that is gone.

    An evaluation by several metrics gives a pair for each.
    """
    ids = [entry.id for entry in entries]
    latest = [number for number, entry in enumerate(entries) if _seal(entry) == _seal(entries[-1])]
    start = ids.index(last) + 1 if last in ids else min(latest, default=0)
    found = (pair_of(entries[number], entries[:number]) for number in range(start, len(entries)))
    return [pair for pair in found if pair]


def _seal(entry: Entry) -> tuple[str, str, str]:
    """The same for all metrics of one sealed evaluation."""
    return entry.evaluation_fingerprint, entry.created, entry.entered


def worst(pairs: list[Pair]) -> Pair:
    """Of the pairs of one evaluation by its metrics, the first that is worse, else the headline's."""
    return min(pairs, key=lambda pair: (not pair.is_worse, not pair.compared.first.is_headline))


def of_latest(pairs: list[Pair]) -> list[Pair]:
    """Those pairs that are of the latest evaluation."""
    return [pair for pair in pairs if _seal(pair.compared.first) == _seal(pairs[-1].compared.first)]


def verdict(training: Training[Any, Any]) -> Verdict:
    """Judge the latest evaluation of a training by each of its metrics; the worst decides."""
    pairs = since(history(training), None)
    if not pairs:
        return Verdict(True, "no evaluation before it on the same data")
    shown = worst(pairs)
    return Verdict(not shown.is_worse, shown.text(), shown.numbers())
