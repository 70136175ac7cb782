"""Batches: their samples and order, their size, and their transfer to the device."""

from __future__ import annotations

import dataclasses
import signal
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

from nsmodels.core.hardware import num_cores
from nsmodels.engine.task import Shard, Task

# torch's default on Linux, stated because a host process may have set a different start method (Dagster does): with
# `spawn` each worker would import everything again and copy the whole data set at the beginning of every epoch, and
# what refers to an epoch's data cannot be sent to it. Without fork (macOS: it breaks libraries) there are no workers.
START = "fork" if sys.platform == "linux" else None


def generator(seed: int, split: str, epoch: int, batch: int) -> np.random.Generator:
    """A numpy generator that depends on nothing but its arguments.

    `batch` is any number unique within the epoch. The index of a batch's first sample is a good choice: it does not
    depend on the number of processes.
    """
    return np.random.default_rng([seed, zlib.crc32(split.encode()), epoch, batch])


def epoch_order(num_samples: int, seed: int, epoch: int, shuffle: bool = True) -> np.ndarray:
    """Sample order of an epoch, int64 (num_samples,): a permutation, or ascending without `shuffle`."""
    if not shuffle:
        return np.arange(num_samples)
    return generator(seed, "order", epoch, 0).permutation(num_samples)


def epoch_batches(
    num_samples: int, batch_size: int, seed: int, epoch: int, shard: Shard | None = None, shuffle: bool = True
) -> Iterator[np.ndarray]:
    """Index arrays, int64 (batch,), of the batches that this process reads in this epoch: see `split_order`."""
    yield from split_order(epoch_order(num_samples, seed, epoch, shuffle), batch_size, shard, even=shuffle)


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a batch: its rows, int64 (part,), which are those of the whole batch, int64 (batch,), from `first` on.

    What is drawn at random for a batch depends on `whole` alone, so that it is the same however the batch is split.
    """

    rows: np.ndarray
    whole: np.ndarray
    first: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def is_whole(self) -> bool:
        """Whether the batch is not split."""
        return len(self.rows) == len(self.whole)

    def of(self, drawn: np.ndarray) -> np.ndarray:
        """This part of what was drawn for the whole batch, (batch, ...)."""
        return drawn[self.first : self.first + len(self.rows)]


def split_batches(order: np.ndarray, batch_size: int, shard: Shard | None = None, even: bool = True) -> list[Part]:
    """Split `order`, int64 (num_samples,), into global batches of `batch_size`, and those into this shard's parts.

    Every sample is in exactly one part of one shard; the parts of a batch differ in size by one sample at most. With
    `even` (training) every process has `shard.parts` parts of each batch, empty ones among them where it has fewer
    samples than parts, so that all take the same number of steps. Without it (validation) empty parts are left out.
    """
    shard = shard or Shard()
    parts: list[Part] = []
    for start in range(shard.start * batch_size, len(order), batch_size):
        whole = order[start : start + batch_size]
        sizes = [len(piece) for piece in np.array_split(whole, shard.world * shard.parts)]
        ends = np.cumsum(sizes)
        # Each process takes every `world`-th piece, so that the larger ones in front are spread over all.
        for end, size in zip(ends[shard.rank :: shard.world], sizes[shard.rank :: shard.world], strict=True):
            parts.append(Part(whole[end - size : end], whole, int(end - size)))
    return [part for part in parts if even or len(part)]


def split_order(order: np.ndarray, batch_size: int, shard: Shard | None = None, even: bool = True) -> list[np.ndarray]:
    """The index arrays, int64 (part,), of `split_batches`."""
    return [part.rows for part in split_batches(order, batch_size, shard, even)]


P = TypeVar("P", np.ndarray, Part)


class Batches(Generic[P]):
    """A sized iterable of collated batches, decoded in `num_workers` processes (0, or without fork: in this one).

    Each worker keeps `prefetch_factor` of them ready. Workers last for one iteration, an epoch: they are forked with
    what `collate` refers to, which differs between epochs.
    `collate(indices)` turns one of `index_batches`, an int64 index array (batch,) or a `Part`, into a batch; an empty
    one becomes None. The order is that of `index_batches` for any number of workers, and torch's global generator
    is not used.
    """

    def __init__(
        self, index_batches: Iterable[P], collate: Callable[[P], Any], num_workers: int = 0, prefetch_factor: int = 2
    ) -> None:
        self.index_batches = list(index_batches)
        self.collate = _Collated(collate)
        self.num_workers = min(num_workers, num_cores(), len(self.index_batches)) if START else 0
        self.prefetch_factor = prefetch_factor

    def __len__(self) -> int:
        return len(self.index_batches)

    def __iter__(self) -> Iterator[Any]:
        if self.num_workers == 0:
            return map(self.collate.__getitem__, self.index_batches)
        return iter(self._loader())

    def _loader(self) -> torch.utils.data.DataLoader:
        return torch.utils.data.DataLoader(
            self.collate,
            sampler=self.index_batches,  # pyright: ignore[reportArgumentType] - one item is one batch of indices
            batch_size=None,
            num_workers=self.num_workers,
            prefetch_factor=self.prefetch_factor,
            multiprocessing_context=START,
            pin_memory=torch.cuda.is_available(),
            worker_init_fn=_ignore_signals,
            generator=torch.Generator().manual_seed(0),
        )


class _Collated(torch.utils.data.Dataset):
    def __init__(self, collate: Callable[[Any], Any]) -> None:
        self.collate = collate

    def __getitem__(self, indices: Any) -> Any:
        return self.collate(indices) if len(indices) else None


def _ignore_signals(_worker: int) -> None:
    """An interrupt reaches the whole process group; the loop still needs its batches for a clean stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def count_samples(batch: Any) -> int:
    """Number of samples in a batch: graphs of a graph batch, else the first dimension of its first tensor."""
    if not isinstance(batch, Tensor | Mapping | tuple | list):
        for name in ("num_graphs", "num_samples", "batch_size"):
            value = getattr(batch, name, None)
            if isinstance(value, int):
                return value
    return next((int(tensor.shape[0]) for tensor in _tensors(batch) if tensor.ndim), 1)


def weight_of(task: Task, batch: Any) -> float:
    """What a batch counts in gradient and means: `Task.weight`, by default its number of samples."""
    weight = task.weight(batch)
    return count_samples(batch) if weight is None else float(weight)


def _tensors(batch: Any) -> Iterator[Tensor | np.ndarray]:
    if isinstance(batch, Tensor | np.ndarray):
        yield batch
    elif isinstance(batch, Mapping):
        for value in batch.values():
            yield from _tensors(value)
    elif isinstance(batch, list | tuple):
        for value in batch:
            yield from _tensors(value)
    elif hasattr(batch, "__dict__") or dataclasses.is_dataclass(batch):
        for value in vars(batch).values():
            yield from _tensors(value)


def to_device(batch: Any, device: torch.device) -> Any:
    """The batch with every tensor on `device`: tensors, mappings, sequences, dataclasses, objects with `.to`."""
    if device.type == "cpu" or batch is None or isinstance(batch, str | int | float | np.ndarray):
        return batch
    if hasattr(batch, "to"):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, Mapping):
        return {key: to_device(value, device) for key, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(to_device(value, device) for value in batch))
    if isinstance(batch, list | tuple):
        return type(batch)(to_device(value, device) for value in batch)
    if dataclasses.is_dataclass(batch) and not isinstance(batch, type):
        fields = (field.name for field in dataclasses.fields(batch) if field.init)
        return dataclasses.replace(batch, **{name: to_device(getattr(batch, name), device) for name in fields})
    return batch
