"""Proofs: derivations of an answer from facts about the objects, step by step, negative facts included.

A proof holds in the most probable world (one value for every fact) in which the exact executor gives the answer of soft
execution. It can be checked from its own leaf facts, see `replay`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.datasets.gqa.programs.execution import Found, IllPosed, Value, answer_of, trace
from nsmodels.datasets.gqa.programs.operations import operation_of
from nsmodels.datasets.gqa.programs.parsing import Program, argument_of, as_semantic, parse, without_leaks
from nsmodels.datasets.gqa.programs.parsing import Step as ProgramStep
from nsmodels.datasets.gqa.programs.scene import members_of
from nsmodels.formats.scenes.graphs import SceneGraph
from nsmodels.systems.natural.beliefs import Belief
from nsmodels.systems.natural.reasoning.execution import Answer, SoftExecutor, refers
from nsmodels.systems.natural.reasoning.facts import PRESENT, Fact, joint_probability, with_probability
from nsmodels.systems.natural.reasoning.lexicon import Lexicon
from nsmodels.systems.natural.reasoning.proofs.closed_scene import ClosedScene
from nsmodels.systems.natural.reasoning.proofs.grounds import grounds
from nsmodels.systems.natural.reasoning.proofs.worlds import likely_worlds, topic_of

MAX_WORLDS = 256
MOST_EXCLUDING = 3  # facts of a step that a short text shows where all of them exclude something
Output = tuple[int, ...] | str


class NoProof(InputError):
    """No probable world has the answer, or the question is ill-posed in all of them."""


@dataclass(frozen=True)
class Seen:
    """An object of the proof's world: its number in the belief, name and box (x, y, w, h in pixels)."""

    number: int
    name: str
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class ProofStep:
    """One step: `output` is the numbers of objects, or a word; `meant` are those that the words fit best.

    `facts` are the leaf facts that it uses, for what its output contains and for what it excludes.
    """

    number: int
    call: str
    inputs: tuple[int, ...]
    output: Output
    meant: tuple[int, ...]
    facts: tuple[Fact, ...]

    @property
    def result(self) -> str:
        """The output as text: `{o1, o2}`, `yes`."""
        return self.output if isinstance(self.output, str) else f"{{{', '.join(f'o{n}' for n in self.output)}}}"


