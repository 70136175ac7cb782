"""Baselines on VQA that ignore the image: the most frequent training answer, overall and by type of question."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from nsmodels.core import disk
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.files.annotations import Annotation
from nsmodels.datasets.vqa.scoring.accuracy import normal_form

FILE = "answer_priors.json"  # in a checkpoint


@dataclass(frozen=True)
class AnswerPriors:
    """Most frequent training answers in normal form, of equals the first in the alphabet.

    Attributes:
        majority: overall.
        by_type: by type of question, as "what color is the".
        num_questions: that were counted.
    """

    majority: str
    by_type: Mapping[str, str]
    num_questions: int

    @classmethod
    def fitted(cls, annotations: Iterable[Annotation]) -> AnswerPriors:
        """Count the answers of training questions. Raises `InputError` when there are none."""
        everything: Counter[str] = Counter()
        types: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for record in annotations:
            answer = normal_form(record["multiple_choice_answer"])
            everything[answer] += 1
            types[record.get("question_type", "")][answer] += 1
        if not everything:
            raise InputError("priors: no training questions to count answers in; give the questions of a split")
        return cls(_first(everything), {name: _first(counts) for name, counts in types.items()}, everything.total())

    def write(self, folder: Path) -> None:
        """Write them into a checkpoint folder."""
        disk.write_json(folder / FILE, asdict(self))

    @classmethod
    def read(cls, folder: Path) -> AnswerPriors:
        """Those of a checkpoint folder; raise `InputError` when the file is missing or broken."""
        path = folder / FILE
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            raise InputError(f"{path}: missing or broken; the checkpoint is incomplete, train it again") from None

    def of_type(self, record: Annotation) -> str:
        """The most frequent answer to questions of its type."""
        return self.by_type.get(record.get("question_type", ""), self.majority)


def _first(counts: Counter[str]) -> str:
    return min(counts, key=lambda answer: (-counts[answer], answer))
