"""Classifiers of answers from the question, or from image and question, without objects and programs.

The baselines of Hudson and Manning 2019: a GRU over the question alone, and CNN+LSTM, here with a small CNN trained
with the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nsmodels.engine import checkpoint
from nsmodels.layers.answers.classifier import AnswerClassifier, convolutions
from nsmodels.systems.natural.config import BaselineConfig

Classifier = AnswerClassifier[BaselineConfig]


def make_classifier(
    config: BaselineConfig, words: Iterable[str], answers: Iterable[str], has_image: bool
) -> Classifier:
    """A GRU over the question, or with images an LSTM beside a CNN, with random weights."""
    size = config.image_width, config.image_height
    viewer = (lambda: convolutions(config.channels, *size, config.hidden_dim)) if has_image else None
    return AnswerClassifier(config, words, answers, "lstm" if has_image else "gru", viewer)


def from_checkpoint(payload: Mapping[str, Any], where: str = "checkpoint") -> Classifier:
    """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

    Raises `InputError` naming `where` when configuration or weights do not fit.
    """
    config = BaselineConfig.from_mapping(checkpoint.settings_of(payload, "baseline", where), where)
    words, answers, has_image = (
        checkpoint.settings_of(payload, name, where) for name in ("words", "answers", "has_image")
    )
    model = make_classifier(config, words, answers, has_image)
    checkpoint.fill(model, payload["model_state_dict"], where)
    return model.eval()
