"""Answers that occur often: the vocabulary of models that choose among answers, its soft targets and upper bound."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from nsmodels.core.disk import write_atomic
from nsmodels.core.errors import InputError
from nsmodels.datasets.vqa.scoring.accuracy import Scores, accuracy, cleaned, form_of, normal_form

FILE = "answers.json"
LEAST = 9  # occurrences in train and val together, with which the release has 3,129 answers


@dataclass(frozen=True)
class AnswerVocabulary:
    """Answers in their normal form, the most frequent first, with their numbers of occurrences."""

    occurrences: Mapping[str, int]
    least: int = LEAST

    @classmethod
    def of(cls, annotations: Iterable[Mapping[str, Any]], least: int = LEAST) -> Self:
        """Normal forms of `multiple_choice_answer` with at least so many occurrences; equally frequent ones by name."""
        counts = Counter(normal_form(record["multiple_choice_answer"]) for record in annotations)
        kept = sorted(((-num, name) for name, num in counts.items() if num >= least))
        return cls({name: -num for num, name in kept}, least)

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The answers in their order."""
        return tuple(self.occurrences)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Place of each answer."""
        return {name: place for place, name in enumerate(self.answers)}

    def targets(self, annotation: Mapping[str, Any]) -> dict[int, float]:
        """Soft targets of a question: 0.3, 0.6, 0.9 or 1 by place of the answer; the others have 0.

        It is what the official evaluation gives to the answer, rounded.
        """
        found = {}
        for name in self._candidates(annotation["answers"]):
            if name in self.index and (value := accuracy(name, annotation["answers"])) > 0:
                found[self.index[name]] = round(value, 2)
        return found

    def best(self, annotation: Mapping[str, Any]) -> str:
        """The answer of the vocabulary with the highest accuracy; the first one where none is right."""
        targets = self.targets(annotation)
        return self.answers[max(targets, key=lambda place: (targets[place], -place))] if targets else self.answers[0]

    def upper_bound(self, annotations: Iterable[Mapping[str, Any]]) -> Scores:
        """Scores of the best choice among the answers."""
        scores = Scores()
        for record in annotations:
            scores.add(record, self.best(record))
        return scores

    def write(self, folder: Path) -> None:
        """Write it as `answers.json` into a folder."""
        document = {"least_occurrences": self.least, "answers": dict(self.occurrences)}
        write_atomic(folder / FILE, json.dumps(document, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The vocabulary of a dataset folder. Raises `InputError` when it is missing or malformed."""
        path = folder / FILE
        try:
            document: Any = json.loads(path.read_text(encoding="utf-8"))
            answers, least = document["answers"], document["least_occurrences"]
            if not all(type(name) is str and type(num) is int for name, num in answers.items()):
                raise TypeError("field 'answers'")
        except FileNotFoundError:
            raise InputError(f"{path}: missing; prepare the dataset (nsmodels vqa prepare)") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{path}: expected numbers of occurrences by answer ({error}); prepare it again") from None
        return cls(answers, least)

    @staticmethod
    def _candidates(answers: list[Mapping[str, Any]]) -> list[str]:
        given = [each["answer"] for each in answers]
        form = form_of(given)
        return list(dict.fromkeys(cleaned(form(answer)) for answer in given))
