"""One causal graph with its label, trace and rounds, from nodes, edges and the kind of its query."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.causal_graphs.oracle import answer, structural_rounds
from nsmodels.datasets.causal_graphs.vocabulary import NUM_CHANNELS
from nsmodels.formats.graphs.tables import Graph


def labelled(
    kind: int, nodes: NDArray[np.integer], edges: NDArray[np.integer], length: int, name: str = "", pair: int = 0
) -> Graph:
    """The graph with `nodes` (3, n), rows types, features, marks, and `edges` (3, e), rows sources, targets, relations.

    `length`: directed distance from treatment to outcome. The trace ends where nothing changes any more.
    """
    nodes, edges = np.ascontiguousarray(nodes, np.int64), np.ascontiguousarray(edges, np.int64)
    num_nodes, num_edges = nodes.shape[1], edges.shape[1]
    rounds, _ = structural_rounds(kind, num_nodes, num_edges, nodes, edges, np.empty(num_nodes, np.int64))
    # Values rest after the longest path; the ball visits each node at most twice.
    most = 2 * num_nodes + 2
    truth = np.empty((most, num_nodes, NUM_CHANNELS), np.uint8)
    since = np.empty((num_nodes, NUM_CHANNELS), np.int16)
    label, traced, _ = answer(kind, num_nodes, num_edges, nodes, edges, most, truth, since)
    return Graph(
        id=name, pair=pair, kind=kind, label=int(label), rounds=int(rounds), length=length,
        node_types=nodes[0].astype(np.int16), features=nodes[1].astype(np.int16), marks=nodes[2].astype(np.int16),
        sources=edges[0].astype(np.int32), targets=edges[1].astype(np.int32), relations=edges[2].astype(np.int16),
        truth=truth[:traced].astype(bool), since=since,
    )  # fmt: skip


def permuted(graph: Graph, order: NDArray[np.integer], rng: np.random.Generator) -> Graph:
    """The same graph with node i as node `order[i]` (n,) and its edges in random order."""
    back = np.argsort(order)
    edges = rng.permutation(len(graph.sources))
    return Graph(
        id=graph.id, pair=graph.pair, kind=graph.kind, label=graph.label, rounds=graph.rounds, length=graph.length,
        node_types=graph.node_types[back], features=graph.features[back], marks=graph.marks[back],
        sources=order[graph.sources[edges]].astype(np.int32), targets=order[graph.targets[edges]].astype(np.int32),
        relations=graph.relations[edges], truth=graph.truth[:, back], since=graph.since[back],
    )  # fmt: skip
