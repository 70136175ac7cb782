"""A second oracle: the plan is read off the edges of its graph and run again, without the code that drew it."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.planning_graphs import domains
from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.formats.graphs.tables import Graph

Links = dict[int, dict[int, set[int]]]  # step, relation, atoms


def order_of(one: Graph) -> list[int]:
    """The steps in the order of their edges `next`, from the one that is marked as the first."""
    following = {int(s): int(t) for s, t, r in zip(one.sources, one.targets, one.relations, strict=True) if r == v.NEXT}
    steps = np.flatnonzero(one.marks == v.FIRST).tolist()
    while steps and steps[-1] in following:
        steps.append(following[steps[-1]])
    return steps


def faults(one: Graph) -> list[str]:
    """What a graph claims and a simulation of its edges does not find."""
    is_lifted = bool((one.relations >= v.SLOT).any())
    links = _links_of_arguments(one) if is_lifted else _links(one)
    state = set(np.flatnonzero(one.features == v.TRUE).tolist())
    goal = set(np.flatnonzero(one.marks == v.GOAL).tolist())
    order, runs = order_of(one), True
    expected = np.zeros((len(order) + 1, *one.truth.shape[1:]), bool)
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
    if not np.array_equal(expected.repeat(2 if is_lifted else 1, 0), one.truth):
        return ["the trace differs from the simulation"]
    return []


def _links(one: Graph) -> Links:
    links: Links = {}
    for s, t, r in zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True):
        step, atom = (t, s) if r == v.PRE else (s, t)
        if r != v.NEXT:
            links.setdefault(step, {}).setdefault(r, set()).add(atom)
    return links


def _links_of_arguments(one: Graph) -> Links:
    """What the steps of a lifted graph need and change, by the schemas of their types; what never changes is met."""
    words: dict[int, dict[int, int]] = {}
    for s, t, r in zip(one.sources.tolist(), one.targets.tolist(), one.relations.tolist(), strict=True):
        if r >= v.SLOT:
            words.setdefault(s, {})[r] = t
    atoms, steps = {}, {}
    for node, kind in enumerate(one.node_types.tolist()):
        given = [thing for _, thing in sorted(words.get(node, {}).items())]
        if v.LOWEST_SCHEMA <= kind < v.LOWEST_SCHEMA + len(v.SCHEMAS):
            steps[node] = (v.SCHEMAS[kind - v.LOWEST_SCHEMA], given)
        elif v.LOWEST_PREDICATE <= kind < v.LOWEST_PREDICATE + len(v.PREDICATES):
            atoms[v.PREDICATES[kind - v.LOWEST_PREDICATE], *given] = node
    return {step: _bound(name, given, atoms) for step, (name, given) in steps.items()}


def _bound(name: str, given: list[int], atoms: dict[tuple, int]) -> dict[int, set[int]]:
    family, _, action = name.partition("/")
    schema = next(each for each in domains.domain(family).schemas if each.name == action)
    binding = dict(zip((variable for variable, _ in schema.parameters), given, strict=True))
    parts = {v.PRE: schema.positive, v.ADD: schema.add, v.DELETE: schema.delete}
    named = {r: [(f"{family}/{p}", *(binding[w] for w in words)) for p, *words in part] for r, part in parts.items()}
    return {relation: {atoms[atom] for atom in part if atom in atoms} for relation, part in named.items()}
