"""Presets of the reasoner on natural images, and their values for what is learnt. Torch-free."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from nsmodels.engine.config import TrainingConfig
from nsmodels.systems.natural.config import (
    AnswersConfig,
    BaselineConfig,
    Dataset,
    NaturalConfig,
    NaturalEvaluation,
    ParserConfig,
    PerceptionConfig,
)

# Perception for CPU cores.
_SMALL = PerceptionConfig(
    backbone="resnet10t",
    backbone_channels=[24, 48, 96, 160],
    image_width=160,
    image_height=120,
    feature_dim=64,
    crop_size=32,
    crop_dim=48,
    max_objects=24,
    recolour=0.25,
)


def debug() -> NaturalConfig:
    """Seconds on one CPU core, to see that everything runs; scores are near chance."""
    tiny = PerceptionConfig(
        backbone="resnet10t",
        backbone_channels=[8, 8, 16, 16],
        image_width=64,
        image_height=48,
        feature_dim=16,
        crop_size=16,
        crop_dim=4,
        head_dim=32,
        num_concepts=20,
        max_objects=16,
        relation_dropout=0.0,
    )
    return NaturalConfig(
        max_images=32,
        max_val_images=16,
        perception=tiny,
        training=TrainingConfig(epochs=2, batch_size=8, lr=3e-3),
        parser=ParserConfig(embedding_dim=16, hidden_dim=32, max_questions=200, max_val_questions=50),
        parser_training=TrainingConfig(epochs=2, batch_size=16, lr=5e-3),
        baseline=BaselineConfig(
            embedding_dim=8, hidden_dim=16, channels=[4, 8], image_width=32, image_height=24, max_questions=200
        ),
        answers=AnswersConfig(
            embedding_dim=8,
            hidden_dim=16,
            object_dim=16,
            num_heads=2,
            answer_dim=32,
            max_objects=8,
            map_width=2,
            map_height=2,
            dropout=0.0,
        ),
        answers_training=TrainingConfig(epochs=2, batch_size=32, lr=5e-3),
        blind_training=TrainingConfig(epochs=1, batch_size=32, lr=5e-3),
        cnn_lstm_training=TrainingConfig(epochs=1, batch_size=32, lr=5e-3),
    )


def quick() -> NaturalConfig:
    """Minutes on two CPU cores, most of them for 37,500 image-steps of perception: some 680 CPU-seconds, not measured.

    Measured, one seed, of an earlier form with 7 epochs: 86.8 % of the twin's questions after 1,040 CPU-seconds of
    training, and with the present execution over the same beliefs 89.9 %.
    """
    return NaturalConfig(
        max_images=4000,
        max_val_images=500,
        calibration_images=250,
        perception=_SMALL,
        training=TrainingConfig(
            epochs=10,
            batch_size=16,
            lr=3e-3,
            weight_decay=0.05,
            warmup_epochs=0.25,
            ema_decay=0.99,
            eval_interval=2,
            monitor="val/names",  # the loss rises where relations are learnt by heart, while names still get better
            monitor_mode="max",
        ),
        parser=ParserConfig(max_questions=50_000),
        parser_training=TrainingConfig(epochs=3, batch_size=64, lr=5e-3, warmup_epochs=0.2),
        baseline=BaselineConfig(hidden_dim=128, channels=[16, 32, 48, 64], max_questions=40_000),
        answers=AnswersConfig(max_objects=16),
        answers_training=TrainingConfig(
            epochs=8, batch_size=128, lr=2e-3, warmup_epochs=0.5, ema_decay=0.99, eval_interval=2
        ),
        blind_training=TrainingConfig(epochs=4, batch_size=128, lr=3e-3, warmup_epochs=0.2),
        cnn_lstm_training=TrainingConfig(epochs=4, batch_size=128, lr=3e-3, warmup_epochs=0.2, num_workers=1),
    )


def longer() -> NaturalConfig:
    """`quick` with 24 epochs of perception in place of 10.

    Measured, one seed: 1,860 CPU-seconds of training in all, most of it perception; 95.4 % of questions.
    """
    return quick().with_values({"training.epochs": 24})


def base() -> NaturalConfig:
    """One GPU. Time and score are not measured yet."""
    return NaturalConfig(
        max_val_images=2000,
        training=TrainingConfig(
            epochs=20, batch_size=64, lr=1e-3, weight_decay=0.05, warmup_epochs=1, ema_decay=0.999, save_interval=5
        ),
        parser=ParserConfig(embedding_dim=128, hidden_dim=256, dropout=0.1),
        parser_training=TrainingConfig(epochs=4, batch_size=256, lr=3e-3, warmup_epochs=0.2, ema_decay=0.999),
        baseline=BaselineConfig(embedding_dim=128, hidden_dim=512, dropout=0.2, image_width=144, image_height=108),
        answers=AnswersConfig(
            embedding_dim=256,
            hidden_dim=512,
            object_dim=512,
            num_heads=8,
            answer_dim=1024,
            dropout=0.2,
            max_objects=36,
            map_width=7,
            map_height=5,
        ),
        answers_training=TrainingConfig(epochs=12, batch_size=512, lr=1e-3, warmup_epochs=0.5, ema_decay=0.999),
        blind_training=TrainingConfig(epochs=6, batch_size=512, lr=1e-3, weight_decay=0.01),
        cnn_lstm_training=TrainingConfig(epochs=6, batch_size=512, lr=1e-3, weight_decay=0.01),
    )


def paper() -> NaturalConfig:
    """One GPU, the full release. Time and score are not measured yet."""
    return base().with_values(
        {
            "perception.image_width": 512,
            "perception.image_height": 384,
            "perception.feature_dim": 192,
            "perception.head_dim": 512,
            "training.epochs": 30,
        }
    )


PRESETS = {"debug": debug, "quick": quick, "longer": longer, "base": base, "paper": paper}


# Names alone are learnt from boxes: 8 to 9 CPU-minutes with baselines, an official score of 73 on the twin (blind: 44).
# Colours are not among these labels: features that are blind to colours would say nothing of them to the answers.
BY_DATASET: dict[tuple[str, str], dict[str, Any]] = {
    ("quick", "vqa"): {"training.epochs": 4, "training.eval_interval": 4, "perception.recolour": 0.0},
    ("longer", "vqa"): {"perception.recolour": 0.0},
}
# An epoch has the images of all. Measured, one seed: 1,900 CPU-seconds of training with 11,000 images; 95.8 % of
# CLEVR's twin, 92.9 % of GQA's, 82.0 by the official score of VQA's.
BY_DATASET |= {("quick", "all"): {"training.epochs": 6, "training.eval_interval": 3}}


def presets_of(dataset: Dataset) -> Mapping[str, Callable[[], NaturalConfig]]:
    """The presets for what is learnt."""
    return {name: _on(preset, dataset) for name, preset in PRESETS.items()}


def _on(preset: Callable[[], NaturalConfig], dataset: str) -> Callable[[], NaturalConfig]:
    @wraps(preset)
    def found() -> NaturalConfig:
        return preset().with_values({"dataset": dataset, **BY_DATASET.get((preset.__name__, dataset), {})})

    return found


EVALUATION_PRESETS = {"default": NaturalEvaluation}
