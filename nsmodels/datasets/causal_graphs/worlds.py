"""Second oracle of the causal graphs: all worlds that agree with what is known, in plain Python, and d-separation.

It shares no code with `oracle.py`, which labels the graphs, and goes another way: values by enumeration of the noise,
the back-door criterion by networkx.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import product

from nsmodels.datasets.causal_graphs.vocabulary import VOCABULARY
from nsmodels.formats.graphs.tables import Graph

MOST_WORLDS = 1 << 11
Values = Mapping[int, bool]


def malformed(graph: Graph) -> str:
    """Why a graph asks no query of its kind, as one of somebody's own may; empty where it does."""
    kind, marks = VOCABULARY.kinds[graph.kind], [VOCABULARY.marks[mark] for mark in graph.marks.tolist()]
    types = {VOCABULARY.node_types[number] for number in graph.node_types.tolist()}
    before = {v: set(graph.sources[graph.targets == v].tolist()) for v in range(len(marks))}
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        return f"cycle through nodes {', '.join(map(str, error.args[1]))}; expected none"
    if marks.count("outcome") != 1:
        return f"{marks.count('outcome')} nodes are marked 'outcome'; expected one"
    if kind == "backdoor":
        found = marks.count("treatment")
        return "" if found == 1 else f"{found} nodes are marked 'treatment'; expected one"
    if not any(mark.startswith("set") for mark in marks):
        return "no node is marked 'set false' or 'set true'; expected one"
    unknown = types - {"root", "and", "or", "xor"}
    return f"a node of type '{min(unknown)}' has no mechanism; expected root, and, or, xor" if unknown else ""


def answers(graph: Graph) -> set[bool] | None:
    """The answers to the query in all worlds that agree with what is known; None where there are too many worlds.

    A query with one answer is decided by what is known: the set has one member in every graph of this dataset.
    """
    if VOCABULARY.kinds[graph.kind] == "backdoor":
        return {is_valid(graph)}
    model = _Model(graph)
    is_factual = VOCABULARY.kinds[graph.kind] == "counterfactual"
    # Interventional queries are about models without noise: only the roots are open.
    free = list(model.parents) if is_factual else [node for node, parents in model.parents.items() if not parents]
    if 1 << len(free) > MOST_WORLDS:
        return None
    found = set()
    for bits in product((False, True), repeat=len(free)):
        noise = dict.fromkeys(model.parents, False) | dict(zip(free, bits, strict=True))
        facts = model.run(noise, {})
        if all(facts[node] == value for node, value in model.known.items()):
            outcome = model.run(noise, model.action)[model.outcome]
            found.add(outcome != facts[model.outcome] if is_factual else outcome)
    return found


def is_valid(graph: Graph) -> bool:
    """Whether the adjusted set satisfies the back-door criterion (Pearl 2009, def. 3.3.1), by networkx."""
    import networkx as nx

    marks = [VOCABULARY.marks[mark] for mark in graph.marks.tolist()]
    treatment, outcome = marks.index("treatment"), marks.index("outcome")
    adjusted = {node for node, mark in enumerate(marks) if mark == "adjusted"}
    model = nx.DiGraph()
    model.add_nodes_from(range(len(marks)))
    model.add_edges_from(zip(graph.sources.tolist(), graph.targets.tolist(), strict=True))
    if adjusted & nx.descendants(model, treatment):
        return False
    model.remove_edges_from(list(model.out_edges(treatment)))
    return nx.is_d_separator(model, {treatment}, {outcome}, adjusted)


class _Model:
    """The structural causal model of a graph: parents with their signs, what is known, the action."""

    def __init__(self, graph: Graph) -> None:
        words = VOCABULARY
        self.types = [words.node_types[number] for number in graph.node_types.tolist()]
        features = [words.features[number] for number in graph.features.tolist()]
        marks = [words.marks[number] for number in graph.marks.tolist()]
        self.parents: dict[int, list[tuple[int, bool]]] = {node: [] for node in range(len(marks))}
        for source, target, relation in zip(graph.sources, graph.targets, graph.relations, strict=True):
            self.parents[int(target)].append((int(source), words.relations[relation] == "negative"))
        self.order = tuple(
            TopologicalSorter({v: [u for u, _ in some] for v, some in self.parents.items()}).static_order()
        )
        self.known = {node: text == "true" for node, text in enumerate(features) if text != "unknown"}
        self.action = {node: mark == "set true" for node, mark in enumerate(marks) if mark.startswith("set")}
        self.outcome = marks.index("outcome")

    def run(self, noise: Values, action: Values) -> dict[int, bool]:
        """The values of all nodes, given the noise of each and the values that are set from outside."""
        values: dict[int, bool] = {}
        for node in self.order:
            literals = [values[parent] != is_negative for parent, is_negative in self.parents[node]]
            result = {"root": False, "and": all(literals), "or": any(literals), "xor": sum(literals) % 2 == 1}
            values[node] = action[node] if node in action else result[self.types[node]] != noise[node]
        return values
