"""The explanation of one answer: rounds of what the network believes beside the oracle's trace, and what carried it.

Shapes: T states of the network, R rounds of the oracle, n nodes, e edges, C channels of the trace.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.graphs.tables import Graph, Graphs, graph
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.systems.graph.explanation.deletion import without_each_edge, without_each_node
from nsmodels.systems.graph.reasoner import Reasoner

LISTED = 8  # edges and nodes that the text names


@dataclass(frozen=True)
class Step:
    """One state of the network beside the oracle's.

    Attributes:
        round: from 1; of a network that is asked at its end alone, its last.
        num_decidable: truths that the messages so far decide.
        agreement: share of these on which network and oracle agree; None without a trace or without decidable truths.
        confidence: mean confidence of the network in these, or in all truths where there is no trace; None without.
    """

    round: int
    num_decidable: int
    agreement: float | None
    confidence: float | None


@dataclass(frozen=True)
class Explanation:
    """An answer with its reasons.

    Attributes:
        words: names of the ids.
        graph: that was asked.
        probability: of label 1, calibrated.
        rounds: that the network took.
        believed: (T, n, C) believed probability of each truth; (0, n, C) of a network without a trace.
        truth: (T, n, C) the oracle's truth at the same rounds, and `is_decidable` (T, n, C) whether it holds by then.
        steps: a summary of each state.
        by_edge: (e,) how much less probable the answer is without each edge; negative: more probable.
        by_node: (n,) the same with each node cut off.
    """

    words: Vocabulary
    graph: Graph
    probability: float
    rounds: int
    believed: NDArray[np.float32]
    truth: NDArray[np.bool_]
    is_decidable: NDArray[np.bool_]
    steps: list[Step]
    by_edge: NDArray[np.float64]
    by_node: NDArray[np.float64]

    @property
    def answer(self) -> int:
        """The predicted label."""
        return int(self.probability > 0.5)

    @property
    def confidence(self) -> float:
        """Calibrated probability of the predicted label."""
        return max(self.probability, 1 - self.probability)

    @property
    def carrying_edges(self) -> NDArray[np.int64]:
        """Edges by how much they carry the answer, the most important first."""
        return np.argsort(-np.abs(self.by_edge), kind="stable")

    @property
    def carrying_nodes(self) -> NDArray[np.int64]:
        """Nodes likewise."""
        return np.argsort(-np.abs(self.by_node), kind="stable")

    def edge_name(self, edge: int) -> str:
        """An edge as text."""
        one = self.graph
        source, target = self.node_name(int(one.sources[edge])), self.node_name(int(one.targets[edge]))
        return f"{source} –{self.words.relations[one.relations[edge]]}→ {target}"

    def node_name(self, node: int) -> str:
        """A node as text: number, type, and mark where it has one."""
        mark = self.graph.marks[node]
        return f"{node} {self.words.node_types[self.graph.node_types[node]]}" + (
            f" [{self.words.marks[mark]}]" if mark else ""
        )

    def text(self) -> str:
        """The answer, its rounds and what carried it as lines."""
        one, words = self.graph, self.words
        label = f"label {words.classes[one.label]}" if one.label >= 0 else "no label"
        lines = [
            f"{one.id}: {words.kinds[one.kind]}, {words.length} {one.length}; {label}",
            f"answer {words.classes[self.answer]}, confidence {self.confidence:.3f}, after {self.rounds} rounds",
            *self._step_lines(),
            "edges that carry it (how much less probable the answer is without each):",
            *(f"  {self.by_edge[k]:+.3f}  {self.edge_name(k)}" for k in self.carrying_edges[:LISTED].tolist()),
            "nodes that carry it (cut off from all others):",
            *(f"  {self.by_node[k]:+.3f}  {self.node_name(k)}" for k in self.carrying_nodes[:LISTED].tolist()),
        ]
        return "\n".join(lines)

    def _step_lines(self) -> list[str]:
        if not self.steps:
            return ["no trace: this network is asked for the label alone"]
        lines = [f"{'round':>5}  {'decidable truths':>16}  {'as the oracle':>13}  {'confidence':>10}"]
        for step in self.steps:
            agreement = "-" if step.agreement is None else f"{100 * step.agreement:.1f} %"
            confidence = "-" if step.confidence is None else f"{step.confidence:.3f}"
            lines.append(f"{step.round:>5}  {step.num_decidable:>16,}  {agreement:>13}  {confidence:>10}")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """Plain values: answer, steps, believed truths by channel and round, edges and nodes by what they carry."""
        one, words = self.graph, self.words
        return {
            "id": one.id,
            "kind": words.kinds[one.kind],
            "label": words.classes[one.label] if one.label >= 0 else None,
            "answer": words.classes[self.answer],
            "confidence": self.confidence,
            "rounds": self.rounds,
            "steps": [vars(step) for step in self.steps],
            "believed": self._by_channel(self.believed.astype(float).round(4)),
            "oracle": self._by_channel(self.truth.astype(int)) if len(one.truth) else {},
            "edges": [
                {"edge": self.edge_name(k), "number": k, "change": float(self.by_edge[k])}
                for k in self.carrying_edges.tolist()
            ],
            "nodes": [
                {"node": self.node_name(k), "number": k, "change": float(self.by_node[k])}
                for k in self.carrying_nodes.tolist()
            ],
        }

    def _by_channel(self, states: NDArray[Any]) -> dict[str, Any]:
        return {name: states[:, :, k].tolist() for k, name in enumerate(self.words.channels)}


def explain(reasoner: Reasoner, graphs: Graphs, row: int, with_trace: bool = True) -> Explanation:
    """Explain the answer for one graph of a table. Raises InputError for graphs with a different vocabulary.

    Without `with_trace` the rounds are left out: a network taught by labels alone has no trace.
    """
    asked = graphs.take([row])
    found = reasoner.predict(asked, with_trace=with_trace and has_trace(reasoner))
    one, probability = graph(asked, 0), float(found.probability[0])
    channels = len(graphs.vocabulary.channels)
    believed = found.believed[0] if found.believed else np.zeros((0, len(one.node_types), channels), np.float32)
    times = times_of(reasoner, len(believed), int(found.rounds[0]))
    truth, is_decidable = _oracle(one, times)
    sign = 1 if probability > 0.5 else -1
    return Explanation(
        words=graphs.vocabulary,
        graph=one,
        probability=probability,
        rounds=int(found.rounds[0]),
        believed=believed,
        truth=truth,
        is_decidable=is_decidable,
        steps=[_step(time, *each) for time, *each in zip(times, believed, truth, is_decidable, strict=True)],
        by_edge=sign * (probability - without_each_edge(reasoner, graphs.vocabulary, one)),
        by_node=sign * (probability - without_each_node(reasoner, graphs.vocabulary, one)),
    )


def has_trace(reasoner: Reasoner) -> bool:
    """Whether the network has learned the oracle's trace; one taught by labels alone believes nothing about it."""
    network: Any = reasoner.network
    return network.supervision != "none" and reasoner.config.objective.trace_weight > 0


