"""Optimizer, learning-rate schedule and weight average."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from nsmodels.core.errors import InputError
from nsmodels.engine.config import TrainingConfig


def make_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) over the trainable parameters; weight decay on matrices only."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trainable:
        raise InputError("the model has no trainable parameter; freeze fewer modules")
    groups = [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    fused = all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in trainable)
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=config.lr, fused=fused)


def lr_factor(config: TrainingConfig, done: float, ahead: float) -> float:
    """Learning rate over its peak for the step that starts `done` epochs into the run and ends at `ahead`.

    Linear warm-up, then cosine to `min_lr_ratio`, steps of `gamma`, or constant (plateau acts apart from this).
    """
    warm = min(1.0, ahead / config.warmup_epochs) if config.warmup_epochs else 1.0
    if config.scheduler == "step":
        return warm * config.gamma ** (done // config.step_epochs)
    if config.scheduler == "cosine" and warm >= 1.0:
        share = (done - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1e-9)
        falling = 0.5 * (1 + math.cos(math.pi * min(max(share, 0.0), 1.0)))
        return config.min_lr_ratio + (1 - config.min_lr_ratio) * falling
    return warm


class Schedule:
    """The learning rate: a factor per step (LambdaLR) and, for plateau, a cut per epoch (ReduceLROnPlateau).

    Counted in epochs rather than steps, so that a curriculum may change the length of an epoch.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, config: TrainingConfig, step_size: float) -> None:
        self.config = config
        self.optimizer = optimizer
        self.factor = lr_factor(config, 0.0, step_size)
        self.per_step = LambdaLR(optimizer, lambda _step: self.factor)
        self.plateau = None
        if config.scheduler == "plateau":
            self.plateau = ReduceLROnPlateau(
                optimizer, mode=config.monitor_mode, factor=config.gamma, patience=config.plateau_patience
            )

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def advance(self, done: float, step_size: float) -> None:
        """Set the rate for the next step, which starts `done` epochs into the run."""
        if self.plateau is not None and self.factor >= 1.0:
            return  # warm-up is over: from here on the rate belongs to the plateau
        self.factor = lr_factor(self.config, done, done + step_size)
        self.per_step.step()

    def end_epoch(self, monitored: float) -> None:
        """Let the plateau see the monitored metric of a validated epoch."""
        if self.plateau is not None and self.factor >= 1.0:
            self.plateau.step(monitored)

    def state_dict(self) -> dict[str, Any]:
        """Everything a resume needs."""
        plateau = {} if self.plateau is None else self.plateau.state_dict()
        return {"factor": self.factor, "per_step": self.per_step.state_dict(), "plateau": plateau}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.factor = state["factor"]
        self.per_step.load_state_dict(state["per_step"])
        if self.plateau is not None:
            self.plateau.load_state_dict(state["plateau"])


class WeightAverage:
    """Exponential moving average of the weights; buffers are copied.

    The decay of step t is min(decay, (1 + t) / (10 + t)), so that the random start is forgotten early.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self._pairs = _floating_pairs(self.model, model)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Move towards the weights that `model`, the one averaged from the start, has after `step` steps."""
        averaged, current = self._pairs
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(averaged, current, weight)  # pyright: ignore[reportPrivateImportUsage] - as swa_utils does
        for mine, theirs in zip(self.model.buffers(), model.buffers(), strict=True):
            mine.copy_(theirs)


def _floating_pairs(averaged: nn.Module, model: nn.Module) -> tuple[list[Tensor], list[Tensor]]:
    pairs = [
        (a.detach(), b.detach())
        for a, b in zip(averaged.parameters(), model.parameters(), strict=True)
        if a.is_floating_point()
    ]
    return [a for a, _ in pairs], [b for _, b in pairs]
