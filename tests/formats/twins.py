"""Graphs in twins as small as they can be: one ring of six nodes against two of three, with equal counts."""

from __future__ import annotations

import numpy as np

from nsmodels.formats.graphs.tables import Graph, Graphs, table
from nsmodels.formats.graphs.vocabulary import Vocabulary

WORDS = Vocabulary(
    ("a", "b"), ("unknown", "true"), ("none", "asked"), ("left", "right"), ("ring", "ladder"), ("far", "near")
)
RINGS = np.array([[1, 2, 3, 4, 5, 0], [1, 2, 0, 4, 5, 3]])


def twinned(num_pairs: int, seed: int = 0) -> Graphs:
    """Pairs with features of their own, so that they differ; which twin comes first is drawn."""
    rng = np.random.default_rng(seed)
    found = []
    for pair in range(num_pairs):
        types, features, first = rng.integers(0, 2, 6), rng.integers(0, 2, 6), int(rng.integers(0, 2))
        relations = np.full(6, pair // 2 % 2)
        for place in range(2):
            label = (place + first) % 2
            found.append(
                Graph(
                    f"{seed}/{pair}/{place}", pair, pair % 2, label, 3, 6, types, features, np.eye(6, dtype=int)[0],
                    np.arange(6), RINGS[label], relations, rng.random((3, 6, 2)) < 0.5, rng.integers(-1, 3, (6, 2)),
                )
            )  # fmt: skip
    return table(found, WORDS)
