"""The oracle: in which states of the rule's automaton each node is reached from the head, round by round.

A pair (node, state) is reached after round t if a path of at most t + 1 edges leads there: the breadth-first search of
the product of graph and automaton. Each round only looks at neighbours, so that every entry of the trace is decidable
from the messages so far. Edges that are believed less than `BELIEVED` do not count.
"""

from __future__ import annotations

from numba import njit

from nsmodels.datasets.knowledge_graphs.rules import SETS

BELIEVED = 0.5


@njit(cache=True, nogil=True)
def reach(edges, first, last, trusts, head, rule, states):
    """Fill `states` uint8 (rounds, n), sets of states as bits, and return how many rounds change one, at least 1.

    `edges` int (E, 3): source, target, relation, of which those from `first` to `last` are the graph's; `trusts` bool
    (E,). Returns -1 when the rounds do not suffice.
    """
    most, num_nodes = states.shape
    for t in range(most):
        for node in range(num_nodes):
            states[t, node] = states[t - 1, node] if t else 0
        before = max(t - 1, 0)
        if t == 0:
            states[0, head] = 8
        is_changed = False
        for e in range(first, last):
            u, v, relation = edges[e, 0], edges[e, 1], edges[e, 2]
            # In the first round only the head is in a state, and messages of this round must not be passed on in it.
            at_u = states[before, u] if t else 8 * (u == head)
            at_v = states[before, v] if t else 8 * (v == head)
            if trusts[e] and at_u | at_v:
                to_v = SETS[rule, 0, relation, at_u] | states[t, v]
                to_u = SETS[rule, 1, relation, at_v] | states[t, u]
                is_changed = is_changed or to_v != states[t, v] or to_u != states[t, u]
                states[t, v] = to_v
                states[t, u] = to_u
        if not is_changed:
            return max(t, 1)
    return -1


@njit(cache=True, nogil=True)
def pack(states, num_rounds, packed, place):
    """Write the first rounds of `states` uint8 (rounds, n) from `place` on, two to a byte, as `np.packbits` would.

    Returns the place after the last byte.
    """
    number = 0
    for t in range(num_rounds):
        for node in range(states.shape[1]):
            if number % 2:
                packed[place + number // 2] |= states[t, node]
            else:
                packed[place + number // 2] = states[t, node] << 4
            number += 1
    return place + (number + 1) // 2
