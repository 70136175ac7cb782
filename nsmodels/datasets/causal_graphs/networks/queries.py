"""Back-door queries on one network, in twins: a valid and an invalid adjusted set of the same treatment and outcome.

Nothing on a real graph can be swapped, so that the twins differ in the adjusted set alone. Their sets are of equal
size, and their members have equal in- and out-degrees ("degrees"): all pooled counts are equal. Where there are such
sets, as many members are also parents and children of treatment, outcome and each other ("places").
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.causal_graphs.labelling import labelled, permuted
from nsmodels.datasets.causal_graphs.networks.bif import Network
from nsmodels.datasets.causal_graphs.oracle import answer
from nsmodels.datasets.causal_graphs.vocabulary import (
    ADJUSTED,
    BACKDOOR,
    CAUSE,
    FALSE,
    NONE,
    NUM_CHANNELS,
    OUTCOME,
    TREATMENT,
    TRUE,
    UNKNOWN,
    VARIABLE,
)
from nsmodels.formats.graphs.tables import Graph

NUM_SETS = 120  # adjusted sets drawn for a query at a time
MOST_TRIES = 6  # queries tried for each pair that is wanted
LARGEST_SET = 5
LEVELS = ("places", "degrees")  # what twins agree in, the strictest first; each includes the next


@dataclass(frozen=True)
class Pair:
    """A valid and an invalid adjusted set of one query, by numbers of variables; `matched`: one of `LEVELS`."""

    treatment: int
    outcome: int
    distance: int
    valid: tuple[int, ...]
    invalid: tuple[int, ...]
    matched: str


def draw_pairs(network: Network, most: int, rng: np.random.Generator) -> list[Pair]:
    """At most so many different pairs; none where the network has no valid and invalid sets of equal degrees.

    Pairs that match in degrees only are used where the network has no others.
    """
    graph = _Graph(network)
    queries = graph.queries()
    found: dict[str, dict[Hashable, Pair]] = {level: {} for level in LEVELS}
    for _ in range(MOST_TRIES * most if queries else 0):
        pair = graph.pair(*queries[rng.integers(len(queries))], rng)
        if pair is not None:
            key = (pair.treatment, pair.outcome, pair.valid, pair.invalid)
            found[pair.matched].setdefault(key, pair)
        if len(found[LEVELS[0]]) == most:
            break
    return list((found[LEVELS[0]] or found[LEVELS[1]]).values())[:most]


def graphs_of(network: Network, pairs: Sequence[Pair], first: int, rng: np.random.Generator) -> Iterator[Graph]:
    """The two graphs of each pair, in random order; pairs are numbered from `first` on.

    As in the drawn graphs, the variables have values, which the criterion does not ask about. They are equal for equal
    degrees, and so in the members of both sets.
    """
    graph = _Graph(network)
    for number, pair in enumerate(pairs):
        order, values = rng.permutation(graph.size), graph.values(rng)
        for side in rng.permutation(2).tolist():
            nodes = graph.nodes(pair.treatment, pair.outcome, pair.valid if side else pair.invalid)
            nodes[1] = values
            one = labelled(BACKDOOR, nodes, graph.edges, pair.distance, "", first + number)
            yield permuted(one, order, rng)


def small_sets(network: Network, most: int) -> Iterator[tuple[int, int, tuple[int, ...], bool]]:
    """Treatment, outcome, a set of up to two members, and whether it is valid; at most so many, spread evenly."""
    graph = _Graph(network)
    every = [
        (treatment, outcome, members)
        for treatment, outcome, _ in graph.queries()
        for size in (1, 2)
        for members in combinations([node for node in range(graph.size) if node not in (treatment, outcome)], size)
    ]
    for treatment, outcome, members in islice(every, 0, None, max(1, -(-len(every) // most))):
        yield treatment, outcome, members, bool(graph.label(treatment, outcome, members))


class _Graph:
    """A network as numbered nodes and edges."""

    def __init__(self, network: Network) -> None:
        names = network.variables
        self.size = len(names)
        arcs = [(names.index(u), names.index(v)) for v in names for u in network.parents[v]]
        self.edges = np.array([*zip(*arcs, strict=True)] or [[], []], np.int64)
        self.edges = np.vstack([self.edges, np.full(len(arcs), CAUSE)]).astype(np.int64)
        self.above: list[list[int]] = [[u for u, v in arcs if v == node] for node in range(self.size)]
        self.below: list[list[int]] = [[v for u, v in arcs if u == node] for node in range(self.size)]
        rounds = 2 * self.size + 2
        self._truth = np.empty((rounds, self.size, NUM_CHANNELS), np.uint8)
        self._since = np.empty((self.size, NUM_CHANNELS), np.int16)

    def queries(self) -> list[tuple[int, int, int]]:
        """Treatment, which has a parent, outcome below it, and the directed distance between them."""
        return [
            (x, y, distance)
            for x in range(self.size)
            if self.above[x]
            for y, distance in self._distances(x).items()
            if distance > 0
        ]

    def nodes(self, treatment: int, outcome: int, members: Sequence[int]) -> NDArray[np.int64]:
        """Types, features and marks, int64 (3, n)."""
        nodes = np.zeros((3, self.size), np.int64)
        nodes[0], nodes[1], nodes[2] = VARIABLE, UNKNOWN, NONE
        nodes[2, treatment], nodes[2, outcome], nodes[2, list(members)] = TREATMENT, OUTCOME, ADJUSTED
        return nodes

    def values(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """A random value of each variable, int64 (n,), the same for equal degrees."""
        degrees = [(len(above), len(below)) for above, below in zip(self.above, self.below, strict=True)]
        drawn = {each: int(rng.integers(FALSE, TRUE + 1)) for each in dict.fromkeys(degrees)}
        return np.array([drawn[each] for each in degrees], np.int64)

    def pair(self, treatment: int, outcome: int, distance: int, rng: np.random.Generator) -> Pair | None:
        """A valid and an invalid set that match in the strictest of `LEVELS` possible; None where there are none."""
        sets = self._sets(treatment, outcome, rng)
        labels = {members: self.label(treatment, outcome, members) for members in sets}
        if len(set(labels.values())) < 2:
            return None
        keys = (self._places, self._degrees)
        for level, key in zip(LEVELS, keys, strict=True):
            groups: dict[Hashable, tuple[list, list]] = {}
            for members, label in labels.items():
                groups.setdefault(key(treatment, outcome, members), ([], []))[label].append(members)
            both = [group for group in groups.values() if group[0] and group[1]]
            if both:
                invalid, valid = both[rng.integers(len(both))]
                ends = valid[rng.integers(len(valid))], invalid[rng.integers(len(invalid))]
                return Pair(treatment, outcome, distance, *ends, level)
        return None

    def _sets(self, treatment: int, outcome: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
        """Different sets of one size, which favour parents of the treatment: those have a chance to be valid."""
        free = [node for node in range(self.size) if node not in (treatment, outcome)]
        size = int(rng.integers(1, max(1, min(LARGEST_SET, self.size // 4)) + 1))
        weights = np.array([3.0 if node in self.above[treatment] else 1.0 for node in free])
        if len(free) < size:
            return []
        drawn = (rng.choice(free, size, replace=False, p=weights / weights.sum()) for _ in range(NUM_SETS))
        return list(dict.fromkeys(tuple(sorted(members.tolist())) for members in drawn))

    def label(self, treatment: int, outcome: int, members: Sequence[int]) -> int:
        """1 for a valid set, 0 for an invalid one, by the oracle."""
        nodes, most = self.nodes(treatment, outcome, members), len(self._truth)
        args = (BACKDOOR, self.size, self.edges.shape[1], nodes, self.edges, most, self._truth, self._since)
        return int(answer(*args)[0])

    def _degrees(self, treatment: int, outcome: int, members: Sequence[int]) -> Hashable:
        return tuple(sorted((len(self.above[node]), len(self.below[node])) for node in members))

    def _places(self, treatment: int, outcome: int, members: Sequence[int]) -> Hashable:
        marks = {treatment: TREATMENT, outcome: OUTCOME} | dict.fromkeys(members, ADJUSTED)
        degrees = self._degrees(treatment, outcome, members)
        arcs = sorted((marks[u], marks[v]) for v in marks for u in self.above[v] if u in marks)
        return degrees, tuple(arcs)

    def _distances(self, start: int) -> dict[int, int]:
        reached, frontier = {start: 0}, [start]
        while frontier:
            near = dict.fromkeys(v for u in frontier for v in self.below[u] if v not in reached)
            reached |= dict.fromkeys(near, reached[frontier[0]] + 1)
            frontier = list(near)
        return reached
