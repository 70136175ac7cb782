"""Answers with their confidence, in parts, and refusals with their reason. Torch-free."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.parsing import Program, as_semantic
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.reasoning.execution import Answer
from nsmodels.systems.natural.reasoning.proof import Proof, call_of

# Below it, the answer is more likely wrong than right, and is not given.
THRESHOLD = 0.5
NOT_PROVED = "not proved"


@dataclass(frozen=True)
class Reading:
    """The program of a question, with the probability that it is the question's, and reasons to doubt it."""

    program: Program
    probability: float
    doubts: tuple[str, ...] = ()

    def text(self) -> str:
        """The program in a line: `s0 select: dog; s1 exist (s0)`."""
        return "; ".join(f"s{number} {call_of(step)}" for number, step in enumerate(self.program))


@dataclass(frozen=True, eq=False)
class NaturalAnswer:
    """An answer to a question about an image, with all that it rests on.

    Attributes:
        image: its file; None: a belief was given.
        question: as asked.
        belief: about the image.
        reading: the program that was read from the question.
        answer: of the soft executor, which evaluations score.
        proof: in the most probable world with this answer; None: there is none among the probable ones.
        no_proof_reason: why there is no proof.
    """

    image: Path | None
    question: str
    belief: Belief
    reading: Reading
    answer: Answer
    proof: Proof | None = None
    no_proof_reason: str = ""

    @property
    def parts(self) -> dict[str, float]:
        """Factors of the confidence: each is a probability given that those before it hold."""
        return {
            "reading": self.reading.probability,
            "well posed": self.answer.posed,
            "answer": self.answer.confidence,
        }

    @property
    def confidence(self) -> float:
        """Joint probability that the question is read right, well posed and answered right."""
        return math.prod(self.parts.values())

    @property
    def is_proved(self) -> bool:
        """Whether the answer is more likely right than wrong, and has a proof."""
        return self.proof is not None and self.confidence >= THRESHOLD

    @property
    def is_given(self) -> bool:
        """Whether the answer is given: it is proved."""
        return self.is_proved

    @property
    def symbolic_answer(self) -> NaturalAnswer:
        """This answer, which is a program's."""
        return self

    @property
    def refusal(self) -> str:
        """Why the answer is not proved, in a line; empty where it is."""
        if self.is_proved:
            return ""
        if self.reading.probability < THRESHOLD:
            doubts = f" ({', '.join(self.reading.doubts)})" if self.reading.doubts else ""
            return f"not sure what is asked{doubts}; read as: {self.reading.text()}"
        if self.answer.posed < THRESHOLD:
            return f"what the question is about is hardly there (probability {self.answer.posed:.3f})"
        if not self.answer.best:
            return "nothing of what is asked is seen"
        if self.confidence < THRESHOLD:
            return f"{self.answer.best} is the most likely answer, but not a likely one"
        return self.no_proof_reason

    @property
    def needed_proof(self) -> Proof:
        """The proof; raise `InputError` when there is none."""
        if self.proof is None:
            raise InputError(f"{self.no_proof_reason or NOT_PROVED}; this needs a proof")
        return self.proof

    def text(self) -> str:
        """Answer or refusal, the confidence with its parts, the reading, and the proof where there is one."""
        best = self.answer.best or "none"
        sure = f"answer: {best}   confidence {self.confidence:.3f}"
        head = sure if self.is_proved else f"no answer: {self.refusal}"
        guess = "" if self.is_proved else f"best guess {best}, confidence {self.confidence:.3f}: "
        factors = " x ".join(f"{name} {part:.3f}" for name, part in self.parts.items())
        lines = [head, f"  {guess}{factors}", f"  read as: {self.reading.text()}"]
        lines += [f"  doubt: {doubt}" for doubt in self.reading.doubts]
        return "\n".join([*lines, *([self.proof.text(has_negative=False)] if self.proof else [])])

    def record(self) -> dict[str, Any]:
        """The same as JSON: `answer` is None, and `refusal` not, where it is not proved."""
        return {
            "image": None if self.image is None else str(self.image),
            "question": self.question,
            "answer": self.answer.best if self.is_proved else None,
            "is_proved": self.is_proved,
            "refusal": self.refusal or None,
            "confidence": self.confidence,
            "parts": self.parts,
            "confidence_reading": self.reading.probability,
            "posed": self.answer.posed,
            "confidence_answer": self.answer.confidence,
            **dict.fromkeys(("is_familiar", "distance", "usual_distance")),  # nothing compares it with other images
            "best": self.answer.best,
            "distribution": dict(self.answer.distribution),
            "reading": self.reading.text(),
            "corrections": [],
            "doubts": list(self.reading.doubts),
            "presupposition": None,
            "objects": [f"o{each.number} {each.name}" for each in self.proof.objects] if self.proof else [],
            "program": as_semantic(self.reading.program),
            "proof": self.proof and self.proof.to_dict(),
            "no_proof_reason": self.no_proof_reason or None,
            "counterfactual": None,
        }
