"""Processes of a data-parallel run, as started by torchrun; a single process is a world of size 1."""

from __future__ import annotations

import contextlib
import datetime
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from nsmodels.core.errors import InputError
from nsmodels.engine.task import Task

PATIENCE = datetime.timedelta(hours=2)  # of the other ranks while rank 0 validates or writes


@dataclass(frozen=True)
class World:
    """Rank of this process among `size`; `group` communicates over the CPU, without synchronising a GPU."""

    rank: int = 0
    size: int = 1
    group: Any = None

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and logs."""
        return self.rank == 0

    def any(self, *flags: bool) -> tuple[bool, ...]:
        """Each flag, true when it is true in any process."""
        if self.size == 1:
            return flags
        tensor = torch.tensor([int(flag) for flag in flags])
        dist.all_reduce(tensor, op=dist.ReduceOp.MAX, group=self.group)
        return tuple(bool(value) for value in tensor.tolist())

    def sum(self, *values: float) -> tuple[float, ...]:
        """Each value, added over the processes."""
        if self.size == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(tensor, group=self.group)
        return tuple(tensor.tolist())

    def all_gather(self, value: Any) -> list[Any]:
        """Every process's `value`, by rank."""
        if self.size == 1:
            return [value]
        gathered: list[Any] = [None] * self.size
        dist.all_gather_object(gathered, value, group=self.group)
        return gathered

    def broadcast(self, value: Any) -> Any:
        """The `value` of process 0."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0, group=self.group)
        return box[0]

    def sum_over_ranks(self, sums: dict[str, list[float]]) -> dict[str, list[float]]:
        """Pairs (weighted sum, weight) by name, added over the processes in order of rank."""
        total: dict[str, list[float]] = {}
        for part in self.all_gather(sums):
            for name, (value, weight) in part.items():
                entry = total.setdefault(name, [0.0, 0.0])
                entry[0] += value
                entry[1] += weight
        return total

    def broadcast_buffers(self, model: nn.Module) -> None:
        """Copy the first process's buffers to all (running statistics differ between shards)."""
        if self.size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)


@contextlib.contextmanager
def connect(device: torch.device) -> Iterator[World]:
    """Join the process group that torchrun describes in the environment; without one, a world of size 1.

    Raises `InputError` for an incomplete environment.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World()
        return
    if dist.is_initialized():
        yield World(dist.get_rank(), dist.get_world_size(), dist.new_group(backend="gloo", timeout=PATIENCE))
        return
    if "MASTER_ADDR" not in os.environ:
        raise InputError(f"WORLD_SIZE={size} without MASTER_ADDR: start data-parallel runs with torchrun")
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        yield World(dist.get_rank(), size, dist.new_group(backend="gloo", timeout=PATIENCE))
    finally:
        dist.destroy_process_group()


class LossModule(nn.Module):
    """The task's loss as a module's `forward`: DDP hooks `forward`, while a task may call any method of the model."""

    def __init__(self, task: Task, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self._task = task

    def forward(self, batch: Any) -> tuple[Tensor, dict[str, Any]]:
        """The loss and its terms, the terms detached from the graph; of no batch (None) a loss without gradient.

        A process that has no sample of a batch still exchanges gradients, and DDP does so in the backward pass.
        """
        if batch is None:
            parameter = next(each for each in self.model.parameters() if each.requires_grad)
            return 0.0 * parameter.sum(), {}
        loss, terms = self._task.loss(self.model, batch)
        return loss, {name: v.detach() if isinstance(v, Tensor) else v for name, v in terms.items()}


def wrap_loss(task: Task, model: nn.Module, world: World, device: torch.device) -> LossModule | DistributedDataParallel:
    """The loss module; with several processes in DDP, which averages the gradients over them."""
    module = LossModule(task, model)
    if world.size == 1:
        return module
    warnings.filterwarnings("ignore", message=".*find_unused_parameters=True was specified.*")
    devices = [device.index] if device.type == "cuda" else None
    return DistributedDataParallel(module, device_ids=devices, find_unused_parameters=True)
