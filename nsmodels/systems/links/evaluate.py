"""Evaluation: filtered ranks both ways and matched pairs, for every network of a checkpoint beside simple rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.core import artifact
from nsmodels.core.artifact import Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.datasets.knowledge_bases import bases
from nsmodels.datasets.knowledge_bases.bases import NONE, Base
from nsmodels.datasets.knowledge_bases.config import SPLITS
from nsmodels.evaluation import metrics
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.evaluation.sealing import EvaluationResult, origin
from nsmodels.systems.links.config import METRICS, EvaluationConfig
from nsmodels.systems.links.evaluation import ranking, report
from nsmodels.systems.links.evaluation.ranking import Scorer
from nsmodels.systems.links.figures import comparison
from nsmodels.systems.links.predictor import LinkPredictor
from nsmodels.systems.links.queries import Answers, both_ways

FREQUENCY, CHANCE = "frequency", "chance"


class Asked(NamedTuple):
    """What is asked for on a split: queries (2 m, 3) of its m triples, and their known answers in all splits."""

    base: Base
    split: str
    queries: NDArray[np.int64]
    known: Answers

    @classmethod
    def of(cls, base: Base, split: str) -> Asked:
        """The queries of a split."""
        num = len(base.relations)
        everything = np.concatenate([both_ways(base.triples[each], num) for each in SPLITS])
        return cls(base, split, both_ways(base.triples[split], num), Answers(everything, num))

    def names(self) -> list[str]:
        """Of the triples."""
        entities, relations = self.base.entities, self.base.relations
        return [f"({entities[h]}, {relations[r]}, {entities[t]})" for h, r, t in self.base.triples[self.split].tolist()]


def score(order: Order[EvaluationConfig]) -> EvaluationResult:
    """Scores of the last network as outcomes, of all networks and rules in the table; InputError for bad input."""
    folders = {phase: order.model / phase / "best.pt" for phase in METRICS}
    predictors = {
        phase: LinkPredictor.load(path, order.config.device) for phase, path in folders.items() if path.is_file()
    }
    if not predictors:
        raise InputError(f"{order.model}: no checkpoint of links; expected folders named {', '.join(METRICS)}")
    headline = list(predictors)[-1]
    asked = Asked.of(_base(order.data, predictors[headline]), order.config.split)
    train, num = both_ways(asked.base.triples["train"], len(asked.base.relations)), len(asked.base.entities)
    scorers: dict[str, Scorer] = {phase: predictors[phase].scores for phase in reversed(predictors)}
    scorers[FREQUENCY] = ranking.frequency(train, len(asked.base.relations), num)
    found = {name: _outcomes(asked, scorer) for name, scorer in scorers.items()}
    result = _report(order, asked, found, headline)

    def draw(part: Part) -> None:
        comparison(result, part.path / "figures" / "reciprocal_rank")

    return EvaluationResult(result, report.table(result), list(found[headline].values()), report.headline(result), draw)


def _base(data: Path, predictor: LinkPredictor) -> Base:
    """The base that the network learned, from the data that it is scored on."""
    base = bases.read(data, predictor.base)
    for what, own, learned in (
        ("entities", base.entities, predictor.entities),
        ("relations", base.relations, predictor.relations),
    ):
        if list(own) != list(learned):
            raise InputError(
                f"{data}: the {what} of '{base.name}' are not those that the model has learned; train anew"
            )
    return base


def _outcomes(asked: Asked, scorer: Scorer) -> dict[str, Outcomes]:
    """Reciprocal ranks and hits by query, pairs by triple; the two queries of a triple are one cluster.

    Their split is named with the base: those of different bases share data and no triple, and are not ranked together.
    """
    names, split = asked.names(), f"{asked.base.name} {asked.split}"
    items, clusters = [f"{name} {end}" for end in ("tail", "head") for name in names], names * 2
    ranks = ranking.ranks(scorer, asked.queries, asked.known, len(asked.base.entities))
    scores = {"mrr": 1 / ranks, "hits_at_1": ranks <= 1, "hits_at_10": ranks <= 10}
    found = {name: Outcomes(name, split, items, clusters, each.astype(float)) for name, each in scores.items()}
    triples, negatives = asked.base.triples[asked.split], asked.base.negatives[asked.split]
    rows = np.flatnonzero(negatives != NONE)
    if len(rows):
        right = ranking.pairs(scorer, triples[rows], negatives[rows])
        some = [names[row] for row in rows.tolist()]
        found["pair_accuracy"] = Outcomes("pair_accuracy", split, some, some, right)
    return found


def _report(
    order: Order[EvaluationConfig], asked: Asked, found: dict[str, dict[str, Outcomes]], headline: str
) -> dict[str, Any]:
    rows = {name: _row(each) for name, each in found.items()}
    baselines = {FREQUENCY: rows.pop(FREQUENCY)}
    chance = ranking.by_chance(asked.queries, asked.known, len(asked.base.entities))
    baselines[CHANCE] = {name: {"value": value} for name, value in chance.items()}
    metrics = artifact.read_manifest(order.model).metrics
    for phase, row in rows.items():
        row["train_cpu_seconds"] = metrics.get(f"{phase}/cpu_seconds")
    beside = {name: each for name, each in found.items() if name != headline}
    return {
        "headline": headline,
        "rows": {name: {**row, "interval": row["mrr"]["interval"]} for name, row in rows.items()},
        "baselines": baselines,
        "differences": {name: _difference(found[headline]["mrr"], each["mrr"]) for name, each in beside.items()},
        "data": {
            **origin(order.model, order.data, asked.split),
            "base": asked.base.name,
            "num_triples": len(asked.base.triples[asked.split]),
            "num_pairs": int((asked.base.negatives[asked.split] != NONE).sum()),
        },
    }


def _row(outcomes: dict[str, Outcomes]) -> dict[str, Any]:
    return {
        name: {"value": each.mean, "interval": each.interval, "n": len(each.items)} for name, each in outcomes.items()
    }


def _difference(one: Outcomes, other: Outcomes) -> dict[str, Any]:
    """Mean difference of the reciprocal ranks of the same queries, with a paired interval."""
    found = metrics.paired_comparison(one.scores, other.scores, list(one.clusters))
    return {"value": found.difference, "interval": list(found.interval)}
