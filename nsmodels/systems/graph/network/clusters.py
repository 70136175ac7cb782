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

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.layers.messages import Adjacency
from nsmodels.systems.graph.network.encoding import GraphBatch

_DEEPEST = 15  # places further from an end of their cluster are not distinguished


class Clusters(NamedTuple):
    """Clusters of a batch; a node without one is a cluster by itself.

    Attributes:
        of_node: int64 (N,) cluster of each node.
        slots: int64 (N,) place of each node in its cluster, equal only for places that structure does not distinguish.
        inside: edges between nodes of one cluster.
        between: edges between clusters, each with the relation of the edges between their members.
        rounds: int64 (K,) rounds of the own graph.
        most_rounds: the largest of them.
    """

    of_node: Int[Tensor, " N"]
    slots: Int[Tensor, " N"]
    inside: Adjacency
    between: Adjacency
    rounds: Int[Tensor, " K"]
    most_rounds: int

    @property
    def number(self) -> int:
        """Number of clusters."""
        return len(self.rounds)

    @classmethod
    def of(cls, batch: GraphBatch, num_relations: int) -> Clusters:
        """The clusters that the data declare; `num_relations` of the vocabulary, without inverse ones."""
        alone = torch.arange(len(batch.clusters), device=batch.clusters.device)
        named = torch.where(batch.clusters < 0, alone + batch.clusters.max() + 1, batch.clusters)
        names, of_node = named.unique(return_inverse=True)
        graph = torch.zeros_like(names).scatter_(0, of_node, batch.graph)
        rounds = batch.rounds[graph]
        inside, crossing = split(of_node, len(names), batch.adjacency)
        places = slots(batch, of_node, inside, num_relations)
        return cls(of_node, places, inside, crossing, rounds, int(rounds.max()))


def num_clusters(graphs: Graphs) -> NDArray[np.int64]:
    """Clusters of each graph, int64 (g,); a node without one is a cluster by itself."""
    graph = np.repeat(np.arange(len(graphs)), graphs.num_nodes)
    alone, declared = graphs.clusters < 0, graphs.clusters >= 0
    rows = np.unique(np.stack([graph, graphs.clusters], 1)[declared], axis=0)[:, 0]
    return np.bincount(rows, minlength=len(graphs)) + np.bincount(graph[alone], minlength=len(graphs))


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
    rows = np.stack([*ends, relation], 1)[~is_inside]
    found, place, counts = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
    mean = np.bincount(place.ravel(), confidence[~is_inside], len(found)) / np.maximum(counts, 1)
    first, second, name = found.T
    between = Adjacency.of(number, first, second, name, mean)
    return inside.to(of_node.device), between.to(of_node.device)


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
