"""From a question to its program with what that rests on, whatever runs the network. Torch-free."""

from __future__ import annotations

from abc import ABC, abstractmethod

from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.confidence import Evidence, Parse
from nsmodels.systems.visual.language.coverage import differences
from nsmodels.systems.visual.language.fluency import Fluency
from nsmodels.systems.visual.language.tokens import Reading, Vocabulary

Decoded = tuple[list[int], float]  # token numbers, and their probability
FEW = 4  # differences up to which other programs are tried: with more, the question is not one for this parser


class Reader(ABC):
    """A trained parser: words, forms of questions, and a network that decodes programs."""

    vocabulary: Vocabulary
    fluency: Fluency

    @abstractmethod
    def most_likely(self, numbers: list[list[int]]) -> list[Decoded]:
        """The program of each question, given as word numbers."""

    @abstractmethod
    def candidates(self, numbers: list[int]) -> list[Decoded]:
        """The most likely programs of one question, most likely first."""

    def parse(self, questions: list[str]) -> list[Parse]:
        """The most likely program of each question, with what is doubtful about it.

        A typo is read as the known word that is one edit away; an unknown word is a doubt. Raises `InputError` for a
        question without words.
        """
        return [evidence.parse() for evidence in self.read(questions)]

    def read(self, questions: list[str]) -> list[Evidence]:
        """The program of each question with what its probability rests on; raises as `parse`."""
        readings = [self.vocabulary.read(question) for question in questions]
        decoded = self.most_likely([self.vocabulary.numbered(reading.words) for reading in readings])
        return [self._evidence(reading, *found) for reading, found in zip(readings, decoded, strict=True)]

    def _evidence(self, reading: Reading, tokens: list[int], probability: float) -> Evidence:
        program, strange = grammar.program_of(tokens), self.fluency.strange(reading.words)
        unknown = tuple(map(self.vocabulary.suggest, reading.unknown))
        doubts = differences(reading.words, program)
        if 0 < len(doubts) <= FEW and not unknown:
            # The most likely program that has all the words is preferred to a likelier one that lacks some.
            for others, likely in self.candidates(self.vocabulary.numbered(reading.words)):
                if not differences(reading.words, other := grammar.program_of(others)):
                    program, probability, doubts = other, likely, ()
                    break
        return Evidence(program, probability, *strange, (*unknown, *doubts), reading.corrections)
