"""Evaluation on the folders that are given, of one kind each, with the outcomes of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from nsmodels.core.artifact import Part
from nsmodels.core.errors import InputError
from nsmodels.core.orders import MODEL, Inputs, Order
from nsmodels.engine import checkpoint
from nsmodels.evaluation.sealing import EvaluationResult
from nsmodels.systems.natural.config import NaturalEvaluation
from nsmodels.systems.natural.folders import NAMES, Kind, sorted_by_kind

Scorer = Callable[[Order[NaturalEvaluation]], EvaluationResult]
NEEDED: Mapping[Kind, str] = {"gqa": "parser", "vqa": "answers", "clevr": "clevr_parser"}


def score(order: Order[NaturalEvaluation], scorers: Mapping[Kind, Scorer]) -> EvaluationResult:
    """The scores on each folder of data, by the scorer of its kind; of several the first is the headline.

    Raises `InputError` for a checkpoint that has not learnt what a folder asks, broken ones, and broken data.
    """
    folders = sorted_by_kind(order.inputs.datasets.values())
    for kind, data in folders.items():
        if not (order.model / NEEDED[kind] / checkpoint.BEST).is_file():
            raise InputError(
                f"{order.model}: has not learnt to answer {NAMES[kind]}, which {data} is; train it on that"
            )
    results: dict[Kind, EvaluationResult] = {kind: scorers[kind](_only(order, data)) for kind, data in folders.items()}
    return next(iter(results.values())) if len(results) == 1 else joined(results)


def _only(order: Order[NaturalEvaluation], data: Path) -> Order[NaturalEvaluation]:
    """The same order about one folder of data."""
    model = next(key for key in order.inputs if order.inputs.role(key) == MODEL)
    name = next(key for key, path in order.inputs.datasets.items() if path == data)
    return replace(order, inputs=Inputs.of({name: data}, model=(model, order.model)))


def joined(results: Mapping[Kind, EvaluationResult]) -> EvaluationResult:
    """One evaluation of several: headline and baselines of the first, the figures of the others by their kind."""
    first, *rest = results
    report = dict(results[first].report) | {kind: results[kind].report for kind in rest}
    metrics = dict(results[first].metrics)
    for kind in rest:
        own, metric = results[kind].metrics, results[kind].outcomes[0].metric
        metrics |= {name: value for name, value in own.items() if name in _names(results[kind])}
        # The ledger finds baselines of a metric that is not the headline by its name.
        plain = {name.removeprefix("baseline/"): v for name, v in own.items() if name.startswith("baseline/")}
        metrics |= {f"baseline/{metric}/{name}": value for name, value in plain.items() if "/" not in name}
        metrics |= {f"{kind}/{name}": value for name, value in results[kind].metrics.items()}
    return EvaluationResult(
        report,
        "\n\n".join(each.table for each in results.values()),
        [outcomes for each in results.values() for outcomes in each.outcomes],
        metrics,
        partial(_draw, results),
    )


def _names(result: EvaluationResult) -> set[str]:
    return {outcomes.metric for outcomes in result.outcomes}


def _draw(results: Mapping[Kind, EvaluationResult], part: Part) -> None:
    for each in results.values():
        each.draw(part)
