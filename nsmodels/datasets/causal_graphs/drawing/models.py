"""Random acyclic graphs with mechanisms and one query between nodes at a wanted directed distance."""

from __future__ import annotations

from numba import njit

from nsmodels.datasets.causal_graphs.drawing.chance import below, shuffle, uniform
from nsmodels.datasets.causal_graphs.oracle import FEATURE, MARK, RELATION, SOURCE, TARGET, TYPE
from nsmodels.datasets.causal_graphs.vocabulary import (
    ADJUSTED,
    AND,
    BACKDOOR,
    CAUSE,
    COUNTERFACTUAL,
    FALSE,
    HIDDEN,
    NONE,
    OR,
    OUTCOME,
    ROOT,
    SET_FALSE,
    SET_TRUE,
    TREATMENT,
    TRUE,
    UNKNOWN,
    VARIABLE,
    XOR,
)

# Positions in the vector of dials, float64 (11,), in the order of `config.dials`.
ROOT_SHARE, COLLIDER_SHARE, XOR_SHARE, HIDDEN_SHARE, PARENT_SHARE, MAX_PARENTS, WINDOW, MAX_ADJUSTED = range(8)
LEAST_ROUNDS, VARIED_PARENTS, HUB_SHARE = 8, 9, 10  # the last one is drawn, see `vary`


@njit(cache=True, nogil=True)
def vary(state, num_nodes, dials, varied):
    """Fill `varied` with the dials of one graph: degrees, lengths of paths and hubs of its own.

    Real networks are of many shapes: children in dozens, chains, layers, as many roots as others.
    """
    for k in range(len(dials)):
        varied[k] = dials[k]
    most = min(int(dials[VARIED_PARENTS]), num_nodes - 2)
    varied[MAX_PARENTS] = 1 + below(state, most)
    varied[WINDOW] = varied[MAX_PARENTS] + below(state, num_nodes - int(varied[MAX_PARENTS]))
    varied[ROOT_SHARE] = 0.4 * uniform(state)
    varied[COLLIDER_SHARE] = 0.3 + 0.6 * uniform(state)
    varied[HUB_SHARE] = max(0.0, 1.2 * uniform(state) - 0.6)
    varied[PARENT_SHARE] = uniform(state)


