"""The parser: questions → programs without leaks, with the probability that they are what the questions mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.parsing import Program
from nsmodels.engine import checkpoint
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.config import ParserConfig
from nsmodels.systems.natural.language.completion import completed, left_out_of
from nsmodels.systems.natural.language.confidence import Signs
from nsmodels.systems.natural.language.derivation import Derivation
from nsmodels.systems.natural.language.encoding import Reader, previous_of
from nsmodels.systems.natural.language.grammar import Grammar, normal, program_of
from nsmodels.systems.natural.language.mentions import Entry, Mention
from nsmodels.systems.natural.language.network import Memory, ParserNetwork
from nsmodels.systems.natural.language.tokens import words_of

PARSE_BATCH = 256
State = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Parse:
    """The program of a question, and how sure it is that the question means it.

    Attributes:
        program: in normal form, completed by what released programs have no place for.
        probability: that the program is the question's, in [0, 1].
        doubts: why the program may not be the question's, a short line each; empty where nothing is amiss.
        uncompleted: the program in the form of released ones; None: it is the same.
    """

    program: Program
    probability: float
    doubts: tuple[str, ...] = ()
    uncompleted: Program | None = None

    @property
    def released(self) -> Program:
        """The program in the form of released ones, to be compared with them."""
        return self.program if self.uncompleted is None else self.uncompleted


class Parser:
    """Reads questions with a trained network.

    Args:
        network: of the checkpoint.
    """

    def __init__(self, network: ParserNetwork) -> None:
        self.network, self.grammar = network.eval(), network.grammar
        self.reader = Reader(network.grammar, network.vocabulary)

    def parse(self, questions: Sequence[str]) -> list[Parse]:
        """The most likely program of each question, greedily; raise `InputError` for one without words."""
        words = [words_of(question) for question in questions]
        if not all(words):
            raise InputError("question: expected at least one word, got none; an example: 'Is the dog brown?'")
        return self.read(words)

    def read(self, words: Sequence[list[str]]) -> list[Parse]:
        """The same of questions given as words."""
        order = sorted(range(len(words)), key=lambda k: len(words[k]))
        found: dict[int, Parse] = {}
        for first in range(0, len(order), PARSE_BATCH):
            rows = order[first : first + PARSE_BATCH]
            found |= dict(zip(rows, self._parse([words[k] for k in rows]), strict=True))
        return [found[k] for k in range(len(words))]

    def _parse(self, words: list[list[str]]) -> list[Parse]:
        mentions = [self.grammar.phrases.mentions(each) for each in words]
        derivations, probabilities = decode(self.network, self.reader, words, mentions)
        parses = []
        for each, question, probability in zip(derivations, words, probabilities, strict=True):
            released = normal(program_of(each.tree(), self.grammar.words), self.grammar.words)
            program = completed(released, question, each.mentions, self.grammar.words)
            signs = self._signs(question, each, program, float(probability))
            uncompleted = None if program == released else released
            parses.append(Parse(program, signs.confidence(), signs.doubts, uncompleted))
        return parses

    def _signs(self, question: list[str], derivation: Derivation, program: Program, probability: float) -> Signs:
        """Probability of the program, unknown words, and what the question says beside it."""
        mentions, num_tokens = derivation.mentions, len(self.grammar.tokens)
        named = {place for each in mentions for place in range(each.start, each.end)}
        unknown = [word for k, word in enumerate(question) if word not in self.network.vocabulary and k not in named]
        used = [mentions[symbol - num_tokens] for symbol in derivation.symbols if symbol >= num_tokens]
        covered = {place for each in used for place in range(each.start, each.end)}
        unread = [each for each in mentions if not covered.intersection(range(each.start, each.end))]
        said = left_out_of(program, unread, mentions, self.grammar.words)
        left_out = [" ".join(question[each.start : each.end]) for each in said]
        strange = self.network.fluency.strange(question, mentions)
        return Signs(probability, tuple(dict.fromkeys(unknown)), tuple(dict.fromkeys(left_out)), tuple(strange))


@torch.inference_mode()
def decode(
    network: ParserNetwork, reader: Reader, words: Sequence[Sequence[str]], mentions: Sequence[Sequence[Mention]]
) -> tuple[list[Derivation], np.ndarray]:
    """Greedy well-typed programs of questions given as words, and their probabilities (b,)."""
    device = network.costs.device
    memory, state = network.encode(reader.questions(words, mentions).to(device))
    derivations = [Derivation(reader.grammar, each) for each in mentions]
    total = torch.zeros(len(words), device=device)
    limit = network.config.max_program_length
    while any(each.num_open for each in derivations):
        scores, state = next_scores(network, memory, state, derivations, reader, limit)
        best, chosen = scores.max(-1)
        # Chain rule: log P(program) = Σ log P(symbol | symbols before it), over the symbols of unfinished programs.
        is_open = torch.tensor([each.num_open > 0 for each in derivations], device=device)
        total += best.masked_fill(~is_open, 0)
        for each, symbol in zip(derivations, chosen.tolist(), strict=True):
            if each.num_open:
                each.push(symbol)
    return derivations, total.exp().cpu().numpy()


def next_scores(
    network: ParserNetwork, memory: Memory, state: State, derivations: Sequence[Derivation], reader: Reader, limit: int
) -> tuple[Tensor, State]:
    """Log-probabilities of the next symbols of derivations, (b, v + m), and the decoder's next state."""
    rows = [(previous_of(d, reader), d.slot, d.num_open, d.slack(limit)) for d in derivations]
    previous, slots, num_open, slack = torch.tensor(rows, device=network.costs.device).T[..., None]
    scores, state = network.step(memory, state, previous, slots, num_open)
    fitting = network.fitting(memory, slots, slack)
    for row, excluded in enumerate(each.excluded for each in derivations):
        if excluded:
            fitting[row, 0, sorted(excluded)] = False
    return scores.masked_fill(~fitting, -torch.inf)[:, 0].log_softmax(-1), state


def network_from_checkpoint(payload: Mapping[str, Any], where: str = "checkpoint") -> ParserNetwork:
    """The network of a checkpoint as returned by `engine.checkpoint.load`, in evaluation mode.

    Raises `InputError` naming `where` when configuration or weights do not fit.
    """
    config = ParserConfig.from_mapping(checkpoint.settings_of(payload, "parser", where), where)
    words = SceneVocabulary.from_json(checkpoint.settings_of(payload, "scene_words", where), where)
    constants = tuple(Entry(*each) for each in checkpoint.settings_of(payload, "constants", where))
    synonyms = tuple((phrase, Entry(*each)) for phrase, *each in checkpoint.settings_of(payload, "synonyms", where))
    network = ParserNetwork(
        config, Grammar(words, constants, synonyms), checkpoint.settings_of(payload, "words", where)
    )
    checkpoint.fill(network, payload["model_state_dict"], where)
    return network.eval()
