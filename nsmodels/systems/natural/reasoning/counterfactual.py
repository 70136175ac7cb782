"""Counterfactuals: a fact is removed from the belief, the question answered again, and both answers compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.parsing import Program
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.reasoning.execution import Answer, SoftExecutor, refers_to_objects
from nsmodels.systems.natural.reasoning.facts import IS, LOCATION, NAME, PRESENT, Fact, parse, with_probability
from nsmodels.systems.natural.reasoning.lexicon import SIDES, Lexicon
from nsmodels.systems.natural.reasoning.proof import NoProof, Proof, prove
from nsmodels.systems.natural.reasoning.verdicts import Verdicts


@dataclass(frozen=True)
class Counterfactual:
    """Effect of removing `fact` on the answer; a proof is None, with a reason, when there is none.

    `is_used`: whether the first proof rests on the fact.
    """

    fact: Fact
    is_used: bool
    before: Answer
    after: Answer
    proof: Proof | None
    reason: str = ""

    @property
    def is_changed(self) -> bool:
        """Whether the answer differs."""
        return self.after.best != self.before.best

    def text(self) -> str:
        """The change in a few lines for a terminal."""
        used = "a leaf fact of the proof" if self.is_used else "not used by the proof"
        change = (
            f"{self.before.best} → {self.after.best or 'none'}" if self.is_changed else f"{self.before.best}, unchanged"
        )
        lines = [
            f"without {self.fact} (p {self.fact.probability:.3f}, {used}):",
            f"  answer {change}   confidence {self.before.confidence:.3f} → {self.after.confidence:.3f}"
            f"   well posed {self.before.posed:.3f} → {self.after.posed:.3f}",
        ]
        return "\n".join([*lines, *([f"  {self.reason}"] if self.reason else [])])

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "fact": str(self.fact),
            "probability": self.fact.probability,
            "is_used": self.is_used,
            "before": {"answer": self.before.best, "confidence": self.before.confidence, "posed": self.before.posed},
            "after": {"answer": self.after.best, "confidence": self.after.confidence, "posed": self.after.posed},
            "is_changed": self.is_changed,
            "proof": self.proof and self.proof.to_dict(),
            "reason": self.reason or None,
            "text": self.text(),
        }


def remove_fact(
    program: Program,
    belief: Belief,
    text: str,
    lexicon: Lexicon | None = None,
    calibrate: Callable[[float], float] = float,
    verdicts: Verdicts | None = None,
) -> Counterfactual:
    """Remove a believed fact, such as `color(o3) = red`, and answer again.

    `calibrate` gives the probability that a question is well posed from that of the execution. Raises `InputError` for
    a text that is no fact, an unknown object, and a fact that is not believed.
    """
    lexicon = lexicon or Lexicon(belief.words)
    fact = with_probability(parse(text, belief.words), belief, lexicon)
    if fact.probability < 0.5:
        opposite = replace(fact, holds=not fact.holds, probability=1.0 - fact.probability)
        raise InputError(
            f"fact {text!r}: not believed, so it cannot be removed; known: {opposite} (p {opposite.probability:.3f})"
        )
    before, first, _ = _answered(program, belief, lexicon, calibrate, verdicts)
    is_used = first is not None and fact.literal in {each.literal for each in first.facts}
    after, proof, reason = _answered(program, belief_without(fact, belief, lexicon), lexicon, calibrate, verdicts)
    return Counterfactual(fact, is_used, before, after, proof, reason)


def _answered(
    program: Program,
    belief: Belief,
    lexicon: Lexicon,
    calibrate: Callable[[float], float],
    verdicts: Verdicts | None,
) -> tuple[Answer, Proof | None, str]:
    """An answer with its proof, or with the reason why there is none."""
    found = SoftExecutor(belief, lexicon, verdicts).answer(program)
    if refers_to_objects(program):
        found = replace(found, posed=calibrate(found.posed))
    try:
        return found, prove(program, belief, lexicon, found), ""
    except NoProof as error:
        return found, None, str(error)


def belief_without(fact: Fact, belief: Belief, lexicon: Lexicon) -> Belief:
    """The belief given that a fact does not hold; what is left of its variable is renormalised."""
    rows, words = [number - 1 for number in fact.objects], belief.words
    if fact.name == PRESENT:
        presence = belief.presence.copy()
        presence[rows[0]] = 0.0 if fact.holds else 1.0
        return replace(belief, presence=presence)
    if fact.name in (IS, NAME):
        every = (
            lexicon.columns(fact.value).every if fact.name == IS else np.array([n == fact.value for n in words.names])
        )
        names = belief.names.copy()
        names[rows[0]] = _without(names[rows[0]], every == fact.holds)
        return replace(belief, names=names)
    if fact.name in words.attributes:
        tables = {kind: table.copy() for kind, table in belief.attributes.items()}
        tables[fact.name][rows[0], words.attributes[fact.name].index(fact.value)] = 0.0 if fact.holds else 1.0
        return replace(belief, attributes=tables)
    if not fact.objects:
        field, known = ("locations", words.locations) if fact.name == LOCATION else ("weathers", words.weathers)
        table = _without(getattr(belief, field), np.array([each == fact.value for each in known]) == fact.holds)
        return replace(belief, **{field: table})
    relations = belief.relations.copy()
    inverse = SIDES.get(fact.name) or words.inverses.get(fact.name)
    for name, i, k in ((fact.name, *rows), (inverse, *reversed(rows))):
        if name in words.relations:
            relations[words.relations.index(name), i, k] = 0.0 if fact.holds else 1.0
    return replace(belief, relations=relations)


def _without(row: np.ndarray, removed: np.ndarray) -> np.ndarray:
    kept = np.where(removed, 0.0, row).astype(np.float32)
    if kept.sum() > 0:
        return kept / kept.sum()
    return (~removed / max(1, (~removed).sum())).astype(np.float32)
