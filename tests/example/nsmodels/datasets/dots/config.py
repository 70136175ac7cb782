"""Configuration of the dots and its presets. Torch-free."""

from pydantic import Field

from nsmodels.core.config import Config

CODE_VERSION = "1"


class DotsConfig(Config):
    """Generated in milliseconds; with the default noise a perfect classifier scores 95 %."""

    num_train: int = Field(default=2000, ge=8, description="points of the training split")
    num_val: int = Field(default=500, ge=8, description="points of the validation split")
    noise: float = Field(default=0.05, ge=0, le=0.5, description="share of labels that are flipped")
    seed: int = Field(default=0, ge=0, description="random seed")


def debug() -> DotsConfig:
    """64 and 32 points, for tests."""
    return DotsConfig(num_train=64, num_val=32)


PRESETS = {"debug": debug, "quick": DotsConfig}
