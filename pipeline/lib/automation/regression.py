"""Whether an evaluation is worse than the one before it of the same asset, on the same data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.lib.checks import Verdict
from pipeline.lib.training import Training

if TYPE_CHECKING:
    from nsmodels.evaluation.ledger import Comparison, Entry

NAME = "no_regression"
SAME = ("data_fingerprint", "split", "metric", "evaluation")  # else the one measures something else than the other


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
        return self.compared.high < 0

    @property
    def is_better(self) -> bool:
        """Whether even the worst is above it."""
        return self.compared.low > 0

    def text(self) -> str:
        """Both scores and the difference with its interval, in one line."""
        late, early = self.compared.first, self.compared.second
        points = [f"{100 * value:+.2f}" for value in (self.compared.difference, self.compared.low, self.compared.high)]
        word = "worse" if self.is_worse else "better" if self.is_better else "not shown to differ"
        return (
            f"{late.key}: {word}, {late.metric} {early.score:.2%} -> {late.score:.2%} on {late.source}, {late.split}: "
            f"{points[0]} points, 95 % interval {points[1]} to {points[2]}"
        )

    def numbers(self) -> dict[str, Any]:
        """What the page of the check shows."""
        found = self.compared
        numbers = {"difference": found.difference, "low": found.low, "high": found.high, "n": found.n}
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
    """The pairs of the evaluations that came after the one of id `last`; of the last alone where that is gone."""
    ids = [entry.id for entry in entries]
    start = ids.index(last) + 1 if last in ids else len(entries) - 1
    found = (pair_of(entries[number], entries[:number]) for number in range(max(start, 0), len(entries)))
    return [pair for pair in found if pair]


def verdict(training: Training[Any, Any]) -> Verdict:
    """Judge the latest evaluation of a training."""
    pairs = since(history(training), None)
    if not pairs:
        return Verdict(True, "no evaluation before it on the same data")
    return Verdict(not pairs[-1].is_worse, pairs[-1].text(), pairs[-1].numbers())
