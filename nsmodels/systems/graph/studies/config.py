"""Configuration of the search and of the comparison of domains, and their presets. Torch-free."""

from __future__ import annotations

from pydantic import Field

from nsmodels.core.config import Config, conditional, runtime_field
from nsmodels.engine.config import Device, TrainingConfig

_TRAINING = TrainingConfig(curriculum=True, batch_size=64, lr=3e-3, weight_decay=0.01, num_workers=0)


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
