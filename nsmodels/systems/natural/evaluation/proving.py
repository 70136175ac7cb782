"""Proofs of a sample of answers: how many there are, how many replay, and examples, failures among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nsmodels.core import disk
from nsmodels.datasets.gqa.files.format import Question
from nsmodels.datasets.gqa.files.places import image_path
from nsmodels.systems.natural.answering.answer import NaturalAnswer
from nsmodels.systems.natural.evaluation.subject import Subject
from nsmodels.systems.natural.reasoning.proofs.replay import ProofError, check

NUM_EXAMPLES = 4  # of each kind


@dataclass(frozen=True, eq=False)
class Proved:
    """Answers to a sample of questions with their proofs; `replays`: whether each proof follows from its own facts."""

    questions: Sequence[Question]
    answers: Sequence[NaturalAnswer]
    replays: Sequence[bool]

    def report(self) -> dict[str, Any]:
        """Shares of answers that are proved, right among them, and of proofs that replay."""
        is_proved = np.array([each.is_proved for each in self.answers])
        right = np.array([a.answer.best == q.answer for a, q in zip(self.answers, self.questions, strict=True)])
        has_proof = [each.proof is not None for each in self.answers]
        return {
            "n": len(self.questions),
            "proved": float(is_proved.mean()),
            "accuracy_proved": float(right[is_proved].mean()) if is_proved.any() else None,
            "accuracy_not_proved": float(right[~is_proved].mean()) if (~is_proved).any() else None,
            "with_a_proof": float(np.mean(has_proof)),
            "replayed": sum(self.replays) / sum(has_proof) if any(has_proof) else None,
        }


def prove_sample(subject: Subject, num: int) -> Proved:
    """Proofs of the answers to `num` balanced questions, spread over the split."""
    places = np.unique(np.linspace(0, subject.num_balanced - 1, min(num, subject.num_balanced)).astype(int)).tolist()
    questions = [subject.balanced[k] for k in places]
    answers = [_concluded(subject, subject.balanced[k], k) for k in places]
    return Proved(questions, answers, [_does_replay(each, subject) for each in answers])


def write_examples(proved: Proved, folder: Path) -> None:
    """Proofs as text and JSON: of right answers, of wrong ones, and answers that are not proved."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, list[tuple[Question, NaturalAnswer]]] = {"right": [], "wrong": [], "not_proved": []}
    for question, given in zip(proved.questions, proved.answers, strict=True):
        kind = "not_proved" if not given.is_proved else "right" if given.answer.best == question.answer else "wrong"
        kinds[kind].append((question, given))
    for kind, found in kinds.items():
        for number, (question, given) in enumerate(found[:: max(1, len(found) // NUM_EXAMPLES)][:NUM_EXAMPLES]):
            head = f"image {question.image}: {question.text}\ntrue answer: {question.answer}\n"
            disk.write_atomic(folder / f"{kind}_{number}.txt", f"{head}{given.text()}\n")
            disk.write_json(folder / f"{kind}_{number}.json", given.record() | {"true_answer": question.answer})


def _concluded(subject: Subject, question: Question, place: int) -> NaturalAnswer:
    image = image_path(subject.data, question.image)
    belief = subject.beliefs[question.image]
    return subject.reasoner.conclude(image, question.text, belief, subject.parses[place])


def _does_replay(given: NaturalAnswer, subject: Subject) -> bool:
    if given.proof is None:
        return False
    try:
        check(given.proof, subject.reasoner.words)
    except ProofError:
        return False
    return given.proof.answer == given.answer.best
