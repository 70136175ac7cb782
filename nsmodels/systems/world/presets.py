"""Presets of the five stages of the world model: the same names for each, so that a chain is trained with one word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from nsmodels.core.config import Config
from nsmodels.engine.config import TrainingConfig
from nsmodels.systems.world.config import (
    AudioConfig,
    DynamicsConfig,
    FullConfig,
    FusionConfig,
    VisionConfig,
    VisionViewsConfig,
)

DEBUG = {"training.epochs": 2, "training.batch_size": 16, "training.lr": 3e-3}
# Of the source document; its 1,000 steps of warm-up are about so many epochs of 20,000 clips.
SOURCE = TrainingConfig(
    epochs=50, max_steps=100_000, batch_size=64, lr=3e-4, weight_decay=1e-4, warmup_epochs=3.0, num_workers=4
)
# Two frames of a clip, and gentle views: objects are small, and hand, camera and light are the same in all clips.
# After 8 epochs of the quick data linear probes read the material of 50 % of the validation clips, of 40 % with
# the defaults of `VisionViewsConfig`, which are those of the source document.
VIEWS = VisionViewsConfig(max_distance=15, crop_scale=0.6, jitter=0.2, grayscale=0.1)
CONSERVATIVE = {"training.lr": 1e-4, "training.batch_size": 64}
AGGRESSIVE = {"training.lr": 3e-4, "training.batch_size": 128}
FREE = {"training.max_steps": 0, "training.warmup_epochs": 0.0, "training.num_workers": 0}
FEW = FREE | {"training.batch_size": 64, "training.lr": 2e-3, "training.warmup_epochs": 0.5}  # few epochs of CPU time


def _presets(
    source: Config, debug: dict[str, Any], quick: dict[str, Any], base: dict[str, Any], latent: bool = False,
    temperature: bool = True,
) -> Mapping[str, Callable[[], Any]]:  # fmt: skip
    """The presets of a stage; `base` differs from `quick` in these fields.

    `latent`: the stage has the width of the latents; `temperature`: it has a contrastive loss.
    """
    warm = [{"objective.temperature": value} if temperature else {} for value in (0.5, 0.3)]
    wide = [{"model.latent_dim": value} if latent else {} for value in (256, 512)]
    return {
        "debug": _preset("A second on one CPU core; scores near chance.", source, DEBUG | FREE | debug),
        "quick": _preset("One to four minutes on one CPU core, with the quick data.", source, FEW | quick),
        "base": _preset("Up to 40 minutes on one CPU core, with the base data.", source, FEW | quick | base),
        "paper": _preset(
            "The sizes of the source document, for the paper data and a GPU; not measured yet.",
            source, {"training.use_amp": True},
        ),
        "conservative": _preset("The stable values of the source document.", source, CONSERVATIVE | warm[0] | wide[0]),
        "aggressive": _preset("The faster values of the source document.", source, AGGRESSIVE | warm[1] | wide[1]),
    }  # fmt: skip


def _preset(text: str, source: Config, values: dict[str, Any]) -> Callable[[], Any]:
    def made() -> Config:
        return source.with_values(values)

    made.__doc__ = text
    return made


VISION = _presets(
    VisionConfig(training=SOURCE, views=VIEWS),
    debug={"model.latent_dim": 16, "model.base_channels": 8, "model.projection_dim": 8, "model.image_size": 32},
    quick={"training.epochs": 4},
    base={"training.epochs": 5},
    latent=True,
)
AUDIO = _presets(
    AudioConfig(training=SOURCE.with_values({"epochs": 30})),
    debug={"model.base_channels": 8, "model.projection_dim": 8, "model.n_mels": 16, "model.hop_length": 800},
    quick={"training.epochs": 3},
    base={"training.epochs": 4},
)
FUSION = _presets(
    FusionConfig(training=SOURCE),
    debug={"model.state_dim": 16, "model.num_heads": 2, "model.num_layers": 1, "model.temporal_heads": 2}
    | {"model.temporal_layers": 1},
    quick={"model.state_dim": 96, "model.num_heads": 4, "model.temporal_heads": 4, "model.frame_interval": 2}
    | {"model.num_layers": 1, "model.temporal_layers": 2, "training.epochs": 3, "training.batch_size": 32},
    base={"model.state_dim": 128},
)
DYNAMICS = _presets(
    DynamicsConfig(training=SOURCE.with_values({"epochs": 30})),
    debug={"model.hidden_dim": 16, "model.num_layers": 1},
    quick={"training.epochs": 2, "training.batch_size": 32},
    base={"training.epochs": 3},
    temperature=False,
)
FULL = _presets(
    FullConfig(training=SOURCE.with_values({"epochs": 30})),
    debug={"model.hidden_dim": 16, "model.num_layers": 1},
    # An epoch in which the encoders are trained on takes three times the time of one with their maps kept in memory.
    quick={"training.epochs": 6, "training.batch_size": 32, "freeze_encoders": True}
    | {"objective.fusion_weight": 0.3, "objective.property_weight": 4.0, "objective.concept_weight": 2.0},
    base={"training.epochs": 7, "training.lr": 1e-3, "freeze_encoders": False},
    temperature=False,
)
