"""Configuration of the toy and its presets. Torch-free."""

from pydantic import Field

from nsmodels.core.config import Config
from nsmodels.engine.config import TrainingConfig


class ToyModelConfig(Config):
    """The network."""

    dim: int = Field(default=64, ge=2, le=1024, description="width of the code")


class ToyConfig(Config):
    """Seconds on one CPU core: 88 % of the validation points, where 95 % are possible."""

    model: ToyModelConfig = ToyModelConfig()
    training: TrainingConfig = TrainingConfig(epochs=20, batch_size=64, lr=3e-3, num_workers=0)


def debug() -> ToyConfig:
    """A second on one CPU core; scores near chance."""
    return ToyConfig().with_values({"model.dim": 8, "training.epochs": 2, "training.batch_size": 16})


PRESETS = {"debug": debug, "quick": ToyConfig, "base": ToyConfig, "paper": ToyConfig}
