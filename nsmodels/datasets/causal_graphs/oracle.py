"""Oracle of the causal graphs: the answer to a query, and the truths about all nodes after each round.

A round is what one step of message passing can do: truths after round t follow from what the node and its neighbours
had after round t - 1, from their types, features and marks, and from the relations between them. Round 0 uses the
node alone.

Interventional, "Y under do(X = x)" (Pearl 2009, ch. 3). Mechanisms are deterministic, roots are known. `value` of a
root and of X is known from round 0, of any other node one round after the last of its parents.

Counterfactual, "would Y have changed under X = x?", by abduction, action and prediction (Pearl 2009, sec. 1.4.4). All
factual values v are known. Abduction: a node is V = f(parents) xor U, so U = v xor f(v of the parents): `noise`,
known from round 1, of roots from round 0. Action: X is set to the opposite of its factual value. Prediction: from
round 2 on every node takes f(values of its parents one round ago) xor U. On a graph without cycles this comes to rest
after as many rounds as its longest path has edges. `value` is this state, `changed` its difference from the fact.

Back-door, "does the adjusted set Z satisfy the back-door criterion for X and Y?" (Pearl 2009, def. 3.3.1): no member
is a descendant of X, and Z blocks every path from X to Y that begins with an edge into X. `descendant` (of X) and
`ancestor` (of Z) each spread by one edge a round, X and Z included. The second condition is d-separation without the
edges out of X, found by the ball of Shachter (1998; Koller & Friedman 2009, alg. 3.1): a ball that reached a node
from a child (`ball_up`; X at round 0) goes on to parents and children, unless the node is in Z; one that reached it
from a parent (`ball_down`) goes on to children, unless the node is in Z, and back to parents if the node is an
ancestor of Z. All four only grow, so it does not matter that the ball may wait for `ancestor`. The set is valid
unless the ball reaches Y or a member of Z descends from X.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from nsmodels.datasets.causal_graphs.vocabulary import (
    ADJUSTED,
    ANCESTOR,
    AND,
    BACKDOOR,
    BALL_DOWN,
    BALL_UP,
    CHANGED,
    COUNTERFACTUAL,
    DESCENDANT,
    NEGATIVE,
    NOISE,
    NUM_CHANNELS,
    OR,
    OUTCOME,
    ROOT,
    SET_FALSE,
    SET_TRUE,
    TREATMENT,
    TRUE,
    VALUE,
)

# Rows of a graph in compiled code: `nodes`, int64 (3, n or more), and `edges`, int64 (3, e or more).
TYPE, FEATURE, MARK = range(3)
SOURCE, TARGET, RELATION = range(3)


@njit(cache=True, nogil=True)
def longest_path(num_nodes, num_edges, edges, depths):
    """Edges on the longest path, -1 where there is a cycle; fills `depths` (n,): the longest path into each node."""
    for i in range(num_nodes):
        depths[i] = 0
    for _ in range(num_nodes + 1):
        is_changed = False
        for e in range(num_edges):
            u, v = edges[SOURCE, e], edges[TARGET, e]
            if depths[v] <= depths[u]:
                depths[v] = depths[u] + 1
                is_changed = True
                if depths[v] >= num_nodes:
                    return -1
        if not is_changed:
            break
    longest = 0
    for i in range(num_nodes):
        longest = max(longest, depths[i])
    return longest


@njit(cache=True, nogil=True)
def answer(kind, num_nodes, num_edges, nodes, edges, most, truth, since):
    """Follow a query round by round until nothing changes, at most `most` rounds.

    Fills `truth`, uint8 (most or more, n, C), and `since`, int16 (n, C), -1 for channels that the kind does not have.
    Returns the label, 0 or 1, the number of rounds in `truth`, and the round from which an invalid set is known to be
    so, 0 for a valid one and for other kinds.
    """
    for i in range(num_nodes):
        for c in range(NUM_CHANNELS):
            since[i, c] = 0 if (kind == BACKDOOR) == (c >= DESCENDANT) else -1
            truth[0, i, c] = 0
    if kind == BACKDOOR:
        return _follow_ball(num_nodes, num_edges, nodes, edges, most, truth)
    return _follow_values(kind == COUNTERFACTUAL, num_nodes, num_edges, nodes, edges, most, truth, since)


@njit(cache=True, nogil=True)
def _follow_values(is_factual, num_nodes, num_edges, nodes, edges, most, truth, since):
    outcome, rounds, latest = 0, 1, 0
    num_true, num_parents = np.zeros(num_nodes, np.int64), np.zeros(num_nodes, np.int64)
    for e in range(num_edges):
        num_parents[edges[TARGET, e]] += 1
    for i in range(num_nodes):
        is_set = nodes[MARK, i] == SET_FALSE or nodes[MARK, i] == SET_TRUE
        is_true, is_root = nodes[FEATURE, i] == TRUE, nodes[TYPE, i] == ROOT
        truth[0, i, VALUE] = nodes[MARK, i] == SET_TRUE if is_set else is_true
        truth[0, i, CHANGED] = is_factual and is_set
        truth[0, i, NOISE] = is_factual and is_root and is_true
        since[i, CHANGED] = 0 if is_factual else -1
        since[i, NOISE] = (0 if is_root else 1) if is_factual else -1
        if nodes[MARK, i] == OUTCOME:
            outcome = i
    for t in range(1, most):
        before, after = truth[t - 1], truth[t]
        is_abduction = is_factual and t == 1
        is_changed = is_abduction
        num_true[:] = 0
        for e in range(num_edges):
            u, v = edges[SOURCE, e], edges[TARGET, e]
            is_true = nodes[FEATURE, u] == TRUE if is_abduction else before[u, VALUE] == 1
            num_true[v] += is_true != (edges[RELATION, e] == NEGATIVE)
            is_set = nodes[MARK, v] == SET_FALSE or nodes[MARK, v] == SET_TRUE
            if not is_factual and not is_set and since[v, VALUE] <= since[u, VALUE]:
                since[v, VALUE] = since[u, VALUE] + 1
                latest = max(latest, since[v, VALUE])
        for i in range(num_nodes):
            for c in range(NUM_CHANNELS):
                after[i, c] = before[i, c]
            is_set = nodes[MARK, i] == SET_FALSE or nodes[MARK, i] == SET_TRUE
            if nodes[TYPE, i] == ROOT or (is_set and not is_abduction):
                continue
            value = num_true[i] % 2 == 1
            if nodes[TYPE, i] == AND:
                value = num_true[i] == num_parents[i]
            elif nodes[TYPE, i] == OR:
                value = num_true[i] > 0
            is_true = nodes[FEATURE, i] == TRUE
            if is_abduction:
                after[i, NOISE] = value != is_true
                continue
            after[i, VALUE] = value != (before[i, NOISE] == 1)
            after[i, CHANGED] = is_factual and (after[i, VALUE] == 1) != is_true
            is_changed = is_changed or after[i, VALUE] != before[i, VALUE]
        if not is_changed and t > latest:
            break
        rounds = t + 1
    return truth[rounds - 1, outcome, CHANGED if is_factual else VALUE], rounds, 0


@njit(cache=True, nogil=True)
def _follow_ball(num_nodes, num_edges, nodes, edges, most, truth):
    rounds, decided = 1, 0
    for i in range(num_nodes):
        truth[0, i, DESCENDANT] = nodes[MARK, i] == TREATMENT
        truth[0, i, BALL_UP] = nodes[MARK, i] == TREATMENT
        truth[0, i, ANCESTOR] = nodes[MARK, i] == ADJUSTED
    for t in range(1, most):
        before, after = truth[t - 1], truth[t]
        for i in range(num_nodes):
            for c in range(NUM_CHANNELS):
                after[i, c] = before[i, c]
        for e in range(num_edges):
            u, v = edges[SOURCE, e], edges[TARGET, e]
            after[v, DESCENDANT] |= before[u, DESCENDANT]
            after[u, ANCESTOR] |= before[v, ANCESTOR]
            if nodes[MARK, u] == TREATMENT:  # edges out of X are no part of a back-door path
                continue
            if nodes[MARK, u] != ADJUSTED:
                after[v, BALL_DOWN] |= before[u, BALL_UP] | before[u, BALL_DOWN]
            if nodes[MARK, v] != ADJUSTED:
                after[u, BALL_UP] |= before[v, BALL_UP]
            after[u, BALL_UP] |= before[v, BALL_DOWN] & before[v, ANCESTOR]
        is_changed = False
        for i in range(num_nodes):
            for c in range(DESCENDANT, NUM_CHANNELS):
                is_changed = is_changed or after[i, c] != before[i, c]
        if not is_changed:
            break
        rounds = t + 1
        for i in range(num_nodes):
            is_reached = nodes[MARK, i] == OUTCOME and (after[i, BALL_UP] or after[i, BALL_DOWN])
            if decided == 0 and (is_reached or (nodes[MARK, i] == ADJUSTED and after[i, DESCENDANT])):
                decided = t
    return 1 if decided == 0 else 0, rounds, decided


@njit(cache=True, nogil=True)
def structural_rounds(kind, num_nodes, num_edges, nodes, edges, vector):
    """Rounds that the structure demands, nothing of it taken from the oracle's run, and nodes that a ball could reach.

    Values need the longest directed path, one round for abduction and one for the start. The ball may turn around at
    colliders: twice the way from the treatment to the farthest node, edges out of the treatment removed, is the measure
    where it is longer. It could reach whatever is connected with the treatment then. `vector`: int64 (n,), overwritten.
    """
    rounds = longest_path(num_nodes, num_edges, edges, vector) + 2
    if kind != BACKDOOR:
        return rounds, num_nodes
    for i in range(num_nodes):
        vector[i] = 0 if nodes[MARK, i] == TREATMENT else -1
    farthest = 0
    for step in range(num_nodes):
        for e in range(num_edges):
            u, v = edges[SOURCE, e], edges[TARGET, e]
            if nodes[MARK, u] == TREATMENT:
                continue
            if vector[u] == step and vector[v] < 0:
                vector[v], farthest = step + 1, step + 1
            elif vector[v] == step and vector[u] < 0:
                vector[u], farthest = step + 1, step + 1
        if farthest <= step:
            break
    size = 0
    for i in range(num_nodes):
        size += vector[i] >= 0
    return max(rounds, 2 * farthest + 2), size
