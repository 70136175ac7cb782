"""Rounds of message passing that a graph's structure demands, for graphs whose dataset does not give them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

READ_OUT = 2  # rounds beyond the longest way: one to start, one to arrive


def rounds_of(
    num_nodes: int, sources: NDArray[np.integer], targets: NDArray[np.integer], relations: NDArray[np.integer],
    marks: NDArray[np.integer],
) -> int:  # fmt: skip
    """The longest way that a message may have to go, plus two; from the structure alone, for one graph.

    It is the greater of two: the longest directed path, of all edges or else of those of one relation, where these have
    no cycle; and the greatest distance from the marked nodes (from node 0 without any), along edges in both directions.
    """
    longest = _longest_path(num_nodes, sources, targets)
    if longest is None:
        parts = (relations == relation for relation in np.unique(relations))
        longest = max([_longest_path(num_nodes, sources[part], targets[part]) or 0 for part in parts], default=0)
    return max(longest, _distance(num_nodes, sources, targets, marks)) + READ_OUT


def _longest_path(num_nodes: int, sources: NDArray, targets: NDArray) -> int | None:
    """Edges of the longest directed path; None with a cycle."""
    depth = np.zeros(num_nodes, np.int64)
    for _ in range(num_nodes):
        before = depth.copy()
        np.maximum.at(depth, targets, before[sources] + 1)
        if (depth == before).all():
            return int(depth.max(initial=0))
    return None


def _distance(num_nodes: int, sources: NDArray, targets: NDArray, marks: NDArray) -> int:
    is_reached = np.asarray(marks) > 0
    if not is_reached.any():
        is_reached = np.arange(num_nodes) == 0
    for distance in range(num_nodes):
        further = is_reached.copy()
        further[targets[is_reached[sources]]] = True
        further[sources[is_reached[targets]]] = True
        if (further == is_reached).all():
            return distance
        is_reached = further
    return num_nodes