@njit(cache=True, nogil=True)
def draw_edges(state, num_nodes, dials, edges, order):
    """Fill in edges of a graph whose nodes are numbered in topological order; returns their number.

    A node has its parents among the `WINDOW` nodes before it. That keeps paths long: distance grows with size.
    """
    num_edges = 0
    hub = below(state, num_nodes // 2) if dials[HUB_SHARE] > 0 else -1
    for node in range(2, num_nodes):
        if uniform(state) < dials[ROOT_SHARE]:
            continue
        num_near = min(node, int(dials[WINDOW]))
        num_parents = 1
        if dials[MAX_PARENTS] > 1 and uniform(state) < dials[COLLIDER_SHARE]:
            num_parents = min(num_near, 2 + below(state, int(dials[MAX_PARENTS]) - 1))
        shuffle(state, order, num_near)
        has_hub = hub < 0 or hub >= node
        for k in range(num_parents):
            edges[SOURCE, num_edges], edges[TARGET, num_edges] = node - 1 - order[k], node
            num_edges += 1
            has_hub = has_hub or node - 1 - order[k] == hub
        if not has_hub and uniform(state) < dials[HUB_SHARE]:
            edges[SOURCE, num_edges - 1] = hub
    return num_edges


@njit(cache=True, nogil=True)
def find_distances(num_nodes, num_edges, edges, start, most, reached):
    """Fill `reached` (n,) with the edges on the shortest directed path from `start`; -1 beyond `most` and for none."""
    for i in range(num_nodes):
        reached[i] = -1
    reached[start] = 0
    for step in range(most):
        for e in range(num_edges):
            if reached[edges[SOURCE, e]] == step and reached[edges[TARGET, e]] < 0:
                reached[edges[TARGET, e]] = step + 1


@njit(cache=True, nogil=True)
def _draw_ends(state, num_nodes, num_edges, edges, wanted, with_parents, reached):
    """Treatment and outcome at the wanted distance, uniform over all such pairs; -1, -1 where there are none."""
    start, end, num_found = -1, -1, 0
    for x in range(num_nodes):
        has_parents = False
        for e in range(num_edges):
            has_parents = has_parents or edges[TARGET, e] == x
        if with_parents and not has_parents:
            continue
        find_distances(num_nodes, num_edges, edges, x, wanted, reached)
        for y in range(num_nodes):
            if reached[y] == wanted:
                num_found += 1
                if below(state, num_found) == 0:
                    start, end = x, y
    return start, end


@njit(cache=True, nogil=True)
def draw_query(state, kind, num_nodes, num_edges, nodes, edges, wanted, dials, order):
    """Fill in types, features, marks and relations of a drawn graph.

    Returns treatment and outcome; -1, -1 where no query of this kind fits.
    """
    # A back-door path begins with an edge into the treatment.
    x, y = _draw_ends(state, num_nodes, num_edges, edges, wanted, kind == BACKDOOR, order)
    if x < 0:
        return -1, -1
    for i in range(num_nodes):
        nodes[TYPE, i], nodes[FEATURE, i], nodes[MARK, i] = ROOT, UNKNOWN, NONE
    nodes[MARK, y] = OUTCOME
    if kind == BACKDOOR:
        nodes[MARK, x] = TREATMENT
        is_drawn = _draw_adjusted(state, num_nodes, num_edges, nodes, edges, dials, order)
        return (x, y) if is_drawn else (-1, -1)
    for e in range(num_edges):
        v = edges[TARGET, e]
        edges[RELATION, e] = below(state, 2)
        if nodes[TYPE, v] == ROOT:
            is_xor = uniform(state) < dials[XOR_SHARE]
            nodes[TYPE, v] = XOR if is_xor else AND if below(state, 2) == 0 else OR
    for i in range(num_nodes):
        if nodes[TYPE, i] == ROOT or kind == COUNTERFACTUAL:
            nodes[FEATURE, i] = FALSE + below(state, 2)
    nodes[MARK, x] = SET_FALSE + below(state, 2)
    if kind == COUNTERFACTUAL:
        nodes[MARK, x] = SET_FALSE if nodes[FEATURE, x] == TRUE else SET_TRUE
    return x, y


@njit(cache=True, nogil=True)
def _draw_adjusted(state, num_nodes, num_edges, nodes, edges, dials, order):
    """Hidden common causes and the marked set; False where there are too few variables for it.

    The variables have values, which the criterion does not ask about: distractors, as observed data have them.

    A uniform set hardly ever blocks every path. Therefore parents of the treatment are members with probability
    `PARENT_SHARE`, before others are drawn.
    """
    x = -1
    for i in range(num_nodes):
        if nodes[MARK, i] == TREATMENT:
            x = i
    for e in range(num_edges):
        edges[RELATION, e] = CAUSE
    num_free = 0
    for i in range(num_nodes):
        num_children, num_parents = 0, 0
        for e in range(num_edges):
            num_children += edges[SOURCE, e] == i
            num_parents += edges[TARGET, e] == i
        is_common = num_parents == 0 and num_children > 1 and nodes[MARK, i] == NONE
        is_hidden = is_common and uniform(state) < dials[HIDDEN_SHARE]
        nodes[TYPE, i] = HIDDEN if is_hidden else VARIABLE
        nodes[FEATURE, i] = UNKNOWN if is_hidden else FALSE + below(state, 2)
        if nodes[MARK, i] == NONE and not is_hidden:
            order[num_free] = i
            num_free += 1
    largest = max(1, min(int(dials[MAX_ADJUSTED]), num_nodes // 4, num_free))
    size = 1 + below(state, largest)
    shuffle(state, order, num_free)
    for e in range(num_edges):
        u = edges[SOURCE, e]
        is_free = nodes[TYPE, u] == VARIABLE and nodes[MARK, u] == NONE and size > 0
        if edges[TARGET, e] == x and is_free and uniform(state) < dials[PARENT_SHARE]:
            nodes[MARK, u] = ADJUSTED
            size -= 1
    for k in range(num_free):
        if size > 0 and nodes[MARK, order[k]] == NONE:
            nodes[MARK, order[k]] = ADJUSTED
            size -= 1
    return num_free > 0
