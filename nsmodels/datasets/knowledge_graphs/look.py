"""Knowledge graphs as text: what is asked, the path that entails it, and all edges."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.knowledge_graphs.rules import HEAD, TAIL, TYPE_RULE, VOCABULARY, spelling
from nsmodels.datasets.knowledge_graphs.search import entailing_path
from nsmodels.formats.graphs.tables import Graph


def graph_text(one: Graph) -> str:
    """A graph as lines: `e3` is an entity, `c4` a class; the edges of the entailing path come first.

    Empty for a graph that asks nothing of this form.
    """
    if (
        any(np.count_nonzero(one.marks == mark) != 1 for mark in (HEAD, TAIL))
        or not one.features[one.marks == HEAD].all()
    ):
        return ""
    head, tail = (int(np.flatnonzero(one.marks == mark)[0]) for mark in (HEAD, TAIL))
    rule = int(one.features[head]) - 1
    asked = "cannot be a" if rule == TYPE_RULE else f"rule {rule + 1}"
    label = VOCABULARY.classes[one.label] if one.label >= 0 else "unknown"
    path = entailing_path(one)
    others = sorted(set(range(len(one.sources))) - set(path))
    return "\n".join(
        [
            f"{one.id}: {_name(one, head)}  {asked}  {_name(one, tail)}? {label}; distance {one.length}",
            f"  by {spelling(rule)}",
            *([f"  path: {'; '.join(_edge(one, e) for e in path)}"] if path else []),
            *(f"  {'; '.join(_edge(one, e) for e in others[k : k + 4])}" for k in range(0, len(others), 4)),
        ]
    )


def _name(one: Graph, node: int) -> str:
    return f"{VOCABULARY.node_types[one.node_types[node]][0]}{node}"


def _edge(one: Graph, edge: int) -> str:
    source, target = int(one.sources[edge]), int(one.targets[edge])
    return f"{_name(one, source)} {VOCABULARY.relations[one.relations[edge]]} {_name(one, target)}"
