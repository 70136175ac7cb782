"""Twins: two graphs one swap of edges apart, with equal counts and opposite labels, neither of them the original.

A swap replaces a → b and c → d, of one relation, by a → d and c → b. It keeps the degrees of all nodes by relation.
The walk does not enter graphs with a cycle, with an edge twice, or with a different distance between treatment and
outcome. Proposals are symmetric, so that the walk over all graphs with these degrees tends to the uniform
distribution and is reversible: at rest, a step from g to h is as probable as one from h to g. Of all steps of a walk
that change the label one is chosen uniformly; its two ends are the twins. They are therefore exchangeable: no
statistic of one graph, however it is computed, favours the end that happened to be first, and each label is as often
the first.

Of back-door twins, a cue would be left in the size of what the treatment is connected with when its outgoing edges are
removed: it is smaller where the set is valid. They agree in that size and in the rounds that the structure demands.

Matched twins: with swaps only between ends of equal type, feature and mark (a and c, b and d), every node keeps what
it is next to. The histograms of one round of Weisfeiler-Leman refinement are then equal, too.
"""

from __future__ import annotations

from numba import njit

from nsmodels.datasets.causal_graphs.drawing.chance import below
from nsmodels.datasets.causal_graphs.drawing.models import find_distances
from nsmodels.datasets.causal_graphs.oracle import (
    FEATURE,
    MARK,
    RELATION,
    SOURCE,
    TARGET,
    TYPE,
    answer,
    longest_path,
    structural_rounds,
)
from nsmodels.datasets.causal_graphs.vocabulary import BACKDOOR


@njit(cache=True, nogil=True)
def group_edges(num_edges, nodes, edges, is_matched, partners, starts):
    """Group the edges that may be swapped with each other; a swap leaves the groups as they are.

    Fills `partners` (e,) with the numbers of the edges, group after group, and `starts` (2, e) with the first and the
    end of each edge's group in it.
    """
    num_placed = 0
    for e in range(num_edges):
        starts[1, e] = 0
    for e in range(num_edges):
        if starts[1, e]:
            continue
        begin = num_placed
        for other in range(e, num_edges):
            if _is_like(nodes, edges, e, other, is_matched):
                partners[num_placed] = other
                num_placed += 1
        for k in range(begin, num_placed):
            starts[0, partners[k]], starts[1, partners[k]] = begin, num_placed


@njit(cache=True, nogil=True)
def _is_like(nodes, edges, one, other, is_matched):
    if edges[RELATION, one] != edges[RELATION, other]:
        return False
    for end in (SOURCE, TARGET):
        u, v = edges[end, one], edges[end, other]
        for row in (TYPE, FEATURE, MARK):
            if is_matched and nodes[row, u] != nodes[row, v]:
                return False
    return True


@njit(cache=True, nogil=True)
def walk(state, kind, num_nodes, num_edges, nodes, edges, ends, wanted, groups, steps, least_rounds, twins, scratch):
    """Walk over the graphs with these degrees; the twins are the ends of one step that changes the label.

    Args:
        ends: numbers of treatment and outcome.
        wanted: directed distance between them, which is kept.
        groups: `partners` and `starts` of `group_edges`.
        steps: proposals before the first step that may be chosen, and proposals after.
        least_rounds: back-door: rounds that it takes to see that the invalid one of the twins is invalid.
        twins: int64 (2, e); their targets are written here.
        scratch: truth, since, vector.

    Returns whether a step of the walk has changed the label.
    """
    partners, starts = groups
    truth, since, vector = scratch
    targets = edges[TARGET]
    num_found, label, decided = 0, -1, 0
    for step in range(steps[0] + steps[1]):
        if step == steps[0]:
            label, _, decided = answer(kind, num_nodes, num_edges, nodes, edges, len(truth), truth, since)
        one = below(state, num_edges)
        other = partners[starts[0, one] + below(state, starts[1, one] - starts[0, one])]
        a, b, c, d = edges[SOURCE, one], targets[one], edges[SOURCE, other], targets[other]
        if a == c or b == d or _is_there(num_edges, edges, a, d) or _is_there(num_edges, edges, c, b):
            continue
        targets[one], targets[other] = d, b
        is_entered = longest_path(num_nodes, num_edges, edges, vector) >= 0
        if is_entered:
            find_distances(num_nodes, num_edges, edges, ends[0], wanted, vector)
            is_entered = vector[ends[1]] == wanted
        if not is_entered:
            targets[one], targets[other] = b, d
        elif label >= 0:
            before, decided_before = label, decided
            label, _, decided = answer(kind, num_nodes, num_edges, nodes, edges, len(truth), truth, since)
            if label == before:
                continue
            if kind == BACKDOOR:
                is_near = max(decided, decided_before) < least_rounds
                now = structural_rounds(kind, num_nodes, num_edges, nodes, edges, vector)
                targets[one], targets[other] = b, d
                was = structural_rounds(kind, num_nodes, num_edges, nodes, edges, vector)
                targets[one], targets[other] = d, b
                if is_near or now[0] != was[0] or now[1] != was[1]:
                    continue
            num_found += 1
            if below(state, num_found) == 0:
                for e in range(num_edges):
                    twins[0, e] = twins[1, e] = targets[e]
                twins[0, one], twins[0, other] = b, d
    return num_found > 0


@njit(cache=True, nogil=True)
def _is_there(num_edges, edges, source, target):
    for e in range(num_edges):  # noqa: SIM110 — numba compiles the loop faster
        if edges[SOURCE, e] == source and edges[TARGET, e] == target:
            return True
    return False
