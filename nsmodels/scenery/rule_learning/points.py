"""Scores of what was learnt at one setting of the study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nsmodels.logic.literals import Gathered, Table
from nsmodels.scenery.rule_learning.measuring import Agreement, Labels

NOTHING = Agreement(0, 0, 0)
SCENES, WRONG, PERCEIVED = "scenes", "wrong", "perceived"


@dataclass(frozen=True)
class Lesson:
    """What is learnt from, and how labels are judged that are found by facts as they are seen.

    Attributes:
        facts: literals over the objects that are seen.
        num_true: true objects of the scenes.
        own: labels of the objects that are seen, from those of the true ones.
        seen: literals over held-out objects as they are seen.
        judge: agreement of labels found on those with the labels of true held-out objects.
    """

    facts: Table
    num_true: int
    own: Callable[[Labels], Labels]
    seen: Gathered
    judge: Callable[[Labels, Labels], Agreement]


@dataclass
class Point:
    """Scores of what was learnt at one setting, over targets and seeds.

    Attributes:
        name: "scenes", "wrong" or "perceived".
        value: number of scenes, share of wrong facts, or number of scenes that a model perceives.
        labels: of held-out objects, by true facts.
        perceived: the same by facts seen as those learnt from.
        baseline: labels of the best single literal, by true facts.
        rules: learnt rules that hold for the same held-out objects as a planted one, out of all learnt.
        planted: planted rules found again, out of all planted.
        cpu_seconds: of learning.
    """

    name: str
    value: float
    labels: Agreement = NOTHING
    perceived: Agreement = NOTHING
    baseline: Agreement = NOTHING
    rules: list[int] = field(default_factory=lambda: [0, 0])
    planted: list[int] = field(default_factory=lambda: [0, 0])
    num_literals: int = 0
    cpu_seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """The scores as plain values."""
        scores = {name: getattr(self, name) for name in ("labels", "perceived", "baseline")}
        shares = {
            f"{name}_{kind}": getattr(each, kind) for name, each in scores.items() for kind in ("precision", "recall")
        }
        return {
            self.name: self.value,
            "rule_precision": self.rules[0] / self.rules[1] if self.rules[1] else 1.0,
            "rule_recall": self.planted[0] / self.planted[1] if self.planted[1] else 1.0,
            **shares,
            "num_learnt": self.rules[1],
            "num_planted": self.planted[1],
            "num_literals": self.num_literals,
            "cpu_seconds": round(self.cpu_seconds, 2),
        }
