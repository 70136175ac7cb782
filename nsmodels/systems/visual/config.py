"""Configuration of the visual reasoner and its presets. Torch-free."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from nsmodels.core.config import Config, above, added_field, conditional
from nsmodels.engine.config import TrainingConfig, further_training

CODE_VERSION = "2"
# Reported by each training beside its loss; see `engine.system.System.metrics`.
METRICS = {
    "perception": ("heat", "size", "color", "material", "shape", "ground", "offset"),
    "parser": ("token_accuracy", "val/program_exact"),
    "baseline": ("accuracy",),
}
SECTIONS = {"parser": "parser_training", "baseline": "baseline_training"}
EVALUATION_VERSION = f"{CODE_VERSION}.3"  # an evaluation is made again, its checkpoint is not
_ENABLED = {"is_enabled": True}
_IMAGES = _ENABLED | {"use_image": True}


class PerceptionConfig(Config):
    """The network that reads objects from an image."""

    common = ("backbone", "pretrained", "image_width", "image_height")

    backbone: str = Field(
        default="efficientnet_b0",
        description="timm model with features_only; its finest map from `min_stride` on is the heat map: stride 2 or 4 "
        "is best",
    )
    backbone_channels: list[int] = Field(
        default=[],
        description="stage widths of a timm ResNet, to make a narrow one; empty: its own. Another backbone drops them",
    )
    min_stride: int = added_field(
        1, ge=1, le=32, description="maps of the backbone with fewer pixels per cell are not used; 1: all are"
    )
    crop_size: int = added_field(
        0,
        ge=0,
        le=128,
        multiple_of=8,
        description="side in pixels of the square of the input that is read again around each centre; 0: none",
    )
    crop_dim: int = conditional(
        48, {"crop_size": above(0)}, ge=8, le=512, description="channels of the first convolutions that read a square"
    )
    pretrained: bool = Field(default=False, description="start from timm's ImageNet weights (needs the network once)")
    feature_dim: int = Field(default=128, ge=8, le=1024, description="channels of the feature pyramid")
    head_dim: int = Field(default=256, ge=16, le=4096, description="hidden width of the object head")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout in the object head")
    image_width: int = Field(default=240, ge=32, le=1024, description="input width in pixels; images are resized to it")
    image_height: int = Field(default=160, ge=32, le=1024, description="input height in pixels")
    augment: float = Field(
        default=1.0, ge=0, le=2, description="strength of brightness, contrast, blur and noise augmentation; 0: none"
    )
    heat_sigma: float = Field(default=1.2, gt=0, le=8, description="width of a centre's target in heat-map cells")

    def implied(self, values: dict[str, Any]) -> dict[str, Any]:
        """The widths of a preset are those of its own backbone: a different one comes without them."""
        is_other = values.get("backbone", self.backbone) != self.backbone
        return {"backbone_channels": []} | values if is_other else values


class ParserConfig(Config):
    """The network that reads a program from a question: an encoder-decoder GRU with attention over a typed grammar."""

    common = ("max_questions",)

    embedding_dim: int = Field(default=64, ge=4, le=1024, description="width of word and program-token embeddings")
    hidden_dim: int = Field(
        default=112,
        ge=8,
        le=2048,
        multiple_of=2,
        description="width of the decoder; the encoder has half of it per direction",
    )
    num_layers: int = Field(default=1, ge=1, le=4, description="layers of the bidirectional encoder")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="dropout on embeddings and before the output layer")
    word_dropout: float = Field(
        default=0.0, ge=0, le=0.5, description="share of training words replaced by the unknown word"
    )
    max_program_length: int = Field(
        default=48, ge=4, le=256, description="longest program that is decoded, in functions"
    )
    curriculum_fraction: float = conditional(
        0.4,
        {"parser_training.curriculum": True},
        gt=0,
        le=1,
        description="with a curriculum: share of the epochs before all lengths are in",
    )
    max_questions: int = Field(default=0, ge=0, description="train on the first so many questions; 0: all")
    paraphrases: float = Field(
        default=0.25,
        ge=0,
        le=10,
        description="questions in words that people type, drawn in addition to the training questions: their ratio",
    )


class BaselineConfig(Config):
    """CNN+LSTM (Johnson et al. 2017), learnt end to end on the same data, to stand beside the reasoner."""

    is_plain = False
    common = ("is_enabled",)

    is_enabled: bool = Field(default=True, description="train it with the reasoner; evaluations then show its row")
    use_image: bool = conditional(True, _ENABLED, description="false: image feature is zero, the question-only LSTM")
    embedding_dim: int = conditional(64, _ENABLED, ge=4, le=1024, description="width of word embeddings")
    hidden_dim: int = conditional(
        256, _ENABLED, ge=8, le=4096, description="width of LSTM, image feature and answer layer"
    )
    channels: list[int] = conditional(
        [32, 64, 128, 128], _IMAGES, min_length=1, max_length=6, description="widths of convolutions, each halving"
    )
    dropout: float = conditional(0.0, _ENABLED, ge=0, lt=1, description="dropout before the output layer")
    image_width: int = conditional(
        96, _IMAGES, ge=16, le=1024, description="input width in pixels; images are resized to it"
    )
    image_height: int = conditional(64, _IMAGES, ge=16, le=1024, description="input height in pixels")


class VisualConfig(Config):
    """Perception, parser and baseline with their trainings. Seed, device, trackers of `training` hold for all."""

    train_split: str = added_field("", description="split to train on, as trainA; empty: train, or the only such one")
    val_split: str = added_field("", description="split to validate on, as valA; empty: val, or the only such one")
    has_export: bool = added_field(
        False, description="also write the form that answers without torch; takes some seconds and the extra `export`"
    )
    perception: PerceptionConfig = PerceptionConfig()
    training: TrainingConfig = TrainingConfig()
    parser: ParserConfig = ParserConfig()
    parser_training: TrainingConfig = further_training()
    baseline: BaselineConfig = BaselineConfig()
    baseline_training: TrainingConfig = further_training({"baseline.is_enabled": True}, has_curriculum=False)


def debug() -> VisualConfig:
    """Seconds on one CPU core, to see that everything runs; scores are near chance."""
    tiny = PerceptionConfig(
        backbone="resnet10t",
        backbone_channels=[8, 8, 16, 16],
        feature_dim=16,
        head_dim=32,
        image_width=96,
        image_height=64,
        crop_size=16,
        crop_dim=8,
    )
    return VisualConfig(
        perception=tiny,
        training=TrainingConfig(epochs=2, batch_size=8, lr=3e-3, num_workers=1),
        parser=ParserConfig(embedding_dim=16, hidden_dim=32),
        parser_training=TrainingConfig(epochs=2, batch_size=16, lr=5e-3),
        baseline=BaselineConfig(embedding_dim=8, hidden_dim=16, channels=[4, 8, 8], image_width=48, image_height=32),
        baseline_training=TrainingConfig(epochs=1, batch_size=32, lr=5e-3),
    )


def quick() -> VisualConfig:
    """Minutes on two CPU cores, most of them for 42,000 image-steps of perception: 817 CPU-seconds beside other work.

    Measured, one seed: of 3,259 objects in 500 held-out synthetic scenes 97.6 % with all attributes right (97.0–98.1).
    """
    small = PerceptionConfig(
        backbone="resnet10t",
        backbone_channels=[32, 48, 96, 160],
        feature_dim=48,
        image_width=240,
        image_height=160,
        min_stride=4,
        crop_size=32,
        crop_dim=32,
        heat_sigma=0.8,
    )
    return VisualConfig(
        has_export=True,
        perception=small,
        training=TrainingConfig(
            epochs=14, lr=3e-3, weight_decay=0.05, warmup_epochs=0.5, ema_decay=0.99, amp_dtype="measured"
        ),
        parser=ParserConfig(max_questions=40_000),
        parser_training=TrainingConfig(epochs=6, batch_size=64, lr=5e-3, warmup_epochs=0.25),
        # measured: 60 CPU-seconds for 46 %; the question-type prior has 40 on this data, the question-only LSTM 41
        baseline=BaselineConfig(hidden_dim=128, channels=[16, 32, 48, 64]),
        baseline_training=TrainingConfig(epochs=6, batch_size=128, lr=3e-3, num_workers=1),
    )


def small() -> VisualConfig:
    """Minutes on two CPU cores whatever the number of images: 12,000 image-steps of perception, fewer of the others."""
    return quick().with_values(
        {
            "training.epochs": 6,
            "training.batch_size": 16,
            "training.ema_decay": 0.995,
            "training.max_steps": 750,
            "training.max_warmup_steps": 75,
            "parser.max_questions": 20_000,
            "parser_training.epochs": 4,
            "baseline_training.epochs": 3,
            "baseline_training.max_steps": 471,
        }
    )


def base() -> VisualConfig:
    """One GPU, `clevr_mini`. Time and score are not measured yet."""
    return VisualConfig(
        has_export=True,
        perception=PerceptionConfig(backbone="efficientnet_b0", image_width=320, image_height=208),
        training=TrainingConfig(
            epochs=40, batch_size=64, lr=2e-3, weight_decay=0.05, warmup_epochs=2, ema_decay=0.999, save_interval=10
        ),
        parser_training=TrainingConfig(epochs=10, batch_size=128, lr=3e-3, ema_decay=0.999),
        baseline=BaselineConfig(embedding_dim=128, hidden_dim=512, dropout=0.2, image_width=144, image_height=96),
        baseline_training=TrainingConfig(epochs=20, batch_size=256, lr=1e-3, weight_decay=0.05, warmup_epochs=0.5),
    )


def paper() -> VisualConfig:
    """One GPU, the full release. Time and score are not measured yet."""
    return base().with_values(
        {
            "perception.image_width": 480,
            "perception.image_height": 320,
            "perception.feature_dim": 192,
            "training.epochs": 30,
            "training.warmup_epochs": 1,
            "parser_training.epochs": 5,
            "baseline.hidden_dim": 1024,
            "baseline_training.epochs": 15,
        }
    )


PRESETS = {"debug": debug, "small": small, "quick": quick, "base": base, "paper": paper}
