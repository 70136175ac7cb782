"""The base that a training reads: batches of queries with what they must not see."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from nsmodels.datasets.knowledge_bases import bases
from nsmodels.datasets.knowledge_bases.bases import Base
from nsmodels.engine.batching import Batches, epoch_order, generator, split_order
from nsmodels.engine.task import Shard
from nsmodels.systems.links.network.links import Queries
from nsmodels.systems.links.queries import Answers, both_ways


@dataclass(frozen=True)
class TrainingBase:
    """Queries of a base for training and validation.

    Attributes:
        base: the knowledge base.
        seed: of the order, and of what is asked for.
        share: of the queries of a source that are asked for in an epoch; their edges are hidden, the others are seen.
    """

    base: Base
    seed: int
    share: float

    @classmethod
    def load(cls, data: Path, name: str, seed: int, share: float) -> Self:
        """The base of that name; raises InputError for one that is not there."""
        return cls(bases.read(data, name), seed, share)

    @property
    def num_relations(self) -> int:
        """R, without inverses."""
        return len(self.base.relations)

    @cached_property
    def queries(self) -> dict[str, NDArray[np.int64]]:
        """Queries (m, 3) by split, sorted by source."""
        found = {split: both_ways(self.base.triples[split], self.num_relations) for split in ("train", "val")}
        return {split: rows[np.argsort(rows[:, 0], kind="stable")] for split, rows in found.items()}

    @cached_property
    def answers(self) -> dict[str, Answers]:
        """Known answers by split: in training those of train; in validation those of all splits, as in a test.

        Without those of test a validation would prefer the epochs that rank true test triples low.
        """
        everything = np.concatenate([both_ways(each, self.num_relations) for each in self.base.triples.values()])
        own = {"train": self.queries["train"], "val": everything}
        return {split: Answers(rows, self.num_relations) for split, rows in own.items()}

    def by_query(self, split: str, epoch: int, shard: Shard, batch_size: int) -> Batches:
        """Batches of single queries, for embeddings: nothing is hidden, since nothing is looked up."""
        order = epoch_order(len(self.queries[split]), self.seed, epoch, split == "train")
        return Batches(split_order(order, batch_size, shard, split == "train"), lambda rows: self._single(split, rows))

    def by_source(self, split: str, epoch: int, shard: Shard, batch_size: int) -> Batches:
        """Batches of whole sources, with a share of their queries in training, whose edges are hidden both ways."""
        sources = np.unique(self.queries[split][:, 0])
        order = sources[epoch_order(len(sources), self.seed, epoch, split == "train")]
        batches = split_order(order, batch_size, shard, split == "train")
        return Batches(batches, lambda some: self._grouped(split, epoch, some))

    def _single(self, split: str, rows: NDArray[np.int64]) -> Queries:
        some = self.queries[split][rows]
        return self._batch(split, some[:, 0], np.arange(len(some)), some, np.zeros((4, 0), np.int64))

    def _grouped(self, split: str, epoch: int, sources: NDArray[np.int64]) -> Queries:
        asked = [self._asked(split, epoch, int(source)) for source in sources]
        place, some = np.arange(len(sources)).repeat([len(part) for part in asked]), np.concatenate(asked)
        source, relation, answer = some.T
        inverse = (relation + self.num_relations) % (2 * self.num_relations)
        there, back = np.stack([source, relation, answer, place]), np.stack([answer, inverse, source, place])
        hidden = np.concatenate([there, back], axis=1) if split == "train" else np.zeros((4, 0), np.int64)
        return self._batch(split, sources, place, some, hidden)

    def _asked(self, split: str, epoch: int, source: int) -> NDArray[np.int64]:
        first, last = np.searchsorted(self.queries[split][:, 0], [source, source + 1])
        rows = self.queries[split][first:last]
        if split != "train":
            return rows
        drawn = generator(self.seed, "asked", epoch, source).random(len(rows))
        return rows[(drawn < self.share) | (drawn == drawn.min())]

    def _batch(
        self,
        split: str,
        sources: NDArray[np.int64],
        place: NDArray[np.int64],
        some: NDArray[np.int64],
        hidden: NDArray[np.int64],
    ) -> Queries:
        others = self.answers[split].others(some, len(self.base.entities))
        arrays = (sources, place, some[:, 1], some[:, 2], hidden, others)
        return Queries(*(torch.from_numpy(np.ascontiguousarray(each)) for each in arrays))
