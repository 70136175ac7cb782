"""Configurations of the five stages of the world model, and of its evaluation. Torch-free.

A stage fixes the dimensions of the modules that it creates. Its checkpoint holds them, and the stages that start from
it read them there: the width of the latents is written once, in the first stage.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nsmodels.core.config import Config, above, conditional, runtime_field
from nsmodels.engine.config import Device, TrainingConfig

CODE_VERSION = "1"
EVALUATION_VERSION = f"{CODE_VERSION}.0"  # an evaluation is made again, its checkpoint is not
PHASES = ("vision", "audio", "fusion", "dynamics", "full")
# Reported by each training beside its loss; see `engine.system.System.metrics`.
METRICS = {
    "vision": ("contrastive", "variance", "representation_variance", "val/cluster_separation"),
    "audio": ("contrastive", "variance", "mel_error", "representation_variance", "val/cluster_separation"),
    "fusion": (
        *("prediction", "consistency", "regularisation", "alignment", "alignment_accuracy"),
        *("representation_variance", "attention_entropy"),
    ),
    "dynamics": (
        *("prediction", "consistency", "regularisation", "alignment", "alignment_accuracy"),
        *("mse", "nll", "state_mse", "coverage", "representation_variance", "attention_entropy"),
    ),
    "full": (
        *("prediction", "consistency", "regularisation", "alignment", "alignment_accuracy"),
        *("mse", "nll", "state_mse", "coverage", "property", "affordance", "concept", "outcome", "causal"),
        *("representation_variance", "attention_entropy", "val/property_correlation", "val/affordance_accuracy"),
        *("val/concept_accuracy", "val/effect_sign"),
    ),
}


class ComputeConfig(Config):
    """How the networks are computed. The loss is the same up to rounding."""

    use_gradient_checkpointing: bool = Field(
        default=False,
        description="activations within blocks are computed again in the backward pass, not kept: less memory, a "
        "third more time",
    )
    use_compile: bool = Field(
        default=False, description="torch.compile of the trained modules: minutes at the start, then faster steps"
    )


# --- vision -----------------------------------------------------------------------------------------------------------


class VisionModelConfig(Config):
    """Encoder of frames: a residual network, and the projection head of its contrastive loss."""

    common = ("base_channels", "num_blocks")

    latent_dim: int = Field(
        default=256, ge=8, le=4096, description="width of the latents of every modality; usual range 128 to 512"
    )
    base_channels: int = Field(default=32, ge=4, le=512, description="channels of the first of three resolutions")
    num_blocks: int = Field(default=1, ge=1, le=8, description="residual blocks at each resolution")
    projection_dim: int = Field(default=64, ge=4, le=2048, description="output of the projection head")
    image_size: int = Field(
        default=64, ge=32, le=512, multiple_of=16, description="side of a frame in pixels; others are resized to it"
    )


class ContrastiveConfig(Config):
    """The contrastive loss of two views of a sample."""

    temperature: float = Field(
        default=0.2, ge=0.01, le=10, description="of NT-Xent; lower: harder negatives; usual range 0.1 to 1.0"
    )
    variance_weight: float = Field(
        default=1.0, ge=0, description="weight of the hinge on the deviation of each latent, which prevents a collapse"
    )
    min_variance: float = Field(
        default=1e-4,
        ge=0,
        description="mean variance of the latents of a batch, relative to their squared size, below which an epoch "
        "ends the training as collapsed; 0: never",
    )


class VisionViewsConfig(Config):
    """Views of a frame for the contrastive loss, and what is drawn for each."""

    max_distance: int = Field(
        default=0, ge=0, le=64, description="steps of a clip between the frames of two views; 0: the same frame"
    )
    crop_scale: float = Field(default=0.35, gt=0, le=1, description="smallest area of a random resized crop")
    flip: float = Field(default=0.5, ge=0, le=1, description="probability of a horizontal flip")
    jitter: float = Field(
        default=0.4,
        ge=0,
        le=1,
        description="largest change of brightness, contrast and saturation, and a quarter of it of the hue, in turns",
    )
    grayscale: float = Field(default=0.2, ge=0, le=1, description="probability of a view without colour")


class VisionConfig(Config):
    """Stage 1: SimCLR on frames."""

    model: VisionModelConfig = VisionModelConfig()
    training: TrainingConfig = TrainingConfig()
    objective: ContrastiveConfig = ContrastiveConfig()
    views: VisionViewsConfig = VisionViewsConfig()
    compute: ComputeConfig = ComputeConfig()


# --- audio ------------------------------------------------------------------------------------------------------------


class AudioModelConfig(Config):
    """Encoder of sounds: log-mel spectrogram, residual network, projection head, probe that reconstructs the mel."""

    common = ("base_channels", "num_blocks")

    sample_rate: int = Field(default=16_000, ge=8_000, le=48_000, description="of the sound, Hz")
    n_mels: int = Field(default=80, ge=8, le=256, description="mel bands between 0 and half of the sample rate")
    n_fft: int = Field(default=1024, ge=128, le=8192, multiple_of=2, description="samples of a Fourier window")
    hop_length: int = Field(default=200, ge=20, le=4096, description="samples between two windows")
    base_channels: int = Field(default=32, ge=4, le=512, description="channels of the first of three resolutions")
    num_blocks: int = Field(default=1, ge=1, le=8, description="residual blocks at each resolution")
    projection_dim: int = Field(default=64, ge=4, le=2048, description="output of the projection head")


class AudioObjectiveConfig(ContrastiveConfig):
    """The contrastive loss, and the reconstruction of the mel spectrogram."""

    mel_weight: float = Field(
        default=0.5,
        ge=0,
        le=10,
        description="weight of the mel reconstruction in the gradient of the encoder; 0: a probe that only measures",
    )


class AudioViewsConfig(Config):
    """Views of a sound for the contrastive loss, and what is drawn for each."""

    time_shift: float = Field(default=0.05, ge=0, le=1, description="largest shift in time, s")
    pitch_shift: float = Field(default=0.5, ge=0, le=12, description="largest shift of the pitch, semitones")
    time_stretch: float = Field(default=0.1, ge=0, lt=1, description="largest relative change of the tempo")
    noise: float = Field(default=0.5, ge=0, le=1, description="probability of background noise")
    noise_level: float = Field(
        default=-50.0,
        ge=-120,
        le=0,
        description="loudest background noise, dB of full scale; the softest has 30 dB less",
    )


class AudioConfig(Config):
    """Stage 2: SimCLR on sounds, and a mel reconstruction. The vision of its parent is kept as it is."""

    model: AudioModelConfig = AudioModelConfig()
    training: TrainingConfig = TrainingConfig()
    objective: AudioObjectiveConfig = AudioObjectiveConfig()
    views: AudioViewsConfig = AudioViewsConfig()
    compute: ComputeConfig = ComputeConfig()


# --- fusion -----------------------------------------------------------------------------------------------------------


class FusionModelConfig(Config):
    """Tokens of three modalities per time step, fused to a world state, and a transformer over time."""

    common = ("state_dim", "num_layers", "dropout")

    state_dim: int = Field(default=128, ge=8, le=2048, description="width of the world state")
    num_heads: int = Field(default=8, ge=1, le=64, description="attention heads over the modalities")
    num_layers: int = Field(default=4, ge=1, le=16, description="layers over the modalities; usual range 2 to 8")
    temporal_heads: int = Field(default=8, ge=1, le=64, description="attention heads over time")
    temporal_layers: int = Field(default=4, ge=1, le=16, description="layers over time; usual range 2 to 8")
    frame_interval: int = Field(
        default=1, ge=1, le=16, description="steps from a frame of the video that is read to the next one"
    )
    max_seq_len: int = Field(default=32, ge=2, le=1024, description="time steps of a clip at most")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout within the transformers")

    @model_validator(mode="after")
    def _has_whole_heads(self) -> Self:
        for name, heads in (("num_heads", self.num_heads), ("temporal_heads", self.temporal_heads)):
            if self.state_dim % heads:
                raise ValueError(f"{name}: state_dim={self.state_dim} is not a multiple of {heads}; change one of them")
        return self


class FusionObjectiveConfig(Config):
    """Terms of the loss of the fusion."""

    prediction_weight: float = Field(default=1.0, ge=0, description="weight of the prediction of observed quantities")
    consistency_weight: float = Field(
        default=0.5, ge=0, description="weight of the distance between the states of two subsets of modalities"
    )
    regularisation_weight: float = Field(
        default=0.1, ge=0, description="weight of the hinge on the deviation of each dimension of the state"
    )
    alignment_weight: float = Field(
        default=0.5, ge=0, description="weight of the contrastive loss between the modalities of a clip"
    )
    temperature: float = Field(
        default=0.1,
        ge=0.01,
        le=10,
        description="of the alignment at first, from which it is learned; usual range 0.1 to 1.0",
    )
    modality_dropout: float = Field(
        default=0.3, ge=0, lt=1, description="probability with which a modality of a clip is hidden; one always stays"
    )


class FusionConfig(Config):
    """Stage 3: fusion of the modalities to a world state."""

    model: FusionModelConfig = FusionModelConfig()
    training: TrainingConfig = TrainingConfig()
    objective: FusionObjectiveConfig = FusionObjectiveConfig()
    compute: ComputeConfig = ComputeConfig()
    freeze_encoders: bool = Field(default=True, description="encoders of vision and sound are not trained further")


# --- dynamics ---------------------------------------------------------------------------------------------------------


class DynamicsModelConfig(Config):
    """Rollout in the space of world states, given actions."""

    common = ("hidden_dim", "num_layers", "num_members")

    hidden_dim: int = Field(default=256, ge=8, le=4096, description="width of the transition")
    num_layers: int = Field(default=2, ge=1, le=8, description="layers of the transition")
    num_members: int = Field(default=1, ge=1, le=16, description="transitions of an ensemble, whose spread is added")


class DynamicsObjectiveConfig(Config):
    """Terms of the loss of the rollouts."""

    horizon: int = Field(default=10, ge=1, le=256, description="steps of a rollout in training")
    min_context: int = Field(default=4, ge=1, le=256, description="fewest steps that are observed before a rollout")
    nll_weight: float = Field(
        default=0.1, ge=0, description="weight of the negative log-likelihood under the predicted variance"
    )
    state_weight: float = Field(default=1.0, ge=0, description="weight of the error of the decoded states")


class RolloutObjectiveConfig(DynamicsObjectiveConfig):
    """Weights of the losses that are trained together in the stage of the rollouts."""

    fusion_weight: float = Field(
        default=0.3, ge=0, description="weight of the losses of the fusion, which is trained further"
    )


class DynamicsConfig(Config):
    """Stage 4: prediction of states over several steps, beside the losses of the fusion."""

    model: DynamicsModelConfig = DynamicsModelConfig()
    training: TrainingConfig = TrainingConfig()
    objective: RolloutObjectiveConfig = RolloutObjectiveConfig()
    fusion: FusionObjectiveConfig = FusionObjectiveConfig()
    compute: ComputeConfig = ComputeConfig()


# --- full -------------------------------------------------------------------------------------------------------------


class HeadsModelConfig(Config):
    """Heads of properties, affordances and causal effects."""

    hidden_dim: int = Field(default=256, ge=8, le=4096, description="width of the heads")
    num_layers: int = Field(default=2, ge=1, le=8, description="layers of the heads")


class FullObjectiveConfig(Config):
    """Weights of the losses that are trained together."""

    fusion_weight: float = Field(default=1.0, ge=0, description="weight of the loss of the fusion")
    dynamics_weight: float = Field(default=1.0, ge=0, description="weight of the loss of the rollouts")
    property_weight: float = Field(default=1.0, ge=0, description="weight of the properties")
    affordance_weight: float = Field(default=0.5, ge=0, description="weight of the affordances")
    concept_weight: float = Field(default=0.5, ge=0, description="weight of the names of material and shape")
    outcome_weight: float = Field(default=0.2, ge=0, description="weight of the outcomes and events of a clip")
    causal_weight: float = Field(
        default=1.0, ge=0, description="weight of the effects in twins of training clips; 0: no twin is read"
    )
    twins_per_clip: int = conditional(
        2, {"causal_weight": above(0)}, ge=1, le=64, description="twins of each clip in a batch, drawn anew each epoch"
    )


class FullConfig(Config):
    """Stage 5: all modules together, with heads of properties, affordances and effects."""

    model: HeadsModelConfig = HeadsModelConfig()
    training: TrainingConfig = TrainingConfig()
    objective: FullObjectiveConfig = FullObjectiveConfig()
    fusion: FusionObjectiveConfig = FusionObjectiveConfig()
    dynamics: DynamicsObjectiveConfig = DynamicsObjectiveConfig()
    compute: ComputeConfig = ComputeConfig()
    freeze_encoders: bool = Field(default=False, description="encoders of vision and sound are not trained further")


def frozen(config: Config) -> tuple[str, ...]:
    """Modules that a stage does not train, by its configuration."""
    if isinstance(config, AudioConfig):
        return ("vision",)
    are_encoders = isinstance(config, DynamicsConfig) or (
        isinstance(config, FusionConfig | FullConfig) and config.freeze_encoders
    )
    return ("vision", "audio") if are_encoders else ()


# --- evaluation -------------------------------------------------------------------------------------------------------


class EvaluationConfig(Config):
    """What a checkpoint is scored on."""

    split: Literal["test", "novel", "val", "train"] = Field(
        default="test", description="split of the data; with test the held-out combinations of novel are scored, too"
    )
    num_episodes: int = Field(default=600, ge=2, le=100_000, description="episodes of the few-shot classification")
    num_gallery: int = Field(default=200, ge=2, le=100_000, description="clips among which a pair is retrieved")
    num_probe: int = Field(
        default=1_000, ge=2, le=1_000_000, description="training clips on which probes of networks are fitted"
    )
    num_twins: int = Field(
        default=800, ge=1, le=1_000_000, description="twins of a split whose effects are predicted, the first ones"
    )
    seed: int = Field(default=0, ge=0, description="of episodes and galleries")
    device: Device = runtime_field("auto", description="auto, cpu, cuda or cuda:N")


EVALUATION_PRESETS = {
    "default": EvaluationConfig,
    "debug": lambda: EvaluationConfig(num_episodes=20, num_gallery=20, num_probe=48, num_twins=40),
}
