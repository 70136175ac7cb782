"""A second oracle, by networkx: the search that label and trace of the first one are compared with."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from nsmodels.datasets.knowledge_graphs.oracle import BELIEVED
from nsmodels.datasets.knowledge_graphs.rules import ACCEPTING, HEAD, START, TAIL, transitions
from nsmodels.formats.graphs.tables import Graph


def faults(one: Graph) -> list[str]:
    """What a graph claims and a search of the product of graph and automaton does not find."""
    if any((one.marks == mark).sum() != 1 for mark in (HEAD, TAIL)):
        return ["expected one node marked as head and one as tail"]
    head, tail = (int(np.flatnonzero(one.marks == mark)[0]) for mark in (HEAD, TAIL))
    if not one.features[head]:
        return ["the head does not ask for a rule"]
    rounds = rounds_to_states(one)
    is_entailed = (tail, int(ACCEPTING[one.features[head] - 1])) in rounds
    if one.label >= 0 and is_entailed != one.label:
        return [f"label {one.label}, by the search {is_entailed:d}"]
    truth = np.zeros_like(one.truth)
    for (node, state), number in rounds.items():
        truth[number:, node, state] = True
    wrong = np.argwhere(truth != one.truth)
    return [f"trace of node {wrong[0][1]} after round {wrong[0][0]} differs from the search"] if len(wrong) else []


def rounds_to_states(one: Graph) -> dict[tuple[int, int], int]:
    """The round from which each pair (node, state) is reached from the head."""
    import networkx

    product, start = _product(one)
    lengths = networkx.single_source_shortest_path_length(product, start)
    return {place: max(length - 1, 0) for place, length in lengths.items()}


def entailing_path(one: Graph) -> list[int]:
    """The edges of a shortest path by which the rule entails the query, as numbers; empty where there is none."""
    import networkx

    product, start = _product(one)
    tail = int(np.flatnonzero(one.marks == TAIL)[0])
    end = (tail, int(ACCEPTING[one.features[start[0]] - 1]))
    if end not in product or not networkx.has_path(product, start, end):
        return []
    nodes = networkx.shortest_path(product, start, end)
    return [product.edges[pair]["edge"] for pair in pairwise(nodes)]


def _product(one: Graph) -> tuple[Any, tuple[int, int]]:
    """The product of graph and automaton as a directed graph of networkx, and the head in the first state."""
    import networkx

    head = int(np.flatnonzero(one.marks == HEAD)[0])
    steps = transitions()[one.features[head] - 1]
    product = networkx.DiGraph()
    product.add_node((head, START))
    trusted = np.ones(len(one.sources)) if one.confidence is None else one.confidence
    for e in np.flatnonzero(trusted >= BELIEVED).tolist():
        source, target, relation = int(one.sources[e]), int(one.targets[e]), int(one.relations[e])
        for u, v, moves in ((source, target, steps[0, relation]), (target, source, steps[1, relation])):
            for state in np.flatnonzero(moves >= 0).tolist():
                product.add_edge((u, state), (v, int(moves[state])), edge=e)
    return product, (head, START)
