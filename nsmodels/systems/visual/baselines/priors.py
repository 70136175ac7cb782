"""Baselines that ignore the image: chance and answer priors; published results."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ANSWERS

PRIORS = "priors.json"  # in a checkpoint
CHANCE = 1.0 / len(ANSWERS)
PUBLISHED_NOTE = "published, on the official CLEVR test or validation split, not comparable with synthetic data"
# name, accuracy in percent, source
PUBLISHED: tuple[dict[str, Any], ...] = tuple(
    {"name": name, "accuracy": accuracy / 100.0, "source": source, "note": PUBLISHED_NOTE}
    for name, accuracy, source in (
        ("question-type mode", 41.8, "Johnson et al. 2017"),
        ("CNN+LSTM", 52.3, "Johnson et al. 2017"),
        ("human", 92.6, "Johnson et al. 2017"),
        ("FiLM", 97.7, "Perez et al. 2018"),
        ("MAC", 98.9, "Hudson and Manning 2018"),
        ("NS-CL", 98.9, "Mao et al. 2019"),
        ("MDETR", 99.7, "Kamath et al. 2021"),
        ("NS-VQA", 99.8, "Yi et al. 2018"),
    )
)


@dataclass(frozen=True)
class Prior:
    """The most frequent training answer, overall and by the last function of the program ("question-type prior").

    `fitted_on`: description of the questions that were counted.
    """

    majority: str
    by_function: dict[str, str]
    fitted_on: str = ""

    @classmethod
    def fitted(cls, questions: Iterable[dict[str, Any]], fitted_on: str = "") -> Prior:
        """Count the answers of training questions in CLEVR's released form. Raises InputError when there are none."""
        everything: Counter[str] = Counter()
        counts: dict[str, Counter[str]] = {}
        for question in questions:
            everything[question["answer"]] += 1
            counts.setdefault(last_function(question), Counter())[question["answer"]] += 1
        if not everything:
            raise InputError("Prior: no training questions to count answers in; pass the questions of the train split")
        return cls(_most_frequent(everything), {name: _most_frequent(c) for name, c in counts.items()}, fitted_on)

    @classmethod
    def read(cls, path: Path) -> Prior:
        """The prior in a checkpoint; raise `InputError` when the file is broken."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            by_function = {str(name): str(word) for name, word in data["by_function"].items()}
            return cls(str(data["majority"]), by_function, str(data["fitted_on"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise InputError(f"{path}: broken; the checkpoint is incomplete, train it again") from None

    def answer(self, question: dict[str, Any]) -> str:
        """The most frequent answer to questions of this type; the overall one for a type without training questions."""
        return self.by_function.get(last_function(question), self.majority)


def last_function(question: dict[str, Any]) -> str:
    """Last function of a question's program, under the key `function` or, by the public generator, `type`."""
    node = question["program"][-1]
    return node.get("function") or node["type"]


def _most_frequent(counts: Counter[str]) -> str:
    """The most frequent answer; of equals the first in the alphabet, so that the order of questions does not matter."""
    return min(counts, key=lambda answer: (-counts[answer], answer))
