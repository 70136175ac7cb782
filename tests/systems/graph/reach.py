"""Small labelled graphs for tests: does a path lead from the marked source to the marked target?"""

from __future__ import annotations

import numpy as np

from nsmodels.formats.graphs.tables import Graph, Graphs, table
from nsmodels.formats.graphs.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    node_types=("place", "hub"),
    features=("unknown",),
    marks=("none", "source", "target"),
    relations=("road", "bridge"),
    kinds=("reach", "again"),
    channels=("reached", "never asked"),
)


def one(rng: np.random.Generator, number: int, num_nodes: int, num_edges: int) -> Graph:
    """A random graph; its trace is the set of places that are reached after each round."""
    source, target = rng.integers(num_nodes, size=(2, num_edges))
    marks = np.zeros(num_nodes)
    marks[-1], marks[0] = 2, 1  # of one node alone, the source
    reached, truth = np.arange(num_nodes) == 0, []
    for _ in range(num_nodes):
        reached = reached | (np.bincount(target, reached[source], minlength=num_nodes) > 0)
        truth.append(np.stack([reached, np.zeros(num_nodes, bool)], 1))
    return Graph(
        id=str(number), pair=number // 2, kind=number % 2, label=int(reached[-1]), rounds=num_nodes, length=num_nodes,
        node_types=rng.integers(2, size=num_nodes), features=np.zeros(num_nodes, int), marks=marks,
        sources=source, targets=target, relations=rng.integers(2, size=num_edges), truth=np.array(truth),
        since=np.array([[0, -1]] * num_nodes), confidence=rng.random(num_edges),
    )  # fmt: skip


def graphs(number: int, seed: int = 0, most: int = 7) -> Graphs:
    """Graphs of 2 to `most` nodes; the first of them is a single node, the second has no edges."""
    rng = np.random.default_rng(seed)
    made = [one(rng, 0, 1, 0), one(rng, 1, 4, 0)]
    made += [one(rng, k, n, n + 1) for k, n in enumerate(rng.integers(2, most + 1, number - 2).tolist(), 2)]
    return table(made, VOCABULARY)
