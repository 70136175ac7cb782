"""Scores of probabilities on labelled graphs, from a table with one row per graph.

A table has columns (g,): `label`, `pair`, `kind`, `length`, `rounds` of a graph and the `probability` of label 1 that a
model gives it. Twins fail together where a model cannot tell them apart, so that intervals resample whole pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.evaluation.metrics import (
    Interval,
    calibration_bins,
    expected_calibration_error,
    mean_interval,
    wilson_interval,
)
from nsmodels.formats.graphs.checks import twin_rows
from nsmodels.formats.graphs.shortcuts import TIE
from nsmodels.formats.graphs.tables import Graphs

COLLAPSED = 0.05  # a class predicted less often is not predicted
NUM_BINS = 15
Entry = dict[str, Any]
Table = dict[str, NDArray[Any]]


def table_of(graphs: Graphs, probability: NDArray[np.float64]) -> Table:
    """The table of a model's probabilities (g,) of label 1."""
    columns = {"label": graphs.labels, "pair": graphs.pairs, "kind": graphs.kinds, "length": graphs.lengths}
    return {**columns, "rounds": graphs.rounds, "probability": np.asarray(probability, np.float64)}


def rows_of(table: Table, rows: NDArray) -> Table:
    """The rows of a table by mask, bool (g,), or by number."""
    return {name: column[rows] for name, column in table.items()}


def is_right(table: Table) -> NDArray[np.bool_]:
    """Whether each graph is classified rightly, bool (g,)."""
    return (table["probability"] > 0.5) == (table["label"] == 1)


def pairs_right(table: Table) -> NDArray[np.float64]:
    """By pair of twins (m,), 1 where both are right; empty for graphs without twins."""
    one, other = is_right(table)[twin_rows(table["pair"])].T
    return (one & other).astype(np.float64)


def entry(table: Table, classes: tuple[str, ...]) -> Entry:
    """Everything that is reported of one model on some graphs.

    `paired_accuracy` and `rank` are None without twins, `auc` and what has no denominator where a class is missing.
    """
    right, pairs = is_right(table).astype(np.float64), pairs_right(table)
    sure = np.maximum(table["probability"], 1 - table["probability"])
    found: Entry = {"n": len(right), "num_pairs": len(pairs), **_paired(pairs)}
    found |= {"accuracy": float(right.mean()), "accuracy_interval": mean_interval(right, table["pair"])}
    found |= {"rank": _rank(table), "auc": auc(table["label"], table["probability"])}
    found |= {"ece": expected_calibration_error(sure, right, NUM_BINS), **_by_class(table, classes)}
    headline = "accuracy" if found["paired_accuracy"] is None else "paired"
    return {**found, "interval": found[f"{headline}_interval"]}


def short_entry(table: Table) -> Entry:
    """Number, paired accuracy with Wilson's interval, accuracy and rank: what buckets and breakdowns hold."""
    pairs = pairs_right(table)
    found: Entry = {"n": len(table["label"]), "num_pairs": len(pairs), "paired_accuracy": None, "paired_interval": None}
    if len(pairs):
        found["paired_accuracy"] = float(pairs.mean())
        found["paired_interval"] = wilson_interval(int(pairs.sum()), len(pairs))
    return {**found, "accuracy": float(is_right(table).mean()), "rank": _rank(table)}


def buckets(table: Table, column: str) -> dict[str, Entry]:
    """Short entries by the values of a column, ascending."""
    values = np.unique(table[column]).tolist()
    return {str(value): short_entry(rows_of(table, table[column] == value)) for value in values}


def reliability(table: Table) -> list[Entry]:
    """Bins of equal width of the confidence, without empty ones: low, high, n, confidence, accuracy."""
    sure = np.maximum(table["probability"], 1 - table["probability"])
    bins = calibration_bins(sure, is_right(table).astype(np.float64), NUM_BINS)
    columns = zip(bins.edges[:-1], bins.edges[1:], bins.count, bins.confidence, bins.accuracy, strict=True)
    names = ("low", "high", "n", "confidence", "accuracy")
    rows = (dict(zip(names, map(float, row), strict=True)) for row in columns)
    return [{**row, "n": int(row["n"])} for row in rows if row["n"]]


def auc(labels: NDArray, scores: NDArray[np.float64]) -> float | None:
    """How often a graph of label 1 scores above one of label 0, ties half; None without one of the labels."""
    from scipy.stats import rankdata

    positives = int((labels == 1).sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return None
    # Mann-Whitney: the ranks of the positives, less those that they have among themselves, count the pairs won.
    won = rankdata(scores)[labels == 1].sum() - positives * (positives + 1) / 2
    return float(won / (positives * negatives))


def _paired(pairs: NDArray[np.float64]) -> Entry:
    if not len(pairs):
        return {"paired_accuracy": None, "paired_interval": None}
    interval: Interval | None = mean_interval(pairs, np.arange(len(pairs)))
    return {"paired_accuracy": float(pairs.mean()), "paired_interval": interval}


def _rank(table: Table) -> float | None:
    rows = twin_rows(table["pair"])
    if not len(rows):
        return None
    one, other = table["probability"][rows].T
    gap = (one - other) * np.sign(table["label"][rows[:, 0]] - 0.5)
    return float(np.where(np.abs(gap) < TIE, 0.5, gap > 0).mean())


def _by_class(table: Table, classes: tuple[str, ...]) -> Entry:
    """Confusion matrix, rows the labels and columns the predictions; precision, recall and F1 of each class."""
    predicted = (table["probability"] > 0.5).astype(np.int64)
    matrix = np.bincount(2 * table["label"].astype(np.int64) + predicted, minlength=4).reshape(2, 2)
    of_labels, of_predictions = matrix.sum(1), matrix.sum(0)
    by_class = {}
    for number, name in enumerate(classes):
        hits = int(matrix[number, number])
        total = int(of_labels[number] + of_predictions[number])
        by_class[name] = {
            "precision": _share(hits, of_predictions[number]),
            "recall": _share(hits, of_labels[number]),
            "f1": _share(2 * hits, total),
            "n": int(of_labels[number]),
        }
    least = float(of_predictions.min() / matrix.sum())
    # Where a class hardly occurs there is nothing to collapse from.
    occurs = bool(of_labels.min() / matrix.sum() >= COLLAPSED)
    return {
        "confusion": matrix.tolist(),
        "classes": by_class,
        "least_predicted": least,
        "is_collapsed": occurs and least < COLLAPSED,
    }


def _share(hits: int, total: int) -> float | None:
    return hits / int(total) if total else None


def means(entries: Mapping[str, Entry], name: str) -> dict[str, float]:
    """One figure of several entries, those without it left out."""
    return {key: each[name] for key, each in entries.items() if each.get(name) is not None}
