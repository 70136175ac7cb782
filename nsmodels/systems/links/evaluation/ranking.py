"""Filtered ranking, matched pairs, and predictions that need no learning.

Shapes: q queries, N entities, R relations.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nsmodels.systems.links.queries import Answers

Scorer = Callable[[NDArray[np.int64]], NDArray[np.floating]]  # queries (q, 3) to scores (q, N)
CHUNK = 20_000_000  # scores at a time


def ranks(score: Scorer, queries: NDArray[np.int64], known: Answers, num_entities: int) -> NDArray[np.float64]:
    """Rank (q,) of each answer among the entities that are not known to answer the query, too.

    Of equal scores the answer has the middle rank: a constant score gives what chance gives, not the first rank.
    """
    found, step = np.empty(len(queries)), max(1, CHUNK // num_entities)
    for first in range(0, len(queries), step):
        some = queries[first : first + step]
        scores = np.where(known.others(some, num_entities), -np.inf, score(some))
        own = scores[np.arange(len(some)), some[:, 2], None]
        equal = (scores == own).sum(1) - 1
        found[first : first + step] = 1 + (scores > own).sum(1) + equal / 2
    return found


def pairs(score: Scorer, triples: NDArray[np.int64], negatives: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of triples (m, 3) with negatives (m,): 1 where the true tail has the higher score, 1/2 where both are equal."""
    scores, rows = score(triples), np.arange(len(triples))
    true, false = scores[rows, triples[:, 2]], scores[rows, negatives]
    return (true > false) + 0.5 * (true == false)


def frequency(train: NDArray[np.int64], num_relations: int, num_entities: int) -> Scorer:
    """How often an entity answers a relation in training, whatever the source; `train`: queries (m, 3)."""
    counts = np.zeros((2 * num_relations, num_entities))
    np.add.at(counts, (train[:, 1], train[:, 2]), 1)
    return lambda queries: counts[queries[:, 1]]


def by_chance(queries: NDArray[np.int64], known: Answers, num_entities: int) -> dict[str, float]:
    """What a random order gives: mean of 1 / rank, share of first ranks and of the first ten."""
    num = num_entities - np.bincount(known.of(queries[:, 0], queries[:, 1])[0], minlength=len(queries)) + 1
    harmonic = np.cumsum(1 / np.arange(1, num_entities + 1))
    hits = {name: float(np.minimum(k / num, 1).mean()) for name, k in (("hits_at_1", 1), ("hits_at_10", 10))}
    return {"mrr": float((harmonic[num - 1] / num).mean()), **hits, "pair_accuracy": 0.5}
