"""Configuration of the navigator and its presets. Torch-free."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from nsmodels.core.config import Config, above, conditional, decided, runtime_field
from nsmodels.engine.config import Device, TrainingConfig, further_training

CODE_VERSION = "1"
NAVIGATOR = "navigator"  # the phase of the network itself, beside its baselines
# Reported by each training beside its loss; see `engine.system.System.metrics`.
METRICS = {
    NAVIGATOR: ("actions", "reach", "cost", "halting", "accuracy", "val/success"),
    "mlp": ("accuracy",),
    "cnn": ("accuracy",),
}
SECTIONS = {"mlp": "baseline_training", "cnn": "baseline_training"}
EVALUATION_VERSION = f"{CODE_VERSION}.4"  # an evaluation is made again, its checkpoint is not
LATENT = ("conv", "mixer", "attention")  # cores whose state are latent vectors


class ModelConfig(Config):
    """The recursive network: n updates of latent z, then one of the answer y, T times a segment."""

    common = ("core", "dim", "depth", "connectivity")

    core: Literal["value", "conv", "mixer", "attention"] = Field(
        default="conv",
        description="value: counts costs by value iteration with learnt moves, any map size; or latents that mix by "
        "conv (local, any size), attention (2-D RoPE, any size) or mixer (one size)",
    )
    dim: int = Field(
        default=64,
        ge=4,
        le=1024,
        description="channels of the latents; core=value: hidden width of the network of moves",
    )
    depth: int = conditional(2, {"core": LATENT}, ge=1, le=8, description="layers of the core, which all updates share")
    dropout: float = conditional(
        0.0,
        {"core": LATENT},
        ge=0,
        lt=1,
        description="dropout of channels within the layers; one mask for a whole recursion",
    )
    num_inner: int = Field(default=3, ge=1, le=16, description="updates of z before each update of y (n)")
    num_cycles: int = Field(default=1, ge=1, le=16, description="such cycles in a segment (T)")
    num_segments: int = Field(default=4, ge=1, le=64, description="supervised segments in training (N)")
    use_full_gradient: bool = conditional(
        True,
        {"num_cycles": above(1)},
        description="gradients through all cycles of a segment; false: the last alone, as published",
    )
    group_width: int = conditional(
        16, {"core": "conv"}, ge=1, le=1024, description="core=conv: channels that a convolution mixes"
    )
    output: Literal["sigmoid", "softmax", "stablemax"] = conditional(
        "sigmoid",
        {"core": LATENT},
        description="sigmoid: each action is optimal or not, by itself; softmax, stablemax: the optimal ones share one",
    )
    num_heads: int = conditional(
        4, {"core": "attention"}, ge=1, le=64, description="core=attention: heads of a multiple of 4 channels each"
    )
    height: int = conditional(
        8, {"core": "mixer"}, ge=2, le=64, description="core=mixer: rows of the only map size it takes"
    )
    width: int = conditional(
        8, {"core": "mixer"}, ge=2, le=64, description="core=mixer: columns of the only map size it takes"
    )
    connectivity: Literal[4, 8] = decided(
        4, "the data decide it", description="actions: 4, or 8 with diagonals; training sets it to that of the data"
    )


class ObjectiveConfig(Config):
    """What is asked of the answer after each segment."""

    horizon: float = conditional(
        0.75,
        {"model.core": "conv"},
        ge=0,
        le=1,
        description="a cell is asked for its actions once its distance is within this share of how far the steps so "
        "far carry a signal, and for none while it is beyond all of it; 0: every cell from the first segment on",
    )
    cost_weight: float = Field(default=0.05, ge=0, description="weight of the cost-to-go head")
    reach_weight: float = Field(default=0.25, ge=0, description="weight of the head that predicts reachability")
    halting_weight: float = Field(default=0.05, ge=0, description="weight of the halting head")
    max_burn_in: int = Field(
        default=0,
        ge=0,
        le=256,
        description="up to so many segments without gradient before the supervised ones, drawn for each batch, often "
        "none",
    )


class DataConfig(Config):
    """Which of the training maps are seen, and how."""

    augment: bool = Field(default=True, description="maps in one of their 8 orientations, drawn for each batch")
    fresh_maps: bool = Field(
        default=False, description="draw new training maps every epoch by the data's own recipe: no map comes twice"
    )
    max_maps: int = Field(default=0, ge=0, description="train on the first so many maps; 0: all")


class BaselineConfig(Config):
    """Networks without recursion that are trained beside it on the same maps: an MLP and a plain CNN of its size."""

    is_plain = False
    common = ("is_enabled",)

    is_enabled: bool = Field(default=True, description="train them too; evaluations then show their rows")
    mlp_dim: int = conditional(128, {"is_enabled": True}, ge=4, le=4096, description="hidden width of the MLP")
    cnn_depth: int = conditional(
        6,
        {"is_enabled": True},
        ge=1,
        le=64,
        description="layers of the CNN; its width gives it the parameters of the navigator, at least 20,000",
    )


class NavConfig(Config):
    """The navigator and its baselines with their trainings. Seed, device, trackers of `training` hold for all."""

    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    objective: ObjectiveConfig = ObjectiveConfig()
    data: DataConfig = DataConfig()
    baselines: BaselineConfig = BaselineConfig()
    baseline_training: TrainingConfig = further_training({"baselines.is_enabled": True}, has_curriculum=False)

    @model_validator(mode="after")
    def _has_no_curriculum(self) -> NavConfig:
        if self.training.curriculum or self.baseline_training.curriculum:
            raise ValueError("training.curriculum: the navigator has none; data with small sides are its easy maps")
        return self


class EvaluationConfig(Config):
    """What a checkpoint is scored on."""

    split: Literal["test", "val", "train", "transfer"] = Field(
        default="test", description="split of the data; with test the larger maps of transfer are scored by size too"
    )
    max_steps: int = Field(default=0, ge=0, description="recursion steps at most; 0: by the size of the map")
    device: Device = runtime_field("auto", description="auto, cpu, cuda or cuda:N")


def debug() -> NavConfig:
    """Seconds on one CPU core, to see that everything runs; scores are near chance."""
    small = TrainingConfig(epochs=2, batch_size=16, lr=3e-3, num_workers=0)
    return NavConfig(
        model=ModelConfig(core="value", dim=16, num_segments=3),
        training=small,
        baselines=BaselineConfig(mlp_dim=32, cnn_depth=2),
        baseline_training=small.with_values({"epochs": 1}),
    )


def quick() -> NavConfig:
    """5,000 maps of 8x8: half a minute of one CPU core, and twice that for the networks beside it.

    Measured: the goal is reached on all of 1,000 held-out 8x8 maps (95 % interval 99.6–100), and on all of 200 maps
    each of 16x16, 30x30 and 64x64, sizes never seen in training.
    """
    return NavConfig(
        model=ModelConfig(core="value", dim=32),
        training=TrainingConfig(
            epochs=6, batch_size=64, lr=3e-2, warmup_epochs=0.5, ema_decay=0.99, patience=10, num_workers=0
        ),
        objective=ObjectiveConfig(cost_weight=1.0),
        # as many CPU-seconds as make a fair rival: with 8 epochs the CNN reached 77 % of the goals, with 30 90 %
        baseline_training=TrainingConfig(epochs=30, batch_size=128, lr=2e-3, patience=10, num_workers=0),
    )


def base() -> NavConfig:
    """50,000 maps with sides of 8 to 16. Time and score are not measured yet."""
    return quick().with_values({"model.num_segments": 6, "baseline_training.epochs": 10})


def paper() -> NavConfig:
    """100,000 maps with sides of 8 to 30, drawn anew every epoch, on one GPU. Time and score are not measured yet."""
    return base().with_values({"model.num_segments": 8, "training.epochs": 40, "data.fresh_maps": True})


def latent() -> NavConfig:
    """The tiny recursive model with a local core, on the maps of `quick`: 80 to 100 seconds of one CPU core.

    Latents carry the word of the goal from cell to cell and do not count: for maps where moves cost the same.
    """
    return quick().with_values(
        {
            "model": ModelConfig(core="conv", dim=32, group_width=32),
            "objective": ObjectiveConfig(),
            "training.epochs": 10,
            "training.lr": 3e-3,
        }
    )


def recipe_1() -> NavConfig:
    """Recipe 1 of the source document to the letter: a mixer of 64 channels and 2 layers, on 8x8 maps only.

    About 34 CPU-seconds an epoch; not measured to its end.
    """
    return _recipe(dim=64, depth=2, dropout=0.1, lr=1e-3, epochs=30, patience=10)


def recipe_2() -> NavConfig:
    """Recipe 2 of the source document to the letter: a mixer of 128 channels and 3 layers.

    Time and score are not measured.
    """
    return _recipe(dim=128, depth=3, dropout=0.15, lr=5e-4, epochs=100, patience=20)


def recipe_3() -> NavConfig:
    """Recipe 3 of the source document to the letter: a mixer of 256 channels and 4 layers, batches of 128.

    Time and score are not measured.
    """
    return _recipe(dim=256, depth=4, dropout=0.2, lr=3e-4, epochs=150, patience=30, batch_size=128, weight_decay=0.02)


def _recipe(dim: int, depth: int, dropout: float, **training: Any) -> NavConfig:
    return NavConfig(
        model=ModelConfig(core="mixer", dim=dim, depth=depth, dropout=dropout),
        training=TrainingConfig(**{"batch_size": 64, "num_workers": 0, **training}),
        baselines=BaselineConfig(is_enabled=False),
    )


PRESETS = {
    "debug": debug,
    "quick": quick,
    "base": base,
    "paper": paper,
    "latent": latent,
    "recipe_1": recipe_1,
    "recipe_2": recipe_2,
    "recipe_3": recipe_3,
}
EVALUATION_PRESETS = {"default": EvaluationConfig}
