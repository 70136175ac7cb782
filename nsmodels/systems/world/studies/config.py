"""Configuration of the ablations of the world model, their variants and presets. Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Self, get_args

from pydantic import Field, model_validator

from nsmodels.core.config import partly_decided
from nsmodels.engine.config import TrainingConfig
from nsmodels.studies.config import VariantStudyConfig
from nsmodels.studies.variant import FULL, Group, Variant
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
Modality = Literal["vision", "audio", "proprio"]
Senses = Literal["no_vision", "no_audio", "no_proprio", "only_vision", "only_audio", "only_proprio"]
Losses = Literal[
    "sight",
    "sound",
    "mel",
    "alignment",
    "prediction",
    "consistency",
    "regularisation",
    "likelihood",
    "states",
    "rollouts",
    "property",
    "affordance",
    "concept",
    "outcome",
    "twins",
]
ZERO_SHOT, FEW_SHOT, PROPERTIES = "zero_shot_accuracy", "few_shot_accuracy", "property_mae"
DYNAMICS, SIGNS, RETRIEVAL = "dynamics_error", "causal_sign_accuracy", "image_to_sound_r10"
TERMS, STEPS = "terms of the loss", "steps of contrast"
ONE_STEP = {"epochs": 1, "max_steps": 1, "warmup_epochs": 0.0}  # a warm-up would need more
ALL: tuple[Modality, ...] = get_args(Modality)
WORDS = {"vision": "sight", "audio": "sound", "proprio": "touch"}


def _without(*hidden: Modality) -> Variant:
    """The model with these modalities hidden from it; nothing is trained."""
    seen = [name for name in ALL if name not in hidden]
    about = " and ".join(WORDS[name] for name in hidden)
    also = (FEW_SHOT, PROPERTIES, DYNAMICS)
    return Variant(about, evaluation={"modalities": seen}, metric=ZERO_SHOT, also=also)


def _fusion_term(name: str, about: str, *metrics: str) -> Variant:
    """A term of the fusion, which is trained on in all later stages."""
    places = ("fusion.objective", "dynamics.fusion", "full.fusion")
    values = {f"{place}.{name}_weight": 0.0 for place in places}
    return Variant(about, values, metric=metrics[0], also=metrics[1:], removes=TERMS)


def _heads_term(name: str, about: str, *metrics: str) -> Variant:
    """A term of the last stage."""
    return Variant(about, {f"full.objective.{name}_weight": 0.0}, metric=metrics[0], also=metrics[1:], removes=TERMS)


def _rollout_term(name: str, about: str) -> Variant:
    values = {f"{place}.{name}_weight": 0.0 for place in ("dynamics.objective", "full.dynamics")}
    return Variant(about, values, metric=DYNAMICS, removes=TERMS)


def _untrained(stage: str, about: str) -> Variant:
    """An encoder that is left after one step."""
    values = {f"{stage}.training.{name}": value for name, value in ONE_STEP.items()}
    return Variant(about, values, metric=ZERO_SHOT, also=(RETRIEVAL,), removes=STEPS)


SENSES: Mapping[str, Variant] = {
    "no_vision": _without("vision"),
    "no_audio": _without("audio"),
    "no_proprio": _without("proprio"),
    "only_vision": _without("audio", "proprio"),
    "only_audio": _without("vision", "proprio"),
    "only_proprio": _without("vision", "audio"),
}
_PAIRS, _SINGLE = ("no_vision", "no_audio", "no_proprio"), ("only_vision", "only_audio", "only_proprio")
GROUPS = (Group("all three", (FULL,), _PAIRS), Group("the best pair", _PAIRS, _SINGLE))
LOSSES: Mapping[str, Variant] = {
    "sight": _untrained("vision", "contrast of views of frames"),
    "sound": _untrained("audio", "contrast of views of sounds"),
    "mel": Variant(
        "reconstruction of the spectrogram", {"audio.objective.mel_weight": 0.0}, metric=ZERO_SHOT, removes=TERMS
    ),
    "alignment": _fusion_term("alignment", "contrast between modalities", RETRIEVAL, ZERO_SHOT),
    "prediction": _fusion_term("prediction", "prediction of what is observed", DYNAMICS, ZERO_SHOT),
    "consistency": _fusion_term("consistency", "consistency of two views of a clip", ZERO_SHOT),
    "regularisation": _fusion_term("regularisation", "hinge on the deviation of the state", ZERO_SHOT),
    "likelihood": _rollout_term("nll", "likelihood of rollouts"),
    "states": _rollout_term("state", "decoded states of rollouts"),
    "rollouts": _heads_term("dynamics", "rollouts in the last stage", DYNAMICS),
    "property": _heads_term("property", "properties of objects", ZERO_SHOT),
    "affordance": _heads_term("affordance", "affordances of objects", ZERO_SHOT),
    "concept": _heads_term("concept", "names of material and shape", FEW_SHOT),
    "outcome": _heads_term("outcome", "outcomes and events of a clip", SIGNS),
    "twins": _heads_term("causal", "effects in twins of training clips", SIGNS),
}
# Without the hinge a training may end as collapsed, and the study with it.
USUAL: list[Losses] = [name for name in get_args(Losses) if name != "regularisation"]


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


class SensesConfig(EvaluationConfig):
    """The evaluation of a model from which some modalities are hidden."""

    modalities: list[Modality] = Field(default=list(ALL), min_length=1, description="that are observed")


class AblationConfig(VariantStudyConfig):
    """The five stages over several seeds: with fewer modalities, and without one term of the losses after the other.

    The whole chain is trained once per seed. Of a variant only the stages are trained that it changes, and those after
    them; a modality is hidden from the trained model.
    """

    senses: list[Senses] = Field(default=list(get_args(Senses)), description="modalities that are hidden")
    losses: list[Losses] = Field(
        default=USUAL, description="terms of the losses, and pre-training, that are left out, one at a time"
    )
    vision: VisionStage = VisionStage()
    audio: AudioStage = AudioStage()
    fusion: FusionStage = FusionStage()
    dynamics: DynamicsStage = DynamicsStage()
    full: FullStage = FullStage()
    evaluation: EvaluationConfig = EvaluationConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("senses", "losses"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: expected each value once, got {values}")
        if not self.senses and not self.losses:
            raise ValueError("senses, losses: expected at least one of them")
        if any(getattr(self, phase).training.num_processes > 1 for phase in PHASES):
            raise ValueError("training.num_processes: a trial runs in one process; raise num_workers instead")
        return self

    @property
    def variants(self) -> dict[str, Variant]:
        """The chosen variants by name."""
        return {name: SENSES[name] for name in self.senses} | {name: LOSSES[name] for name in self.losses}


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
    "debug": _preset(
        "debug",
        "Two seeds of the debug stages and few variants: seconds.",
        {"senses": ["no_audio", "only_vision"], "losses": ["twins"], "evaluation": FEW},
    ),
    "quick": _preset("quick", "Three seeds of the quick stages: about three CPU-hours.", {}),
    "base": _preset("base", "Five seeds of the base stages. Not measured.", {"seeds": FIVE}),
    "paper": _preset("paper", "Five seeds of the paper stages, on a GPU. Not measured.", {"seeds": FIVE}),
}
