"""Configuration of classifiers of answers that are trained beside a system, over seeds. Torch-free."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from nsmodels.core.config import Config, partly_decided
from nsmodels.engine.config import TrainingConfig

STUDY_VERSION = "1"  # of all studies: raised when equal configurations give different scores
IMAGENET = "imagenet"
ABOUT_BASELINES = "networks of answers over seeds with equal epochs, scored as the system is scored"
_BY_STUDY = {"seed": "seeds decides it", "curriculum": "these trainings have none"}
_TRAINING = TrainingConfig(epochs=6, batch_size=256, num_workers=1)


class ClassifierConfig(Config):
    """Reader of the question, small CNN and classifier; the sizes of reader and classifier hold for all rows."""

    embedding_dim: int = Field(default=128, ge=4, le=1024, description="width of word embeddings")
    hidden_dim: int = Field(default=512, ge=8, le=4096, description="width of question and image features")
    channels: list[int] = Field(
        default=[32, 64, 128, 128], min_length=1, max_length=6, description="widths of convolutions, each halving"
    )
    dropout: float = Field(default=0.2, ge=0, lt=1, description="dropout before the output layer")
    image_width: int = Field(default=144, ge=16, le=1024, description="input width of the small CNN in pixels")
    image_height: int = Field(default=108, ge=16, le=1024, description="input height of the small CNN in pixels")
    num_answers: int = Field(
        default=2000, ge=2, le=100_000, description="most frequent training answers among which is chosen"
    )


class ResidualConfig(Config):
    """The ResNet of ResNet+LSTM: any timm network with feature maps, whose last map is averaged."""

    backbone: str = Field(default="resnet50", description="timm model with features_only")
    backbone_channels: list[int] = Field(
        default=[], description="stage widths of a timm ResNet, to make a narrow one; empty: its own"
    )
    weights: str = Field(
        default="",
        description="file with weights of that timm model to start from, or imagenet: those of timm's hub, which needs "
        "the network once; empty: from scratch",
    )
    # A last map of one cell has no variance over a batch of one image, by which batches are normalised.
    image_width: int = Field(default=224, ge=48, le=1024, description="input width in pixels")
    image_height: int = Field(default=160, ge=48, le=1024, description="input height in pixels")

    @property
    def min_stride(self) -> int:
        """All maps of the network are made; the last is used."""
        return 1

    @property
    def pretrained(self) -> bool:
        """Whether it starts from the weights of timm's hub."""
        return self.weights == IMAGENET

    @property
    def origin(self) -> str:
        """Where its weights come from, in words."""
        if not self.weights:
            return "from scratch"
        return "ImageNet weights of timm" if self.pretrained else f"weights of {self.weights}"


class ViltConfig(Config):
    """ViLT (Kim et al. 2021), fine-tuned from a checkpoint on this machine; nothing is downloaded."""

    checkpoint: str = Field(
        default="",
        description="folder of a ViLT checkpoint with its tokenizer, as save_pretrained of transformers writes it; "
        "empty: the row is left out",
    )
    image_width: int = Field(default=512, ge=32, le=1024, multiple_of=32, description="input width in pixels")
    image_height: int = Field(default=384, ge=32, le=1024, multiple_of=32, description="input height in pixels")
    max_words: int = Field(default=40, ge=4, le=512, description="longest question in parts of words, longer are cut")
    lr: float = Field(default=1e-4, gt=0, le=1, description="its peak learning rate, in place of that of `training`")
    batch_size: int = Field(default=32, ge=1, le=4096, description="its batch size, in place of that of `training`")


Network = Literal["blind", "cnn_lstm", "resnet_lstm", "vilt"]


class BaselineStudyConfig(Config):
    """Baselines trained over seeds with equal epochs, questions and items, and scored as the system is."""

    seeds: list[int] = Field(default=[0, 1, 2], min_length=1, description="seeds of each network")
    networks: list[Network] = Field(
        default=["blind", "cnn_lstm", "resnet_lstm", "vilt"], min_length=1, description="which are trained"
    )
    split: str = Field(default="val", min_length=1, description="split that is scored: that of the system's evaluation")
    train_split: str = Field(default="train", min_length=1, description="split to train on")
    max_questions: int = Field(default=0, ge=0, description="train on so many questions, drawn at random; 0: all")
    max_val_questions: int = Field(
        default=2000, ge=0, description="choose the best epoch by the first so many questions of `split`; 0: all"
    )
    classifier: ClassifierConfig = ClassifierConfig()
    residual: ResidualConfig = ResidualConfig()
    vilt: ViltConfig = ViltConfig()
    training: TrainingConfig = partly_decided(_TRAINING, _BY_STUDY)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("seeds", "networks"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name}: expected each value once, got {values}")
        if min(self.seeds) < 0:
            raise ValueError(f"seeds: expected whole numbers from 0 on, got {min(self.seeds)}")
        if self.training.num_processes > 1:
            raise ValueError("training.num_processes: the trainings of a study run in one process")
        return self


TINY = {
    "seeds": [0, 1, 2],
    "max_questions": 200,
    "max_val_questions": 50,
    "classifier": {"embedding_dim": 8, "hidden_dim": 16, "channels": [4, 8], "image_width": 32, "image_height": 24},
    "residual": {"backbone": "resnet10t", "backbone_channels": [8, 8, 16, 16], "image_width": 48, "image_height": 48},
    "training": {"epochs": 1, "batch_size": 32, "lr": 5e-3, "num_workers": 0},
}
SMALL = {
    "max_questions": 16_000,
    "classifier": {
        "embedding_dim": 64, "hidden_dim": 128, "channels": [16, 32, 48, 64], "image_width": 96, "image_height": 72,
        "dropout": 0.0,
    },
    "residual": {"backbone": "resnet10t", "backbone_channels": [16, 24, 48, 96], "image_width": 96, "image_height": 72},
    "training": {"epochs": 4, "batch_size": 64, "lr": 3e-3, "warmup_epochs": 0.2, "num_workers": 0},
}  # fmt: skip


def debug() -> BaselineStudyConfig:
    """Seconds on one CPU core, to see that everything runs; scores are near chance."""
    return BaselineStudyConfig().with_values(TINY)


def quick() -> BaselineStudyConfig:
    """Minutes on two CPU cores: three seeds of three networks on 16,000 questions. Not measured yet."""
    return BaselineStudyConfig().with_values(SMALL)


def base() -> BaselineStudyConfig:
    """One GPU, all questions. Time and score are not measured yet."""
    return BaselineStudyConfig()


def paper() -> BaselineStudyConfig:
    """One GPU, the full release, five seeds. Time and score are not measured yet."""
    return base().with_values({"seeds": [0, 1, 2, 3, 4], "training.epochs": 12})


BASELINE_PRESETS = {"debug": debug, "quick": quick, "base": base, "paper": paper}
