"""Weisfeiler-Leman colours: what any message passing network can at most tell apart (Weisfeiler & Leman 1968).

A colour is a 64-bit hash. It depends on types, features, marks, relations and directions, not on the order of nodes or
edges nor on Python's hash seed.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.formats.graphs.tables import Graphs

STABLE = -1  # as many rounds as the graph has nodes: no later round splits a colour class


@njit(cache=True, inline="always")
def _mix(value: np.uint64) -> np.uint64:
    """The finaliser of splitmix64: every input bit changes half of the output bits (Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def _refine(colours, node_offsets, edge_offsets, sources, targets, relations, rounds):
    added = np.zeros(len(colours), np.uint64)
    for k in range(len(node_offsets) - 1):
        first, last = node_offsets[k], node_offsets[k + 1]
        most = last - first if rounds < 0 else rounds
        for _ in range(most):
            added[first:last] = 0
            for e in range(edge_offsets[k], edge_offsets[k + 1]):
                u, v = first + sources[e], first + targets[e]
                word = np.uint64(relations[e] * 2 + 1)
                # A sum does not depend on the order of the edges; the mixing keeps its terms apart.
                added[v] += _mix(colours[u] + word * np.uint64(0x9E3779B97F4A7C15))
                added[u] += _mix(colours[v] + (word + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
            for i in range(first, last):
                colours[i] = _mix(colours[i] * np.uint64(3) + _mix(added[i] + np.uint64(1)))
    return colours


def node_colours(graphs: Graphs, rounds: int, with_kind: bool = True) -> NDArray[np.uint64]:
    """Colours (N,) after `rounds` of refinement; 0: type, feature, mark and kind of query alone."""
    columns = [graphs.node_types, graphs.features, graphs.marks]
    if with_kind:
        columns.append(np.repeat(graphs.kinds, graphs.num_nodes))
    start = np.zeros(len(graphs.node_types), np.uint64)
    for column in columns:
        start = _mixed(start * np.uint64(31) + (column.astype(np.int64) + 2).astype(np.uint64))
    args = (graphs.node_offsets, graphs.edge_offsets, graphs.sources, graphs.targets, graphs.relations)
    return _refine(start, *args, rounds)


def certificates(graphs: Graphs) -> NDArray[np.uint64]:
    """One number (g,) per graph from its stable colours, equal for isomorphic graphs.

    Different graphs that 1-WL cannot tell apart have equal numbers, too: a comparison errs on the safe side.
    """
    return histograms(graphs, STABLE)


def histograms(graphs: Graphs, rounds: int) -> NDArray[np.uint64]:
    """One number (g,) per graph from the multiset of its colours after `rounds`; equal for equal multisets."""
    return summed(node_colours(graphs, rounds), graphs.node_offsets)


def count_colours(graphs: Graphs) -> NDArray[np.uint64]:
    """Colours (N,) from type, feature, mark, typed in-degree and typed out-degree of a node: what can be counted."""
    plain = np.zeros_like(graphs.node_types)
    # A round of refinement from equal colours sees relations and directions, not what the neighbours are.
    degrees = node_colours(graphs.replaced(node_types=plain, features=plain, marks=plain), 1, with_kind=False)
    with np.errstate(over="ignore"):
        return node_colours(graphs, 0) * np.uint64(31) + degrees


def counts(graphs: Graphs) -> NDArray[np.uint64]:
    """One number (g,) per graph from the multiset of its `count_colours`; equal for equal pooled counts."""
    return summed(count_colours(graphs), graphs.node_offsets)


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return values ^ (values >> np.uint64(31))


def summed(colours: NDArray[np.uint64], offsets: NDArray[np.int64]) -> NDArray[np.uint64]:
    """One number (g,) for each part of the numbers (N,) from its multiset; `offsets` (g + 1,) of the parts."""
    with np.errstate(over="ignore"):
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(_mixed(colours), dtype=np.uint64)])
        return _mixed(sums[offsets[1:]] - sums[offsets[:-1]] + np.diff(offsets).astype(np.uint64))
