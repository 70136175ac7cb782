"""Configuration of the study of baselines on natural images and its presets. Torch-free."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from nsmodels.core.config import Config
from nsmodels.layers.answers.config import SMALL, TINY, BaselineStudyConfig

ATTENTION = "object_attention"


class AttentionConfig(Config):
    """Attention of the question over the objects of a trained perception (after Anderson et al. 2018)."""

    object_dim: int = Field(default=512, ge=8, le=4096, description="width of objects and of their scores")
    max_objects: int = Field(default=36, ge=1, le=512, description="objects of an image, the most certain ones")


class NaturalBaselines(BaselineStudyConfig):
    """Baselines on questions of GQA or VQA, over seeds."""

    networks: list[Literal["blind", "cnn_lstm", "resnet_lstm", "object_attention", "vilt"]] = Field(
        default=["blind", "cnn_lstm", "resnet_lstm", "object_attention", "vilt"],
        min_length=1,
        description="which are trained; object_attention needs the model whose perception it reads",
    )
    attention: AttentionConfig = AttentionConfig()


def debug() -> NaturalBaselines:
    """Seconds on one CPU core, to see that everything runs; scores are near chance."""
    return NaturalBaselines().with_values({**TINY, "attention": {"object_dim": 8, "max_objects": 8}})


def quick() -> NaturalBaselines:
    """Minutes on two CPU cores: three seeds of four networks on 16,000 questions."""
    return NaturalBaselines().with_values({**SMALL, "attention": {"object_dim": 128, "max_objects": 16}})


def base() -> NaturalBaselines:
    """One GPU, all questions. Time and score are not measured yet."""
    return NaturalBaselines()


def paper() -> NaturalBaselines:
    """One GPU, the full release, five seeds. Time and score are not measured yet."""
    return base().with_values({"seeds": [0, 1, 2, 3, 4], "training.epochs": 12})


BASELINE_PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
