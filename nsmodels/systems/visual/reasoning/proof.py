"""Proofs: derivations of an answer from facts about the objects, step by step, negative facts included.

A proof holds in the most probable world (one value for every fact) in which the question is well posed and has the
answer of soft execution. It can be checked from its own leaf facts, see `replay`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.questions.executor import IllPosed, relational_hops, symbolic_depth, trace
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS, RELATIONS
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.execution import Program, answer
from nsmodels.systems.visual.reasoning.facts import Fact, joint_probability, parse, with_probability
from nsmodels.systems.visual.reasoning.worlds import World, likely_worlds

MAX_WORLDS = 256
Output = list[int] | int | str


class NoProof(InputError):
    """The question is ill posed in every probable world: some `unique` meets none or several objects."""


@dataclass(frozen=True)
class Step:
    """One program step: `output` is a list of object numbers, one number (object or count), or a word.

    `facts` are the leaf facts it uses, for the members of its output and for the objects it excludes.
    """

    number: int
    function: str
    values: tuple[str, ...]
    inputs: tuple[int, ...]
    output: Output
    facts: tuple[Fact, ...]

    @property
    def call(self) -> str:
        """The step as an expression: `filter_color[red](s0)`."""
        value = f"[{', '.join(self.values)}]" if self.values else ""
        return f"{self.function}{value}({', '.join(f's{i}' for i in self.inputs)})"

    @property
    def result(self) -> str:
        """The output as text: `{o1, o3}`, `o3`, `2`, `yes`."""
        kind = FUNCTIONS[self.function][1]
        if isinstance(self.output, list):
            return "{" + ", ".join(f"o{number}" for number in self.output) + "}"
        return f"o{self.output}" if kind == "object" else str(self.output)

    @property
    def derived(self) -> tuple[str, ...]:
        """The facts that this step derives: one per member of a set, else one; none of them are leaf facts."""
        if self.function == "scene":
            return ()
        if isinstance(self.output, list):
            return tuple(f"o{number} in s{self.number}" for number in self.output)
        return (f"s{self.number} = {self.result}",)


@dataclass(frozen=True)
class Proof:
    """The steps from the scene to the answer; `confidence` is the product over the distinct leaf facts.

    `num_objects`: number of objects in the belief, present or absent; a proof must contain a fact for each.
    """

    steps: tuple[Step, ...]
    answer: str
    confidence: float
    num_objects: int

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The distinct leaf facts in order of first use."""
        return tuple(dict.fromkeys(fact for step in self.steps for fact in step.facts))

    @property
    def program(self) -> Program:
        """The program that was proved, in CLEVR's released form."""
        return [{"function": s.function, "inputs": list(s.inputs), "value_inputs": list(s.values)} for s in self.steps]

    @property
    def depth(self) -> int:
        """Reasoning depth: the longest path from `scene` to the answer, without `scene`."""
        return symbolic_depth(self.program)

    @property
    def hops(self) -> int:
        """Relational hops: the most `relate` and `same_*` steps on one path."""
        return relational_hops(self.program)

    @property
    def num_derived(self) -> int:
        """Number of derived facts, without leaf facts."""
        return sum(len(step.derived) for step in self.steps)

    def text(self, has_negative: bool = True) -> str:
        """The proof for a terminal, one line per step and per leaf fact; negative ones only with `has_negative`."""
        head = f"proof of {self.answer}   confidence {self.confidence:.3f}"
        head += f"   depth {self.depth}, hops {self.hops}, derived facts {self.num_derived}"
        return "\n".join([head, *(line for step in self.steps for line in _step_lines(step, has_negative))])

    def to_json(self) -> str:
        """The proof as JSON; `from_json` returns an equal proof."""
        return json.dumps(self.to_dict(), indent=1)

    def to_dict(self) -> dict[str, Any]:
        """The proof as dictionaries, lists, numbers and strings, with its measures."""
        steps = [
            {
                "number": s.number,
                "function": s.function,
                "value_inputs": list(s.values),
                "inputs": list(s.inputs),
                "output": s.output,
                "facts": [{"fact": str(fact), "probability": fact.probability} for fact in s.facts],
                "derived": list(s.derived),
            }
            for s in self.steps
        ]
        measures = {"depth": self.depth, "hops": self.hops, "derived_facts": self.num_derived}
        result = {"answer": self.answer, "confidence": self.confidence, "num_objects": self.num_objects}
        return {**result, **measures, "steps": steps}

    @classmethod
    def from_json(cls, text: str) -> Proof:
        """Read the output of `to_json`, unchecked: call `check` on it. Raises InputError when it is no proof."""
        try:
            data = json.loads(text)
            steps = tuple(_read_step(entry) for entry in data["steps"])
            return cls(steps, str(data["answer"]), float(data["confidence"]), int(data["num_objects"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"proof: not the JSON of a proof, write one with to_json ({error!r})") from error


def prove(program: Program, belief: SceneBelief, max_worlds: int = MAX_WORLDS) -> Proof:
    """The proof of the soft executor's answer in the most probable world that has it.

    When none of the `max_worlds` most probable worlds has that answer, the proof is that of the most probable
    well-posed one, and `Proof.answer` differs. Raises NoProof when the question is ill posed in all worlds, InputError
    for a bad program.
    """
    wanted, found = answer(program, belief).best, None
    # Worlds come in order of decreasing probability, so the first with the answer is the most probable one that has it.
    for world, outputs in _well_posed_worlds(program, belief, max_worlds):
        if str(outputs[-1]) == wanted:
            return _prove_in(program, belief, world, outputs)
        found = found or (world, outputs)
    if found is None:
        raise NoProof(f"no proof: {_cause(program, belief)}")
    return _prove_in(program, belief, *found)


def _well_posed_worlds(program: Program, belief: SceneBelief, limit: int) -> Iterator[tuple[World, list[Any]]]:
    for world in likely_worlds(belief, _names_used(program), limit):
        try:
            yield world, _outputs(program, belief, world)
        except IllPosed:
            continue


def _names_used(program: Program) -> set[str]:
    """The attributes and relations in the program."""
    names = {node["function"].split("_", 1)[-1] for node in program} & set(ATTRIBUTES)
    return names | {value for node in program for value in node["value_inputs"]} & set(RELATIONS)


def _outputs(program: Program, belief: SceneBelief, world: World) -> list[Any]:
    """The exact executor's value of each step in this world, objects numbered from 1 as in the belief."""
    kept = (np.flatnonzero(world.present) + 1).tolist()
    result = []
    for node, value in zip(program, trace(program, world.scene(belief)), strict=True):
        kind = FUNCTIONS[node["function"]][1]
        if kind == "set":
            value = [kept[i] for i in value]
        elif kind == "object":
            value = kept[value]
        elif kind == "bool":
            value = "yes" if value in (True, "yes") else "no"
        result.append(value)
    return result


def _cause(program: Program, belief: SceneBelief) -> str:
    """The reason why there is no proof, from the most likely world."""
    try:
        _outputs(program, belief, next(likely_worlds(belief, set(), 1)))
    except IllPosed as error:
        return str(error)
    return "the question is ill posed in every probable world"


def _prove_in(program: Program, belief: SceneBelief, world: World, outputs: list[Any]) -> Proof:
    steps = []
    for number, (node, output) in enumerate(zip(program, outputs, strict=True)):
        inputs = [outputs[i] for i in node["inputs"]]
        literals = _literals(node["function"], node["value_inputs"], inputs, output, world)
        facts = tuple(with_probability(fact, belief) for fact in literals)
        values, sources = tuple(node["value_inputs"]), tuple(node["inputs"])
        steps.append(Step(number, node["function"], values, sources, output, facts))
    proof = Proof(tuple(steps), str(outputs[-1]), 0.0, len(world.present))
    return replace(proof, confidence=joint_probability(proof.facts))


def _literals(function: str, values: list[str], inputs: list[Any], output: Any, world: World) -> list[Fact]:
    """The leaf facts that determine a step's output, for its members and for the objects it excludes."""
    everyone = range(1, len(world.present) + 1)
    kind, _, attribute = function.partition("_")
    if function == "scene":
        return [Fact("present", (o,), "", bool(world.present[o - 1])) for o in everyone]
    if kind == "filter":
        return [Fact(attribute, (o,), values[0], o in output) for o in inputs[0]]
    others = [o for o in everyone if world.present[o - 1] and inputs and o != inputs[0]]
    if function == "relate":
        return [Fact(values[0], (o, inputs[0]), "", o in output) for o in others]
    if kind not in ("same", "query"):
        return []
    value = ATTRIBUTES[attribute][int(world.values[attribute][inputs[0] - 1])]
    own = Fact(attribute, (inputs[0],), value)
    return [own] if kind == "query" else [own, *(Fact(attribute, (o,), value, o in output) for o in others)]


def _step_lines(step: Step, has_negative: bool) -> list[str]:
    facts = [fact for fact in step.facts if fact.holds or has_negative]
    width = max((len(str(fact)) for fact in facts), default=0)
    head = f"s{step.number} {step.call} → {step.result}"
    return [head, *(f"     {'+' if f.holds else '-'} {f!s:<{width}}  p {f.probability:.3f}" for f in facts)]


def _read_step(entry: dict[str, Any]) -> Step:
    facts = []
    for item in entry["facts"]:
        fact = parse(item["fact"])
        facts.append(Fact(fact.name, fact.objects, fact.value, fact.holds, float(item["probability"])))
    step = Step(
        int(entry["number"]),
        str(entry["function"]),
        tuple(entry["value_inputs"]),
        tuple(entry["inputs"]),
        entry["output"],
        tuple(facts),
    )
    if step.function not in FUNCTIONS or list(step.derived) != entry["derived"]:
        raise ValueError(f"step {step.number}: its derived facts do not follow from its output")
    return step
