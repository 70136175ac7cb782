"""Proof checker: replays a proof from its own leaf facts, without network, belief or executor.

It shares no code with the executors: each function is defined again here over sets of object numbers and a table of
facts. The world is closed: `scene` needs a fact for each of the proof's objects, present or absent.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS, RELATIONS
from nsmodels.systems.visual.reasoning.facts import Fact, joint_probability

if TYPE_CHECKING:
    from nsmodels.systems.visual.reasoning.proof import Proof, Step

_COMPARE = {
    "equal_integer": lambda a, b: a == b,
    "less_than": lambda a, b: a < b,
    "greater_than": lambda a, b: a > b,
}


class ProofError(ValueError):
    """Error in a proof; the message names the step."""


def check(proof: Proof) -> None:
    """Replay `proof` from its leaf facts. Raises ProofError at the first step that does not follow from them."""
    if not proof.steps:
        raise ProofError("the proof has no steps")
    _check_consistent(proof.facts)
    present = {fact.objects[0] for fact in proof.facts if fact.name == "present" and fact.holds}
    outputs: list[Any] = []
    for number, step in enumerate(proof.steps):
        _check_form(step, number, proof)
        used: set[Fact] = set()
        outputs.append(_replay(step, [outputs[i] for i in step.inputs], present, used, proof.num_objects))
        if used != {fact.literal for fact in step.facts}:
            raise ProofError(f"step {number} ({step.call}) lists facts that differ from those it uses")
        if outputs[-1] != step.output or type(outputs[-1]) is not type(step.output):
            raise ProofError(
                f"step {number} ({step.call}) gives {outputs[-1]} from its facts, the proof states {step.output}"
            )
    _check_end(proof)


def _check_consistent(facts: tuple[Fact, ...]) -> None:
    """No fact has two probabilities, and no variable two values."""
    probability: dict[Fact, float] = {}
    value: dict[tuple, str | int] = {}
    for fact in facts:
        if (
            not 0.0 <= fact.probability <= 1.0
            or probability.setdefault(fact.literal, fact.probability) != fact.probability
        ):
            raise ProofError(
                f"{fact}: probability {fact.probability} is outside [0, 1] or differs from that of an equal fact"
            )
        if fact.holds and value.setdefault(fact.variable, fact.outcome) != fact.outcome:
            raise ProofError(f"{fact} contradicts another fact of the proof")
    for fact in facts:
        if not fact.holds and value.get(fact.variable) == fact.outcome:
            raise ProofError(f"{fact} contradicts another fact of the proof")


def _check_form(step: Step, number: int, proof: Proof) -> None:
    """The step is a known function of known values and of earlier steps of the right types."""
    types = FUNCTIONS.get(step.function)
    if types is None or step.number != number or len(step.inputs) != len(types[0]):
        raise ProofError(f"step {number}: no known function with these inputs: {step.function} of {step.inputs}")
    if any(type(i) is not int or not 0 <= i < number for i in step.inputs):
        raise ProofError(f"step {number} ({step.function}) uses a step that does not precede it")
    for source, wanted in zip(step.inputs, types[0], strict=True):
        given = FUNCTIONS[proof.steps[source].function][1]
        if given != wanted:
            raise ProofError(f"step {number} ({step.function}) takes a {wanted}, step {source} gives a {given}")
    known = _known_values(step.function)
    if len(step.values) != bool(known) or any(value not in known for value in step.values):
        raise ProofError(f"step {number} ({step.function}): {step.values} instead of one of {known or 'no value'}")


def _known_values(function: str) -> tuple[str, ...]:
    kind, _, name = function.partition("_")
    if kind == "filter":
        return ATTRIBUTES[name]
    return RELATIONS if function == "relate" else ()


def _check_end(proof: Proof) -> None:
    last = proof.steps[-1]
    if FUNCTIONS[last.function][1] in ("set", "object") or str(last.output) != proof.answer:
        raise ProofError(f"the answer {proof.answer!r} is not what the last step gives: {last.output}")
    confidence = joint_probability(proof.facts)
    if not math.isclose(confidence, proof.confidence, rel_tol=1e-9, abs_tol=1e-12):
        raise ProofError(f"confidence {proof.confidence} is not the product over the leaf facts, {confidence}")


def _replay(step: Step, inputs: list[Any], present: set[int], used: set[Fact], num_objects: int) -> Any:
    """The output of one step; the literals it uses are added to `used`."""
    kind, _, name = step.function.partition("_")
    if step.function == "scene":
        return [o for o in range(1, num_objects + 1) if _decide(step, Fact("present", (o,)), used)]
    if kind == "filter":
        return [o for o in inputs[0] if _decide(step, Fact(name, (o,), step.values[0]), used)]
    if step.function == "relate":
        others = sorted(present - {inputs[0]})
        return [o for o in others if _decide(step, Fact(step.values[0], (o, inputs[0])), used)]
    if kind in ("same", "query"):
        value = _value(step, name, inputs[0], used)
        others = sorted(present - {inputs[0]})
        return value if kind == "query" else [o for o in others if _decide(step, Fact(name, (o,), value), used)]
    return _combine(step, inputs)


def _combine(step: Step, inputs: list[Any]) -> Any:
    """The output of a step that uses earlier steps only."""
    if step.function == "unique":
        if len(inputs[0]) != 1:
            raise ProofError(f"step {step.number} ({step.call}) needs one object and meets {len(inputs[0])}")
        return inputs[0][0]
    if step.function == "intersect":
        return sorted(set(inputs[0]) & set(inputs[1]))
    if step.function == "union":
        return sorted(set(inputs[0]) | set(inputs[1]))
    if step.function == "count":
        return len(inputs[0])
    if step.function == "exist":
        return "yes" if inputs[0] else "no"
    compare = _COMPARE.get(step.function, lambda a, b: a == b)
    return "yes" if compare(*inputs) else "no"


def _decide(step: Step, literal: Fact, used: set[Fact]) -> bool:
    """Whether `literal` holds by the step's facts, which must contain it or its negation."""
    for holds in (True, False):
        wanted = Fact(literal.name, literal.objects, literal.value, holds)
        if any(fact.literal == wanted for fact in step.facts):
            used.add(wanted)
            return holds
    raise ProofError(f"step {step.number} ({step.call}) has no fact that decides {literal}")


def _value(step: Step, name: str, number: int, used: set[Fact]) -> str:
    """The value of an object's attribute according to the step's facts."""
    for fact in step.facts:
        if fact.name == name and fact.objects == (number,) and fact.holds:
            used.add(fact.literal)
            return fact.value
    raise ProofError(f"step {step.number} ({step.call}) has no fact that gives {name}(o{number})")
