"""A second oracle for long chains: a walk along the edges of one graph, one mechanism at a time."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.long_chains.prepare import VOCABULARY
from nsmodels.formats.graphs.tables import NEVER, Graph

_XOR, _AND, _ = range(3)


def faults(one: Graph) -> list[str]:
    """What a chain claims and a walk along its edges does not find."""
    order, sides = order_of(one), {int(v) for v, r in zip(one.targets, one.relations, strict=True) if r >= 2}
    if not order or sides != set(order) or one.marks[order[-1]] == 0:
        return ["no chain; expected one start, mechanisms with a side root each, and a mark on the last"]
    value, low, high = _walked(one)
    if not len(one.truth):
        return [] if value[order[-1]] == one.label else ["the label differs from that of the walk"]
    wanted = {v: one.truth[-1, v] for v in value}
    if any((one.since[v, 0] != NEVER) and wanted[v][0] != value[v] for v in value):
        return ["a value differs from that of the walk"]
    if any((one.since[v, 1] != NEVER) and (wanted[v][1] != low[v] or wanted[v][2] != high[v]) for v in low):
        return ["the function of a segment differs from that of the walk"]
    # What is decidable does not change any more.
    is_late = np.arange(len(one.truth))[:, None, None] >= np.where(one.since == NEVER, len(one.truth), one.since)
    if ((one.truth != one.truth[-1]) & is_late).any():
        return ["a truth changes after the round at which it is decidable"]
    asked = int(np.flatnonzero(one.marks)[0])
    return [] if value[asked] == one.label else [f"label {one.label}, by the walk {value[asked]:d}"]


def order_of(one: Graph) -> list[int]:
    """The mechanisms of a chain from the first to the last; none without exactly one start."""
    edges = zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True)
    after = {u: v for u, v, relation in edges if VOCABULARY.relations[relation] in ("next", "bridge")}
    starts = np.flatnonzero(one.node_types == VOCABULARY.node_types.index("start"))
    if len(starts) != 1:
        return []
    at, found = int(starts[0]), []
    while at in after and len(found) <= len(after):
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
