"""Question → program: an encoder-decoder GRU with attention that decodes well-typed programs only.

Shapes: b batch, s words of the longest question, t functions of the longest program, h hidden, v number of tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from nsmodels.engine import checkpoint
from nsmodels.systems.visual.config import ParserConfig
from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.fluency import Fluency
from nsmodels.systems.visual.language.grammar import Derivation
from nsmodels.systems.visual.language.reading import Decoded, Reader
from nsmodels.systems.visual.language.search import beam_search
from nsmodels.systems.visual.language.tokens import Vocabulary

PARSE_BATCH = 256


@dataclass(frozen=True)
class Memory:
    """Encoded questions, to which the decoder attends: `keys` (b, h, s) and `values` (b, s, h)."""

    keys: Tensor
    values: Tensor
    padding: Bool[Tensor, "b 1 s"]

    def repeated(self, count: int) -> Memory:
        """The memory of one question for `count` decodings of it."""
        keys, values, padding = (part.expand(count, -1, -1) for part in (self.keys, self.values, self.padding))
        return Memory(keys, values, padding)


class Parser(nn.Module, Reader):
    """Parser from questions to programs.

    A bidirectional GRU encodes the words. A first GRU reads the tokens so far with the type of the open slot; its state
    attends to the question, and a second GRU reads both and scores the next token (attention between the layers as in
    Wu et al. 2016, so that training runs whole sequences at once). Tokens that do not fit the slot have probability 0.

    Args:
        config: sizes and regularisation.
        words: the vocabulary of questions, in the order of the words' numbers.
        sequences: pairs and triples of word classes in the training questions; see `fluency`.
    """

    fits: Bool[Tensor, "types v"]
    fits_within: Bool[Tensor, "types slack v"]

    def __init__(self, config: ParserConfig, words: Iterable[str], sequences: Iterable[str] = ()) -> None:
        super().__init__()
        self.config = config
        self.vocabulary, self.fluency = Vocabulary(words), Fluency(sequences)
        width, hidden = config.embedding_dim, config.hidden_dim
        self.words = nn.Embedding(len(self.vocabulary), width, padding_idx=0)
        self.encoder = nn.GRU(width, hidden // 2, config.num_layers, batch_first=True, bidirectional=True)
        self.tokens = nn.Embedding(grammar.START + 1, width)
        self.slots = nn.Embedding(2 * len(grammar.TYPES), width)
        self.start = nn.Linear(hidden, 2 * hidden)
        self.reader = nn.GRU(width, hidden, batch_first=True)
        self.key = nn.Linear(hidden, hidden, bias=False)
        self.writer = nn.GRU(2 * hidden, hidden, batch_first=True)
        self.score = nn.Linear(2 * hidden, len(grammar.TOKENS))
        self.dropout = nn.Dropout(config.dropout)
        self.register_buffer("fits", torch.from_numpy(grammar.FITS), persistent=False)
        self.register_buffer("fits_within", torch.from_numpy(grammar.FITS_WITHIN), persistent=False)

    @classmethod
    def from_checkpoint(cls, payload: Mapping[str, Any], where: str = "checkpoint") -> Parser:
        """The parser of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

        Raises `InputError` naming `where` when configuration or weights do not fit.
        """
        config = ParserConfig.from_mapping(checkpoint.settings_of(payload, "parser", where), where)
        # Checkpoints of earlier versions have no sequences: nothing is strange to them.
        sequences = payload["config"].get("sequences", ())
        parser = cls(config, checkpoint.settings_of(payload, "words", where), sequences)
        checkpoint.fill(parser, payload["model_state_dict"], where)
        return parser.eval()

    def forward(
        self,
        words: Int[Tensor, "b s"],
        lengths: Int[Tensor, " b"],
        previous: Int[Tensor, "b t"],
        slots: Int[Tensor, "b t"],
        num_open: Int[Tensor, "b t"],
    ) -> Float[Tensor, "b t v"]:
        """Log-probabilities of each next token, given the true tokens before it (teacher forcing)."""
        memory, start = self.encode(words, lengths)
        logits, _ = self.step(memory, start, previous, slots, num_open)
        return logits.masked_fill(~self.fits[slots], -torch.inf).log_softmax(-1)

    def encode(self, words: Tensor, lengths: Tensor) -> tuple[Memory, tuple[Tensor, Tensor]]:
        """Memory of word numbers `words` (b, s), `lengths` (b,), and the decoder's two first states, (1, b, h) each."""
        embedded = self.dropout(self.words(words))
        packed = pack_padded_sequence(embedded, lengths.cpu(), batch_first=True, enforce_sorted=False)
        output, last = self.encoder(packed)
        values, _ = pad_packed_sequence(output, batch_first=True)
        both = torch.cat([last[-2], last[-1]], dim=-1)
        reader, writer = self.start(both).tanh().chunk(2, dim=-1)
        memory = Memory(self.key(values).transpose(1, 2), values, (words == 0)[:, None, : values.shape[1]])
        return memory, (reader[None].contiguous(), writer[None].contiguous())

    def step(
        self, memory: Memory, state: tuple[Tensor, Tensor], previous: Tensor, slots: Tensor, num_open: Tensor
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Unmasked scores (b, t, v) of the tokens that follow `previous` (b, t), and the decoder's next state."""
        is_nested = (num_open > 1).long()
        embedded = self.tokens(previous) + self.slots(slots + len(grammar.TYPES) * is_nested)
        read, reader = self.reader(self.dropout(embedded), state[0])
        # Attention (Luong et al. 2015): softmax over the words s of query_t · key_s, padding excluded.
        weights = torch.bmm(read, memory.keys).masked_fill(memory.padding, -torch.inf).softmax(-1)
        context = torch.bmm(weights, memory.values)
        written, writer = self.writer(torch.cat([read, context], dim=-1), state[1])
        return self.score(self.dropout(torch.cat([written, context], dim=-1))), (reader, writer)

    @torch.inference_mode()
    def decode(self, words: Tensor, lengths: Tensor) -> tuple[list[list[int]], np.ndarray]:
        """Greedy well-typed token sequences of word numbers `words` (b, s), `lengths` (b,), and probabilities (b,)."""
        memory, state = self.encode(words, lengths)
        derivations = [Derivation() for _ in range(len(words))]
        log_probability = torch.zeros(len(words), device=words.device)
        token = torch.full((len(words), 1), grammar.START, device=words.device)
        limit = self.config.max_program_length
        while any(derivation.num_open for derivation in derivations):
            state_of_slots = [(d.slot, d.num_open, d.slack(limit)) for d in derivations]
            slot, num_open, slack = torch.tensor(state_of_slots, device=words.device).T
            logits, state = self.step(memory, state, token, slot[:, None], num_open[:, None])
            masked = logits[:, 0].masked_fill(~self.fits_within[slot, slack], -torch.inf)
            best, token = masked.log_softmax(-1).max(-1, keepdim=True)
            # Chain rule: log P(program) = Σ log P(token | tokens before it), over the tokens of unfinished programs.
            log_probability += best[:, 0] * (slot != grammar.CLOSED)
            for derivation, number in zip(derivations, token[:, 0].tolist(), strict=True):
                if derivation.num_open:
                    derivation.push(number)
        return [d.tokens for d in derivations], log_probability.exp().cpu().numpy()

    @torch.inference_mode()
    def candidates(self, numbers: list[int]) -> list[Decoded]:
        """The most likely token sequences of one question, given as word numbers, with their probabilities."""
        memory, state = self.encode(*self._pad([numbers]))
        limit = self.config.max_program_length

        def score(rows: list[int], beam: list[Derivation]) -> np.ndarray:
            nonlocal state
            state = (state[0][:, rows].contiguous(), state[1][:, rows].contiguous())
            tokens = [(d.tokens[-1] if d.tokens else grammar.START, d.slot, d.num_open, d.slack(limit)) for d in beam]
            last, slot, num_open, slack = torch.tensor(tokens, device=memory.keys.device).T
            logits, state = self.step(
                memory.repeated(len(beam)), state, last[:, None], slot[:, None], num_open[:, None]
            )
            masked = logits[:, 0].masked_fill(~self.fits_within[slot, slack], -torch.inf)
            return masked.log_softmax(-1).double().cpu().numpy()

        return beam_search(score)

    def most_likely(self, numbers: list[list[int]]) -> list[Decoded]:
        """The greedy program of each question, given as word numbers, with its probability."""
        was_training = self.training
        self.eval()
        found: list[Decoded] = []
        for first in range(0, len(numbers), PARSE_BATCH):
            tokens, probabilities = self.decode(*self._pad(numbers[first : first + PARSE_BATCH]))
            found += zip(tokens, probabilities.tolist(), strict=True)
        self.train(was_training)
        return found

    def _pad(self, numbers: list[list[int]]) -> tuple[Tensor, Tensor]:
        device = self.words.weight.device
        words = pad_sequence([torch.tensor(row) for row in numbers], batch_first=True)
        return words.to(device), torch.tensor([len(row) for row in numbers])
