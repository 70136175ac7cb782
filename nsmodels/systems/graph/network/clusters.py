"""Clusters of a batch: the graph between them, and the slot of every node, from structure alone.

Shapes: N nodes, K clusters.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Int
from numpy.typing import NDArray
from torch import Tensor

from nsmodels.engine.batching import to_device
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.layers.messages import Adjacency
from nsmodels.systems.graph.network.encoding import GraphBatch

_DEEPEST = 15  # places further from an end of their cluster are not distinguished


class Clusters(NamedTuple):
    """Clusters of a batch in the order of its graphs; a node without one is a cluster by itself.

    Attributes:
        of_node: int64 (N,) cluster of each node.
        slots: int64 (N,) place of each node in its cluster, equal only for places that structure does not distinguish.
        inside: edges between nodes of one cluster.
        between: edges between clusters, each with the relation of the edges between their members.
        sizes: number of clusters of the graphs that still run in each round, falling.
        last: int64 (K,) where, among the running clusters of all rounds, each one is in the last round of its graph.
    """

    of_node: Int[Tensor, " N"]
    slots: Int[Tensor, " N"]
    inside: Adjacency
    between: Adjacency
    sizes: tuple[int, ...]
    last: Int[Tensor, " K"]

    @property
    def number(self) -> int:
        """Number of clusters."""
        return len(self.last)

    @classmethod
    def of(cls, batch: GraphBatch, num_relations: int) -> Clusters:
        """The clusters that the data declare; `num_relations` of the vocabulary, without inverse ones."""
        number = torch.arange(len(batch.clusters), device=batch.clusters.device)
        named = torch.where(batch.clusters < 0, number + batch.clusters.max() + 1, batch.clusters)
        names, of_node = (batch.graph * (named.max() + 1) + named).unique(return_inverse=True)
        graph = torch.zeros_like(names).scatter_(0, of_node, batch.graph)
        # The graphs are in the order of falling rounds, and so are their clusters.
        rounds = batch.rounds[graph]
        sizes = (rounds > torch.arange(int(rounds[0]), device=rounds.device)[:, None]).sum(1)
        last = (sizes.cumsum(0) - sizes)[rounds - 1] + torch.arange(len(rounds), device=rounds.device)
        inside, crossing = split(of_node, len(names), batch.adjacency)
        places = slots(batch, of_node, inside, num_relations)
        return cls(of_node, places, inside, crossing, tuple(sizes.tolist()), last)


def num_clusters(graphs: Graphs) -> NDArray[np.int64]:
    """Clusters of each graph, int64 (g,); a node without one is a cluster by itself."""
    graph, base = np.repeat(np.arange(len(graphs)), graphs.num_nodes), int(graphs.clusters.max()) + 2
    found = np.unique(graph * base + graphs.clusters + 1)
    declared = np.bincount(found[found % base > 0] // base, minlength=len(graphs))
    return declared + np.bincount(graph[graphs.clusters < 0], minlength=len(graphs))


def split(of_node: Int[Tensor, " N"], number: int, edges: Adjacency) -> tuple[Adjacency, Adjacency]:
    """Edges inside the clusters; one edge between clusters for all of a relation between their members, of mean
    confidence.
    """
    names = ("source", "target", "relation", "confidence")
    source, target, relation, confidence = (getattr(edges, name).cpu().numpy() for name in names)
    cluster = of_node.cpu().numpy()
    ends = cluster[source], cluster[target]
    is_inside = ends[0] == ends[1]
    kept: Any = (each[is_inside] for each in (source, target, relation, confidence))
    inside = Adjacency.of(len(cluster), *kept)
    shape = (number, number, int(relation.max(initial=0)) + 1)
    rows = np.ravel_multi_index((*ends, relation), shape)[~is_inside]
    found, place, counts = np.unique(rows, return_inverse=True, return_counts=True)
    mean = np.bincount(place, confidence[~is_inside], len(found)) / np.maximum(counts, 1)
    first, second, name = np.unravel_index(found, shape)
    between = Adjacency.of(number, first, second, name, mean)
    return to_device((inside, between), of_node.device)


def slots(batch: GraphBatch, of_node: Int[Tensor, " N"], inside: Adjacency, num_relations: int) -> Int[Tensor, " N"]:
    """Rank of each node in its cluster by its place between the first and last nodes, then by its type."""
    # With the edges inside of a cluster: height, the longest path to an end, and depth, the longest from a beginning.
    forward = inside.relation < num_relations
    source, target = inside.source[forward], inside.target[forward]
    height, depth = _longest(target, source, of_node), _longest(source, target, of_node)
    base = _DEEPEST + 1
    place = ((of_node * base + _DEEPEST - height) * base + depth) * (batch.node_types.max() + 1) + batch.node_types
    _, rank = place.unique(return_inverse=True)
    first = torch.full_like(rank, len(rank)).scatter_reduce(0, of_node, rank, "amin")
    return rank - first[of_node]


def _longest(source: Tensor, target: Tensor, like: Tensor) -> Int[Tensor, " N"]:
    found = torch.zeros_like(like)
    for _ in range(_DEEPEST if len(source) else 0):
        later = found.scatter_reduce(0, target, (found[source] + 1).clamp(max=_DEEPEST), "amax")
        if torch.equal(later, found):
            break
        found = later
    return found
