"""The oracle: in which states of the rule's automaton each node is reached from the head, round by round.

A pair (node, state) is reached after round t if a path of at most t + 1 edges leads there: the breadth-first search of
the product of graph and automaton. Each round only looks at neighbours, so that every entry of the trace is decidable
from the messages so far. Edges that are believed less than `BELIEVED` do not count.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nsmodels.datasets.knowledge_graphs.rules import SETS

BELIEVED = 0.5


@njit(cache=True, nogil=True)
def reach(edges, confidence, head, steps, states):
    """Fill `states` uint8 (rounds, n), sets of states as bits, and return the first round after which none changes.

    `edges` int (e, 3): source, target, relation; `steps` is `SETS` of the rule. Returns -1 when the
    rounds do not suffice.
    """
    states[0] = 0
    states[0, head] = 8
    for t in range(len(states)):
        before = states[max(t - 1, 0)].copy()
        states[t] = before
        is_changed = False
        for e in range(len(edges)):
            if confidence[e] >= BELIEVED:
                u, v, relation = edges[e]
                states[t, v] |= steps[0, relation, before[u]]
                states[t, u] |= steps[1, relation, before[v]]
        for node in range(states.shape[1]):
            is_changed |= states[t, node] != before[node]
        if not is_changed:
            return max(t - 1, 0)
    return -1


@njit(cache=True, nogil=True)
def eccentricity(edges, num_nodes, marked):
    """Largest number of edges, in either direction, between one of the nodes `marked` (m,) and a node it reaches."""
    most = 0
    for start in marked:
        is_found = np.zeros(num_nodes, np.bool_)
        is_found[start] = True
        distance, is_growing = -1, True
        while is_growing:
            distance, is_growing, before = distance + 1, False, is_found.copy()
            for e in range(len(edges)):
                u, v = edges[e, 0], edges[e, 1]
                if before[u] != before[v]:
                    is_found[u] = is_found[v] = is_growing = True
        most = max(most, distance)
    return most


@njit(cache=True, nogil=True)
def pack(states, num_rounds, packed):
    """Write the first rounds of `states` uint8 (rounds, n) two to a byte, as `np.packbits` would; returns the bytes."""
    number = 0
    for t in range(num_rounds):
        for node in range(states.shape[1]):
            if number % 2:
                packed[number // 2] |= states[t, node]
            else:
                packed[number // 2] = states[t, node] << 4
            number += 1
    return (number + 1) // 2


assert SETS.shape[1:] == (2, 9, 16)
