"""Which edges and nodes carry an answer: how its probability changes without them.

Shapes: n nodes, e edges of the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.graphs.tables import NEVER, Graph, Graphs, table
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.systems.graph.reasoner import Reasoner

BATCH = 256  # graphs that differ by one deletion, predicted together


def without_each_edge(reasoner: Reasoner, words: Vocabulary, one: Graph) -> NDArray[np.float64]:
    """Probability of label 1 without each single edge, (e,)."""
    everything = np.arange(len(one.sources))
    return _probabilities(reasoner, words, [_keeping(one, everything != edge) for edge in everything])


def without_each_node(reasoner: Reasoner, words: Vocabulary, one: Graph) -> NDArray[np.float64]:
    """Probability of label 1 with each single node cut off from all others, (n,).

    The node itself stays, as a query that asks about it would have no meaning without it.
    """
    kept = [(one.sources != node) & (one.targets != node) for node in range(len(one.node_types))]
    return _probabilities(reasoner, words, [_keeping(one, each) for each in kept])


def _keeping(one: Graph, is_kept: NDArray[np.bool_]) -> Graph:
    """A graph with some of its edges, without trace, in as many rounds as the whole one."""
    columns = {name: getattr(one, name)[is_kept] for name in ("sources", "targets", "relations")}
    confidence = one.confidence[is_kept] if one.confidence is not None else None
    truth, since = one.truth[:0], np.full_like(one.since, NEVER)
    return replace(one, confidence=confidence, truth=truth, since=since, **columns)


def _probabilities(reasoner: Reasoner, words: Vocabulary, ones: Sequence[Graph]) -> NDArray[np.float64]:
    found = [np.zeros(0)]
    for first in range(0, len(ones), BATCH):
        graphs: Graphs = table(ones[first : first + BATCH], words)
        found.append(reasoner.predict(graphs).probability)
    return np.concatenate(found)
