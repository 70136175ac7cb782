"""Clusters of graphs that declare none: the same however nodes are numbered, connected, and none that was declared."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from nsmodels.formats.graphs.checks import permuted
from nsmodels.formats.graphs.coarsening import clusters, with_clusters
from nsmodels.formats.graphs.tables import Graph, Graphs, graph, table
from tests.formats.twins import WORDS, twinned


def random_graphs(number: int) -> Graphs:
    """Sparse graphs with few types: many of their nodes are told apart by structure alone, some by nothing."""
    rng, found = np.random.default_rng(0), []
    for row in range(number):
        n, e = int(rng.integers(1, 20)), int(rng.integers(0, 30))
        zeros, since = np.zeros(n, np.int16), np.full((n, 2), -1, np.int16)
        first, second = rng.integers(0, n, (2, e), np.int32)
        truth = np.zeros((0, n, 2), bool)
        found.append(
            Graph(
                str(row),
                row,
                0,
                0,
                3,
                3,
                zeros,
                rng.integers(0, 2, n, np.int16),
                zeros,
                first,
                second,
                np.zeros(e, np.int16),
                truth,
                since,
            )
        )
    return table(found, WORDS)


def clustered(graphs: Graphs, row: int) -> networkx.DiGraph:
    """A graph with a node for each cluster beside its members."""
    one, made = graph(graphs, row), networkx.MultiDiGraph()
    found = clusters(graphs)[graphs.nodes(row)].tolist()
    made.add_nodes_from((node, {"is": (0, int(feature))}) for node, feature in enumerate(one.features))
    made.add_nodes_from((("cluster", name), {"is": (1, 0)}) for name in set(found))
    made.add_edges_from(zip(one.sources.tolist(), one.targets.tolist(), strict=True))
    made.add_edges_from((node, ("cluster", name)) for node, name in enumerate(found))
    return made


@pytest.mark.parametrize("make", [lambda: twinned(6), lambda: random_graphs(40)], ids=["rings", "random"])
def test_the_clustered_graph_does_not_depend_on_the_order_of_nodes(make) -> None:
    graphs = make()
    other = permuted(graphs, np.random.default_rng(1))
    for row in range(len(graphs)):
        pair = clustered(graphs, row), clustered(other, row)
        assert networkx.is_isomorphic(*pair, node_match=lambda a, b: a["is"] == b["is"])


def test_clusters_are_connected_and_numbered_without_gaps() -> None:
    graphs = random_graphs(40)
    found = clusters(graphs, size=4)
    for row in range(len(graphs)):
        names = found[graphs.nodes(row)]
        assert sorted(set(names.tolist())) == list(range(names.max() + 1))
        assert np.bincount(names).max() <= 8
        whole = networkx.Graph(zip(graphs.sources[graphs.edges(row)], graphs.targets[graphs.edges(row)], strict=True))
        whole.add_nodes_from(range(len(names)))
        assert all(networkx.is_connected(whole.subgraph(np.flatnonzero(names == name))) for name in set(names))


def test_declared_clusters_stay() -> None:
    graphs = twinned(2)
    declared = np.where(np.arange(len(graphs.clusters)) < 6, 1, -1).astype(np.int16)
    found = with_clusters(graphs.replaced(clusters=declared)).clusters
    np.testing.assert_array_equal(found[:6], declared[:6])
    assert (found[6:] >= 0).all()
