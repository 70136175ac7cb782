"""The labelled maps of a data folder as batches: one shape each, rotated and mirrored, or drawn again every epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import DiagonalRule
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing import problems
from nsmodels.datasets.mazes.drawing.symmetry import NUM_TRANSFORMS, mark, transform, transform_maps, transform_mask
from nsmodels.datasets.mazes.files import format as stored
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.prepare import config_of
from nsmodels.datasets.mazes.solving.labels import Labels, label
from nsmodels.engine.batching import Batches, Part, generator, split_batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard
from nsmodels.systems.nav.config import DataConfig
from nsmodels.systems.nav.network.encoding import Cells, MapBatch

VAL_BATCH_CELLS = 2**15


@dataclass(frozen=True)
class LabelledMaps:
    """Maps of one shape with their labels."""

    maps: Maps
    labels: Labels

    @classmethod
    def of(cls, maps: Maps) -> LabelledMaps:
        """The labelled `maps`."""
        return cls(maps, label(maps))

    def __len__(self) -> int:
        return len(self.maps)

    def transformed(self, rows: np.ndarray, k: int) -> tuple[Maps, Labels]:
        """The maps `rows`, int (m,), with their labels, under symmetry transform number `k`."""
        maps, connectivity = self.maps[rows], self.maps.connectivity
        cost = np.ascontiguousarray(transform(self.labels.cost_to_go[rows], k))
        return transform_maps(maps, k), Labels(cost, transform_mask(self.labels.optimal[rows], k, connectivity))

    def cells(self, rows: np.ndarray, k: int) -> Cells:
        """Free cells and costs of the maps `rows`, int (m,), under symmetry transform number `k`."""
        chosen = (self.maps.free[rows], self.labels.cost_to_go[rows])
        return Cells(*(torch.from_numpy(np.ascontiguousarray(transform(values, k))) for values in chosen))


class TrainingMaps:
    """Train and val split of a folder, labelled once.

    Args:
        data: folder of the dataset.
        config: selection and augmentation of the training maps.
        training: its batch size and seed are used.

    Raises `InputError` for data that cannot be read, for more maps than there are, and for `fresh_maps` of data from
    files.
    """

    def __init__(self, data: Path, config: DataConfig, training: TrainingConfig) -> None:
        self.config, self.training = config, training
        self.val = [LabelledMaps.of(group.maps[:]) for group in stored.read_split(data, "val").groups]
        self.recipe = _recipe(data) if config.fresh_maps else None
        self.held_out = _held_out_marks(data) if config.fresh_maps else frozenset()
        self.train = _first(stored.read_split(data, "train"), config.max_maps)
        self._fresh: tuple[int, list[LabelledMaps]] = (-1, [])

    @property
    def connectivity(self) -> int:
        """Number of actions, 4 or 8, of all maps."""
        return self.val[0].maps.connectivity

    @property
    def diagonals(self) -> DiagonalRule:
        """Rule of the diagonal moves of all maps."""
        return self.val[0].maps.diagonals

    @property
    def has_costs(self) -> bool:
        """Whether entering different cells has different costs."""
        return any(group.maps.cost is not None for group in self.train)

    @property
    def largest_cost(self) -> int:
        """Largest cost of entering a cell."""
        costs = [int(group.maps.cost.max()) for group in self.train if group.maps.cost is not None]
        return max(costs, default=1)

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """The shapes (height, width) of the training maps."""
        return [group.maps.shape for group in self.train]

    def batches(self, split: str, epoch: int, shard: Shard, max_burn_in: int = 0) -> Batches:
        """Batches of one shape each; order, orientation and burn-in of training batches depend on seed and epoch."""
        if split == "train":
            groups = self._epoch_maps(epoch)
            parts = split_batches(self._order(groups, epoch), self.training.batch_size, shard)
        else:
            groups = self.val
            parts = _in_sequence(groups, shard)
        return Batches(
            parts,
            lambda part: self._batch(groups, split, epoch, part, max_burn_in),
            self.training.num_workers,
            self.training.prefetch_factor,
        )

    def _batch(self, groups: list[LabelledMaps], split: str, epoch: int, part: Part, max_burn_in: int) -> MapBatch:
        ends = np.cumsum([len(group) for group in groups])
        place = int(np.searchsorted(ends, part.rows[0], side="right"))
        group, first = groups[place], ends[place] - len(groups[place])
        random, k = generator(self.training.seed, "augment", epoch, int(part.whole[0])), 0
        if split == "train" and self.config.augment:
            k = int(random.integers(NUM_TRANSFORMS))
        burn_in = _burn_in(random, max_burn_in) if split == "train" else 0
        whole = None if part.is_whole else group.cells(part.whole - first, k)
        return replace(MapBatch.of(*group.transformed(part.rows - first, k), burn_in), whole=whole)

    def _order(self, groups: list[LabelledMaps], epoch: int) -> np.ndarray:
        """Order of all maps, with one shape per batch; of several shapes, a few maps are repeated to fill batches."""
        random = generator(self.training.seed, "order", epoch, 0)
        size, first, blocks = self.training.batch_size, 0, []
        for group in groups:
            rows = first + random.permutation(len(group))
            blocks.append(np.resize(rows, -(-len(rows) // size) * size) if len(groups) > 1 else rows)
            first += len(group)
        if len(blocks) == 1:
            return blocks[0]
        whole = np.concatenate([block.reshape(-1, size) for block in blocks])
        return whole[random.permutation(len(whole))].ravel()

    def _epoch_maps(self, epoch: int) -> list[LabelledMaps]:
        if self.recipe is None:
            return self.train
        if self._fresh[0] != epoch:
            self._fresh = (epoch, [self._draw_fresh(group, place, epoch) for place, group in enumerate(self.train)])
        return self._fresh[1]

    def _draw_fresh(self, group: LabelledMaps, place: int, epoch: int) -> LabelledMaps:
        """New maps of the group's number and shape, none of which is held out."""
        assert self.recipe is not None
        random = generator(self.training.seed, "maps", epoch, place)
        maps, _ = problems.draw(self.recipe, len(group), *group.maps.shape, random)
        usable = np.flatnonzero([name not in self.held_out for name in mark(maps.free)])
        if not len(usable):
            raise InputError(
                f"data.fresh_maps: every map drawn of {group.maps.shape[0]}x{group.maps.shape[1]} is held out; "
                "use larger sides"
            )
        return LabelledMaps.of(maps[np.resize(usable, len(group))])


