"""Classifier of answers from the question, or from image and question, without objects and programs.

The baselines of Johnson et al. 2017 (CLEVR, section 4) and of Hudson and Manning 2019: the question alone, or the image
feature and the last state of an LSTM, concatenated, into a classifier. There the CNN is an ImageNet ResNet; here it is
whatever `viewer` is given.

Shapes: b questions, s words of the longest, i distinct images of a batch, h × w pixels, f features, a answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, Literal, Protocol, TypeVar, final

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from nsmodels.layers.answers.batches import PAD

FIRST_WORD = 2  # number of the first known word: 0 is padding, 1 any unknown word


class Sizes(Protocol):
    """What a configuration has to say of a classifier."""

    @property
    def embedding_dim(self) -> int:
        """Width of word embeddings."""
        ...

    @property
    def hidden_dim(self) -> int:
        """Width of question and image features and of the answer layer."""
        ...

    @property
    def dropout(self) -> float:
        """Dropout before the output layer."""
        ...


S = TypeVar("S", bound=Sizes)


class PicturedSizes(Sizes, Protocol):
    """The same, with the size of images."""

    @property
    def image_width(self) -> int:
        """Input width in pixels."""
        ...

    @property
    def image_height(self) -> int:
        """Input height in pixels."""
        ...


@final
class AnswerClassifier(nn.Module, Generic[S]):
    """A recurrent reader of the question, a viewer of the image or none; then a classifier of answers.

    Args:
        config: sizes.
        known_words: the vocabulary of questions, in the order of the words' numbers.
        answers: that it chooses from, in the order of their numbers.
        reader: the recurrent layer.
        make_viewer: makes a network from images (i, 3, h, w) in [-1, 1] to features (i, hidden), after the reader is
            made; None: the question alone.
        is_image_first: whether the features of the image stand before those of the question.
    """

    def __init__(
        self,
        config: S,
        known_words: Iterable[str],
        answers: Iterable[str],
        reader: Literal["gru", "lstm"],
        make_viewer: Callable[[], nn.Module] | None = None,
        is_image_first: bool = False,
    ) -> None:
        super().__init__()
        self.config, self.is_image_first = config, is_image_first
        self.known_words, self.answers = tuple(known_words), tuple(answers)
        hidden, num_parts = config.hidden_dim, 1 if make_viewer is None else 2
        self.words = nn.Embedding(len(self.known_words) + FIRST_WORD, config.embedding_dim, padding_idx=PAD)
        layer = nn.LSTM if reader == "lstm" else nn.GRU
        self.reader = layer(config.embedding_dim, hidden, batch_first=True)
        self.viewer = make_viewer() if make_viewer else None
        self.answerer = nn.Sequential(
            nn.Linear(num_parts * hidden, hidden),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(hidden, len(self.answers)),
        )

    def forward(
        self, words: Int[Tensor, "b s"], lengths: Int[Tensor, " b"], images: UInt8[Tensor, "i h w 3"], places: Tensor
    ) -> Float[Tensor, "b a"]:
        """Logits of the answers; `places` (b,) is the index of each question's image among `images`."""
        question = last_state(self.reader, self.words(words), lengths)
        if self.viewer is None:
            return self.answerer(question)
        # Each image is encoded once, however many questions of the batch refer to it.
        image = self.viewer(images.permute(0, 3, 1, 2).float() / 127.5 - 1)[places]
        parts = [image, question] if self.is_image_first else [question, image]
        return self.answerer(torch.cat(parts, dim=-1))


def last_state(reader: nn.Module, embedded: Float[Tensor, "b s e"], lengths: Int[Tensor, " b"]) -> Float[Tensor, "b h"]:
    """The last state of a GRU or LSTM at the last word of each question."""
    packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
    _, state = reader(packed)
    return state[0][-1] if isinstance(state, tuple) else state[-1]


def convolutions(channels: Sequence[int], width: int, height: int, hidden: int) -> nn.Sequential:
    """Convolutions that halve the image, then a linear layer: (i, 3, h, w) → (i, hidden)."""
    layers: list[nn.Module] = []
    for before, after in zip([3, *channels], channels, strict=False):
        layers += [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        width, height = (width + 1) // 2, (height + 1) // 2
    feature = nn.Linear(channels[-1] * width * height, hidden)
    return nn.Sequential(*layers, nn.Flatten(), feature, nn.ReLU())


@final
class Unseen(nn.Module):
    """A viewer that sees nothing: zeros in place of the features of an image."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden

    def forward(self, images: Float[Tensor, "i 3 h w"]) -> Float[Tensor, "i f"]:
        """Zeros for each image."""
        return images.new_zeros(len(images), self.hidden)
