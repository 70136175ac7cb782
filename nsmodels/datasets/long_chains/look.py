"""A long chain as text: a line per segment, with the truth of both levels."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.long_chains.prepare import VOCABULARY
from nsmodels.datasets.long_chains.walking import faults, order_of
from nsmodels.formats.graphs.tables import Graph

# The function of a segment by its values for the inputs false and true.
FUNCTIONS = {(0, 0): "false", (1, 1): "true", (0, 1): "as it begins", (1, 0): "the opposite"}


def graph_text(one: Graph) -> str:
    """A chain: `xor(1)=0` is a mechanism with what reaches it from its side root, and its value.

    Empty for a graph that is no chain, and without trace.
    """
    if faults(one) or not len(one.truth):
        return ""
    truth, lines = one.truth[0], [f"{one.id}: {one.length} mechanisms, the last is {VOCABULARY.classes[one.label]}"]
    order = order_of(one)
    inputs = _inputs(one)
    start = int(np.flatnonzero(one.node_types == VOCABULARY.node_types.index("start"))[0])
    lines.append(f"  start={truth[start, 0]:d}")
    for cluster in dict.fromkeys(one.clusters[order].tolist() if one.clusters is not None else []):
        members = [v for v in order if one.clusters is not None and one.clusters[v] == cluster]
        shown = [f"{VOCABULARY.node_types[one.node_types[v]]}({inputs[v]:d})={truth[v, 0]:d}" for v in members]
        low, high = truth[members[-1], 1:].astype(int)
        lines.append(f"  {' '.join(shown)}   ends {FUNCTIONS[int(low), int(high)]}")
    return "\n".join(lines)


def _inputs(one: Graph) -> dict[int, bool]:
    negated = VOCABULARY.relations.index("negated side")
    edges = zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True)
    return {v: bool((one.features[u] == 2) ^ (r == negated)) for u, v, r in edges if r >= negated - 1}
