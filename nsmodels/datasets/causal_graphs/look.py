"""A causal graph as text: the question in words, a line per variable with its mechanism, and what the oracle finds."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.causal_graphs.vocabulary import BACKDOOR, COUNTERFACTUAL, VOCABULARY
from nsmodels.formats.graphs.tables import Graph

SIGNS = {"and": " and ", "or": " or ", "xor": " xor "}


def graph_text(one: Graph) -> str:
    """The graph: `v3 = v0 and not v1` is a mechanism; in brackets its mark, then what is known and the final truths."""
    answer = VOCABULARY.classes[one.label] if one.label >= 0 else "unknown"
    lines = [f"{one.id}: {_question(one)} {answer} ({one.rounds} rounds, distance {one.length})"]
    for node in range(len(one.node_types)):
        mark = VOCABULARY.marks[one.marks[node]]
        known = VOCABULARY.features[one.features[node]]
        parts = [f"v{node} {_mechanism(one, node)}".rstrip()]
        parts += [f"[{mark}]"] if one.marks[node] else []
        parts += [known] if known != "unknown" else []
        lines.append(f"  {' '.join(parts):<44} {_found(one, node)}".rstrip())
    return "\n".join(lines)


def _question(one: Graph) -> str:
    marks = [VOCABULARY.marks[mark] for mark in one.marks.tolist()]
    outcome = f"v{marks.index('outcome')}" if "outcome" in marks else "the outcome"
    if one.kind == BACKDOOR:
        members = ", ".join(f"v{node}" for node, mark in enumerate(marks) if mark == "adjusted")
        treatment = f"v{marks.index('treatment')}" if "treatment" in marks else "the treatment"
        return f"does adjustment for {members or 'nothing'} identify the effect of {treatment} on {outcome}?"
    action = ", ".join(f"v{node} = {mark[4:]}" for node, mark in enumerate(marks) if mark.startswith("set"))
    if one.kind == COUNTERFACTUAL:
        return f"would {outcome} have been different under {action}?"
    return f"is {outcome} true under do({action})?"


def _mechanism(one: Graph, node: int) -> str:
    name = VOCABULARY.node_types[one.node_types[node]]
    edges = np.flatnonzero(one.targets == node).tolist()
    negative = VOCABULARY.relations.index("negative")
    parents = [f"{'not ' if one.relations[e] == negative else ''}v{one.sources[e]}" for e in edges]
    if name in SIGNS:
        return f"= {SIGNS[name].join(parents)}"
    return (f"← {', '.join(parents)} " if parents else "") + ("(hidden)" if name == "hidden" else "")


def _found(one: Graph, node: int) -> str:
    """The truths of a node in the last round that the trace records."""
    if not len(one.truth):
        return ""
    pairs = zip(VOCABULARY.channels, one.truth[-1, node].tolist(), one.since[node].tolist(), strict=True)
    return " ".join(name.replace("_", " ") for name, is_true, since in pairs if is_true and since >= 0)
