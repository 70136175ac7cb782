"""Clusters for graphs that declare none: connected groups of nodes, the same however nodes and edges are numbered."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.formats.graphs.colours import STABLE, _mix, _refine, node_colours
from nsmodels.formats.graphs.tables import Graphs

SIZE = 6  # nodes of a cluster


def with_clusters(graphs: Graphs, size: int = SIZE) -> Graphs:
    """The graphs, those of which no node has a declared cluster with clusters of about `size` connected nodes.

    Nodes that no colouring tells apart may change places when they are renumbered; the clustered graph is then the same
    up to isomorphism.
    """
    declared = np.zeros(len(graphs), bool)
    np.logical_or.at(declared, np.repeat(np.arange(len(graphs)), graphs.num_nodes), graphs.clusters >= 0)
    if declared.all():
        return graphs
    # Copies: arrays that were read from a file cannot be written to, for which numba would compile everything again.
    edges: Any = (graphs.node_offsets, graphs.edge_offsets, graphs.sources, graphs.targets, graphs.relations)
    found = _clusters(size, node_colours(graphs, STABLE), *map(np.array, edges))
    return graphs.replaced(clusters=np.where(np.repeat(declared, graphs.num_nodes), graphs.clusters, found))


def clusters(graphs: Graphs, size: int = SIZE) -> NDArray[np.int16]:
    """Cluster of every node, int16 (N,), numbered within its graph; declared ones are not regarded."""
    return with_clusters(graphs.replaced(clusters=np.full_like(graphs.clusters, -1)), size).clusters


@njit(cache=True, nogil=True)
def _clusters(size, colours, node_offsets, edge_offsets, sources, targets, relations):
    found = np.full(len(colours), -1, np.int16)
    for k in range(len(node_offsets) - 1):
        first, last = node_offsets[k], node_offsets[k + 1]
        edges = slice(edge_offsets[k], edge_offsets[k + 1])
        own = (sources[edges], targets[edges], relations[edges])
        order = _order(colours[first:last].copy(), own[0], own[1], own[2])
        _grow(found[first:last], order, own[0], own[1], size)
    return found


@njit(cache=True, nogil=True)
def _order(colours, sources, targets, relations):
    """Nodes in an order that follows from structure: by their colours, all of which are made different."""
    # Individualisation and refinement: one node of the first class of equals gets a colour of its own, and what follows
    # from that is spread; which one it is makes no difference to the structure if they are equivalent.
    nodes, edges = np.array([0, len(colours)]), np.array([0, len(sources)])
    while True:
        order = np.argsort(colours)
        equal = -1
        for i in range(len(order) - 1):
            if colours[order[i]] == colours[order[i + 1]]:
                equal = order[i]
                break
        if equal < 0:
            return order
        colours[equal] = _mix(colours[equal] + np.uint64(1))
        _refine(colours, nodes, edges, sources, targets, relations, len(colours))


@njit(cache=True, nogil=True)
def _grow(found, order, sources, targets, size):
    """Clusters one after the other: each begins at the first free node and takes the free node with most edges to it.

    A node that is left alone joins the cluster with most edges to it, as long as that has not twice the size.
    """
    members, number = np.zeros(len(found), np.int64), 0
    for seed in order:
        if found[seed] >= 0:
            continue
        found[seed] = number
        members[number] = 1
        while members[number] < size:
            best = _closest(found, number, order, sources, targets)
            if best < 0:
                break
            found[best] = number
            members[number] += 1
        number += 1
    for node in order:
        if members[found[node]] == 1:
            links = np.zeros(number, np.int64)
            for e in range(len(sources)):
                u, v = sources[e], targets[e]
                if (u == node) != (v == node):
                    links[found[v if u == node else u]] += 1
            links[members[:number] >= 2 * size] = 0
            best = np.argmax(links)
            if links[best] > 0:
                members[found[node]] = 0
                found[node] = best
                members[best] += 1
    names = np.cumsum(members > 0) - 1
    for node in range(len(found)):
        found[node] = names[found[node]]


@njit(cache=True, nogil=True)
def _closest(found, number, order, sources, targets):
    """The first free node in `order` with most edges to a cluster; -1: there is none."""
    links = np.zeros(len(found), np.int64)
    for e in range(len(sources)):
        u, v = sources[e], targets[e]
        if found[u] == number and found[v] < 0:
            links[v] += 1
        elif found[v] == number and found[u] < 0:
            links[u] += 1
    best = -1
    for node in order:
        if links[node] > 0 and (best < 0 or links[node] > links[best]):
            best = node
    return best
