"""The report of an evaluation: every model on every split, by kind of query, by length and by rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.formats.graphs.checks import twin_rows
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import METRICS, REASONER
from nsmodels.systems.graph.evaluation.rivals import CHANCE, Scored, Splits
from nsmodels.systems.graph.evaluation.scoring import (
    Entry,
    Table,
    buckets,
    entry,
    is_right,
    pairs_right,
    reliability,
    rows_of,
    short_entry,
    table_of,
)

Report = Mapping[str, Any]
INTERVALS = "95 %, pairs resampled as a whole; of parts of a split Wilson's, over pairs"
# Of two twins, one of which has either label, a coin is right on both in a quarter of the pairs.
BY_CHANCE = {"paired_accuracy": 0.25, "accuracy": 0.5, "rank": 0.5, "auc": 0.5}


def split_report(graphs: Graphs, scored: Mapping[str, Scored], split: str) -> Report:
    """One split: a row for each model, and its parts by kind, length and rounds."""
    classes = graphs.vocabulary.classes
    assert len(classes) == 2
    tables = {name: table_of(graphs, each.scores[split]) for name, each in scored.items()}
    rows = {name: {**entry(table, classes), **scored[name].facts} for name, table in tables.items()}
    rows[CHANCE] = _chance(rows[REASONER])
    kinds = {}
    for number, name in enumerate(graphs.vocabulary.kinds):
        if (graphs.kinds == number).any():
            some = {row: rows_of(table, table["kind"] == number) for row, table in tables.items()}
            kinds[name] = {row: entry(t, classes) if row in METRICS else short_entry(t) for row, t in some.items()}
    networks = [name for name in tables if name in METRICS]
    return {
        "num_graphs": len(graphs),
        "num_pairs": rows[REASONER]["num_pairs"],
        "rows": {name: row for name, row in rows.items() if name in METRICS},
        "baselines": {name: row for name, row in rows.items() if name not in METRICS},
        "kinds": kinds,
        "by_length": {name: buckets(tables[name], "length") for name in networks},
        "by_length_and_kind": _by_length_and_kind(graphs, tables[REASONER]),
        "by_rounds": {name: buckets(tables[name], "rounds") for name in networks},
        "reliability": reliability(tables[REASONER]),
        "collapse": _collapse(kinds),
    }


def outcomes_of(graphs: Graphs, scored: Scored, split: str, prefix: str = "") -> list[Outcomes]:
    """Scores by pair and by graph; by graph alone where there are no twins."""
    table = table_of(graphs, scored.scores[split])
    ids, rows = [str(name) for name in graphs.ids], twin_rows(graphs.pairs)
    pairs, right = [str(p) for p in graphs.pairs.tolist()], is_right(table).astype(float)
    found = [Outcomes(f"{prefix}accuracy", split, ids, pairs, right, chance=BY_CHANCE["accuracy"])]
    if len(rows):
        items, both = [ids[row] for row in rows[:, 0].tolist()], pairs_right(table)
        level = BY_CHANCE["paired_accuracy"]
        found.insert(0, Outcomes(f"{prefix}paired_accuracy", split, items, items, both, chance=level))
    return found


def figures(report: Report, outcomes: Sequence[Outcomes]) -> dict[str, float]:
    """Figures for the manifest; baselines by the headline metric and, with its name, by each other one."""
    row, metric = report["rows"][REASONER], report["metric"]
    named: dict[str, Any] = {each.metric: each.mean for each in outcomes}
    named |= {name: row[name] for name in ("rank", "auc", "ece", "graphs_per_second", "graphs_per_cpu_second")}
    for number, each in enumerate(outcomes):
        plain, part = each.metric.removeprefix(f"{each.split}_"), report["splits"][each.split]
        others = {name: row for name, row in {**part["rows"], **part["baselines"]}.items() if name != REASONER}
        place = "baseline/" if number == 0 else f"baseline/{each.metric}/"
        named |= {f"{place}{name}": row[plain] for name, row in others.items() if row.get(plain) is not None}
    for split, part in report["splits"].items():
        for kind, rows in part["kinds"].items():
            named[f"{split}/{kind}/{metric}"] = rows[REASONER][metric]
    for split, each in (report["stability"] or {"splits": {}})["splits"].items():
        named[f"{split}/with_{report['stability']['rounds']}_more_rounds"] = each[metric]
    for phase, measures in report["cycle"].items():
        named |= {f"cycle/{phase}/{name}": value for name, value in measures.items()}
    return {name: float(value) for name, value in named.items() if value is not None}


def accuracy_by_length(report: Report) -> tuple[dict[str, dict[int, Entry]], str]:
    """Entries of each network by length over all scored splits, and the name of what lengths count.

    Where two splits have a length, the split `lengths` goes before, since it has the same number of pairs of each.
    """
    order = sorted(report["splits"], key=lambda split: split == "lengths")
    found: dict[str, dict[int, Entry]] = {}
    for split in order:
        for name, each in report["splits"][split]["by_length"].items():
            found.setdefault(name, {}).update({int(length): part for length, part in each.items()})
    return {name: dict(sorted(each.items())) for name, each in found.items()}, report["data"]["length"]


def trained_lengths(train: Splits) -> list[int] | None:
    """Least and greatest length in the training graphs; None without them."""
    known = [each.lengths for each in train.values() if len(each)]
    return [int(min(map(np.min, known))), int(max(map(np.max, known)))] if known else None


def _chance(row: Entry) -> Entry:
    found: Entry = {"n": row["n"], "num_pairs": row["num_pairs"], **BY_CHANCE}
    if not row["num_pairs"]:
        found |= {"paired_accuracy": None, "rank": None}
    return found


def _by_length_and_kind(graphs: Graphs, table: Table) -> dict[str, dict[str, Entry]]:
    return {
        name: buckets(rows_of(table, table["kind"] == number), "length")
        for number, name in enumerate(graphs.vocabulary.kinds)
        if (table["kind"] == number).any()
    }


def _collapse(kinds: Mapping[str, Mapping[str, Entry]]) -> Report:
    """Kinds of query of which the reasoner hardly ever predicts a class; by kind the share of its rarer prediction."""
    rows = {name: each[REASONER] for name, each in kinds.items()}
    collapsed = [name for name, row in rows.items() if row["is_collapsed"]]
    shares = {name: row["least_predicted"] for name, row in rows.items()}
    return {"is_collapsed": bool(collapsed), "kinds": collapsed, "least_predicted": shares}
