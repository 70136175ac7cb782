"""Questions and their programs as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from nsmodels.datasets.gqa.programs.parsing import Program
from nsmodels.systems.natural.language.mentions import Mention
from nsmodels.systems.natural.language.network import Questions
from nsmodels.systems.natural.language.programs.derivation import Choice, Derivation, choices
from nsmodels.systems.natural.language.programs.grammar import Grammar, tree_of
from nsmodels.systems.natural.language.tokens import UNKNOWN, Vocabulary


class Reader:
    """Turns words of questions into the network's inputs.

    Args:
        grammar: whose mentions are looked for.
        vocabulary: numbers of words.
    """

    def __init__(self, grammar: Grammar, vocabulary: Vocabulary) -> None:
        self.grammar, self.vocabulary = grammar, vocabulary
        self.group_numbers = {group: number for number, group in enumerate(grammar.phrases.groups)}

    def questions(
        self, words: Sequence[Sequence[str]], mentions: Sequence[Sequence[Mention]], hidden: np.ndarray | None = None
    ) -> Questions:
        """The inputs of questions given as words; `hidden` (b, s) bool: positions at which the word is not read."""
        num, longest = len(words), max(map(len, words))
        numbers = np.zeros((num, longest), np.int64)
        classes = np.zeros((num, longest, 2 * len(self.group_numbers)), np.float32)
        spans = np.zeros((3, num, max(1, *map(len, mentions))), np.int64)
        spans[2] = -1
        for row, (question, found) in enumerate(zip(words, mentions, strict=True)):
            numbers[row, : len(question)] = self.vocabulary.numbers(question)
            for k, each in enumerate(found):
                group = self.group_numbers[each.entry.group]
                spans[:, row, k] = each.start, each.end - 1, group
                classes[row, each.start : each.end, group] = 1
                classes[row, each.start, group + len(self.group_numbers)] = 1
        if hidden is not None:
            is_named = classes.any(-1) & (numbers > 0)
            numbers[is_named & hidden[:, :longest]] = UNKNOWN
        starts, ends, groups = (torch.from_numpy(each) for each in spans)
        lengths = torch.tensor([len(question) for question in words])
        return Questions(torch.from_numpy(numbers), lengths, torch.from_numpy(classes), starts, ends, groups)


@dataclass(frozen=True, eq=False)
class Example:
    """A question with its program as the network learns it.

    Attributes:
        words: of the question.
        mentions: what it may name.
        targets: symbols of the program in prefix order, each with its equals.
        steps: before each of them the previous one, the type of the open slot and the number of open slots, (3, t).
    """

    words: list[str]
    mentions: list[Mention]
    targets: list[Choice]
    steps: np.ndarray


def example(words: list[str], mentions: list[Mention], program: Program, reader: Reader) -> Example:
    """The example of a question; raise `InputError` for a program that the grammar lacks words for."""
    grammar = reader.grammar
    targets = choices(tree_of(program, grammar.words), grammar, mentions)
    return Example(words, mentions, targets, np.array(trace(targets, mentions, reader), np.int32).T)


@dataclass(frozen=True)
class ParserBatch:
    """Questions with the symbols of their programs.

    Attributes:
        questions: inputs.
        previous: symbol before each, a mention by its class, (b, t).
        slots: type of the slot that each fills, (b, t); 0 behind the end.
        num_open: open slots before each, (b, t).
        right: which tokens and mentions are right, (b, t, v + m).
        num_symbols: (b,).
    """

    questions: Questions
    previous: Int[Tensor, "b t"]
    slots: Int[Tensor, "b t"]
    num_open: Int[Tensor, "b t"]
    right: Bool[Tensor, "b t v+m"]
    num_symbols: Int[Tensor, " b"]

    @property
    def num_samples(self) -> int:
        """Number of questions."""
        return len(self.num_symbols)

    def to(self, device: torch.device, non_blocking: bool = False) -> ParserBatch:
        """The same on a device."""
        names = ("previous", "slots", "num_open", "right", "num_symbols")
        return ParserBatch(self.questions.to(device), *(getattr(self, name).to(device) for name in names))


def collate(examples: Sequence[Example], reader: Reader, hidden: np.ndarray | None = None) -> ParserBatch:
    """A batch of examples; `hidden` as of `Reader.questions`."""
    grammar, num = reader.grammar, len(examples)
    questions = reader.questions([each.words for each in examples], [each.mentions for each in examples], hidden)
    longest, width = max(len(each.targets) for each in examples), len(grammar.tokens)
    steps = np.zeros((3, num, longest), np.int64)
    right = np.zeros((num, longest, width + questions.groups.shape[1]), bool)
    for row, each in enumerate(examples):
        steps[:, row, : len(each.targets)] = each.steps
        for place, choice in enumerate(each.targets):
            right[row, place, list(choice)] = True
    previous, slots, num_open = (torch.from_numpy(each) for each in steps)
    lengths = torch.tensor([len(each.targets) for each in examples])
    return ParserBatch(questions, previous, slots, num_open, torch.from_numpy(right), lengths)


def trace(targets: Sequence[Choice], mentions: Sequence[Mention], reader: Reader) -> list[tuple[int, int, int]]:
    """Before each symbol of a program: the previous one, the type of the open slot, the number of open slots."""
    derivation = Derivation(reader.grammar, mentions)
    found = []
    for choice in targets:
        found.append((previous_of(derivation, reader), derivation.slot, derivation.num_open))
        derivation.push(choice[0])
    return found


def previous_of(derivation: Derivation, reader: Reader) -> int:
    """The symbol before the next one as the network reads it: a token, the class of a mention, or the start."""
    num_tokens = len(reader.grammar.tokens)
    if not derivation.symbols:
        return num_tokens + len(reader.group_numbers)
    last = derivation.symbols[-1]
    if last < num_tokens:
        return last
    return num_tokens + reader.group_numbers[derivation.mentions[last - num_tokens].entry.group]
