"""Twins: two graphs with the same edges but for two that were crossed, drawn and labelled in compiled code.

All paths lie in layers: node p of a path is in layer p, and other edges stay in a layer or lead to the next. Head and
tail are thus as far apart in both twins as the rule's word is long. There are three or more paths with the word
of the rule: that of the query, and decoys between other nodes. Crossing two paths at position p exchanges the ends of
their edges there, so that each leads on along the other:

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

from nsmodels.datasets.knowledge_graphs.oracle import eccentricity, pack, reach
from nsmodels.datasets.knowledge_graphs.rules import (
    ACCEPTING,
    DISJOINT,
    INSTANCE,
    LETTERS,
    NEAR,
    NUM_LETTERS,
    RELATED,
    SETS,
    SUBCLASS,
    TYPE_RULE,
)


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
        sizes: int64 (graphs, 5): edges, bytes of the trace, its rounds, rounds that the structure demands, label.
        trace: uint8, longer than needed.
    """

    node_offsets: NDArray[np.int64]
    edges: NDArray[np.int64]
    names: NDArray[np.int64]
    sizes: NDArray[np.int64]
    trace: NDArray[np.uint8]


MOST_TRIES = 2_000  # of one pair, before the settings count as impossible


@njit(cache=True, nogil=True)
def most_rounds(k):
    """Rounds in which the oracle must have finished."""
    return 2 * k + 4


@njit(cache=True, nogil=True)
def most_edges(k, dials):
    """Largest number of edges of a graph."""
    return int((1 + dials.random_share) * k * (dials.num_paths + dials.num_misses)) + 1


@njit(cache=True, nogil=True)
def below(rng, bound):
    """A random integer from 0 to bound - 1."""
    return int(rng.random() * bound)


@njit(cache=True, nogil=True)
def spelled(rng, rule, word):
    """Draw a word of the rule into `word` (k, 2): relation, and 1 where the edge is followed against its direction."""
    k = len(word)
    word[:, 1] = 0
    if rule < TYPE_RULE:
        a, b, c, d = LETTERS[rule]
        word[0, 0], word[k - 1, 0] = a, d
        for p in range(1, k - 1):
            word[p, 0] = b if p % 2 else c
        return
    top = 2 + below(rng, k - 3)  # at least one subclass on either side
    word[:, 0] = SUBCLASS
    word[0, 0], word[top, 0] = INSTANCE, DISJOINT
    word[top, 1] = rng.random() < 0.5
    word[top + 1 :, 1] = 1


@njit(cache=True, nogil=True)
def wrong(rng, rule, word, p):
    """A relation and a direction at position p that no word of the rule has there, given the rest of the word."""
    relation, is_against = word[p]
    if rule < TYPE_RULE:
        return (relation + 1 + below(rng, NUM_LETTERS - 1)) % NUM_LETTERS, 0
    if p == 0:
        return RELATED, below(rng, 2)
    while True:
        found, direction = SUBCLASS + below(rng, 3), below(rng, 2)
        if found != relation or (found == SUBCLASS and direction != is_against):
            return found, direction


@njit(cache=True, nogil=True)
def by_chance(rng, rule, is_first):
    """Relation and direction of a random edge from the first layer, or from a later one."""
    if rule < TYPE_RULE:
        return below(rng, NEAR + 1), below(rng, 2)
    if is_first:
        return (INSTANCE, 0) if rng.random() < 0.5 else (RELATED, below(rng, 2))
    return SUBCLASS + below(rng, 3), below(rng, 2)


@njit(cache=True, nogil=True)
def connect(edges, e, u, v, relation, is_against):
    """Write edge e from u to v, or from v to u."""
    edges[e, 0], edges[e, 1], edges[e, 2] = (v, u, relation) if is_against else (u, v, relation)


@njit(cache=True, nogil=True)
def node(row, p, k, num_paths):
    """Number of the node in layer p of a row: first the paths with k + 1 nodes, then the near misses with k - 1."""
    return row * (k + 1) + p if row < num_paths else num_paths * (k + 1) + (row - num_paths) * (k - 1) + p - 1


