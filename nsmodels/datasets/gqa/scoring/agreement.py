"""Agreement of recorded answers with those that the executor draws from the scene graphs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.files.format import Question, each_question, read_graphs
from nsmodels.datasets.gqa.files.places import Part
from nsmodels.datasets.gqa.programs.execution import IllPosed, compile, execute
from nsmodels.datasets.gqa.programs.scene import Compiled
from nsmodels.formats.scenes.vocabulary import SceneVocabulary

KEPT = 10_000  # scenes made ready at a time


@dataclass(frozen=True)
class Disagreement:
    """A question whose recorded answer is not the executed one; `executed` may be the reason why there is none."""

    question: str
    image: str
    text: str
    answer: str
    executed: str
    operation: str

    def __str__(self) -> str:
        return f"{self.question} (image {self.image}) '{self.text}': recorded {self.answer}, executed {self.executed}"


@dataclass
class Agreement:
    """Counts of a split.

    Attributes:
        total: questions whose image has a graph.
        agreed: those with the executed answer.
        ambiguous: those among `total` where several objects may be meant and differ, so that the largest decided.
        without_graph: questions of images without a graph.
        wrong: the disagreements.
        by_operation: (agreed, total) by last operation.
    """

    total: int = 0
    agreed: int = 0
    ambiguous: int = 0
    without_graph: int = 0
    wrong: list[Disagreement] = field(default_factory=list)
    by_operation: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Share of executed answers that are the recorded ones, in [0, 1]."""
        return self.agreed / self.total if self.total else 0.0

    def lines(self, split: str, most: int) -> list[str]:
        """The counts, agreement by last operation, and the first `most` disagreements."""
        lines = [f"{split}: {self.agreed:,} of {self.total:,} questions agree with their graphs ({self.share:.2%})"]
        if self.ambiguous:
            lines.append(f"  of {self.ambiguous:,} several objects may be meant; the largest decided")
        if self.without_graph:
            lines.append(f"  {self.without_graph:,} more are of images without a graph")
        lines += [f"  {name:<20} {agreed:,} of {total:,}" for name, (agreed, total) in self.by_operation.items()]
        return lines + [f"  {wrong}" for wrong in self.wrong[:most]]

    def as_dict(self) -> dict[str, Any]:
        """The counts, and all disagreements."""
        counts = {
            name: getattr(self, name) for name in ("total", "agreed", "ambiguous", "without_graph", "by_operation")
        }
        return {**counts, "wrong": [vars(wrong) for wrong in self.wrong]}


def agreement(root: Path, split: str, vocabulary: SceneVocabulary, part: Part = "balanced") -> Agreement:
    """Answer every question of a split that has a scene graph.

    Raises `InputError` when files are missing or broken, and when no question has a graph.
    """
    graphs = read_graphs(root, split)

    @lru_cache(KEPT)
    def scene_of(image: str) -> Compiled:
        return compile(graphs[image], vocabulary)

    found = Agreement()
    agreed, total = Counter[str](), Counter[str]()
    for question in each_question(root, split, part):
        if question.image not in graphs:
            found.without_graph += 1
            continue
        wrong = _judge(question, scene_of(question.image), found)
        operation = question.semantic[-1]["operation"]
        total[operation] += 1
        agreed[operation] += wrong is None
        found.wrong += [wrong] if wrong else []
    if not total:
        raise InputError(f"{root}: no question of split '{split}' has a scene graph; the two must belong together")
    found.total, found.agreed = total.total(), agreed.total()
    found.by_operation = {name: (agreed[name], number) for name, number in total.most_common()}
    return found


def _judge(question: Question, scene: Compiled, found: Agreement) -> Disagreement | None:
    program = question.program
    try:
        executed = execute(program, scene)
    except IllPosed as error:
        executed = f"none ({error})"
        try:
            executed = execute(program, scene, is_guessing=True)
            found.ambiguous += 1
        except IllPosed:
            pass
    if executed == question.answer:
        return None
    operation = program[-1].operation
    return Disagreement(question.id, question.image, question.text, question.answer, executed, operation)
