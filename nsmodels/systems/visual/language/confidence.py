"""The probability that a program is what its question means, from several signs of how well it was read."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nsmodels.systems.visual.language.grammar import Program

SURE = 0.5  # least probability of a program that is taken for the question's
# Logistic regression on 5,100 questions of a parser from whose training a quarter of all wordings were left out: proper
# questions (of which 14 % have sequences that it does not know) and garbled ones. None of 80 programs with a doubt was
# right, which has no finite weight; DOUBT is set by hand.
INTERCEPT, EASE, STRANGE, PAIR, DOUBT = 2.25, 0.55, -2.8, -0.3, -6.0
SMOOTHING = 0.01  # of the surprise, in nats
LEAST = 0.05  # probability of a program below which it makes no difference how small it is


@dataclass(frozen=True)
class Parse:
    """The program of a question, and the doubts whether it is what the question means.

    Attributes:
        program: nodes in the released form; `description.describe` has it in plain English.
        probability: that the program is the question's, in [0, 1].
        corrections: typos, each as (typed, read).
        doubts: why the program may not be the question's, a short line each; empty where nothing is amiss.
    """

    program: Program
    probability: float
    corrections: tuple[tuple[str, str], ...] = ()
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """A program with the signs of how well its question was read.

    Attributes:
        program: nodes in the released form.
        probability: of the program under the parser.
        pairs, triples: neighbouring words that training questions do not have; see `fluency`.
        doubts: differences between the words and the program, and unknown words.
        corrections: typos, each as (typed, read).
    """

    program: Program
    probability: float
    pairs: list[str]
    triples: list[str]
    doubts: tuple[str, ...]
    corrections: tuple[tuple[str, str], ...]

    def confidence(self) -> float:
        """Probability that the program is the question's, in [0, 1]."""
        # The surprise −log p spans orders of magnitude: its logarithm is nearly linear in the logit of being right.
        ease = -math.log(SMOOTHING - math.log(max(self.probability, LEAST)))
        is_strange = bool(self.pairs or self.triples)
        signs = ((EASE, ease), (STRANGE, is_strange), (PAIR, len(self.pairs)), (DOUBT, len(self.doubts)))
        return 1 / (1 + math.exp(-INTERCEPT - sum(weight * sign for weight, sign in signs)))

    def parse(self) -> Parse:
        """The program, its probability, and a line for each reason to doubt it."""
        doubts, sure = self.doubts, self.confidence()
        if sure < SURE and not doubts:
            strange = (self.pairs or self.triples or [""])[0]
            why = (
                f"the words '{strange}' are not as in a known question" if strange else "the program is one of several"
            )
            doubts = (why,)
        return Parse(self.program, sure, self.corrections, doubts)