def times_of(reasoner: Reasoner, num_states: int, rounds: int) -> list[int]:
    """Round of each state, from 0: one after the other; of networks that are asked at their end, `rounds` − 1 last."""
    network: Any = reasoner.network
    if network.supervision == "rounds" or not num_states:
        return list(range(num_states))
    return [*range(num_states - 1), max(rounds, num_states) - 1]


def _oracle(one: Graph, times: list[int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The oracle's truth after these rounds, and whether it is decidable by then, both (T, n, C)."""
    if not len(one.truth):
        empty = np.zeros((len(times), *one.since.shape), bool)
        return empty, empty
    last = len(one.truth) - 1
    truth = one.truth[[min(time, last) for time in times]]
    is_decidable = np.array([(one.since >= 0) & (one.since <= time) for time in times], bool)
    return truth, is_decidable.reshape(truth.shape)


def _step(time: int, believed: NDArray, truth: NDArray, is_decidable: NDArray) -> Step:
    sure = np.maximum(believed, 1 - believed)
    chosen = is_decidable if is_decidable.any() else np.zeros_like(is_decidable)
    if not chosen.any():
        return Step(time + 1, 0, None, float(sure.mean()) if sure.size else None)
    agrees = (believed > 0.5) == truth
    return Step(time + 1, int(chosen.sum()), float(agrees[chosen].mean()), float(sure[chosen].mean()))
