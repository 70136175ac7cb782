"""A plan as text: its steps in order, what each needs and changes, and where it fails."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.datasets.planning_graphs.replay import order_of
from nsmodels.formats.graphs.tables import Graph

WORDS = {v.PRE: "needs", v.ADD: "adds", v.DELETE: "deletes"}


def graph_text(one: Graph) -> str:
    """A plan with numbered atoms: first state, goal, a line per step, an exclamation mark where a step fails."""
    order, atoms = order_of(one), np.flatnonzero(one.features != v.UNKNOWN).tolist()
    names = {node: f"a{number}" for number, node in enumerate(atoms)}
    first = " ".join(names[node] for node in atoms if one.features[node] == v.TRUE)
    goal = " ".join(names[node] for node in atoms if one.marks[node] == v.GOAL)
    lines = [
        f"{one.id}: {one.length} steps, {v.VOCABULARY.classes[one.label]}",
        f"  first: {first}",
        f"  goal:  {goal}",
    ]
    fails = one.truth[-1, :, v.FAILS] if len(one.truth) else np.zeros(len(one.node_types), bool)
    for number, step in enumerate(order, 1):
        parts = {word: _atoms(one, step, relation, names) for relation, word in WORDS.items()}
        text = "; ".join(f"{word} {listed}" for word, listed in parts.items() if listed)
        lines.append(f"  {number:>3}. {text}{'   ! a need is not met' if fails[step] else ''}")
    return "\n".join(lines)


def _atoms(one: Graph, step: int, relation: int, names: dict[int, str]) -> str:
    near, far = (one.targets, one.sources) if relation == v.PRE else (one.sources, one.targets)
    return " ".join(sorted(names[int(far[e])] for e in np.flatnonzero((near == step) & (one.relations == relation))))
