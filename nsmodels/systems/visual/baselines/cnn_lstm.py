"""CNN+LSTM: from image and question to the answer directly, without scene and program.

The baseline of Johnson et al. 2017 (CLEVR, section 4): image feature and last LSTM state, concatenated, into an MLP.
There the CNN is a frozen ImageNet ResNet-101; here a small CNN is trained with the rest. Without `use_image` it is the
question-only LSTM: the image feature is zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn

from nsmodels.datasets.clevr.vocabulary import ANSWERS
from nsmodels.engine import checkpoint
from nsmodels.layers.answers.classifier import AnswerClassifier, Unseen, convolutions
from nsmodels.systems.visual.config import BaselineConfig

CnnLstm = AnswerClassifier[BaselineConfig]


def make_cnn_lstm(config: BaselineConfig, words: Iterable[str]) -> CnnLstm:
    """A classifier over the 28 answers with random weights; `words`: of questions, in the order of their numbers."""

    def viewer() -> nn.Module:
        size = config.image_width, config.image_height
        return (
            convolutions(config.channels, *size, config.hidden_dim) if config.use_image else Unseen(config.hidden_dim)
        )

    return AnswerClassifier(config, words, ANSWERS, "lstm", viewer, is_image_first=True)


def from_checkpoint(payload: Mapping[str, Any], where: str = "checkpoint") -> CnnLstm:
    """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

    Raises `InputError` naming `where` when configuration or weights do not fit.
    """
    config = BaselineConfig.from_mapping(checkpoint.settings_of(payload, "baseline", where), where)
    model = make_cnn_lstm(config, checkpoint.settings_of(payload, "words", where))
    checkpoint.fill(model, payload["model_state_dict"], where)
    return model.eval()
