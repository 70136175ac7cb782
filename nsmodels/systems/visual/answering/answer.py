"""Answers with their confidence, in parts, and refusals with their reason. Torch-free."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.systems.visual.language.confidence import Parse
from nsmodels.systems.visual.language.description import describe
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.execution import Answer
from nsmodels.systems.visual.reasoning.presupposition import Presupposition
from nsmodels.systems.visual.reasoning.proof import Proof

# Below it, the answer is more likely wrong than right, and is not given.
THRESHOLD = 0.5


@dataclass(frozen=True, eq=False)
class Sight:
    """An image as it is seen: its belief, and how far it is from the images of the training.

    `distance` and `usual`, within which are 99.9 % of such images, are None for a checkpoint without these statistics.
    `is_familiar`: False where the distance is so large that nothing is known about the errors of perception.
    """

    image: Path
    belief: SceneBelief
    distance: float | None = None
    usual: float | None = None
    is_familiar: bool = True

    def text(self) -> str:
        """The distance in a line."""
        if self.distance is None:
            return (
                "how far the image is from those of the training is not known: the checkpoint has no statistics of them"
            )
        return f"distance {self.distance:.1f}, 99.9 % of those below {self.usual:.1f}"


@dataclass(frozen=True, eq=False)
class VisualAnswer:
    """An answer to a question about an image, with all that it rests on.

    Attributes:
        question: as asked.
        sight: the image as it is seen.
        parse: the program that was read from the question.
        answer: of the soft executor, which evaluations score.
        posed: calibrated probability that each description by which the question refers to one object meets one.
        presupposition: the weakest of these descriptions; None where the question has none.
        proof: in the most probable world with this answer, else in the most probable well-posed one; None where no
            answer is given, or the question is ill posed in all probable worlds.
        no_proof_reason: why there is no proof.
    """

    question: str
    sight: Sight
    parse: Parse
    answer: Answer
    posed: float
    presupposition: Presupposition | None = None
    proof: Proof | None = None
    no_proof_reason: str = ""

    @property
    def belief(self) -> SceneBelief:
        """What is believed about the image."""
        return self.sight.belief

    @property
    def image(self) -> Path:
        """The file of the image."""
        return self.sight.image

    @property
    def parts(self) -> dict[str, float]:
        """Factors of the confidence: each is a probability given that those before it hold."""
        return {
            "image": float(self.sight.is_familiar),
            "reading": self.parse.probability,
            "well posed": self.posed,
            "answer": self.answer.confidence,
        }

    @property
    def confidence(self) -> float:
        """Joint probability that the question is read right, well posed and answered right; 0 for a strange image."""
        return math.prod(self.parts.values())

    @property
    def is_given(self) -> bool:
        """Whether the answer is given: it is more likely right than wrong."""
        return self.confidence >= THRESHOLD

    @property
    def refusal(self) -> str:
        """Why no answer is given, in a line; empty where one is."""
        if self.is_given:
            return ""
        if not self.sight.is_familiar:
            return f"this image is unlike the training images ({self.sight.text()})"
        if self._fails("reading"):
            return f"not sure what you ask: I read it as {describe(self.parse.program)}"
        if self._failed:
            return self._failed.text()
        return f"not sure: {self.answer.best} is the most likely answer"

    @property
    def listed(self) -> tuple[int, ...]:
        """Numbers of the objects among which the question does not choose: those it could mean, else all."""
        if self._failed is None:
            return ()
        present = tuple(number for number, p in enumerate(self.belief.presence, start=1) if p >= 0.5)
        return self._failed.objects or present

    @property
    def _failed(self) -> Presupposition | None:
        """The presupposition for which no answer is given."""
        is_seen_and_read = self.sight.is_familiar and not self._fails("reading")
        return self.presupposition if not self.is_given and is_seen_and_read and self._fails("well posed") else None

    @property
    def needed_proof(self) -> Proof:
        """The proof; raise `InputError` when there is none."""
        if self.proof is None:
            raise InputError(f"{self.no_proof_reason}; a drawing, a tree or removing a fact needs a proof")
        return self.proof

    def text(self) -> str:
        """Answer or refusal, the confidence with its parts, the reading, and the proof where there is one."""
        head = f"no answer: {self.refusal}" if self.refusal else f"answer: {self.answer.best}"
        lines = [f"{head}   confidence {self.confidence:.3f}" if self.is_given else head]
        lines += [f"  o{number} {self.belief.words(number)} {self.belief.place(number)}" for number in self.listed]
        guess = "" if self.is_given else f"best guess {self.answer.best}, confidence {self.confidence:.3f}: "
        lines += [f"  {guess}{' x '.join(f'{name} {part:.3f}' for name, part in self.parts.items())}"]
        lines += [f"  read as: {describe(self.parse.program)}"]
        lines += [f"  '{typed}' is read as '{read}'" for typed, read in self.parse.corrections]
        lines += [f"  doubt: {doubt}" for doubt in self.parse.doubts]
        lines += [f"  {self.sight.text()}"] if self.sight.distance is None else []
        return "\n".join([*lines, *self._proof_lines()])

    def record(self) -> dict[str, Any]:
        """The same as JSON: `answer` is None, and `refusal` not, where no answer is given."""
        return {
            "image": str(self.sight.image),
            "question": self.question,
            "answer": self.answer.best if self.is_given else None,
            "is_proved": self.is_given and self.proof is not None and self.proof.answer == self.answer.best,
            "refusal": self.refusal or None,
            "confidence": self.confidence,
            "parts": self.parts,
            "confidence_reading": self.parse.probability,
            "posed": self.posed,
            "confidence_answer": self.answer.confidence,
            "is_familiar": None if self.sight.distance is None else self.sight.is_familiar,
            "distance": self.sight.distance,
            "usual_distance": self.sight.usual,
            "best": self.answer.best,
            "distribution": self.answer.distribution,
            "reading": describe(self.parse.program),
            "corrections": [list(pair) for pair in self.parse.corrections],
            "doubts": list(self.parse.doubts),
            "presupposition": self.presupposition and asdict(self.presupposition),
            "objects": [f"o{number} {self.belief.words(number)}" for number in self.listed],
            "program": self.parse.program,
            "proof": self.proof and self.proof.to_dict(),
            "no_proof_reason": self.no_proof_reason or None,
            "counterfactual": None,
        }

    def _fails(self, name: str) -> bool:
        """Whether a factor alone makes the answer improbable, or is the least of them."""
        return self.parts[name] < THRESHOLD or self.parts[name] == min(self.parts.values())

    def _proof_lines(self) -> list[str]:
        if self.proof is None:
            return [self.no_proof_reason] if self.is_given else []
        if self.proof.answer == self.answer.best:
            return [self.proof.text(has_negative=False)]
        other = f"no probable world has this answer; the proof is of the most probable one: {self.proof.answer}"
        return [other, self.proof.text(has_negative=False)]
