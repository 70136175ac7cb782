"""Graphs as a batch of tensors. Graphs of a batch are in the order of falling rounds, so that those that still run
are a prefix of its nodes and edges.

Shapes: g graphs, N nodes, E edges with their inverses, C channels of the trace, R rows of the trace.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.layers.messages import Adjacency
from nsmodels.systems.graph.network.supervision import Supervision, Trace, traced


@dataclass(frozen=True)
class GraphBatch:
    """Graphs with what is asked of them.

    Attributes:
        rows: int64 numpy (g,), the graphs' positions in the `Graphs` that were given, by falling `rounds`.
        node_types, features, marks, clusters: int64 (N,); clusters counted over the batch, -1 for none.
        kinds: int64 (g,); `labels`: float (g,).
        graph: int64 (N,) number of each node's graph within the batch.
        adjacency: edges by target, inverse edges included, whose relations follow those of the vocabulary.
        sizes: number of running nodes in each round, falling; its length is the number of rounds of the first graph.
        rounds: int64 (g,) rounds of each graph, falling; at least 1.
        last: int64 (N,) where, among the running nodes of all rounds, each node is in the last round of its graph.
        trace: the oracle's truth; None where it is not asked for.
    """

    rows: NDArray[np.int64]
    node_types: Int[Tensor, " N"]
    features: Int[Tensor, " N"]
    marks: Int[Tensor, " N"]
    clusters: Int[Tensor, " N"]
    kinds: Int[Tensor, " g"]
    labels: Float[Tensor, " g"]
    graph: Int[Tensor, " N"]
    adjacency: Adjacency
    rounds: Int[Tensor, " g"]
    sizes: tuple[int, ...]
    last: Int[Tensor, " N"]
    trace: Trace | None = None

    @property
    def num_graphs(self) -> int:
        """Number of graphs; what the loop counts."""
        return len(self.labels)


@dataclass(frozen=True)
class Output:
    """What a network returns for a batch.

    Attributes:
        logits: (g,) of label 1, in the order of the batch.
        trace: (R, C) logits in the layout of `GraphBatch.trace` for the network's `supervision`; None without heads.
        losses: further losses by name, weighted, each a mean over the graphs of the batch; the task adds them.
    """

    logits: Float[Tensor, " g"]
    trace: Float[Tensor, "R C"] | None = None
    losses: dict[str, Tensor] = field(default_factory=dict)


def collate(
    graphs: Graphs,
    rounds: NDArray[np.integer],
    supervision: Supervision = "none",
    whole: tuple[Graphs, NDArray[np.integer]] | None = None,
) -> GraphBatch:
    """Graphs as a batch.

    Args:
        graphs: one or more.
        rounds: int (g,) rounds that each one runs.
        supervision: whether and for which rounds the oracle's trace is needed.
        whole: graphs and rounds of the whole batch that these are a part of; None where it is the whole batch itself.
    """
    rows = np.argsort(-np.asarray(rounds, np.int64), kind="stable")
    ordered, steps = graphs.take(rows), np.maximum(np.asarray(rounds, np.int64), 1)[rows]
    graph = np.repeat(np.arange(len(rows)), ordered.num_nodes)
    first = np.repeat(ordered.node_offsets[:-1], ordered.num_edges)
    clusters, num_relations = ordered.clusters.astype(np.int64), len(graphs.vocabulary.relations)
    sizes = _sizes(ordered.node_offsets, steps)
    nodes = (ordered.node_types, ordered.features, ordered.marks, _apart(clusters, graph))
    return GraphBatch(
        rows,
        *(torch.from_numpy(each.astype(np.int64)) for each in nodes),
        kinds=torch.from_numpy(ordered.kinds.astype(np.int64)),
        labels=torch.from_numpy(ordered.labels.astype(np.float32)),
        graph=torch.from_numpy(graph),
        adjacency=Adjacency.of(
            len(graph),
            first + ordered.sources,
            first + ordered.targets,
            ordered.relations,
            ordered.confidence,
            num_relations,
        ),
        rounds=torch.from_numpy(steps),
        sizes=sizes,
        last=torch.from_numpy(np.cumsum([0, *sizes])[steps[graph] - 1] + np.arange(len(graph))),
        trace=None if supervision == "none" else traced(ordered, steps, supervision, whole),
    )


def _apart(clusters: NDArray[np.int64], graph: NDArray[np.int64]) -> NDArray[np.int64]:
    """Clusters counted over the batch instead of within each graph; -1 stays."""
    number = clusters.max(initial=0) + 1
    _, apart = np.unique(graph * number + clusters, return_inverse=True)
    if (clusters < 0).any():
        _, named = np.unique((graph * number + clusters)[clusters >= 0], return_inverse=True)
        apart = np.full_like(clusters, -1)
        apart[clusters >= 0] = named
    return apart


def _sizes(node_offsets: NDArray[np.int64], rounds: NDArray[np.int64]) -> tuple[int, ...]:
    """Nodes of the graphs that still run in each round."""
    running = [int((rounds > number).sum()) for number in range(int(rounds.max(initial=0)))]
    return tuple(int(node_offsets[number]) for number in running)
