"""Configuration that all studies of variants share. Torch-free."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from nsmodels.core.config import Config, runtime_field

TRIALS, SCORES = "trials", "scores"  # folders: of a study with its trials, of a trial with its outcomes


class VariantStudyConfig(Config):
    """Seeds over which variants are compared, and what counts as no difference."""

    seeds: list[int] = Field(
        default=[0, 1, 2], min_length=1, description="seeds over which variants are compared; fewer than 3: no verdicts"
    )
    margin: float = Field(
        default=0.01,
        ge=0,
        description="a part whose effect surely is smaller does not matter; 0.01: one point, of an error one percent",
    )
    num_workers: int = runtime_field(1, ge=1, le=256, description="processes that train trials at the same time")

    @model_validator(mode="after")
    def _has_different_seeds(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"seeds: expected whole numbers from 0 on, each once, got {self.seeds}")
        return self
