"""Checks of long chains: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nsmodels.datasets.long_chains.chains import LEAST_FAR
from nsmodels.datasets.long_chains.prepare import VOCABULARY
from nsmodels.formats.graphs import shortcuts
from nsmodels.formats.graphs.checks import (
    every,
    labels_are_balanced,
    schema,
    splits_are_disjoint,
    twins,
    twins_are_equal,
    twins_are_told_apart,
)
from nsmodels.formats.graphs.colours import histograms
from nsmodels.formats.graphs.tables import NEVER, Graph, graph

__all__ = [
    "labels_are_balanced",
    "no_shortcut",
    "oracle_agrees",
    "resets_are_far",
    "schema",
    "splits_are_disjoint",
    "twins_are_equal",
    "twins_are_matched",
    "twins_are_told_apart",
]
SAMPLE = 40  # graphs of each split that are solved again, one by one
_XOR, _AND, _ = range(3)


def twins_are_matched(folder: Path) -> list[str]:
    """Twins of full length agree in their colours after one round of Weisfeiler-Leman."""
    found = []
    for split, graphs in every(folder):
        colours = histograms(graphs, 1)
        for one, other in twins(graphs).tolist():
            if graphs.lengths[one] >= LEAST_FAR and colours[one] != colours[other]:
                found.append(f"{split} {graphs.ids[one]}: the twins have different WL-1 colours")
    return found


def no_shortcut(folder: Path) -> list[str]:
    """No classifier of counts or short-range colours is above the limit; see `shortcuts`."""
    return shortcuts.no_shortcut(folder)


def oracle_agrees(folder: Path) -> list[str]:
    """On a sample a walk along the edges finds label, values and functions of the segments."""
    found = []
    for split, graphs in every(folder):
        for row in np.unique(np.linspace(0, len(graphs) - 1, SAMPLE).astype(int)).tolist():
            found += [f"{split} {graphs.ids[row]}: {fault}" for fault in faults(graph(graphs, row))]
    return found


def resets_are_far(folder: Path) -> list[str]:
    """In chains of full length the asked mechanism has no reset within half of the chain before it."""
    found = []
    for split, graphs in every(folder):
        for row in np.flatnonzero(graphs.lengths >= LEAST_FAR).tolist():
            asked = int(np.flatnonzero(graphs.marks[graphs.nodes(row)])[0])
            if graphs.since[graphs.nodes(row)][asked, 0] < graphs.lengths[row] // 2:
                found.append(f"{split} {graphs.ids[row]}: the answer is decided within half of the chain")
    return found


def faults(one: Graph) -> list[str]:
    """What a chain claims and a walk along its edges does not find."""
    if not len(one.truth):
        return []
    value, low, high = _walked(one)
    wanted = {v: one.truth[-1, v] for v in value}
    if any((one.since[v, 0] != NEVER) and wanted[v][0] != value[v] for v in value):
        return ["a value differs from that of the walk"]
    if any((one.since[v, 1] != NEVER) and (wanted[v][1] != low[v] or wanted[v][2] != high[v]) for v in low):
        return ["the function of a segment differs from that of the walk"]
    asked = int(np.flatnonzero(one.marks)[0])
    return [] if value[asked] == one.label else [f"label {one.label}, by the walk {value[asked]:d}"]


def order_of(one: Graph) -> list[int]:
    """The mechanisms of a chain from the first to the last."""
    edges = zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True)
    after = {u: v for u, v, relation in edges if VOCABULARY.relations[relation] in ("next", "bridge")}
    at = int(np.flatnonzero(one.node_types == VOCABULARY.node_types.index("start"))[0])
    found = []
    while at in after:
        at = after[at]
        found.append(at)
    return found


def _walked(one: Graph) -> tuple[dict[int, bool], dict[int, bool], dict[int, bool]]:
    """Value of every node, and of every mechanism if its segment began with false and with true."""
    value = {v: bool(one.features[v] == 2) for v in np.flatnonzero(one.features).tolist()}
    low, high = {}, {}
    into = {v: (u, r) for u, v, r in zip(one.sources, one.targets, one.relations, strict=True) if r >= 2}
    bridged = set(one.targets[one.relations == VOCABULARY.relations.index("bridge")].tolist())
    before = int(np.flatnonzero(one.node_types == VOCABULARY.node_types.index("start"))[0])
    for v in order_of(one):
        root, relation = into[v]
        side = bool(value[int(root)]) ^ (relation == VOCABULARY.relations.index("negated side"))
        starts = (False, True) if v in bridged else (low[before], high[before])
        kind = int(one.node_types[v])
        value[v], low[v], high[v] = (_result(kind, each, side) for each in (value[before], *starts))
        before = v
    return value, low, high


def _result(kind: int, before: bool, side: bool) -> bool:
    if kind == _XOR:
        return before != side
    return (before and side) if kind == _AND else (before or side)
