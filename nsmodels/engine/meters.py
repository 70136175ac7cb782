"""Running means of an epoch, read from the device every few steps, that notice a loss gone wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nsmodels.core.errors import InputError

REMEDIES = (
    "lower lr, set clip_norm=1, add warmup_epochs, try use_amp=false or amp_dtype=bf16, "
    "and look for infinities or empty targets in the data"
)


class Meter:
    """Sample-weighted sums by name, kept in float64 on the host.

    Values stay on the device until `flush`, which moves them in one transfer: reading each step's loss would make
    the host wait for a GPU at every step.
    """

    def __init__(self, every: int = 1) -> None:
        self.every = every
        self.sums: dict[str, list[float]] = {}
        self._pending: list[tuple[str, int, dict[str, Any]]] = []

    def add(self, place: str, count: int, values: Mapping[str, Tensor | float]) -> None:
        """Note `values` of `count` samples; `place` says where in the run, for the error message."""
        self._pending.append((place, count, dict(values)))
        if len(self._pending) >= self.every:
            self.flush()

    def flush(self) -> None:
        """Take in what is pending; raise `InputError` at the first value that is not finite."""
        pending, self._pending = self._pending, []
        tensors = [v.detach().reshape(()) for _, _, row in pending for v in row.values() if isinstance(v, Tensor)]
        numbers = iter(_read(tensors))
        for place, count, row in pending:
            for name, value in row.items():
                self._take(place, count, name, next(numbers) if isinstance(value, Tensor) else float(value))

    def _take(self, place: str, count: int, name: str, value: float) -> None:
        if not math.isfinite(value):
            raise InputError(f"{place}: '{name}' is {value}; usual remedies: {REMEDIES}")
        total = self.sums.setdefault(name, [0.0, 0.0])
        total[0] += value * count
        total[1] += count

    def means(self) -> dict[str, float]:
        """The mean of each name over the samples noted so far."""
        return {name: total / weight for name, (total, weight) in self.sums.items() if weight}

    def clear(self) -> None:
        """Begin an epoch."""
        self.sums = {}
        self._pending = []


def named(terms: dict[str, Any], loss: Tensor) -> dict[str, Any]:
    """Terms before the loss: when both are broken, the term is the one to name."""
    return {**terms, "loss": loss}


def _read(tensors: list[Tensor]) -> list[float]:
    if not tensors:
        return []
    if len(tensors) == 1:
        return [tensors[0].item()]
    return torch.stack([tensor.double() for tensor in tensors]).tolist()
