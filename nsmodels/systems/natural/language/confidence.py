"""The probability that a program is what its question means, from several signs of how well it was read."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Logistic regression on 4,000 questions of the synthetic twin that the parser has not seen, of which 99 % have the
# right answer in the true scene, and on 2,000 garbled ones (shuffled, cut, joined, with odd words; each counts 0.4),
# all wrong. Half of the probability or more have 99 % of the former and 10 % of the latter.
INTERCEPT, EASE, UNKNOWN, LEFT_OUT, STRANGE = 2.0, 0.67, -2.0, -1.1, -3.8
MOST_STRANGE = 3
SMOOTHING = 0.01  # of the surprise, in nats
LEAST = 1e-4  # probability of a program below which it makes no difference how small it is


@dataclass(frozen=True)
class Signs:
    """How well a question was read.

    Attributes:
        probability: of the program under the parser.
        unknown: words that neither training questions nor the vocabulary of scenes have.
        left_out: what the question names and the program does not use.
        strange: sequences of words that training questions do not have; see `fluency`.
    """

    probability: float
    unknown: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()

    @property
    def ease(self) -> float:
        """The logarithm of the surprise −log p, which spans orders of magnitude, negated."""
        return -math.log(SMOOTHING - math.log(max(self.probability, LEAST)))

    def confidence(self) -> float:
        """Probability that the program is the question's, in [0, 1]."""
        signs = ((EASE, self.ease), (UNKNOWN, len(self.unknown)), (LEFT_OUT, len(self.left_out)))
        signs += ((STRANGE, min(len(self.strange), MOST_STRANGE)),)
        return 1 / (1 + math.exp(-INTERCEPT - sum(weight * sign for weight, sign in signs)))

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why the program may not be the question's, a line each."""
        unknown = [f"unknown word '{word}'" for word in self.unknown]
        strange = [f"the words '{each}' are not as in a known question" for each in self.strange[:1]]
        return (*unknown, *(f"'{phrase}' is left out" for phrase in self.left_out), *strange)
