"""Settings of generated questions. Torch-free."""

from __future__ import annotations

from pydantic import Field

from nsmodels.core.config import LARGEST_SEED, Config


class QuestionSettings(Config):
    """How many questions are asked about an image, and how they are balanced."""

    seed: int = Field(default=0, ge=0, le=LARGEST_SEED, description="random seed")
    effort: float = Field(
        default=1.0, gt=0, le=10, description="proposals for an image, as a multiple of the default, about 60"
    )
    repeated: float = Field(default=0.08, ge=0, le=1, description="share of questions asked again in different words")
    spread: float = Field(
        default=4.0,
        ge=1,
        le=100,
        description="largest frequency of an answer in a balanced group, as a multiple of the mean of its answers",
    )
    leftover: float = Field(
        default=0.1, ge=0, le=1, description="largest excess of yes or no in a local group, as a share of the pairs"
    )