def _burn_in(random: np.random.Generator, most: int) -> int:
    """Number of burn-in segments, 0 to `most`."""
    # ⌊(most + 1) u³⌋ with u uniform: P(0) = (most + 1)^(−1/3), and small numbers are more likely than large ones, so
    # that early segments are supervised often enough.
    return int((most + 1) * random.random() ** 3)


def _first(split: stored.Split, num: int) -> list[LabelledMaps]:
    """The first `num` maps of a split (0: all), by shape."""
    if num > len(split.index):
        raise InputError(f"data.max_maps: {num} requested, but the data have {len(split.index)} training maps")
    chosen = [group.maps[group.rows < (num or len(split.index))] for group in split.groups]
    return [LabelledMaps.of(maps) for maps in chosen if len(maps)]


def _in_sequence(groups: Sequence[LabelledMaps], shard: Shard) -> list[Part]:
    parts, first = [], 0
    for group in groups:
        size = max(1, VAL_BATCH_CELLS // (group.maps.shape[0] * group.maps.shape[1]))
        parts += split_batches(first + np.arange(len(group)), size, shard, even=False)
        first += len(group)
    return parts


def _recipe(data: Path) -> MazesConfig:
    config = config_of(data)
    if config.source != "synthetic":
        raise InputError(f"data.fresh_maps: {data} contains maps from files; only synthetic maps can be drawn again")
    return config


def _held_out_marks(data: Path) -> frozenset[str]:
    index = stored.read_index(data)
    return frozenset(index.loc[index["split"] != "train", "mark"])