@dataclass(frozen=True)
class Proof:
    """A derivation of `answer`.

    Attributes:
        program: without leaks.
        steps: one for each of the program's.
        answer: of the last step.
        confidence: probability that all leaf facts hold.
        objects: those that are there in the world of the proof.
        size: of the image in pixels.
    """

    program: Program
    steps: tuple[ProofStep, ...]
    answer: str
    confidence: float
    objects: tuple[Seen, ...]
    size: tuple[int, int]

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The distinct leaf facts, in order of first use."""
        return tuple(dict.fromkeys(fact for step in self.steps for fact in step.facts))

    @property
    def evidence(self) -> tuple[Seen, ...]:
        """The objects on which the answer rests: those meant by a step that another one reads."""
        read = {k for step in self.steps for k in step.inputs}
        numbers = {n for step in self.steps if step.number in read for n in step.meant}
        return tuple(each for each in self.objects if each.number in numbers)

    def text(self, has_negative: bool = True) -> str:
        """The proof for a terminal, one line per step and per leaf fact.

        Without `has_negative`, facts that exclude are left out, as is the presence of what a step does not give; where
        nothing else speaks for the result of a step, the least certain of them stand for all.
        """
        head = f"proof of {self.answer}   confidence {self.confidence:.3f}"
        return "\n".join([head, *(line for step in self.steps for line in _lines(step, has_negative))])

    def to_dict(self) -> dict[str, Any]:
        """The proof as dictionaries, lists, numbers and strings."""
        return {
            "answer": self.answer,
            "confidence": self.confidence,
            "size": list(self.size),
            "objects": [{"number": each.number, "name": each.name, "box": list(each.box)} for each in self.objects],
            "evidence": [each.number for each in self.evidence],
            "program": as_semantic(self.program),
            "steps": [_step_as_dict(step) for step in self.steps],
        }

    def to_json(self) -> str:
        """The proof as JSON; `from_json` returns an equal proof."""
        return json.dumps(self.to_dict(), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Proof:
        """Read the output of `to_json`, unchecked (see `replay.check`); raise `InputError` when it is none."""
        try:
            data = json.loads(text)
            program = without_leaks(parse(data["program"]))
            steps = tuple(_read_step(each) for each in data["steps"])
            objects = tuple(Seen(int(o["number"]), str(o["name"]), _four(o["box"])) for o in data["objects"])
            width, height = data["size"]
            return cls(program, steps, str(data["answer"]), float(data["confidence"]), objects, (width, height))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"proof: not the JSON of a proof, write one with to_json ({error!r})") from error


def prove(
    program: Program,
    belief: Belief,
    lexicon: Lexicon | None = None,
    found: Answer | None = None,
    max_worlds: int = MAX_WORLDS,
) -> Proof:
    """The proof of the soft executor's answer, `found`, in the most probable world that has it.

    A world without what a question takes for granted proves nothing: "Is the tulip to the left of the table?" is not
    answered by a scene without tulips. Raises `NoProof` when none of the `max_worlds` most probable worlds has the
    answer, `InputError` for a bad program.
    """
    lexicon = lexicon or Lexicon(belief.words)
    wanted = (found or SoftExecutor(belief, lexicon).answer(program)).best
    reason = ""
    for world in likely_worlds(belief, topic_of(program, lexicon), max_worlds):
        graph = world.graph(belief)
        try:
            values = trace(program, ClosedScene(graph, belief.words))
        except IllPosed as error:
            reason = reason or str(error)
            continue
        if missing := _missing(program, values):
            reason = reason or missing
        elif answer_of(values[-1]) == wanted:
            return _prove_in(program, belief, lexicon, graph, values)
    raise NoProof(f"no proof: {reason or f'no probable world has the answer {wanted!r}'}")


def _missing(program: Program, values: Sequence[Value]) -> str:
    """What the program takes for granted and a world lacks, in a line; empty where it lacks nothing."""
    for number, step in enumerate(program):
        for source in step.dependencies if refers(operation_of(step.operation)) else ():
            value = values[source]
            if isinstance(value, Found) and not value.is_scene and not value.mask:
                return f"step {number} ({call_of(step)}): nothing is as s{source} ({call_of(program[source])})"
    return ""


def _prove_in(program: Program, belief: Belief, lexicon: Lexicon, graph: SceneGraph, values: Sequence[Value]) -> Proof:
    steps = []
    for number, (step, value) in enumerate(zip(program, values, strict=True)):
        inputs = [values[k] for k in step.dependencies]
        literals = grounds(step, inputs, graph, belief, lexicon)
        facts = tuple(dict.fromkeys(with_probability(fact, belief, lexicon) for fact in literals))
        output, meant = _output(value, graph)
        steps.append(ProofStep(number, call_of(step), step.dependencies, output, meant, facts))
    objects = tuple(Seen(int(o.id), o.name, (o.box.x, o.box.y, o.box.w, o.box.h)) for o in graph)
    everything = tuple(fact for step in steps for fact in step.facts)
    confidence = joint_probability(everything, belief, lexicon)
    return Proof(program, tuple(steps), answer_of(values[-1]), confidence, objects, belief.size)


def _output(value: Value, graph: SceneGraph) -> tuple[Output, tuple[int, ...]]:
    if not isinstance(value, Found):
        return answer_of(value), ()
    if value.is_scene:
        return "image", ()
    output, meant = (tuple(int(graph.things[k].id) for k in members_of(m)) for m in (value.mask, value.preferred))
    return output, meant


def call_of(step: ProgramStep) -> str:
    """A step in a few words: `filter color: red (s0)`."""
    argument = argument_of(step).replace("(-)", "").strip()
    inputs = f" ({', '.join(f's{k}' for k in step.dependencies)})" if step.dependencies else ""
    return f"{step.operation}{f': {argument}' if argument not in ('', '?') else ''}{inputs}"


def _lines(step: ProofStep, has_negative: bool) -> Iterable[str]:
    facts = step.facts if has_negative else shown_facts(step)
    width = max((len(str(fact)) for fact in facts), default=0)
    yield f"s{step.number} {step.call} → {step.result}"
    yield from (f"     {'+' if f.holds else '-'} {f!s:<{width}}  p {f.probability:.3f}" for f in facts)
    if len(facts) == MOST_EXCLUDING < len(step.facts) and not any(fact.holds for fact in facts):
        yield f"     … {len(step.facts) - len(facts)} more that exclude"


def shown_facts(step: ProofStep) -> tuple[Fact, ...]:
    """The facts of a step that a short text shows; see `Proof.text`."""
    given = step.output if isinstance(step.output, tuple) else ()
    shown = tuple(f for f in step.facts if f.holds and (f.name != PRESENT or f.objects[0] in given))
    excluding = sorted((f for f in step.facts if not f.holds), key=lambda fact: fact.probability)
    return shown or tuple(excluding[:MOST_EXCLUDING])


def _step_as_dict(step: ProofStep) -> dict[str, Any]:
    facts = [
        {
            "fact": str(each),
            "name": each.name,
            "objects": list(each.objects),
            "value": each.value,
            "holds": each.holds,
            "probability": each.probability,
        }
        for each in step.facts
    ]
    output = step.output if isinstance(step.output, str) else list(step.output)
    return {
        "number": step.number,
        "call": step.call,
        "inputs": list(step.inputs),
        "output": output,
        "meant": list(step.meant),
        "facts": facts,
    }


def _read_step(entry: Any) -> ProofStep:
    facts = tuple(
        Fact(str(f["name"]), tuple(map(int, f["objects"])), str(f["value"]), bool(f["holds"]), float(f["probability"]))
        for f in entry["facts"]
    )
    output = entry["output"] if isinstance(entry["output"], str) else tuple(map(int, entry["output"]))
    inputs, meant = (tuple(map(int, entry[name])) for name in ("inputs", "meant"))
    return ProofStep(int(entry["number"]), str(entry["call"]), inputs, output, meant, facts)


def _four(values: Sequence[int]) -> tuple[int, int, int, int]:
    x, y, w, h = map(int, values)
    return x, y, w, h
