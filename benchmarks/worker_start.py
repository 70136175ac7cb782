"""What an epoch loses to the start of its workers, beside workers that stay for all epochs.

Run `OMP_NUM_THREADS=1 python -m benchmarks.worker_start [GIGABYTES]`: milliseconds of the clock and of the processors
for an epoch of 8 tiny batches, in this process, in workers of the engine, which start anew, and in those of a
`DataLoader` that stay, the least that any such design takes. GIGABYTES of the process are touched before, as data are.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Iterable

import numpy as np
import torch

from nsmodels.engine.batching import START, Batches

NUM_BATCHES, EPOCHS = 8, 12


class Collated(torch.utils.data.Dataset):
    """Tiny batches by their indices."""

    def __getitem__(self, indices: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(indices)


def cpu_seconds() -> float:
    uses = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def epochs(batches: Iterable) -> tuple[float, float]:
    """Median milliseconds of an epoch, by the clock and by the processors; the first two are not counted."""
    rows = []
    for _ in range(EPOCHS):
        clock, cpu = time.perf_counter(), cpu_seconds()
        assert sum(1 for _ in batches) == NUM_BATCHES
        rows.append((time.perf_counter() - clock, cpu_seconds() - cpu))
    clock, cpu = (1e3 * statistics.median(column) for column in zip(*rows[2:], strict=True))
    return clock, cpu


def main() -> None:
    held = np.ones(int(float(sys.argv[1]) * 2**30 / 8)) if len(sys.argv) > 1 else np.ones(1)
    indices = list(np.arange(64 * NUM_BATCHES).reshape(NUM_BATCHES, 64))
    print(f"{held.nbytes / 2**30:.1f} GB held; an epoch of {NUM_BATCHES} batches in ms: clock, processors")
    for workers in (0, 1, 2):
        print(f"{workers} workers, started anew", *(f"{each:.1f}" for each in epochs(started(indices, workers))))
        if workers:
            print(f"{workers} workers that stay", *(f"{each:.1f}" for each in epochs(lasting(indices, workers))))


def started(indices: list[np.ndarray], workers: int) -> Batches:
    return Batches(indices, torch.from_numpy, workers)


def lasting(indices: list[np.ndarray], workers: int) -> torch.utils.data.DataLoader:
    """A loader whose workers stay; what they used is counted when they end, so that its processors are too few."""
    return torch.utils.data.DataLoader(
        Collated(), sampler=indices, batch_size=None, num_workers=workers, persistent_workers=True,
        multiprocessing_context=START,
    )  # pyright: ignore[reportArgumentType]  # fmt: skip


if __name__ == "__main__":
    main()
