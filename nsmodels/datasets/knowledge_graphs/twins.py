"""Twins: two graphs with the same edges but for two that were crossed, drawn and labelled in compiled code.

All paths lie in layers: node p of a path is in layer p, and other edges stay in a layer or lead to the next. Head and
tail are thus as far apart in both twins as the rule's word is long. There are three or more paths with the word of the
rule: that of the query, and decoys between other nodes. Crossing two paths at position p exchanges the ends of their
edges there, so that each leads on along the other:

    query   h -a- . -b- . ─┐ ┌─ . -c- . -d- t
                           ╳                         the query's path is broken: label 0
    decoy   . -a- . -b- . ─┘ └─ . -c- . -d- .

In the twin with label 1 two decoys are crossed at the same position. Both are what the same drawing gives with a
different pairing of equal halves, and every node keeps its relations: no count of edges, types or degrees differs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.knowledge_graphs.oracle import pack, reach
from nsmodels.datasets.knowledge_graphs.rules import (
    ACCEPTING,
    DISJOINT,
    INSTANCE,
    LETTERS,
    NEAR,
    NUM_LETTERS,
    RELATED,
    SUBCLASS,
    TYPE_RULE,
)

MOST_TRIES = 500  # of one pair, before the settings count as impossible


class Dials(NamedTuple):
    """How much surrounds the query: paths with its word (its own included), near misses, further edges."""

    num_paths: int
    num_misses: int
    random_share: float
    missing_rate: float


class Pairs(NamedTuple):
    """Flat arrays of the pairs that are drawn, twins one after the other.

    Attributes:
        node_offsets: int64 (graphs + 1,).
        edges: int64 (E, 3): source, target, relation; longer than needed.
        names: int64 (N,) number of each node that was drawn, within its graph: head first, tail at `length`.
        sizes: int64 (graphs, 4): edges, bytes of the trace, its rounds, label.
        trace: uint8, longer than needed.
    """

    node_offsets: NDArray[np.int64]
    edges: NDArray[np.int64]
    names: NDArray[np.int64]
    sizes: NDArray[np.int64]
    trace: NDArray[np.uint8]


def draw(
    rng: np.random.Generator, rules: NDArray[np.int64], lengths: NDArray[np.int64], dials: Dials
) -> tuple[Pairs, int]:
    """Pairs with the given rules and lengths int64 (pairs,), and how many were found before one was impossible."""
    num_nodes = dials.num_paths * (lengths + 1) + dials.num_misses * (lengths - 1)
    num_edges = ((1 + dials.random_share) * lengths * (dials.num_paths + dials.num_misses)).astype(np.int64) + 1
    most_rounds = 2 * lengths + 4  # in which the oracle must have finished
    pairs = Pairs(
        np.concatenate([[0], np.cumsum(num_nodes.repeat(2))]).astype(np.int64),
        np.zeros((2 * int(num_edges.sum()), 3), np.int64),
        np.zeros(2 * int(num_nodes.sum()), np.int64),
        np.zeros((2 * len(rules), 4), np.int64),
        np.zeros(int((most_rounds * num_nodes + 1).sum()), np.uint8),
    )
    return pairs, _fill(rng, rules, lengths, num_edges, most_rounds, dials, pairs)


@njit(cache=True, nogil=True)
def _fill(rng, rules, lengths, num_edges, most_rounds, dials, pairs):
    """Fill the arrays with pairs, their twins in random order; returns how many were found."""
    trusts = np.ones(len(pairs.edges), np.bool_)
    first, byte = 0, 0
    for pair in range(len(rules)):
        rule, k = rules[pair], lengths[pair]
        node = pairs.node_offsets[2 * pair]
        n = pairs.node_offsets[2 * pair + 1] - node
        start, word = np.zeros((num_edges[pair], 3), np.int64), np.empty((k, 2), np.int64)
        states = np.zeros((2, most_rounds[pair], n), np.uint8)
        label = _below(rng, 2)  # of the twin that comes first
        is_found = False
        for _ in range(MOST_TRIES):
            e = _uncrossed(rng, rule, word, dials, start)
            # Not at the ends, whose marks their neighbours would carry from one path to the other.
            p = 1 + _below(rng, k - 2)
            is_found = _is_aligned(start, k, p)
            for place in range(2):
                at, own = first + place * e, node + place * n
                wanted = label ^ place
                if is_found:
                    _cross(start, e, wanted * k + p, (wanted + 1) * k + p, pairs.edges, at)
                    _shuffle(rng, pairs.edges, at, e, pairs.names, own, n)
                    head, tail = pairs.names[own], pairs.names[own + k]
                    num = reach(pairs.edges, at, at + e, trusts, head, rule, states[place])
                    is_found = num > 0 and (states[place, num - 1, tail] & (8 >> ACCEPTING[rule]) > 0) == wanted
                    pairs.sizes[2 * pair + place, 2] = num
            if is_found:
                break
        if not is_found:
            return pair
        for place in range(2):
            size = pairs.sizes[2 * pair + place]
            after = pack(states[place], size[2], pairs.trace, byte)
            size[0], size[1], size[3] = e, after - byte, label ^ place
            first, byte = first + e, after
    return len(rules)


@njit(cache=True, nogil=True)
def _below(rng, bound):
    return int(rng.random() * bound)


@njit(cache=True, nogil=True)
def _node(row, p, k, num_paths):
    """Number of the node in layer p of a row: first the paths with k + 1 nodes, then the near misses with k - 1."""
    return row * (k + 1) + p if row < num_paths else num_paths * (k + 1) + (row - num_paths) * (k - 1) + p - 1


@njit(cache=True, nogil=True)
def _connect(edges, e, u, v, relation, is_against, may_repeat):
    """Write edge e from u to v, or from v to u, unless it is there already; returns the number of edges."""
    source, target = (v, u) if is_against else (u, v)
    for other in range(e if may_repeat else 0):
        if edges[other, 0] == source and edges[other, 1] == target and edges[other, 2] == relation:
            return e
    edges[e, 0], edges[e, 1], edges[e, 2] = source, target, relation
    return e + 1


@njit(cache=True, nogil=True)
def _spell(rng, rule, word):
    """Draw a word of the rule into `word` (k, 2): relation, and 1 where the edge is followed against its direction."""
    k = len(word)
    top = 2 + _below(rng, k - 3)  # of types: where the disjoint classes meet, at least one subclass on either side
    for p in range(k):
        if rule < TYPE_RULE:
            letter = 0 if p == 0 else 3 if p == k - 1 else 1 if p % 2 else 2
            word[p, 0], word[p, 1] = LETTERS[rule, letter], 0
        else:
            word[p, 0] = INSTANCE if p == 0 else DISJOINT if p == top else SUBCLASS
            word[p, 1] = p > top


@njit(cache=True, nogil=True)
def _wrong(rng, rule, relation, is_against, p):
    """A relation and a direction that break the word at position p."""
    if rule < TYPE_RULE:
        return (relation + 1 + _below(rng, NUM_LETTERS - 1)) % NUM_LETTERS, 0
    if p == 0:
        return RELATED, _below(rng, 2)
    while True:
        found, direction = SUBCLASS + _below(rng, 3), _below(rng, 2)
        if found != relation or (found == SUBCLASS and direction != is_against):
            return found, direction


@njit(cache=True, nogil=True)
def _by_chance(rng, rule, p):
    """Relation and direction of a random edge from layer p."""
    against = _below(rng, 2)
    if rule < TYPE_RULE:
        return _below(rng, NEAR + 1), against
    if p == 0:
        return (INSTANCE, 0) if rng.random() < 0.5 else (RELATED, against)
    return SUBCLASS + _below(rng, 3), against


@njit(cache=True, nogil=True)
def _uncrossed(rng, rule, word, dials, edges):
    """Write the edges of both twins before any crossing; returns how many. Edge p of path i is number i k + p."""
    _spell(rng, rule, word)
    k, num_paths, num_rows = len(word), dials.num_paths, dials.num_paths + dials.num_misses
    e = 0
    for row in range(num_rows):
        # Near misses by turns from head to tail, from the head to a decoy's tail, from a decoy's head to the tail.
        is_miss, turn = row >= num_paths, (row - num_paths) % 3
        bad = _below(rng, k) if is_miss else -1
        first = row if not is_miss else 1 + _below(rng, num_paths - 1) if turn == 2 else 0
        last = row if not is_miss else 1 + _below(rng, num_paths - 1) if turn == 1 else 0
        for p in range(k):
            relation, against = word[p, 0], word[p, 1]
            if relation == DISJOINT:
                against = _below(rng, 2)
            if p == bad:
                relation, against = _wrong(rng, rule, relation, against, p)
            # What leads from the query's head to its tail is never missing, nor are the decoys that may be crossed.
            if row < 3 or (is_miss and turn == 0) or rng.random() >= dials.missing_rate:
                u, v = (
                    _node(row if p else first, p, k, num_paths),
                    _node(row if p < k - 1 else last, p + 1, k, num_paths),
                )
                e = _connect(edges, e, u, v, relation, against, False)
    for _ in range(int(dials.random_share * k * num_rows)):
        p = _below(rng, k)
        q = p + _below(rng, 2) if p else 1
        row, other = _below(rng, num_rows if p else num_paths), _below(rng, num_rows if q < k else num_paths)
        relation, against = _by_chance(rng, rule, p)
        # Between two paths, the word's own relation would be a second way to cross them.
        is_crossing = row < num_paths and other < num_paths and relation == word[p, 0] and q > p
        if (row != other or p != q) and not is_crossing:
            u, v = _node(row, p, k, num_paths), _node(other, q, k, num_paths)
            e = _connect(edges, e, u, v, relation, against, True)
    return e


@njit(cache=True, nogil=True)
def _is_aligned(edges, k, p):
    """Whether the edges p of the first three paths all point the same way, which only those of disjointness may not."""
    forward = 0
    for i in range(3):
        forward += edges[i * k + p, 0] == i * (k + 1) + p
    return forward % 3 == 0


@njit(cache=True, nogil=True)
def _cross(edges, num, one, other, into, at):
    """Copy the edges to `into`, from place `at` on, and exchange the targets of two."""
    for e in range(num):
        for column in range(3):
            into[at + e, column] = edges[e, column]
    into[at + one, 1], into[at + other, 1] = edges[other, 1], edges[one, 1]


@njit(cache=True, nogil=True)
def _shuffle(rng, edges, at, num, names, own, n):
    """Draw new numbers of the n nodes into `names`, from place `own` on, rename the edges, and shuffle them."""
    for i in range(n):
        j = _below(rng, i + 1)
        names[own + i] = names[own + j]
        names[own + j] = i
    for i in range(num):
        j = _below(rng, i + 1)
        for column in range(3):
            value = edges[at + i, column]
            edges[at + i, column] = edges[at + j, column]
            edges[at + j, column] = names[own + value] if column < 2 else value
