"""A second oracle, by networkx: the search that label and trace of the first one are compared with."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.knowledge_graphs.oracle import BELIEVED
from nsmodels.datasets.knowledge_graphs.rules import ACCEPTING, HEAD, NUM_STATES, START, TAIL, transitions
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
    """The round from which each pair (node, state) is reached from the head, by networkx and not by the oracle."""
    import networkx

    head = int(np.flatnonzero(one.marks == HEAD)[0])
    steps = transitions()[one.features[head] - 1]
    product = networkx.DiGraph()
    product.add_node((head, START))
    trusted = np.ones(len(one.sources)) if one.confidence is None else one.confidence
    for e in np.flatnonzero(trusted >= BELIEVED).tolist():
        source, target, relation = int(one.sources[e]), int(one.targets[e]), int(one.relations[e])
        for u, v, moves in ((source, target, steps[0, relation]), (target, source, steps[1, relation])):
            product.add_edges_from(
                ((u, state), (v, int(moves[state]))) for state in range(NUM_STATES) if moves[state] >= 0
            )
    lengths = networkx.single_source_shortest_path_length(product, (head, START))
    return {place: max(length - 1, 0) for place, length in lengths.items()}
