"""Checks of knowledge graphs: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nsmodels.datasets.knowledge_graphs.oracle import BELIEVED
from nsmodels.datasets.knowledge_graphs.rules import ACCEPTING, HEAD, NUM_LETTERS, START, TAIL, transitions
from nsmodels.formats.graphs import checks, files, shortcuts
from nsmodels.formats.graphs.checks import labels_are_balanced as labels_are_balanced
from nsmodels.formats.graphs.checks import schema as schema
from nsmodels.formats.graphs.checks import splits_are_disjoint as splits_are_disjoint
from nsmodels.formats.graphs.checks import twins_are_equal as twins_are_equal
from nsmodels.formats.graphs.checks import twins_are_told_apart as twins_are_told_apart
from nsmodels.formats.graphs.tables import Graph, graph

SAMPLE = 40  # graphs of each split that are searched again


def oracle_agrees(folder: Path) -> list[str]:
    """On a sample, networkx's search of the product of graph and automaton finds the label and every round's states."""
    found = []
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        for row in np.unique(np.linspace(0, len(graphs) - 1, SAMPLE).astype(int)).tolist():
            found += [f"{split} {graphs.ids[row]}: {fault}" for fault in faults(graph(graphs, row))]
    return found


def twins_are_equal_nearby(folder: Path) -> list[str]:
    """Twins agree in their colours after one round of Weisfeiler-Leman, and in the rounds that they demand."""
    found = checks.wl1_matched(("paths", "types"))(folder)
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        one, other = checks.twins(graphs).T
        rows = one[graphs.rounds[one] != graphs.rounds[other]].tolist()
        found += [f"{split} {graphs.ids[row]}: the twins demand different numbers of rounds" for row in rows]
    return found


def no_shortcut(folder: Path) -> list[str]:
    """Neither counts nor colours of short range tell the label, for each kind of query."""
    return shortcuts.no_shortcut(folder)


def faults(one: Graph) -> list[str]:
    """What a graph claims and a search of the product of graph and automaton does not find."""
    rounds = rounds_to_states(one)
    head, tail = (int(np.flatnonzero(one.marks == mark)[0]) for mark in (HEAD, TAIL))
    is_entailed = (tail, int(ACCEPTING[one.features[head] - 1])) in rounds
    if is_entailed != one.label:
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
                ((u, state), (v, int(moves[state]))) for state in range(NUM_LETTERS) if moves[state] >= 0
            )
    lengths = networkx.single_source_shortest_path_length(product, (head, START))
    return {place: max(length - 1, 0) for place, length in lengths.items()}
