"""Whether a trace can be learned a round at a time: truths follow from what node and neighbours had a round before."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from nsmodels.formats.graphs.tables import NEVER, Graph


def faults(graphs: Iterable[Graph]) -> list[str]:
    """Truths that differ though node and neighbours had the same a round before, one line each.

    What a node has at a round: type, feature, mark, and the truths decidable by then. Round 0 sees the node alone.
    """
    found: list[str] = []
    known: dict[Hashable, tuple[bool, str]] = {}
    for one in graphs:
        for channel, state, truth, place in _steps(one):
            value, first = known.setdefault((channel, state), (truth, place))
            if value != truth:
                found.append(f"{place}: channel {channel} differs from {first}, after equal rounds")
    return found


def _steps(one: Graph) -> Iterable[tuple[int, Hashable, bool, str]]:
    """Channel, what was there a round before, truth and place of each truth that is decidable."""
    num_rounds, num_nodes, num_channels = one.truth.shape
    since = one.since.tolist()
    fixed = list(zip(one.node_types.tolist(), one.features.tolist(), one.marks.tolist(), strict=True))
    edges = list(zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True))
    before: list[Hashable] = [(one.kind, each) for each in fixed]
    for t in range(num_rounds):
        truth = one.truth[t].tolist()
        around: list[Hashable] = list(before)
        if t:
            messages: list[list[str]] = [[] for _ in range(num_nodes)]
            for u, v, relation in edges:
                messages[v].append(f"from {relation} {before[u]}")
                messages[u].append(f"to {relation} {before[v]}")
            around = [(before[node], tuple(sorted(messages[node]))) for node in range(num_nodes)]
        for node in range(num_nodes):
            for channel in range(num_channels):
                if NEVER < since[node][channel] <= t:
                    yield channel, (t > 0, around[node]), truth[node][channel], f"{one.id} node {node} round {t}"
        before = [
            (one.kind, fixed[v], tuple(truth[v][c] if NEVER < since[v][c] <= t else None for c in range(num_channels)))
            for v in range(num_nodes)
        ]