@njit(cache=True, nogil=True)
def paths(rng, word, num_paths, edges):
    """Write the paths that spell the word: edge p of path i is number i k + p."""
    k = len(word)
    for i in range(num_paths):
        for p in range(k):
            against = rng.random() < 0.5 if word[p, 0] == DISJOINT else word[p, 1]
            connect(edges, i * k + p, node(i, p, k, num_paths), node(i, p + 1, k, num_paths), word[p, 0], against)
    return num_paths * k


@njit(cache=True, nogil=True)
def near_misses(rng, rule, word, dials, edges, e):
    """Write paths with one wrong relation, by turns from head to tail, from the head, and into the tail."""
    k, num_paths = len(word), dials.num_paths
    for number in range(dials.num_misses):
        row, bad = num_paths + number, below(rng, k)
        first = 0 if number % 3 < 2 else 1 + below(rng, num_paths - 1)
        last = 0 if number % 3 != 1 else 1 + below(rng, num_paths - 1)
        for p in range(k):
            u = node(row if p else first, p, k, num_paths)
            v = node(row if p < k - 1 else last, p + 1, k, num_paths)
            relation, against = wrong(rng, rule, word, p) if p == bad else (word[p, 0], word[p, 1])
            connect(edges, e, u, v, relation, against)
            e += 1
    return e


@njit(cache=True, nogil=True)
def random_edges(rng, rule, k, dials, number, edges, e):
    """Write random edges within a layer, or from one to the next."""
    num_paths, num_rows = dials.num_paths, dials.num_paths + dials.num_misses
    for _ in range(number):
        p = below(rng, k)
        q = p + below(rng, 2) if p else 1
        u = node(below(rng, num_rows if p else num_paths), p, k, num_paths)
        v = node(below(rng, num_rows if q < k else num_paths), q, k, num_paths)
        relation, against = by_chance(rng, rule, p == 0)
        if u != v:
            connect(edges, e, u, v, relation, against)
            e += 1
    return e


@njit(cache=True, nogil=True)
def uncrossed(rng, rule, word, dials, edges):
    """Write the edges of both twins before any crossing; returns how many."""
    k = len(word)
    spelled(rng, rule, word)
    e = paths(rng, word, dials.num_paths, edges)
    e = near_misses(rng, rule, word, dials, edges, e)
    e = random_edges(rng, rule, k, dials, int(dials.random_share * e), edges, e)
    kept = 3 * k  # the query's path and the two decoys that may be crossed stay whole
    for i in range(kept, e):
        if rng.random() >= dials.missing_rate:
            edges[kept] = edges[i]
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def is_once(edges, e):
    """Whether no edge before edge e equals it."""
    for other in range(e):
        if edges[other, 0] == edges[e, 0] and edges[other, 1] == edges[e, 1] and edges[other, 2] == edges[e, 2]:
            return False
    return True


@njit(cache=True, nogil=True)
def crossed(before, after, one, other):
    """Copy the edges and exchange the targets of two; False where an edge is then there twice."""
    after[:] = before
    after[one, 1], after[other, 1] = before[other, 1], before[one, 1]
    num_once = 0
    for e in range(len(after)):
        num_once += is_once(after, e)
    return num_once == len(after)


@njit(cache=True, nogil=True)
def is_aligned(edges, k, p):
    """Whether the edges p of the first three paths all point the same way, which only those of disjointness may not."""
    forward = 0
    for i in range(3):
        forward += edges[i * k + p, 0] == i * (k + 1) + p
    return forward % 3 == 0


@njit(cache=True, nogil=True)
def shuffled(rng, edges, names):
    """Draw new numbers of the nodes into `names`, and rename and shuffle the edges."""
    for i in range(len(names)):
        j = below(rng, i + 1)
        names[i], names[j] = names[j], i
    for i in range(len(edges) - 1, -1, -1):
        j = below(rng, i + 1)
        for column in range(3):
            edges[i, column], edges[j, column] = edges[j, column], edges[i, column]
        edges[i, 0], edges[i, 1] = names[edges[i, 0]], names[edges[i, 1]]


