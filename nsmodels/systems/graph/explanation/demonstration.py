"""A graph reasoner at work: answers with what carried them, without that, and for the twin with the opposite label."""

from __future__ import annotations

from pathlib import Path
from typing import final

import numpy as np

from nsmodels.evaluation.demonstration import Account, Case, Demonstration, drawn, picture_of
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.explanation.drawing import draw
from nsmodels.systems.graph.explanation.explain import Explanation, explain
from nsmodels.systems.graph.reasoner import Reasoner

SPLIT = "test"
LISTED = 3  # edges that are removed


@final
class GraphDemonstration(Demonstration):
    """Answers of a reasoner to graphs.

    Args:
        reasoner: of a checkpoint.
        graphs: with labels.
        rows: those that are shown.
    """

    about = (
        "Queries on held-out graphs, each labelled by an oracle. Right: the answer is the oracle's. Below an answer is "
        "what the network believes round by round beside the oracle's trace, and which edges and nodes carry it."
    )
    about_change = (
        "The edges that carry the answer most are removed one at a time; then the twin is asked, a graph with equal "
        "counts of everything and the opposite label."
    )
    own = "nsmodels graph explain --checkpoint {model} --graph FILE.json"

    def __init__(self, reasoner: Reasoner, graphs: Graphs, rows: list[int]) -> None:
        self._reasoner, self._graphs, self._rows = reasoner, graphs, rows

    def __len__(self) -> int:
        return len(self._rows)

    def answer(self, number: int) -> Case:
        """Predict the label of a graph."""
        return self._case(self._rows[number])

    def explain(self, number: int) -> Account:
        """Rounds and what carried the answer, with the graph drawn."""
        found = self._explained(number)
        return Account(found.text(), picture_of(lambda path: draw(found, path)))

    def change(self, number: int) -> Account:
        """The answer without the edges that carry it, and the answer for the twin."""
        found, words = self._explained(number), self._graphs.vocabulary
        head = f"{found.graph.id}: {words.classes[found.answer]}, confidence {found.confidence:.3f}"
        lines = [_without(found, edge) for edge in found.carrying_edges[:LISTED].tolist()]
        return Account("\n".join([head, *lines, *self._twin_lines(self._rows[number])]))

    def _explained(self, number: int) -> Explanation:
        return explain(self._reasoner, self._graphs, self._rows[number])

    def _case(self, row: int) -> Case:
        one, words = self._graphs.take([row]), self._graphs.vocabulary
        answer, label = int(self._reasoner.predict(one).probability[0] > 0.5), int(one.labels[0])
        truth = words.classes[label] if label >= 0 else "unknown"
        asked = f"{words.kinds[int(one.kinds[0])]}, {words.length} {int(one.lengths[0])}"
        return Case(str(one.ids[0]), asked, words.classes[answer], truth, answer == label)

    def _twin_lines(self, row: int) -> list[str]:
        same = np.flatnonzero(self._graphs.pairs == self._graphs.pairs[row])
        found = [self._case(int(other)) for other in same if other != row]
        return [f"its twin {each.item}: answer {each.answer}, the oracle's {each.truth}" for each in found]


def demonstrate(reasoner: Reasoner, data: Path, num: int, seed: int) -> GraphDemonstration:
    """Answers to `num` graphs of the test split, or of the only one; raise `InputError` for broken data."""
    there = files.splits(data)
    graphs = files.read_split(data, SPLIT if SPLIT in there or not there else there[0])
    return GraphDemonstration(reasoner, graphs, drawn(len(graphs), num, seed))


def _without(found: Explanation, edge: int) -> str:
    """What the answer becomes without an edge: `by_edge` is how much less probable the answer is without it."""
    left = found.confidence - float(found.by_edge[edge])
    classes = found.words.classes
    verdict = "unchanged" if left >= 0.5 else f"becomes {classes[1 - found.answer]}"
    return f"without {found.edge_name(edge)}: {verdict}, probability of {classes[found.answer]} {left:.3f}"
