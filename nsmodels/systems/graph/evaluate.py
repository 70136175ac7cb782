"""Evaluation of a checkpoint on labelled graphs: report, table, outcomes and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core.artifact import Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Order
from nsmodels.core.progress import counted
from nsmodels.evaluation.sealing import EvaluationResult, origin
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import REASONER, EvaluationConfig
from nsmodels.systems.graph.evaluation import charts, rivals
from nsmodels.systems.graph.evaluation.cycle import measures
from nsmodels.systems.graph.evaluation.report import table
from nsmodels.systems.graph.evaluation.rivals import MAJORITY, UNTRAINED, Scored, Splits
from nsmodels.systems.graph.evaluation.stability import stability
from nsmodels.systems.graph.evaluation.summary import (
    INTERVALS,
    figures,
    outcomes_of,
    split_report,
    trained_lengths,
)
from nsmodels.systems.graph.evaluation.supervision import supervision
from nsmodels.systems.graph.reasoner import Reasoner

FURTHER = ("ood", "lengths")  # scored with `test`


def score(order: Order[EvaluationConfig]) -> EvaluationResult:
    """Score a split, with `test` also `ood` and `lengths`; of data with one split, that one.

    Raises InputError for a broken checkpoint or data, a split that is missing, and graphs without label or with a
    different vocabulary.
    """
    splits = read_splits(order.data, order.config)
    headline = next(iter(splits))
    train, note = rivals.training_graphs(order.model, order.data)
    networks = rivals.networks(order.model, order.config.device)
    scored = _scored(order, networks, splits, train)
    outcomes = outcomes_of(splits[headline], scored[REASONER], headline)
    if "ood" in splits and headline != "ood":
        outcomes += outcomes_of(splits["ood"], scored[REASONER], "ood", "ood_")
    about = _about(order, headline, splits, train, [note] if note else [])
    report = _report(order, splits, scored, networks[REASONER], about)
    cycles = {phase: measures(network, splits[headline]) for phase, network in networks.items()}
    report["cycle"] = {phase: found for phase, found in cycles.items() if found}
    report["supervision"] = supervision(networks[REASONER].config, train, "labels_only" in networks)
    # The interval of the headline is that of the outcomes, whose clusters are resampled in a different order.
    metric = report["metric"].removesuffix("_accuracy")
    report["rows"][REASONER] |= dict.fromkeys(("interval", f"{metric}_interval"), outcomes[0].interval)

    def draw(part: Part) -> None:
        charts.draw_all(report, part.path / "figures")

    return EvaluationResult(report, table(report), outcomes, figures(report, outcomes), draw)


def read_splits(data: Path, how: EvaluationConfig) -> dict[str, Graphs]:
    """The graphs to score by split, the headline first. Raises InputError as `score` does."""
    there = files.splits(data)
    names = [there[0]] if len(there) == 1 else [how.split]
    if names == ["test"]:
        names += [split for split in FURTHER if split in there]
    found = {name: _first(files.read_split(data, name), how.max_graphs) for name in names}
    for name, graphs in found.items():
        if not len(graphs):
            raise InputError(f"{files.path_of(data, name)}: no graphs; give a split that has some")
        if (unlabelled := graphs.labels < 0).any():
            raise InputError(
                f"{files.path_of(data, name)}: graph {graphs.ids[unlabelled.argmax()]}: labels: none; only labelled "
                f"graphs can be scored"
            )
    return found


def _first(graphs: Graphs, most: int) -> Graphs:
    """The first `most` graphs (0: all), whole pairs."""
    if not most or len(graphs) <= most:
        return graphs
    return graphs.take(np.flatnonzero(np.isin(graphs.pairs, graphs.pairs[:most])))


def _scored(
    order: Order[EvaluationConfig], networks: dict[str, Reasoner], splits: Splits, train: Splits
) -> dict[str, Scored]:
    """Every model on every split, the reasoner first."""
    extra = order.config.extra_rounds
    found = {
        phase: rivals.scored_network(phase, network, splits, extra, order.model)
        for phase, network in counted(networks.items(), len(networks), "scoring", "network")
    }
    found[UNTRAINED] = rivals.scored_untrained(networks[REASONER], splits, extra)
    if "train" in train:
        if order.config.use_classifiers:
            found |= rivals.scored_classifiers(train["train"], splits)
        found[MAJORITY] = rivals.scored_majority(train["train"], splits)
    return found


def _report(
    order: Order[EvaluationConfig], splits: Splits, scored: dict[str, Scored], reasoner: Reasoner, about: dict[str, Any]
) -> dict[str, Any]:
    parts = {name: split_report(graphs, scored, name) for name, graphs in splits.items()}
    first = parts[about["split"]]
    lasting = {name: graphs for name, graphs in splits.items() if name != "lengths"}
    scores = scored[REASONER].scores
    return {
        "headline": REASONER,
        "metric": "accuracy" if first["rows"][REASONER]["paired_accuracy"] is None else "paired_accuracy",
        "rows": first["rows"],
        "baselines": first["baselines"],
        "kinds": first["kinds"],
        "collapse": first["collapse"],
        "splits": parts,
        "stability": stability(reasoner, lasting, scores, order.config.extra_rounds),
        "data": about,
    }


def _about(
    order: Order[EvaluationConfig], split: str, splits: Splits, train: Splits, notes: list[str]
) -> dict[str, Any]:
    """Origin of data and checkpoint."""
    words = splits[split].vocabulary
    return origin(order.model, order.data, split) | {
        "kinds": list(words.kinds),
        "classes": list(words.classes),
        "length": words.length,
        "trained_lengths": trained_lengths(train),
        "intervals": INTERVALS,
        "notes": notes,
    }
