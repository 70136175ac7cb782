"""Weighted running means of an epoch, transferred from the device every few steps and checked to be finite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nsmodels.core.errors import Unworkable

REMEDIES = (
    "lower lr, set clip_norm=1, add warmup_epochs, try use_amp=false or amp_dtype=bf16, "
    "and check the data for infinities and empty targets"
)


class Meter:
    """Weighted sums by name, in float64 on the host.

    A batch of c samples (or c of what `Task.weight` counts) with mean v contributes (c·v, c), so that Σ c·v / Σ c is
    the mean over all, also where batches differ in size, and sums of several processes are added before the division.
    Values stay on the device until `flush`, which moves them in one transfer: reading each step's loss would make
    the host wait for the GPU at every step.
    """

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self.sums: dict[str, list[float]] = {}  # by name: Σ weight · value, Σ weight
        self._pending: list[tuple[str, float, dict[str, Any]]] = []

    def add(self, place: str, weight: float, values: Mapping[str, Tensor | float]) -> None:
        """Add `values`, scalar means by name over `weight` samples; `place`: step or epoch, for the error message.

        Every `every` calls it flushes, and then raises `Unworkable` as `flush` does.
        """
        self._pending.append((place, weight, dict(values)))
        if len(self._pending) >= self.every:
            self.flush()

    def flush(self) -> None:
        """Add the pending values to the sums; raise `Unworkable` at the first value that is not finite."""
        pending, self._pending = self._pending, []
        tensors = [v.detach().reshape(()) for _, _, row in pending for v in row.values() if isinstance(v, Tensor)]
        numbers = iter(_read(tensors))
        for place, weight, row in pending:
            for name, value in row.items():
                self._accumulate(place, weight, name, next(numbers) if isinstance(value, Tensor) else float(value))

    def _accumulate(self, place: str, weight: float, name: str, value: float) -> None:
        if not math.isfinite(value):
            raise Unworkable(f"{place}: '{name}' is {value}; usual remedies: {REMEDIES}")
        total = self.sums.setdefault(name, [0.0, 0.0])
        total[0] += value * weight
        total[1] += weight

    def means(self) -> dict[str, float]:
        """The mean of each name over the samples added so far."""
        return {name: total / weight for name, (total, weight) in self.sums.items() if weight}

    def clear(self) -> None:
        """Reset the sums at the beginning of an epoch."""
        self.sums = {}
        self._pending = []


def with_loss(terms: dict[str, Any], loss: Tensor) -> dict[str, Any]:
    """The terms, then the loss: when both are not finite, the error names the term, which is the cause."""
    return {**terms, "loss": loss}


def _read(tensors: list[Tensor]) -> list[float]:
    if not tensors:
        return []
    if len(tensors) == 1:
        return [tensors[0].item()]
    return torch.stack([tensor.double() for tensor in tensors]).tolist()
