"""Checks of planning graphs: each function returns the faults it finds, one line each; an empty list is a pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.formats.graphs import files, shortcuts
from nsmodels.formats.graphs.checks import labels_are_balanced as labels_are_balanced
from nsmodels.formats.graphs.checks import schema as schema
from nsmodels.formats.graphs.checks import splits_are_disjoint as splits_are_disjoint
from nsmodels.formats.graphs.checks import twins
from nsmodels.formats.graphs.checks import twins_are_equal as twins_are_equal
from nsmodels.formats.graphs.checks import twins_are_told_apart as twins_are_told_apart
from nsmodels.formats.graphs.tables import Graph, graph

SAMPLE = 60  # graphs of each split that are simulated again


def oracle_agrees(folder: Path) -> list[str]:
    """On a sample, a simulation read off the graph's edges finds the label and every round of the trace."""
    found = []
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        for row in np.unique(np.linspace(0, len(graphs) - 1, SAMPLE).astype(int)).tolist():
            one = graph(graphs, row)
            if (one.relations < v.SLOT).all():  # with objects, what a step does is only in its type
                found += [f"{split} {one.id}: {fault}" for fault in faults(one)]
    return found


def same_steps(folder: Path) -> list[str]:
    """Twins consist of the same ground steps: equal multisets of what steps need, add and delete."""
    found = []
    for split in files.splits(folder):
        graphs = files.read_split(folder, split)
        for one, other in twins(graphs)[:SAMPLE].tolist():
            if steps_of(graph(graphs, one)) != steps_of(graph(graphs, other)):
                found.append(f"{split} {graphs.ids[one]}: its twin has other steps")
    return found


def no_shortcut(folder: Path) -> list[str]:
    """Neither counts nor colours of short range tell the label."""
    return shortcuts.no_shortcut(folder)


def steps_of(one: Graph) -> list[tuple[int, int, int, int]]:
    """Numbers of atoms that each step needs, adds, deletes, sorted; a count that does not name the atoms."""
    found = []
    for step in np.flatnonzero(one.node_types == v.STEP).tolist():
        into, out = one.targets == step, one.sources == step
        counts = [int((one.relations[into] == v.PRE).sum())]
        counts += [int((one.relations[out] == relation).sum()) for relation in (v.ADD, v.DELETE)]
        found.append((*counts, int(one.marks[step])))
    return sorted(found)


def order_of(one: Graph) -> list[int]:
    """The steps in the order of their edges `next`, from the one that is marked as the first."""
    following = {int(s): int(t) for s, t, r in zip(one.sources, one.targets, one.relations, strict=True) if r == v.NEXT}
    steps = np.flatnonzero(one.marks == v.FIRST).tolist()
    while steps and steps[-1] in following:
        steps.append(following[steps[-1]])
    return steps


def faults(one: Graph) -> list[str]:
    """What a graph claims and a simulation of its edges does not find."""
    links: dict[int, dict[int, set[int]]] = {}
    for s, t, r in zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True):
        step, atom = (t, s) if r == v.PRE else (s, t)
        if r != v.NEXT:
            links.setdefault(step, {}).setdefault(r, set()).add(atom)
    state = set(np.flatnonzero(one.features == v.TRUE).tolist())
    goal = set(np.flatnonzero(one.marks == v.GOAL).tolist())
    order, runs = order_of(one), True
    expected = np.zeros_like(one.truth)
    for t, step in enumerate(order):
        expected[t, list(state), v.HOLDS] = True
        expected[t, step, v.CLOCK] = True
        effects = links.get(step, {})
        if effects.get(v.PRE, set()) - state:
            runs = False
            expected[t + 1 :, step, v.FAILS] = True
        state = (state - effects.get(v.DELETE, set())) | effects.get(v.ADD, set())
    expected[len(order) :, list(state), v.HOLDS] = True
    label = int(runs and goal <= state)
    if label != one.label:
        return [f"label {one.label}, by the simulation {label}"]
    if expected.shape != one.truth.shape or (expected != one.truth).any():
        return ["the trace differs from the simulation"]
    return []
