"""Configuration of the study of modalities and its presets. Torch-free."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from pydantic import Field, model_validator

from nsmodels.core.config import Config, partly_decided
from nsmodels.engine.config import TrainingConfig
from nsmodels.systems.world import presets
from nsmodels.systems.world.config import (
    PHASES,
    AudioConfig,
    DynamicsConfig,
    EvaluationConfig,
    FullConfig,
    FusionConfig,
    VisionConfig,
)

_BY_STUDY = {"seed": "seeds decides it"}


class VisionStage(VisionConfig):
    """Stage 1, with the seeds of the study."""

    training: TrainingConfig = partly_decided(TrainingConfig(), _BY_STUDY)


class AudioStage(AudioConfig):
    """Stage 2, with the seeds of the study."""

    training: TrainingConfig = partly_decided(TrainingConfig(), _BY_STUDY)


class FusionStage(FusionConfig):
    """Stage 3, with the seeds of the study."""

    training: TrainingConfig = partly_decided(TrainingConfig(), _BY_STUDY)


class DynamicsStage(DynamicsConfig):
    """Stage 4, with the seeds of the study."""

    training: TrainingConfig = partly_decided(TrainingConfig(), _BY_STUDY)


class FullStage(FullConfig):
    """Stage 5, with the seeds of the study."""

    training: TrainingConfig = partly_decided(TrainingConfig(), _BY_STUDY)


class AblationConfig(Config):
    """The five stages over several seeds, each model scored with every subset of the modalities."""

    seeds: list[int] = Field(default=[0, 1, 2], min_length=2, description="seeds over which subsets are compared")
    vision: VisionStage = VisionStage()
    audio: AudioStage = AudioStage()
    fusion: FusionStage = FusionStage()
    dynamics: DynamicsStage = DynamicsStage()
    full: FullStage = FullStage()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: expected each value once, got {self.seeds}")
        if any(getattr(self, phase).training.num_processes > 1 for phase in PHASES):
            raise ValueError("training.num_processes: the trials of a study run in one process")
        return self


def _preset(name: str, text: str, values: dict[str, Any]) -> Callable[[], AblationConfig]:
    def made() -> AblationConfig:
        stages = (presets.VISION, presets.AUDIO, presets.FUSION, presets.DYNAMICS, presets.FULL)
        chosen = {phase: stage[name]().model_dump() for phase, stage in zip(PHASES, stages, strict=True)}
        return AblationConfig.model_validate({**chosen, **values})

    made.__doc__ = text
    return made


FEW = {"num_episodes": 20, "num_gallery": 20, "num_probe": 48, "num_twins": 40}
FIVE = [0, 1, 2, 3, 4]
ABLATION_PRESETS = {
    "debug": _preset("debug", "Two seeds of the debug stages: seconds.", {"seeds": [0, 1], "evaluation": FEW}),
    "quick": _preset("quick", "Three seeds of the quick stages.", {}),
    "base": _preset("base", "Five seeds of the base stages. Not measured.", {"seeds": FIVE}),
    "paper": _preset("paper", "Five seeds of the paper stages, on a GPU. Not measured.", {"seeds": FIVE}),
}