@njit(cache=True, nogil=True)
def labelled(rng, rule, k, label, edges, trusted, names, states, rounds):
    """Shuffle a twin, trace it and count its rounds; False where the oracle's answer is not the label."""
    shuffled(rng, edges, names)
    last = reach(edges, trusted, names[0], SETS[rule], states)
    if last < 0 or ((states[last, names[k]] & (8 >> ACCEPTING[rule])) > 0) != label:
        return False
    ends = np.array([names[0], names[k]])
    rounds[0], rounds[1] = last + 1, eccentricity(edges, len(names), ends) + 2
    return True


@njit(cache=True, nogil=True)
def twins(rng, rule, word, dials, edges, names, states, rounds):
    """Draw a pair, the twin with label 0 first; returns the number of edges, -1 where no pair is found.

    Filled are `edges` (2, most, 3), `names` (2, n), `states` (2, rounds, n), and `rounds` (2, 2): rounds of the trace,
    and rounds that the structure demands, the latter equal in both.
    """
    k = len(word)
    start, trusted = edges[0].copy(), np.ones(edges.shape[1])
    for _ in range(MOST_TRIES):
        e = uncrossed(rng, rule, word, dials, start)
        # Not at the ends, whose marks their neighbours would carry from one path to the other.
        p = 1 + below(rng, k - 2)
        is_good = is_aligned(start, k, p)
        for label in range(2):
            own = edges[label, :e]
            is_good = is_good and crossed(start[:e], own, (label + 1) * k + p, label * k + p)
            is_good = is_good and labelled(
                rng, rule, k, label, own, trusted, names[label], states[label], rounds[label]
            )
        if is_good and rounds[0, 1] == rounds[1, 1]:
            return e
    return -1


@njit(cache=True, nogil=True)
def fill(rng, rules, lengths, dials, pairs):
    """Draw pairs with the given rules and lengths (pairs,) in random order of twins; returns how many were found."""
    first_edge, first_byte = 0, 0
    for pair in range(len(rules)):
        k, first = lengths[pair], pairs.node_offsets[2 * pair]
        n = pairs.node_offsets[2 * pair + 1] - first
        edges, names = np.zeros((2, most_edges(k, dials), 3), np.int64), np.zeros((2, n), np.int64)
        states, rounds = np.zeros((2, most_rounds(k), n), np.uint8), np.zeros((2, 2), np.int64)
        e = twins(rng, rules[pair], np.empty((k, 2), np.int64), dials, edges, names, states, rounds)
        if e < 0:
            return pair
        is_turned = below(rng, 2)
        for place in range(2):
            label = place ^ is_turned
            pairs.edges[first_edge : first_edge + e] = edges[label, :e]
            pairs.names[first + place * n : first + (place + 1) * n] = names[label]
            written = pack(states[label], rounds[label, 0], pairs.trace[first_byte:])
            row = pairs.sizes[2 * pair + place]
            row[0], row[1], row[2], row[3], row[4] = e, written, rounds[label, 0], rounds[label, 1], label
            first_edge, first_byte = first_edge + e, first_byte + written
    return len(rules)


def draw(
    rng: np.random.Generator, rules: NDArray[np.int64], lengths: NDArray[np.int64], dials: Dials
) -> tuple[Pairs, int]:
    """Pairs with the given rules and lengths int64 (pairs,), and how many were found before one was impossible."""
    num_nodes = dials.num_paths * (lengths + 1) + dials.num_misses * (lengths - 1)
    num_edges = sum(most_edges.py_func(int(k), dials) for k in lengths)
    num_bytes = int((most_rounds.py_func(lengths) * num_nodes + 1).sum())
    pairs = Pairs(
        np.concatenate([[0], np.cumsum(num_nodes.repeat(2))]).astype(np.int64),
        np.zeros((2 * num_edges, 3), np.int64),
        np.zeros(2 * int(num_nodes.sum()), np.int64),
        np.zeros((2 * len(rules), 5), np.int64),
        np.zeros(num_bytes, np.uint8),
    )
    return pairs, fill(rng, rules, lengths, dials, pairs)
