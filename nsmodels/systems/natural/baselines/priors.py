"""Baselines that ignore the image: chance, and the most frequent training answer overall, by type and by group."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import Question

PRIORS = "priors.json"  # in a checkpoint
OPEN = "query"  # structural type of open questions


@dataclass(frozen=True)
class Priors:
    """Most frequent training answers, of equals the first in the alphabet.

    Attributes:
        majority: overall.
        by_type: by detailed type.
        by_group: by local group, as "10q-shirt_color"; what is asked of which name.
        num_answers: distinct answers of open questions.
        num_questions: that were counted.
    """

    majority: str
    by_type: Mapping[str, str]
    by_group: Mapping[str, str]
    num_answers: int
    num_questions: int

    @classmethod
    def fitted(cls, questions: Iterable[Question]) -> Priors:
        """Count the answers of training questions. Raises `InputError` when there are none."""
        everything: Counter[str] = Counter()
        types: defaultdict[str, Counter[str]] = defaultdict(Counter)
        groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
        answers: set[str] = set()
        for question in questions:
            everything[question.answer] += 1
            types[type_of(question)][question.answer] += 1
            groups[question.local_group or ""][question.answer] += 1
            if is_open(question):
                answers.add(question.answer)
        if not everything:
            raise InputError("priors: no training questions to count answers in; give the questions of a split")
        by_type, by_group = ({key: _first(c) for key, c in table.items()} for table in (types, groups))
        return cls(_first(everything), by_type, by_group, len(answers), everything.total())

    def write(self, folder: Path) -> None:
        """Write them into a checkpoint folder."""
        disk.write_json(folder / PRIORS, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Priors:
        """Those of a checkpoint folder; raise `InputError` when the file is missing or broken."""
        path = folder / PRIORS
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None

    def of_type(self, question: Question) -> str:
        """The most frequent answer to questions of its detailed type."""
        return self.by_type.get(type_of(question), self.majority)

    def of_group(self, question: Question) -> str:
        """The most frequent answer to questions of its local group, else of its type."""
        return self.by_group.get(question.local_group or "") or self.of_type(question)

    def chance(self, question: Question) -> float:
        """Probability to guess right: one half, of open questions one over the number of their answers."""
        return 1.0 / max(1, self.num_answers) if is_open(question) else 0.5


def type_of(question: Question) -> str:
    """Detailed type of a question."""
    return (question.types or {}).get("detailed", "")


def is_open(question: Question) -> bool:
    """Whether the answer is none of two."""
    return (question.types or {}).get("structural") == OPEN


def _first(counts: Counter[str]) -> str:
    return min(counts, key=lambda answer: (-counts[answer], answer))
