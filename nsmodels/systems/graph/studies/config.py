"""Configuration of the ablations and its presets. Torch-free."""

from __future__ import annotations

from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from nsmodels.core.config import Config, conditional, partly_decided, runtime_field
from nsmodels.engine.config import Device, TrainingConfig
from nsmodels.systems.graph.config import BaselineConfig, GraphConfig, ModelConfig, ScheduleConfig

OneLevel = Literal[
    "source", "flat", "no_trace", "no_short", "no_gate", "one_layer", "no_norm", "other_aggregation", "bases"
]
TwoLevels = Literal["one_level", "no_cycle", "no_trace"]
_TRAINING = TrainingConfig(curriculum=True, batch_size=64, lr=3e-3, weight_decay=0.01, num_workers=0)
_BY_STUDY = {"seed": "seeds decides it"}
_BY_VARIANT = {"kind": "the variants and the data decide it"}


class AblationConfig(GraphConfig):
    """The network and the same without one thing after the other, over the same seeds.

    On graphs that declare clusters the network has two levels, on others one. All trainings of a dataset have the same
    epochs, those of `baselines` too.
    """

    seeds: list[int] = Field(default=[0, 1, 2], min_length=1, description="seeds over which variants are compared")
    variants: list[OneLevel] = Field(
        default=list(get_args(OneLevel)), description="what is removed or replaced where graphs declare no clusters"
    )
    level_variants: list[TwoLevels] = Field(
        default=list(get_args(TwoLevels)), description="what is removed where graphs declare clusters"
    )
    level_epochs: int = Field(default=3, ge=1, le=100_000, description="epochs where graphs declare clusters")
    model: ModelConfig = partly_decided(ModelConfig(), _BY_VARIANT)
    training: TrainingConfig = partly_decided(_TRAINING, _BY_STUDY)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("seeds", "variants", "level_variants"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: expected each value once, got {values}")
        if self.training.num_processes > 1:
            raise ValueError("training.num_processes: the trials of a study run in one process")
        return self


def debug() -> AblationConfig:
    """Seconds on one CPU core, to see that everything runs: two seeds, two variants of each kind, one epoch."""
    return _study(epochs=1, short_epochs=1, level_epochs=1).with_values(
        {
            "seeds": [0, 1],
            "variants": ["flat", "no_gate"],
            "level_variants": ["one_level", "no_cycle"],
            "model": {"dim": 8, "max_extra_rounds": 1, "slack_rounds": 1},
            "baselines": {"flat_layers": 2, "flat_bases": 2, "flat_dim": 8, "source_dim": 8},
            "schedule.max_pairs": 16,
        }
    )


def quick() -> AblationConfig:
    """Three seeds of every variant on 2,500 pairs: not measured yet."""
    return _study(epochs=3, short_epochs=2, level_epochs=4).with_values({"schedule.max_pairs": 2_500})


def base() -> AblationConfig:
    """Five seeds of every variant with six epochs on all pairs. Not measured."""
    return _study(epochs=6, short_epochs=2, level_epochs=4).with_values({"seeds": [0, 1, 2, 3, 4]})


def paper() -> AblationConfig:
    """Five seeds of every variant with 50 epochs on all pairs, on a GPU. Not measured."""
    return _study(epochs=50, short_epochs=4, level_epochs=20).with_values({"seeds": [0, 1, 2, 3, 4]})


def _study(epochs: int, short_epochs: int, level_epochs: int) -> AblationConfig:
    return AblationConfig(
        training=_TRAINING.with_values({"epochs": epochs}),
        schedule=ScheduleConfig(short_epochs=short_epochs),
        baselines=BaselineConfig(budget=True),
        level_epochs=level_epochs,
    )


ABLATION_PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}


class ComparisonConfig(Config):
    """The domains side by side, and what a core that was trained on one of them is worth in another."""

    has_transfer: bool = Field(default=True, description="also train: from each domain to each other, and from scratch")
    num_steps: int = conditional(
        300, {"has_transfer": True}, ge=1, description="optimizer steps of each of these trainings"
    )
    seeds: list[int] = conditional([0], {"has_transfer": True}, min_length=1, description="seeds of each of them")
    max_pairs: int = conditional(
        0, {"has_transfer": True}, ge=0, description="they train on the first so many pairs of each split; 0: all"
    )
    device: Device = runtime_field("auto", description="auto, cpu, cuda or cuda:N")


def debug_comparison() -> ComparisonConfig:
    """Two steps of each transfer, to see that everything runs."""
    return ComparisonConfig(num_steps=2, max_pairs=16)


def quick_comparison() -> ComparisonConfig:
    """300 steps of each transfer, one seed: minutes of one CPU core. Not measured yet."""
    return ComparisonConfig()


def base_comparison() -> ComparisonConfig:
    """600 steps of each transfer, three seeds. Not measured."""
    return ComparisonConfig(num_steps=600, seeds=[0, 1, 2])


def paper_comparison() -> ComparisonConfig:
    """2,000 steps of each transfer, five seeds, on a GPU. Not measured."""
    return ComparisonConfig(num_steps=2_000, seeds=[0, 1, 2, 3, 4])


COMPARISON_PRESETS = {
    "debug": debug_comparison,
    "quick": quick_comparison,
    "base": base_comparison,
    "paper": paper_comparison,
}
