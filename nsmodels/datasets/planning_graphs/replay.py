"""A second oracle: the plan is read off the edges of its graph and run again, without the code that drew it."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.formats.graphs.tables import Graph


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
