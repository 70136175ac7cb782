"""Classifiers of answers from the question, or from image and question, without objects and programs.

The baselines of Hudson and Manning 2019: the question alone, and CNN+LSTM, here with a small CNN trained with the rest.

Shapes: b questions, s words of the longest, i distinct images of a batch, h × w pixels, a answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from nsmodels.engine import checkpoint
from nsmodels.systems.natural.config import BaselineConfig
from nsmodels.systems.natural.language.tokens import PAD, Vocabulary


class AnswerClassifier(nn.Module):
    """A GRU over the question, or with images an LSTM beside a CNN; then a classifier of answers.

    Args:
        config: sizes and regularisation.
        words: the vocabulary of questions, in the order of the words' numbers.
        answers: that it chooses from, in the order of their numbers.
        has_image: whether it sees the image.
    """

    def __init__(self, config: BaselineConfig, words: Iterable[str], answers: Iterable[str], has_image: bool) -> None:
        super().__init__()
        self.config, self.has_image = config, has_image
        self.vocabulary, self.answers = Vocabulary(words), tuple(answers)
        hidden = config.hidden_dim
        self.words = nn.Embedding(len(self.vocabulary), config.embedding_dim, padding_idx=PAD)
        layer = nn.LSTM if has_image else nn.GRU
        self.reader = layer(config.embedding_dim, hidden, batch_first=True)
        self.viewer = image_encoder(config) if has_image else None
        self.answerer = nn.Sequential(
            nn.Linear((1 + has_image) * hidden, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, len(self.answers)),
        )

    @classmethod
    def from_checkpoint(cls, payload: Mapping[str, Any], where: str = "checkpoint") -> AnswerClassifier:
        """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

        Raises `InputError` naming `where` when configuration or weights do not fit.
        """
        config = BaselineConfig.from_mapping(checkpoint.settings_of(payload, "baseline", where), where)
        fields = [checkpoint.settings_of(payload, name, where) for name in ("words", "answers", "has_image")]
        model = cls(config, *fields)
        checkpoint.fill(model, payload["model_state_dict"], where)
        return model.eval()

    def forward(
        self, words: Int[Tensor, "b s"], lengths: Int[Tensor, " b"], images: UInt8[Tensor, "i h w 3"], places: Tensor
    ) -> Float[Tensor, "b a"]:
        """Logits of the answers; `places` (b,) is the index of each question's image among `images`."""
        packed = pack_padded_sequence(self.words(words), lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, state = self.reader(packed)
        features = [state[0][-1] if self.has_image else state[-1]]
        if self.viewer is not None:  # each image once, however many questions of the batch refer to it
            features.append(self.viewer(images.permute(0, 3, 1, 2).float() / 127.5 - 1)[places])
        return self.answerer(torch.cat(features, dim=-1))


def image_encoder(config: BaselineConfig) -> nn.Sequential:
    """Convolutions that halve the image, then a linear layer: (i, 3, h, w) → (i, hidden)."""
    layers: list[nn.Module] = []
    width, height = config.image_width, config.image_height
    for before, after in zip([3, *config.channels], config.channels, strict=False):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        width, height = (width + 1) // 2, (height + 1) // 2
    feature = nn.Linear(config.channels[-1] * width * height, config.hidden_dim)
    return nn.Sequential(*layers, nn.Flatten(), feature, nn.ReLU())
