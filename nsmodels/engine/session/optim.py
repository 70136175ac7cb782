"""Optimizer, learning-rate schedule and weight average."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from nsmodels.core.errors import InputError
from nsmodels.engine.config import TrainingConfig


def make_optimizer(model: nn.Module, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019) over the trainable parameters; weight decay on matrices only.

    Raises `InputError` when no parameter is trainable.
    """
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if not trainable:
        raise InputError("the model has no trainable parameter; freeze fewer modules")
    # Biases and norm scales (ndim < 2) set offsets and units; decay towards 0 would bias them without regularising.
    groups = [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    fused = all(p.device.type in ("cpu", "cuda") and p.is_floating_point() for p in trainable)
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=config.lr, fused=fused)


@dataclass
class Fall:
    """Where the cosine falls: from epoch `start`, when `first_step` steps were done, to epoch `end` or `max_steps`."""

    start: float
    end: float
    first_step: int = 0
    max_steps: int = 0

    @classmethod
    def of(cls, config: TrainingConfig) -> Fall:
        """From the end of the warm-up to that of the training."""
        return cls(config.warmup_epochs, config.epochs, max_steps=config.max_steps)

    def share(self, done: float, step: int) -> float:
        """The share of the fall that is over, in [0, 1], after `done` epochs and `step` steps.

        By epochs, or by steps where `max_steps` ends the training earlier. The larger of the two is 1 at whichever end
        comes first; how many steps later epochs have need not be known, as a curriculum may change it.
        """
        shares = [(done - self.start) / max(self.end - self.start, 1e-9)]
        if self.max_steps:
            shares.append((step - self.first_step) / max(self.max_steps - self.first_step, 1))
        return min(max(0.0, *shares), 1.0)


def lr_factor(config: TrainingConfig, done: float, ahead: float, step: int = 0, fall: Fall | None = None) -> float:
    """Learning rate over its peak, in [0, 1], for the step from `done` to `ahead`, both in epochs since the start.

    Linear warm-up, then cosine to `min_lr_ratio`, steps of `gamma`, or constant (`plateau` cuts the rate separately).
    `step`: steps done; `fall`: of the cosine, by default that of the configuration.
    """
    # Warm-up is evaluated at the end of the step: at its start the first factor would be 0, a step without effect.
    warm = min(1.0, ahead / config.warmup_epochs) if config.warmup_epochs else 1.0
    if config.scheduler == "step":
        return warm * config.gamma ** (done // config.step_epochs)
    # Cosine (Loshchilov & Hutter 2017): r + (1 − r) (1 + cos πs) / 2 with s ∈ [0, 1] the share of the training after
    # warm-up falls from 1 at s = 0 to r = min_lr_ratio at s = 1, with zero slope at both ends.
    if config.scheduler == "cosine" and warm >= 1.0:
        falling = 0.5 * (1 + math.cos(math.pi * (fall or Fall.of(config)).share(done, step)))
        return config.min_lr_ratio + (1 - config.min_lr_ratio) * falling
    return warm


class Schedule:
    """The learning rate: a factor per step (LambdaLR) and, for plateau, a cut per epoch (ReduceLROnPlateau).

    Positions are counted in epochs rather than steps, so that a curriculum may change the length of an epoch.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, config: TrainingConfig, step_size: float) -> None:
        self.config = config
        self.optimizer = optimizer
        self.fall = Fall.of(config)
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

    @property
    def floor(self) -> float:
        """The learning rate at which the cosine ends."""
        return self.config.lr * self.config.min_lr_ratio

    def advance(self, done: float, step_size: float, step: int = 0) -> None:
        """Set the rate for the next step, which starts `done` epochs and `step` steps into the run."""
        if done <= self.fall.start:
            self.fall.first_step = step
        if self.plateau is not None and self.factor >= 1.0:
            return  # after warm-up only the plateau rule changes the rate; a factor per step would undo its cuts
        self.factor = lr_factor(self.config, done, done + step_size, step, self.fall)
        self.per_step.step()

    def restart(self, done: float, step_size: float, step: int) -> None:
        """Begin the cosine anew at its peak, to fall until the end of the training: a warm restart (SGDR)."""
        self.fall = replace(Fall.of(self.config), start=max(done, self.config.warmup_epochs), first_step=step)
        self.advance(done, step_size, step)

    def end_epoch(self, monitored: float) -> None:
        """Pass the monitored metric of a validated epoch to the plateau rule."""
        if self.plateau is not None and self.factor >= 1.0:
            self.plateau.step(monitored)

    def state_dict(self) -> dict[str, Any]:
        """The state that a resume restores."""
        plateau = {} if self.plateau is None else self.plateau.state_dict()
        per_step, fall = self.per_step.state_dict(), asdict(self.fall)
        return {"factor": self.factor, "per_step": per_step, "plateau": plateau, "fall": fall}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state from `state_dict`."""
        self.factor = state["factor"]
        self.per_step.load_state_dict(state["per_step"])
        self.fall = Fall(**state.get("fall", asdict(self.fall)))
        if self.plateau is not None:
            self.plateau.load_state_dict(state["plateau"])


class WeightAverage:
    """Exponential moving average of the weights, m ← d·m + (1 − d)·w; buffers are copied.

    The decay of step t is d = min(decay, (1 + t) / (10 + t)). With a constant decay the random initial weights would
    keep the share decayᵗ, 37 % after 1 / (1 − decay) steps. With the ramp, d < 0.9 for the first 80 steps, so that
    they lose their weight early, and the window of about 1 / (1 − d) steps grows to its final length.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(False).eval()
        self._pairs = _floating_pairs(self.model, model)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Average in the weights of `model`, the one given at construction, after its `step`-th step."""
        averaged, current = self._pairs
        weight = 1 - min(self.decay, (1 + step) / (10 + step))  # lerp: m + (1 − d) (w − m) = d·m + (1 − d)·w
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
