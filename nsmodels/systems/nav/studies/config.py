"""Configuration of data scaling and its presets. Torch-free."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import Field, model_validator

from nsmodels.core.config import Config, partly_decided
from nsmodels.core.errors import InputError
from nsmodels.engine.config import TrainingConfig, require_metric
from nsmodels.systems.nav.config import METRICS, NAVIGATOR, DataConfig, ModelConfig, ObjectiveConfig

SCORED = TrainingConfig(monitor="val/accuracy", monitor_mode="max")


class DataScalingConfig(Config):
    """The same network on increasing numbers of maps, for the same number of steps: it compares data, not computation.

    `num_steps` and `num_looks` determine the epochs, steps and validations of `training`. Trials with few maps are
    expected to do worse, so that trials are not compared for stopping: `training.patience` stops one that no longer
    improves.
    """

    sizes: list[int] = Field(
        default=[1_000, 5_000, 10_000, 50_000, 100_000],
        min_length=1,
        description="numbers of training maps; a smaller set is the first part of a larger one",
    )
    augmentation: Literal["both", "with", "without"] = Field(
        default="both", description="train with the 8 rotations and mirrors of each map, without them, or both"
    )
    num_steps: int = Field(default=20_000, ge=1, description="optimizer steps of each training, whatever its size")
    num_looks: int = Field(default=20, ge=1, description="number of evenly spaced validations within them")
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = partly_decided(
        SCORED,
        {
            "epochs": "num_steps decides it",
            "max_steps": "num_steps decides it",
            "eval_interval": "num_looks decides it",
        },
    )
    objective: ObjectiveConfig = ObjectiveConfig()
    data: DataConfig = partly_decided(
        DataConfig(), {"max_maps": "sizes decides it", "augment": "augmentation decides it"}
    )

    @model_validator(mode="after")
    def _fits(self) -> DataScalingConfig:
        _require_distinct(sizes=self.sizes)
        _require_trainable(self.training)
        if self.data.fresh_maps:
            raise ValueError("data.fresh_maps: with maps drawn every epoch there is no number of maps to compare")
        if min(self.sizes) < 1:
            raise ValueError(f"sizes: expected numbers of maps, got {min(self.sizes)}")
        return self

    @property
    def combinations(self) -> list[dict[str, Any]]:
        """Settings of the trials in running order."""
        augmented = {"both": (False, True), "with": (True,), "without": (False,)}[self.augmentation]
        return [{"maps": size, "augment": augment} for size in sorted(self.sizes) for augment in augmented]

    def trained_on(self, num_batches: int) -> TrainingConfig:
        """The training of `num_steps` steps where an epoch has `num_batches`."""
        interval = max(1, round(self.num_steps / self.num_looks / num_batches))
        return self.training.with_values(
            {
                "epochs": math.ceil(self.num_steps / num_batches),
                "max_steps": self.num_steps,
                "eval_interval": interval,
            }
        )


def _require_distinct(**lists: list[Any]) -> None:
    for name, values in lists.items():
        if len(set(values)) < len(values):
            raise ValueError(f"{name}: expected each value once, got {values}")


def _require_trainable(training: TrainingConfig) -> None:
    try:
        require_metric(training, METRICS[NAVIGATOR])
    except InputError as error:
        raise ValueError(str(error)) from None
    if training.num_processes > 1:
        raise ValueError("training.num_processes: the trials of a study run in one process")


def debug_scaling() -> DataScalingConfig:
    """Four trainings of 8 steps on 16 and 32 maps of 8x8: seconds on one CPU core."""
    return _scaling([16, 32], num_steps=8, num_looks=2, patience=0).with_values(
        {"training.batch_size": 16, "model.dim": 16, "model.group_width": 16, "model.num_segments": 3}
    )


def quick_scaling() -> DataScalingConfig:
    """12 trainings of 400 steps on 125 to 5,000 maps of 8x8: about 6 CPU-minutes."""
    return _scaling([125, 250, 500, 1_000, 2_000, 5_000], num_steps=400, num_looks=8, patience=4).with_values(
        {"model.dim": 16, "model.group_width": 16}
    )


def base_scaling() -> DataScalingConfig:
    """1,000 to 50,000 maps, 5,000 steps each, on one GPU."""
    return _scaling([1_000, 5_000, 10_000, 50_000], num_steps=5_000, num_looks=20, patience=8)


def paper_scaling() -> DataScalingConfig:
    """1,000 to 100,000 maps, 20,000 steps each, on one GPU."""
    return _scaling([1_000, 5_000, 10_000, 50_000, 100_000], num_steps=20_000, num_looks=25, patience=10)


def _scaling(sizes: list[int], num_steps: int, num_looks: int, patience: int) -> DataScalingConfig:
    return DataScalingConfig(
        sizes=sizes,
        num_steps=num_steps,
        num_looks=num_looks,
        model=ModelConfig(dim=32, group_width=32),
        training=SCORED.with_values(
            {"lr": 3e-3, "ema_decay": 0.99, "num_workers": 0, "batch_size": 64, "patience": patience}
        ),
    )


SCALING_PRESETS = {"debug": debug_scaling, "quick": quick_scaling, "base": base_scaling, "paper": paper_scaling}
