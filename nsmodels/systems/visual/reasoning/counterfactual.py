"""Counterfactuals: a fact is removed from the belief, the question proved again, and the two proofs compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES
from nsmodels.systems.visual.reasoning.belief import OPPOSITE, Array, SceneBelief
from nsmodels.systems.visual.reasoning.execution import Program
from nsmodels.systems.visual.reasoning.facts import Fact, parse, with_probability
from nsmodels.systems.visual.reasoning.proof import NoProof, Proof, prove


@dataclass(frozen=True)
class Counterfactual:
    """Effect of removing `fact`: the proofs before and after; `after` is None, with a reason, when there is none.

    `is_used`: whether the first proof contains a fact of the same variable.
    """

    fact: Fact
    is_used: bool
    before: Proof
    after: Proof | None
    reason: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the answer differs."""
        return self.after is None or self.after.answer != self.before.answer

    @property
    def first_difference(self) -> int | None:
        """Number of the first step whose output differs, None when none does."""
        after = self.after.steps if self.after else ()
        pairs = zip(self.before.steps, after, strict=False)
        return next((a.number for a, b in pairs if a.output != b.output), None)

    def text(self) -> str:
        """The change in a few lines for a terminal."""
        used = "a leaf fact of the proof" if self.is_used else "not used by the proof"
        lines = [f"without {self.fact} (p {self.fact.probability:.3f}, {used}):"]
        if self.after is None:
            return "\n".join([*lines, f"  answer {self.before.answer} → none: {self.reason}"])
        verdict = (
            f"{self.before.answer} → {self.after.answer}" if self.is_changed else f"{self.before.answer}, unchanged"
        )
        lines.append(f"  answer {verdict}   confidence {self.before.confidence:.3f} → {self.after.confidence:.3f}")
        number = self.first_difference
        if number is not None:
            before, after = self.before.steps[number], self.after.steps[number]
            lines.append(f"  first difference: s{number} {before.call}: {before.result} → {after.result}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON."""
        before, after = self.before, self.after
        return {
            "fact": str(self.fact),
            "probability": self.fact.probability,
            "is_used": self.is_used,
            "before": {"answer": before.answer, "confidence": before.confidence},
            "after": {"answer": after and after.answer, "confidence": after and after.confidence},
            "is_changed": self.is_changed,
            "proof": after and after.to_dict(),
            "reason": self.reason or None,
            "text": self.text(),
        }


def remove_fact(source: Proof | Program, belief: SceneBelief, fact: str) -> Counterfactual:
    """Remove a believed fact, such as `color(o3)=red`, and prove again; the next most likely value replaces it.

    `source` is a proof or a program. Raises InputError for a text that is no fact, an unknown object, and a fact that
    the belief does not hold (the message names the one it holds); NoProof when there is no proof with the fact.
    """
    literal = with_probability(parse(fact), belief)
    before = source if isinstance(source, Proof) else prove(source, belief)
    used = any(known.variable == literal.variable for known in before.facts)
    if literal not in before.facts and not _is_believed(literal, belief):
        raise InputError(f"fact {fact!r}: not believed, so it cannot be removed; known: {_known(literal, belief)}")
    try:
        return Counterfactual(literal, used, before, prove(before.program, belief_without(literal, belief)))
    except NoProof as error:
        return Counterfactual(literal, used, before, None, str(error))


def belief_without(fact: Fact, belief: SceneBelief) -> SceneBelief:
    """The belief given that `fact` does not hold: its probability is 0, the rest of its variable is renormalised.

    When the fact was certain, the other values of its attribute are equally likely.
    """
    number = fact.objects[0] - 1
    if fact.name == "present":
        presence = belief.presence.copy()
        presence[number] = 0.0 if fact.holds else 1.0
        return replace(belief, presence=presence)
    if fact.name in ATTRIBUTES:
        table = belief.attributes[fact.name].copy()
        table[number] = _without_value(table[number], ATTRIBUTES[fact.name].index(fact.value), fact.holds)
        return replace(belief, attributes={**belief.attributes, fact.name: table})
    return replace(belief, relations=_reversed(fact, belief))


def _without_value(row: Array, value: int, holds: bool) -> Array:
    chosen = np.arange(len(row)) == value
    kept = np.where(chosen != holds, row, 0.0)
    return kept / kept.sum() if kept.sum() > 0.0 else (chosen != holds) / (chosen != holds).sum()


def _reversed(fact: Fact, belief: SceneBelief) -> dict[str, Array]:
    """Relations with the order of the pair reversed along the axis of the fact."""
    other, anchor = fact.objects[0] - 1, fact.objects[1] - 1
    relations = {name: table.copy() for name, table in belief.relations.items()}
    p = 0.0 if fact.holds else 1.0
    relations[fact.name][anchor, other] = relations[OPPOSITE[fact.name]][other, anchor] = p
    relations[OPPOSITE[fact.name]][anchor, other] = relations[fact.name][other, anchor] = 1.0 - p
    return relations


def _is_believed(fact: Fact, belief: SceneBelief) -> bool:
    if fact.name in ATTRIBUTES:
        row = belief.attributes[fact.name][fact.objects[0] - 1]
        return (int(row.argmax()) == ATTRIBUTES[fact.name].index(fact.value)) == fact.holds
    return fact.probability >= 0.5


def _known(fact: Fact, belief: SceneBelief) -> str:
    """The fact that the belief holds in place of `fact`, with its probability."""
    if fact.name in ATTRIBUTES:
        row = belief.attributes[fact.name][fact.objects[0] - 1]
        best = int(row.argmax())
        return f"{Fact(fact.name, fact.objects, ATTRIBUTES[fact.name][best])} (p {row[best]:.3f})"
    opposite = Fact(fact.name, fact.objects, fact.value, not fact.holds)
    return f"{opposite} (p {1.0 - fact.probability:.3f})"
