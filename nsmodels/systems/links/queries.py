"""Queries of a knowledge base: which entities answer (source, relation)? Every triple is asked both ways.

Relation r + R is the inverse of r, so that a query always asks for what comes after an entity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]


def both_ways(triples: Rows, num_relations: int) -> Rows:
    """Queries (2 m, 3) source, relation, answer of triples (m, 3): tails are asked for first, then heads."""
    heads = np.stack([triples[:, 2], triples[:, 1] + num_relations, triples[:, 0]], axis=1)
    return np.concatenate([triples, heads])


class Answers:
    """The known answers of every query, for ranking and training against what is not known to be true.

    Args:
        queries: int64 (m, 3) source, relation, answer.
        num_relations: R of the base, without inverses.
    """

    def __init__(self, queries: Rows, num_relations: int) -> None:
        self.num = 2 * num_relations
        keys = queries[:, 0] * self.num + queries[:, 1]
        order = np.argsort(keys, kind="stable")
        self.keys, self.found = keys[order], queries[order, 2]

    def of(self, source: Rows, relation: Rows) -> tuple[Rows, Rows]:
        """Row of the query and answer (k,) of all known answers to queries source (m,), relation (m,)."""
        keys = source * self.num + relation
        first, last = (np.searchsorted(self.keys, keys, side) for side in ("left", "right"))
        sizes = last - first
        rows = np.repeat(np.arange(len(keys)), sizes)
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return rows, self.found[np.repeat(first, sizes) + within]

    def others(self, queries: Rows, num_entities: int) -> NDArray[np.bool_]:
        """Which entities (m, N) are further answers to queries (m, 3), beside the one asked for."""
        rows, found = self.of(queries[:, 0], queries[:, 1])
        table = np.zeros((len(queries), num_entities), bool)
        table[rows, found] = True
        table[np.arange(len(queries)), queries[:, 2]] = False
        return table
