"""Baselines that ignore the image: chance, and the most frequent training answer overall, by type and by group."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.systems.natural.language.asking import Question

PRIORS, CLEVR_PRIORS = "priors.json", "clevr_priors.json"  # in a checkpoint
OPEN = "query"  # structural type of open questions


@dataclass(frozen=True)
class Priors:
    """Most frequent training answers, of equals the first in the alphabet.

    Attributes:
        majority: overall.
        by_type: by structural and semantic type. Detailed types are none: some of them occur with one answer only.
        by_global: by global group, as "color".
        by_local: by local group, as "10q-shirt_color"; what is asked of which name.
        num_answers: distinct answers of open questions.
        num_questions: that were counted.
    """

    majority: str
    by_type: Mapping[str, str]
    by_global: Mapping[str, str]
    by_local: Mapping[str, str]
    num_answers: int
    num_questions: int

    @classmethod
    def fitted(cls, questions: Iterable[Question]) -> Priors:
        """Count the answers of training questions. Raises `InputError` when there are none."""
        everything: Counter[str] = Counter()
        tables: tuple[defaultdict[str, Counter[str]], ...] = tuple(defaultdict(Counter) for _ in range(3))
        answers: set[str] = set()
        for question in questions:
            everything[question.answer] += 1
            keys = (type_of(question), question.global_group, question.local_group)
            for table, key in zip(tables, keys, strict=True):
                table[key or ""][question.answer] += 1
            if is_open(question):
                answers.add(question.answer)
        if not everything:
            raise InputError("priors: no training questions to count answers in; give the questions of a split")
        types, wide, narrow = ({key: _first(c) for key, c in table.items() if key} for table in tables)
        return cls(_first(everything), types, wide, narrow, len(answers), everything.total())

    def write(self, folder: Path, file: str = PRIORS) -> None:
        """Write them into a checkpoint folder."""
        disk.write_json(folder / file, asdict(self))

    @classmethod
    def read(cls, folder: Path, file: str = PRIORS) -> Priors:
        """Those of a checkpoint folder; raise `InputError` when the file is missing or broken."""
        path = folder / file
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None

    def of_type(self, question: Question) -> str:
        """The most frequent answer to questions of its structural and semantic type."""
        return self.by_type.get(type_of(question), self.majority)

    def of_global(self, question: Question) -> str:
        """The most frequent answer to questions of its global group, without one of its type."""
        return self.by_global.get(question.global_group or "") or self.of_type(question)

    def of_local(self, question: Question) -> str:
        """The most frequent answer to questions of its local group, else of its global one."""
        return self.by_local.get(question.local_group or "") or self.of_global(question)

    def chance(self, question: Question) -> float:
        """Probability to guess right: one half, of open questions one over the number of their answers."""
        return 1.0 / max(1, self.num_answers) if is_open(question) else 0.5


def type_of(question: Question) -> str:
    """Structural and semantic type of a question, "query/attr"."""
    types = question.types or {}
    return f"{types.get('structural', '')}/{types.get('semantic', '')}"


def is_open(question: Question) -> bool:
    """Whether the answer is none of two."""
    return (question.types or {}).get("structural") == OPEN


def _first(counts: Counter[str]) -> str:
    return min(counts, key=lambda answer: (-counts[answer], answer))
