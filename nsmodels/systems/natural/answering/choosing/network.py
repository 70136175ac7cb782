"""The network that chooses answers: a question chooses among perceived objects, concepts and cells of a coarse map.

Shapes: b questions, i distinct images, t things of an image (objects, then cells, then its scene), n of them objects,
d width of a thing, k heads, a answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.answering.choosing.features import PATCH, FeatureShape
from nsmodels.systems.natural.answering.choosing.questions import NUM_NOUNS, Nouns, QuestionBatch
from nsmodels.systems.natural.config import AnswersConfig
from nsmodels.systems.natural.language.tokens import PAD, Vocabulary, words_of

FOUND = 0.3  # presence from which on an object is attended to
NUM_MATCHES = NUM_NOUNS + 3  # what is known of a thing and a question: named, valued, alike, present
NUM_COUNTS = 8  # soft counts of 0 to 7
GEOMETRY = 16
NONE = -1e4


class Things(NamedTuple):
    """What there is in the images: vectors, presence (0 beside objects), boxes, names and values of objects."""

    vectors: Float[Tensor, "i t d"]
    exists: Float[Tensor, "i t"]
    presence: Float[Tensor, "i t"]
    boxes: Float[Tensor, "i t 4"]
    names: Float[Tensor, "i n names"]
    values: Float[Tensor, "i n values"]


class Chosen(NamedTuple):
    """Logits of the answers, and the weight of each thing in the choice; zeros without cross-attention."""

    logits: Float[Tensor, "b a"]
    attention: Float[Tensor, "b t"]


@final
class AnswerNetwork(nn.Module):
    """Question, things of the image, what the question attends to among them, answers.

    Args:
        config: sizes; `cross_attention` off: the mean of the things in place of attention, matches and counts.
        shape: of the features of an image.
        scene: the vocabulary of perception.
        words: of questions, in the order of their numbers.
        answers: in the order of their numbers.
    """

    meant: Tensor
    name_words: Tensor
    value_words: Tensor

    def __init__(
        self,
        config: AnswersConfig,
        shape: FeatureShape,
        scene: SceneVocabulary,
        words: Iterable[str],
        answers: Iterable[str],
    ) -> None:
        super().__init__()
        self.config, self.shape, self.scene = config, shape, scene
        self.vocabulary, self.answers, self.nouns = Vocabulary(words), tuple(answers), Nouns(scene)
        self.words = nn.Embedding(len(self.vocabulary), config.embedding_dim, padding_idx=PAD)
        self.reader = nn.GRU(config.embedding_dim, config.hidden_dim, batch_first=True)
        tables = {"meant": torch.from_numpy(self.nouns.meant)}
        tables |= {"name_words": self._words_of(scene.names), "value_words": self._words_of(self.nouns.values)}
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=False)
        self.things = ThingEncoder(config, shape)
        width = config.hidden_dim + config.object_dim
        self.choice = CrossAttention(config, self.answers, self.nouns) if config.cross_attention else None
        width += self.choice.num_features if self.choice else 0
        last = nn.Linear(config.answer_dim, len(self.answers))
        # Most answers are wrong: start near the base rate, else the first steps do nothing but learn it.
        nn.init.constant_(last.bias, -4.0)
        hidden = (nn.Linear(width, config.answer_dim), nn.LayerNorm(config.answer_dim), nn.GELU())
        self.answerer = nn.Sequential(*hidden, nn.Dropout(config.dropout), last)

    @classmethod
    def from_checkpoint(cls, payload: Mapping[str, Any], where: str = "checkpoint") -> AnswerNetwork:
        """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

        Raises `InputError` naming `where` when configuration or weights do not fit.
        """
        config = AnswersConfig.from_mapping(checkpoint.settings_of(payload, "answers", where), where)
        scene = SceneVocabulary.from_json(checkpoint.settings_of(payload, "scene_words", where), where)
        try:
            shape = FeatureShape(**checkpoint.settings_of(payload, "shape", where))
        except TypeError as error:
            raise InputError(f"{where}: sizes of features cannot be read ({error}); train it again") from None
        lists = [checkpoint.settings_of(payload, name, where) for name in ("words", "choices")]
        model = cls(config, shape, scene, *lists)
        checkpoint.fill(model, payload["model_state_dict"], where)
        return model.eval()

    def forward(self, batch: QuestionBatch) -> Chosen:
        """Logits of answers, and what was attended to."""
        packed = pack_padded_sequence(
            self.words(batch.words), batch.lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        question = self.reader(packed)[1][-1]
        assert isinstance(batch.images, Mapping)
        things = self.things(batch.images, self._spelled(self.name_words), self._spelled(self.value_words))
        mean = (things.vectors * things.exists[..., None]).sum(1) / things.exists.sum(1, keepdim=True)
        read, extra, attention = [question, mean[batch.places]], 0.0, things.exists.new_zeros(len(question), 0)
        if self.choice is not None:
            named, valued = self.meant[batch.nouns], self._of_values(batch.values)
            found, extra, attention = self.choice(question, things, batch.places, named, valued)
            read.append(found)
        return Chosen(self.answerer(torch.cat(read, -1)) + extra, attention)

    def _words_of(self, phrases: Iterable[str]) -> Int[Tensor, "p m"]:
        rows = [self.vocabulary.numbers(words_of(phrase)) or [PAD] for phrase in phrases]
        most = max([1, *map(len, rows)])
        return torch.tensor([row + [PAD] * (most - len(row)) for row in rows], dtype=torch.long).view(-1, most)

    def _spelled(self, table: Int[Tensor, "p m"]) -> Float[Tensor, "p e"]:
        """Mean embedding of the words of each phrase: a name is read as it is asked for."""
        return self.words(table).sum(1) / (table != PAD).sum(1, keepdim=True).clamp(min=1)

    def _of_values(self, numbers: Int[Tensor, "b m"]) -> tuple[Float[Tensor, "b values"], Float[Tensor, "b e"]]:
        """Which values a question names, and their mean embedding."""
        known = F.one_hot(numbers, len(self.nouns.values) + 1).sum(1)[:, :-1].to(self.meant.dtype).clamp(max=1)
        return known, known @ self._spelled(self.value_words) / known.sum(1, keepdim=True).clamp(min=1)


@final
class ThingEncoder(nn.Module):
    """Vectors of the objects, cells and the scene of an image, each once for all questions about it."""

    def __init__(self, config: AnswersConfig, shape: FeatureShape) -> None:
        super().__init__()
        width, self.shape = config.object_dim, shape
        self.objects = nn.Linear(shape.features + 2 * config.embedding_dim + 5, width)
        self.crops = pixel_encoder(shape.crop, width) if shape.crop else None
        self.cells = nn.Linear(shape.channels, width)
        self.patches = pixel_encoder(PATCH, width)
        self.place = nn.Embedding(shape.cells, width)
        self.scene = nn.Linear(shape.scene, width) if shape.scene else None
        self.norm = nn.LayerNorm(width)

    def forward(
        self, images: Mapping[str, Tensor], names: Float[Tensor, "names e"], values: Float[Tensor, "values e"]
    ) -> Things:
        """Things of images given as records of features by name; `names` and `values` are embeddings of the words."""
        read = {name: table.float() for name, table in images.items()}
        presence = read["presence"]
        known = [read["features"], read["names"] @ names, read["values"] @ values, read["boxes"], presence[..., None]]
        objects = self.objects(torch.cat(known, -1))
        if self.crops is not None:
            objects = objects + self.crops(read["crops"].flatten(2) / 127.5 - 1)
        cells = self.cells(read["cells"]) + self.patches(read["patches"] / 127.5 - 1) + self.place.weight
        parts = [objects, cells]
        if self.scene is not None:
            parts.append(self.scene(read["scene"])[:, None])
        vectors = self.norm(torch.cat(parts, 1))
        beside = vectors.shape[1] - presence.shape[1]
        exists = torch.cat([(presence > FOUND).float(), presence.new_ones(len(presence), beside)], 1)
        boxes = torch.cat([read["boxes"], self._of_cells(presence, beside)], 1)
        return Things(vectors, exists, F.pad(presence, (0, beside)), boxes, read["names"], read["values"])

    def _of_cells(self, like: Tensor, num: int) -> Float[Tensor, "i cells 4"]:
        width, height = self.shape.map_width, self.shape.map_height
        y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
        boxes = torch.stack([(x + 0.5) / width, (y + 0.5) / height], -1).flatten(0, 1)
        boxes = torch.cat([boxes, boxes.new_tensor([1 / width, 1 / height]).expand(len(boxes), 2)], 1)
        whole = boxes.new_tensor([[0.5, 0.5, 1.0, 1.0]]).expand(num - len(boxes), 4)
        return torch.cat([boxes, whole]).to(like).expand(len(like), num, 4)


def pixel_encoder(side: int, width: int) -> nn.Sequential:
    """Two layers over side · side pixels."""
    return nn.Sequential(nn.Linear(3 * side**2, width), nn.ReLU(), nn.Linear(width, width))


@final
class CrossAttention(nn.Module):
    """Two hops from the question to things of the image, names and values that are copied, and soft counts.

    The second hop also sees where a thing is from what the first one found: what is to the left of the dog.
    """

    def __init__(self, config: AnswersConfig, answers: tuple[str, ...], nouns: Nouns) -> None:
        super().__init__()
        width, hidden, heads = config.object_dim, config.hidden_dim, config.num_heads
        self.num_heads = heads
        self.alike = nn.Linear(config.embedding_dim, width, bias=False)
        self.first = Hop(hidden, width, heads)
        self.geometry = nn.Sequential(nn.Linear(8, GEOMETRY), nn.GELU(), nn.Linear(GEOMETRY, GEOMETRY))
        self.second = Hop(hidden + width, width, heads, GEOMETRY)
        self.gates = Hop(hidden, width, 2)
        self.copied = nn.Linear(hidden, 4)
        number = {answer: place for place, answer in enumerate(answers)}
        for name, phrases in (("name_answers", nouns.words.names), ("value_answers", nouns.values)):
            table = torch.tensor([number.get(" ".join(words_of(phrase)), len(answers)) for phrase in phrases])
            self.register_buffer(name, table.long(), persistent=False)
        self.num_answers = len(answers)
        self.num_features = 2 * width + 2 * NUM_COUNTS + 2 * NUM_MATCHES

    name_answers: Tensor
    value_answers: Tensor

    def forward(
        self,
        question: Float[Tensor, "b h"],
        images: Things,
        places: Int[Tensor, " b"],
        named: Float[Tensor, "b 2 names"],
        valued: tuple[Float[Tensor, "b values"], Float[Tensor, "b e"]],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """What was read, (b, features), what is added to the logits of answers, (b, a), and attention, (b, t).

        `images`: what there is in each; `places`: of the image of each question among them.
        """
        # What does not depend on the question is computed once per image, however many questions are about it.
        hops = (self.first, self.second, self.gates)
        keys = [hop.keys(images.vectors).unflatten(-1, (hop.heads, -1))[places] for hop in hops]
        things = Things(*(each[places] for each in images))
        matches = self._matches(things, named, *valued)
        first = self.first(question, keys[0], things.exists, matches)
        read = (first.mean(1, keepdim=True) @ things.vectors)[:, 0]
        place = first.mean(1, keepdim=True) @ things.boxes
        away = (things.boxes[..., :2] - place[..., :2], things.boxes[..., 2:] - place[..., 2:])
        geometry = self.geometry(torch.cat([*away, things.boxes], -1))
        second = self.second(torch.cat([question, read], -1), keys[1], things.exists, matches, geometry)
        again = (second.mean(1, keepdim=True) @ things.vectors)[:, 0]
        attention = (first + second).mean(1) / 2
        counts = self._counts(self.gates.scores(question, keys[2], things.exists, matches), things)
        seen = (matches * things.exists[..., None]).amax(1)
        found = torch.cat([read, again, counts, seen, first.mean(1, keepdim=True).matmul(matches)[:, 0]], -1)
        added = self._copied(question, first, second, things)
        return found, added, attention

    def _matches(
        self, things: Things, named: Tensor, valued: Float[Tensor, "b values"], spelled: Float[Tensor, "b e"]
    ) -> Float[Tensor, "b t m"]:
        """What of each thing is known to be what the question names; zeros beside objects."""
        of_names = things.names @ named.transpose(1, 2)
        of_values = (things.values @ valued[..., None]).clamp(max=1)
        beside = things.vectors.shape[1] - of_names.shape[1]
        known = F.pad(torch.cat([of_names, of_values], -1), (0, 0, 0, beside))
        has_value = (valued.amax(1) if valued.shape[1] else valued.sum(1))[:, None, None]
        alike = torch.sigmoid((things.vectors * self.alike(spelled)[:, None]).sum(-1, keepdim=True)) * has_value
        return torch.cat([known, alike, things.presence[..., None]], -1)

    def _counts(self, scores: Float[Tensor, "b 2 t"], things: Things) -> Float[Tensor, "b m"]:
        """Objects that pass each of two gates, counted, as hats around whole numbers, (b, 2 · counts)."""
        gates = torch.sigmoid(scores) * (things.presence * things.exists)[:, None]
        total = gates.sum(-1, keepdim=True)
        whole = torch.arange(NUM_COUNTS, device=total.device)
        return (1 - (total - whole).abs()).clamp(min=0).flatten(1)

    def _copied(self, question: Tensor, first: Tensor, second: Tensor, things: Things) -> Float[Tensor, "b a"]:
        """Names and values of attended objects, added to the answers of the same words."""
        weights = F.softplus(self.copied(question))
        added = question.new_zeros(len(question), self.num_answers + 1)
        num = things.names.shape[1]
        for hop, attention in enumerate((first, second)):
            on = attention.mean(1, keepdim=True)[..., :num]
            for kind, (table, places) in enumerate(
                ((things.names, self.name_answers), (things.values, self.value_answers))
            ):
                share = (on @ table)[:, 0] * weights[:, 2 * hop + kind, None]
                added = added.index_add(1, places, 4 * share)
        return added[:, :-1]


@final
class Hop(nn.Module):
    """Attention of a state over things: by their vectors, by what matches the question, and by where they are."""

    def __init__(self, state: int, width: int, heads: int, geometry: int = 0) -> None:
        super().__init__()
        self.heads, self.scale = heads, (width // heads or 1) ** -0.5
        self.queries = nn.Linear(state, width // heads * heads)
        self.keys = nn.Linear(width, width // heads * heads)
        self.matching = nn.Linear(state, heads * NUM_MATCHES)
        self.placing = nn.Linear(state, heads * geometry) if geometry else None

    def scores(
        self,
        state: Float[Tensor, "b s"],
        keys: Float[Tensor, "b t k c"],
        exists: Float[Tensor, "b t"],
        matches: Float[Tensor, "b t m"],
        geometry: Float[Tensor, "b t g"] | None = None,
    ) -> Float[Tensor, "b k t"]:
        """Scores of things for each head; far below zero for those that do not exist."""
        queries = self.queries(state).unflatten(-1, (self.heads, -1))
        scores = torch.einsum("bkc,btkc->bkt", queries, keys) * self.scale
        scores = scores + torch.einsum("bkm,btm->bkt", self.matching(state).unflatten(-1, (self.heads, -1)), matches)
        if self.placing is not None and geometry is not None:
            where = self.placing(state).unflatten(-1, (self.heads, -1))
            scores = scores + torch.einsum("bkg,btg->bkt", where, geometry)
        return scores.masked_fill(exists[:, None] == 0, NONE)

    def forward(
        self,
        state: Float[Tensor, "b s"],
        keys: Float[Tensor, "b t k c"],
        exists: Float[Tensor, "b t"],
        matches: Float[Tensor, "b t m"],
        geometry: Float[Tensor, "b t g"] | None = None,
    ) -> Float[Tensor, "b k t"]:
        """Weights of things that sum to 1, for each head."""
        return self.scores(state, keys, exists, matches, geometry).softmax(-1)
