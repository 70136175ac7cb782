"""CNN+LSTM: from image and question to the answer directly, without scene and program.

The baseline of Johnson et al. 2017 (CLEVR, section 4): image feature and last LSTM state, concatenated, into an MLP.
There the CNN is a frozen ImageNet ResNet-101; here a small CNN is trained with the rest.

Shapes: b questions, s words of the longest, i distinct images of a batch, h × w pixels, a answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from nsmodels.datasets.clevr.vocabulary import ANSWERS
from nsmodels.engine import checkpoint
from nsmodels.systems.visual.config import BaselineConfig
from nsmodels.systems.visual.language.tokens import PAD, Vocabulary


class CnnLstm(nn.Module):
    """Classifier over the 28 answers. Without `use_image` it is the question-only LSTM: the image feature is zero.

    Args:
        config: sizes and regularisation.
        words: the vocabulary of questions, in the order of the words' numbers.
    """

    def __init__(self, config: BaselineConfig, words: Iterable[str]) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = Vocabulary(words)
        hidden = config.hidden_dim
        self.words = nn.Embedding(len(self.vocabulary), config.embedding_dim, padding_idx=PAD)
        self.reader = nn.LSTM(config.embedding_dim, hidden, batch_first=True)
        self.viewer = _image_encoder(config) if config.use_image else None
        self.answerer = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(hidden, len(ANSWERS))
        )

    @classmethod
    def from_checkpoint(cls, payload: Mapping[str, Any], where: str = "checkpoint") -> CnnLstm:
        """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

        Raises `InputError` naming `where` when configuration or weights do not fit.
        """
        config = BaselineConfig.from_mapping(checkpoint.settings_of(payload, "baseline", where), where)
        model = cls(config, checkpoint.settings_of(payload, "words", where))
        checkpoint.fill(model, payload["model_state_dict"], where)
        return model.eval()

    def forward(
        self, words: Int[Tensor, "b s"], lengths: Int[Tensor, " b"], images: UInt8[Tensor, "i h w 3"], places: Tensor
    ) -> Float[Tensor, "b a"]:
        """Logits of the answers; `places` (b,) is the index of each question's image among `images`."""
        packed = pack_padded_sequence(self.words(words), lengths.cpu(), batch_first=True, enforce_sorted=False)
        _, (last, _) = self.reader(packed)
        # Each image is encoded once, however many questions of the batch refer to it.
        feature = self._encode_images(images)[places] if self.viewer else torch.zeros_like(last[-1])
        return self.answerer(torch.cat([feature, last[-1]], dim=-1))

    def _encode_images(self, images: Tensor) -> Tensor:
        assert self.viewer is not None
        return self.viewer(images.permute(0, 3, 1, 2).float() / 127.5 - 1)


def _image_encoder(config: BaselineConfig) -> nn.Sequential:
    """Convolutions that halve the image, then a linear layer: (i, 3, h, w) → (i, hidden)."""
    layers: list[nn.Module] = []
    width, height = config.image_width, config.image_height
    for before, after in zip([3, *config.channels], config.channels, strict=False):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        width, height = (width + 1) // 2, (height + 1) // 2
    feature = nn.Linear(config.channels[-1] * width * height, config.hidden_dim)
    return nn.Sequential(*layers, nn.Flatten(), feature, nn.ReLU())
