"""Object attention: the question weighs the objects of a trained perception, and their sum beside it gives the answer.

After Anderson et al. 2018 (bottom-up and top-down attention), one glimpse; an object is its features, names, attribute
values, box and presence as frozen perception gives them, which is more than the features alone that are used there.

Shapes: b questions, s words, i distinct images, n objects of an image, d width, a answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from nsmodels.engine import checkpoint
from nsmodels.layers.answers.batches import PAD, Pictures
from nsmodels.layers.answers.classifier import FIRST_WORD, last_state
from nsmodels.layers.answers.competitors import Competitor
from nsmodels.layers.answers.config import ClassifierConfig
from nsmodels.layers.answers.quiz import Quiz, Side
from nsmodels.systems.natural.answering.choosing.features import FeatureShape, cached_features
from nsmodels.systems.natural.answering.choosing.network import FOUND, NONE
from nsmodels.systems.natural.answering.choosing.task import trained_perception
from nsmodels.systems.natural.config import AnswersConfig
from nsmodels.systems.natural.evaluation.competition.config import ATTENTION, NaturalBaselines

PARTS: tuple[str, ...] = (
    "features",
    "names",
    "values",
    "boxes",
    "presence",
)  # of a record of features, joined to one vector


@final
class ObjectAttention(nn.Module):
    """A GRU over the question, one glimpse at the objects, a classifier of their product.

    Args:
        config: sizes of reader and classifier.
        width: of objects and of their scores.
        known: numbers that describe an object.
        known_words: of questions, in the order of their numbers.
        answers: in the order of their numbers.
    """

    def __init__(
        self, config: ClassifierConfig, width: int, known: int, known_words: Sequence[str], answers: Sequence[str]
    ) -> None:
        super().__init__()
        self.known_words, self.answers = tuple(known_words), tuple(answers)
        hidden = config.hidden_dim
        self.words = nn.Embedding(len(self.known_words) + FIRST_WORD, config.embedding_dim, padding_idx=PAD)
        self.reader = nn.GRU(config.embedding_dim, hidden, batch_first=True)
        self.objects = nn.Sequential(nn.Linear(known, width), nn.LayerNorm(width), nn.ReLU())
        self.looking, self.score = nn.Linear(hidden, width), nn.Linear(width, 1)
        self.asked, self.seen = nn.Linear(hidden, hidden), nn.Linear(width, hidden)
        self.answerer = nn.Sequential(
            nn.Linear(2 * hidden, hidden), nn.ReLU(), nn.Dropout(config.dropout), nn.Linear(hidden, len(self.answers))
        )

    def forward(
        self, words: Int[Tensor, "b s"], lengths: Int[Tensor, " b"], images: Mapping[str, Tensor], places: Tensor
    ) -> Float[Tensor, "b a"]:
        """Logits of the answers; `images`: records of features, `places` (b,): of each question's image among them."""
        question = last_state(self.reader, self.words(words), lengths)
        glimpse = self.glimpse(question, images, places)
        joint = torch.relu(self.asked(question)) * torch.relu(self.seen(glimpse))
        return self.answerer(torch.cat([joint, question], -1))

    def glimpse(self, question: Float[Tensor, "b h"], images: Mapping[str, Tensor], places: Tensor) -> Tensor:
        """The objects of each question's image, weighed by the question, (b, d); zeros where there are none."""
        read = [images[name].float() for name in PARTS[:-1]] + [images["presence"].float()[..., None]]
        things, exists = self.objects(torch.cat(read, -1))[places], images["presence"][places] > FOUND
        scores = self.score(things * self.looking(question)[:, None])[..., 0]
        weights = scores.masked_fill(~exists, NONE).softmax(-1) * exists
        return (weights[..., None] * things).sum(1)


def competitor(quiz: Quiz, config: NaturalBaselines, model: Path) -> Competitor:
    """Object attention over the perception of the checkpoint folder `model`. Raises `InputError` where it has none."""
    perception, weights = trained_perception(model, config.training.device)
    # Only objects are looked at: of cells and crops as little as there can be.
    wanted = AnswersConfig(max_objects=config.attention.max_objects, crop_size=0, map_width=1, map_height=1)
    shape = FeatureShape.of(perception, wanted)

    def pictures(side: Side) -> Pictures:
        found = cached_features(perception, weights, side.paths, shape, config.training.num_workers)
        return Pictures.records(found[[*PARTS]])  # a view of these fields

    sizes, known = config.classifier, shape.features + shape.names + shape.values + 5
    settings = {
        **{"classifier": sizes.model_dump(mode="json"), "width": config.attention.object_dim, "known": known},
        **{"words": list(quiz.known_words), "answers": list(quiz.choices), "perception": weights},
    }
    build = partial(ObjectAttention, sizes, config.attention.object_dim, known, quiz.known_words, quiz.choices)
    return Competitor(ATTENTION, "object attention", quiz.encoder(pictures), build, settings, load)


def load(payload: Mapping[str, Any], where: str = "checkpoint") -> ObjectAttention:
    """The network of a checkpoint, in evaluation mode; raises `InputError` naming `where` when it does not fit."""
    names = ("classifier", "width", "known", "words", "answers")
    sizes, width, known, words, answers = (checkpoint.settings_of(payload, name, where) for name in names)
    model = ObjectAttention(ClassifierConfig.from_mapping(sizes, where), width, known, words, answers)
    checkpoint.fill(model, payload["model_state_dict"], where)
    return model.eval()
