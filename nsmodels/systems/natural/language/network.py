"""Question → program: an encoder-decoder GRU with attention that decodes well-typed programs, and points at mentions.

Shapes: b batch, s words of the longest question, t symbols of the longest program, m most mentions of a question,
h hidden, v number of tokens, g classes of mentions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nsmodels.systems.natural.config import ParserConfig
from nsmodels.systems.natural.language.fluency import Fluency
from nsmodels.systems.natural.language.grammar import Grammar
from nsmodels.systems.natural.language.tokens import Vocabulary
from nsmodels.systems.natural.language.trees import CLOSED


@dataclass(frozen=True)
class Questions:
    """Questions as numbers.

    Attributes:
        words: (b, s), 0 behind the end.
        lengths: (b,).
        classes: which classes of mentions cover each word, and which begin with it, (b, s, 2 g).
        starts, ends: first and last word of each mention, (b, m).
        groups: class of each mention, (b, m); -1: none.
    """

    words: Int[Tensor, "b s"]
    lengths: Int[Tensor, " b"]
    classes: Float[Tensor, "b s 2g"]
    starts: Int[Tensor, "b m"]
    ends: Int[Tensor, "b m"]
    groups: Int[Tensor, "b m"]

    def to(self, device: torch.device) -> Questions:
        """The same on a device; lengths stay where they are."""
        moved = {each.name: getattr(self, each.name) for each in fields(self)}
        return Questions(**{name: x if name == "lengths" else x.to(device) for name, x in moved.items()})


class Memory(NamedTuple):
    """Encoded questions, to which the decoder attends and in which it points."""

    keys: Float[Tensor, "b h s"]
    values: Float[Tensor, "b s h"]
    padding: Bool[Tensor, "b 1 s"]
    mentions: Float[Tensor, "b h m"]
    groups: Int[Tensor, "b m"]
    is_possible: Bool[Tensor, "b v"]

    def repeated(self, count: int) -> Memory:
        """The memory of one question for `count` decodings of it."""
        return Memory(*(part.expand(count, *part.shape[1:]) for part in self))


class ParserNetwork(nn.Module):
    """The network of the parser.

    A bidirectional GRU encodes words, each with the classes of the mentions that cover it. A GRU reads the symbols so
    far with the type of the open slot; its state attends to the question, and a second GRU reads both and scores the
    next token, or the next mention by its key. What does not fit the slot has probability 0.

    Args:
        config: sizes and regularisation.
        grammar: tokens and slots.
        words: the vocabulary of questions, in the order of the words' numbers.
        sequences: of words and classes in the training questions; see `fluency`.
    """

    fits: Bool[Tensor, "slots v"]
    fits_group: Bool[Tensor, "slots g"]
    costs: Int[Tensor, " v"]
    opens: Bool[Tensor, "v slots"]

    def __init__(
        self, config: ParserConfig, grammar: Grammar, words: Iterable[str], sequences: Iterable[str] = ()
    ) -> None:
        super().__init__()
        self.fluency = Fluency(sequences)
        self.config, self.grammar, self.vocabulary = config, grammar, Vocabulary(words)
        width, hidden = config.embedding_dim, config.hidden_dim
        self.num_tokens, num_groups = len(grammar.tokens), len(grammar.phrases.groups)
        self.words = nn.Embedding(len(self.vocabulary), width, padding_idx=0)
        self.classes = nn.Linear(2 * num_groups, width, bias=False)
        self.encoder = nn.GRU(width, hidden // 2, batch_first=True, bidirectional=True)
        # Symbols before: tokens, a mention by its class, and the start.
        self.symbols = nn.Embedding(self.num_tokens + num_groups + 1, width)
        self.slots = nn.Embedding(2 * len(grammar.slots), width)
        self.start = nn.Linear(hidden, 2 * hidden)
        self.reader = nn.GRU(width, hidden, batch_first=True)
        self.key = nn.Linear(hidden, hidden, bias=False)
        self.mention = nn.Linear(2 * hidden, hidden)
        self.mention_group = nn.Embedding(num_groups, hidden)
        self.writer = nn.GRU(2 * hidden, hidden, batch_first=True)
        self.score = nn.Linear(2 * hidden, self.num_tokens)
        self.point = nn.Linear(2 * hidden, hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("fits", torch.from_numpy(grammar.fits), persistent=False)
        self.register_buffer("fits_group", torch.from_numpy(grammar.fits_group), persistent=False)
        self.register_buffer("costs", torch.from_numpy(grammar.costs), persistent=False)
        self.register_buffer("opens", torch.from_numpy(grammar.opens_table), persistent=False)

    @property
    def first_symbol(self) -> int:
        """Number of the symbol before the first one."""
        return self.symbols.num_embeddings - 1

    def forward(
        self,
        questions: Questions,
        previous: Int[Tensor, "b t"],
        slots: Int[Tensor, "b t"],
        num_open: Int[Tensor, "b t"],
    ) -> Float[Tensor, "b t v+m"]:
        """Log-probabilities of each next token or mention, given the true symbols before it (teacher forcing)."""
        memory, state = self.encode(questions)
        scores, _ = self.step(memory, state, previous, slots, num_open)
        return scores.masked_fill(~self.fitting(memory, slots), -torch.inf).log_softmax(-1)

    def encode(self, questions: Questions) -> tuple[Memory, tuple[Tensor, Tensor]]:
        """The memory of questions, and the decoder's two first states, (1, b, h) each."""
        embedded = self.dropout(self.words(questions.words) + self.classes(questions.classes))
        packed = pack_padded_sequence(embedded, questions.lengths.cpu(), batch_first=True, enforce_sorted=False)
        output, last = self.encoder(packed)
        values, _ = pad_packed_sequence(output, batch_first=True, total_length=questions.words.shape[1])
        reader, writer = self.start(torch.cat([last[-2], last[-1]], -1)).tanh().chunk(2, -1)
        padding = (questions.words == 0)[:, None]
        keys = self._mention_keys(values, questions).transpose(1, 2)
        possible = self._possible(questions.groups)
        memory = Memory(self.key(values).transpose(1, 2), values, padding, keys, questions.groups, possible)
        return memory, (reader[None].contiguous(), writer[None].contiguous())

    def step(
        self, memory: Memory, state: tuple[Tensor, Tensor], previous: Tensor, slots: Tensor, num_open: Tensor
    ) -> tuple[Float[Tensor, "b t v+m"], tuple[Tensor, Tensor]]:
        """Scores of what follows `previous` (b, t), not masked, and the decoder's next state."""
        nested = (num_open > 1).long() * len(self.grammar.slots)
        read, reader = self.reader(self.dropout(self.symbols(previous) + self.slots(slots + nested)), state[0])
        # Attention (Luong et al. 2015): softmax over the words s of query_t · key_s, padding excluded.
        weights = torch.bmm(read, memory.keys).masked_fill(memory.padding, -torch.inf).softmax(-1)
        context = torch.bmm(weights, memory.values)
        written, writer = self.writer(torch.cat([read, context], -1), state[1])
        both = self.dropout(torch.cat([written, context], -1))
        pointed = torch.bmm(self.point(both), memory.mentions) / memory.mentions.shape[1] ** 0.5
        return torch.cat([self.score(both), pointed], -1), (reader, writer)

    def fitting(
        self, memory: Memory, slots: Int[Tensor, "b t"], slack: Tensor | None = None
    ) -> Bool[Tensor, "b t v+m"]:
        """What fits each slot; with `slack` (b, t) only tokens whose programs end within so many tokens."""
        tokens = self.fits[slots] & memory.is_possible[:, None]
        if slack is not None:
            tokens = tokens & (self.costs <= slack[..., None])
        is_mention = (memory.groups >= 0)[:, None]
        groups = memory.groups.clamp(min=0)[:, None].expand(-1, slots.shape[1], -1)
        mentions = self.fits_group[slots].gather(-1, groups) & is_mention
        is_closed = (slots == self.grammar.slot_numbers[CLOSED])[..., None]
        return torch.cat([tokens | is_closed, mentions], -1)

    def _possible(self, groups: Int[Tensor, "b m"]) -> Bool[Tensor, "b v"]:
        """Tokens all of whose slots can be filled: by a token, or by a mention of the question."""
        is_there = nn.functional.one_hot(groups + 1, self.fits_group.shape[1] + 1)[..., 1:].any(1)
        can_fill = self.fits.any(1) | (is_there[:, None] & self.fits_group).any(-1)
        return ~(self.opens & ~can_fill[:, None]).any(-1)

    def _mention_keys(self, values: Tensor, questions: Questions) -> Float[Tensor, "b m h"]:
        ends = [index[..., None].expand(-1, -1, values.shape[-1]) for index in (questions.starts, questions.ends)]
        both = torch.cat([values.gather(1, index) for index in ends], -1)
        return self.mention(both) + self.mention_group(questions.groups.clamp(min=0))
