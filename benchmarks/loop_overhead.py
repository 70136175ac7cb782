"""What the training loop costs per step: the engine against a bare loop over the same batches and model.

Run `OMP_NUM_THREADS=1 python -m benchmarks.loop_overhead [width]`; prints both times per step and their ratio.
On a CPU the time is that of the processor, since other programs disturb the clock; on a GPU it is the clock's.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from nsmodels.engine.batching import Batches, epoch_batches
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.loop import fit
from nsmodels.engine.runtime import resolve_device
from nsmodels.engine.session.optim import make_optimizer
from nsmodels.engine.task import Shard, Task

CONFIG = TrainingConfig(epochs=2, batch_size=64, seed=0, use_amp=False)
NUM_STEPS = 1000
NUM_SAMPLES = 64 * NUM_STEPS
CLOCK = time.perf_counter if torch.cuda.is_available() else time.process_time


class Benchmark(Task):
    """An MLP of a given width on random points; the last epoch is timed."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.x = torch.randn(NUM_SAMPLES, 64, generator=torch.Generator().manual_seed(0))
        self.y = (self.x[:, 0] > 0).long()

    def build(self) -> nn.Module:
        """Three linear layers."""
        return nn.Sequential(
            nn.Linear(64, self.width), nn.ReLU(), nn.Linear(self.width, self.width), nn.ReLU(), nn.Linear(self.width, 2)
        )

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Slices of the tensors; one validation batch."""
        count = NUM_SAMPLES if split == "train" else 64
        return Batches(epoch_batches(count, 64, 0, epoch, shard), self._collate)

    def _collate(self, index: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        return self.x[index], self.y[index]

    def loss(self, model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, dict]:
        """Cross-entropy."""
        return functional.cross_entropy(model(batch[0]), batch[1]), {}


def bare(task: Benchmark) -> float:
    device = resolve_device()
    model = task.build().to(device)
    optimizer = make_optimizer(model, CONFIG)
    started = 0.0
    for epoch in range(CONFIG.epochs):
        started = CLOCK()
        for batch in task.batches("train", epoch, Shard()):
            loss, _ = task.loss(model, tuple(part.to(device) for part in batch))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (CLOCK() - started) / NUM_STEPS


class Watch:
    """Notes the time at the end of each epoch."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def epoch(self, record: dict) -> None:
        """Note the time."""
        self.times.append(CLOCK())

    def close(self) -> None:
        """Nothing to close."""


def engine(task: Benchmark) -> float:
    watch = Watch()
    with tempfile.TemporaryDirectory() as folder:
        fit(task, CONFIG, Path(folder), [watch])
    return (watch.times[-1] - watch.times[-2]) / NUM_STEPS


def main() -> None:
    task = Benchmark(int(sys.argv[1]) if len(sys.argv) > 1 else 256)
    pairs = [(bare(task), engine(task)) for _ in range(5)]
    plain, ours = (sorted(times)[0] * 1e6 for times in zip(*pairs, strict=True))
    print(f"bare loop {plain:.0f} us per step, engine {ours:.0f} us per step, ratio {ours / plain:.3f}")


if __name__ == "__main__":
    main()
