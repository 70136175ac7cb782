"""The labelled graphs of a data folder as batches: twins together, short graphs first, of similar rounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.engine.batching import Batches, Part, generator, split_batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.coarsening import with_clusters
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import ScheduleConfig
from nsmodels.systems.graph.network.encoding import GraphBatch, collate
from nsmodels.systems.graph.network.supervision import Supervision

AnyNetwork = Any  # one of those in `network.kinds`
VAL_BATCH = 256  # graphs; validation has no gradient to keep


class TrainingGraphs:
    """The splits short, train and val of a folder.

    Args:
        data: folder of the dataset; without a split `short` there are no short graphs.
        schedule: which graphs an epoch contains.
        training: its batch size, curriculum and seed are used.
        has_levels: whether the network has a level of clusters: graphs that declare none then get some.

    Raises `InputError` for data that cannot be read, and for graphs without what the others name.
    """

    def __init__(
        self, data: Path, schedule: ScheduleConfig, training: TrainingConfig, has_levels: bool = False
    ) -> None:
        self.schedule, self.training = schedule, training
        self.val = files.read_split(data, "val")
        parts = {"train": _first(files.read_split(data, "train"), schedule.max_pairs)}
        if training.curriculum and "short" in files.splits(data):
            parts["short"] = _first(files.read_split(data, "short"), schedule.max_pairs)
        if any(part.vocabulary != self.val.vocabulary for part in parts.values()):
            raise InputError(f"{data}: its splits have different vocabularies; give them the same names in one order")
        self.train = Graphs.concatenate([*parts.values()])
        if has_levels:
            self.train, self.val = with_clusters(self.train), with_clusters(self.val)
        self.full, self.short = np.split(np.arange(len(self.train)), [len(parts["train"])])
        # Pairs are numbered within each split.
        names = np.stack([np.arange(len(self.train)) >= len(self.full), self.train.pairs])
        _, self.pairs = np.unique(names, axis=1, return_inverse=True)
        if schedule.use_random_labels:
            flips = generator(training.seed, "labels", 0, 0).random(self.pairs.max() + 1) < 0.5
            self.train = self.train.replaced(labels=self.train.labels ^ flips[self.pairs].astype(np.int8))
        longest = np.zeros(self.pairs.max() + 1, np.int64)
        np.maximum.at(longest, self.pairs, self.train.rounds)
        self.rounds = longest[self.pairs]

    def share_of_short(self, epoch: int) -> float:
        """Share of short graphs in an epoch."""
        if not len(self.short):
            return 0.0
        return 1.0 if epoch < self.schedule.short_epochs else self.schedule.short_share

    def batches(
        self,
        split: str,
        epoch: int,
        shard: Shard,
        network: AnyNetwork,
        supervision: Supervision,
        extra_rounds: tuple[int, int],
    ) -> Batches:
        """Batches of `split` for a network.

        `extra_rounds`: most in training, drawn for each graph, and those in validation.
        """
        most, slack = extra_rounds

        def train(part: Part) -> GraphBatch:
            random = generator(self.training.seed, "rounds", epoch, int(part.whole[0]))
            extra = _extra_rounds(random, most, len(part.whole))
            return _batch(self.train, part, network, extra, supervision)

        def validation(part: Part) -> GraphBatch:
            return _batch(self.val, part, network, np.full(len(part.whole), slack), supervision)

        if split == "train":
            parts = split_batches(self._order(epoch), self.training.batch_size, shard)
            return Batches(parts, train, self.training.num_workers, self.training.prefetch_factor)
        return Batches(self._val_parts(shard), validation, self.training.num_workers, self.training.prefetch_factor)

    def validation(self, network: AnyNetwork, slack_rounds: int) -> Iterator[tuple[GraphBatch, NDArray[np.int64]]]:
        """All validation graphs without trace, and the rows of each batch."""
        for part in self._val_parts(Shard()):
            batch = _batch(self.val, part, network, np.full(len(part), slack_rounds), "none")
            yield batch, part.rows[batch.rows]

    def _val_parts(self, shard: Shard) -> list[Part]:
        return split_batches(self.val.rounds.argsort(kind="stable"), VAL_BATCH, shard, even=False)

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """Rows of an epoch: batches of graphs with similar rounds in random order, twins side by side."""
        random = generator(self.training.seed, "order", epoch, 0)
        place = random.permutation(self.pairs.max() + 1)[self.pairs] + 0.5 * random.random(len(self.pairs))
        share, size = self.share_of_short(epoch), self.training.batch_size
        full, short = (rows[place[rows].argsort()] for rows in (self.full, self.short))
        rows = short if share == 1 else np.concatenate([full, short[: round(share / (1 - share) * len(full))]])
        rows = rows[place[rows].argsort()]
        whole = len(rows) // size * size  # the others, drawn by chance, are the last and smaller batch
        similar = rows[:whole][self.rounds[rows[:whole]].argsort(kind="stable")].reshape(-1, size)
        return np.concatenate([random.permutation(similar).ravel(), rows[whole:]])


def _batch(
    graphs: Graphs, part: Part, network: AnyNetwork, extra: NDArray[np.integer], supervision: Supervision
) -> GraphBatch:
    everything = graphs.take(part.whole)
    rounds = network.rounds_of(everything, extra)
    whole = None if part.is_whole else (everything, rounds)
    return collate(graphs.take(part.rows), part.of(rounds), supervision, whole)


def _extra_rounds(random: np.random.Generator, most: int, number: int) -> NDArray[np.int64]:
    """Rounds beyond those of the structure, 0 to `most`, of each of so many graphs."""
    # ⌊(most + 1) u⁴⌋ with u uniform: half of the graphs have hardly any, some have many, so that an answer is also
    # learned to stay as it is.
    return ((most + 1) * random.random(number) ** 4).astype(np.int64)


def _first(graphs: Graphs, num_pairs: int) -> Graphs:
    """The first so many pairs; 0: all."""
    if not num_pairs:
        return graphs
    _, first, inverse = np.unique(graphs.pairs, return_index=True, return_inverse=True)
    return graphs.take(np.flatnonzero(first.argsort().argsort()[inverse] < num_pairs))
