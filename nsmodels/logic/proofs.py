"""Proofs: trees of rules over leaf facts, present and absent ones, with their depth and the world that they hold in."""

from __future__ import annotations

import heapq
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from nsmodels.logic.chaining import GIVEN, Derivation, Event, Grounding
from nsmodels.logic.syntax import Constant, Fact, Program, fact_text

Cost = tuple[int, int]  # depth, steps on the longest way down
Found = tuple[Cost, Derivation]
INDENT = "  "


@dataclass(frozen=True)
class Step:
    """One step of a proof.

    Attributes:
        fact: what it concludes; for an absent fact, what does not hold.
        kind: "given": a leaf fact; "rule"; or "absent": a negative leaf, nothing derives the fact.
        rule: number of the rule in the program, for facts of the file too; None for given and absent facts.
        binding: the rule's variables with their constants.
        premises: numbers of earlier steps, one per literal of the rule's body, in its order.
        probability: that the step itself holds: of its leaf fact or of its rule; 1 for absent facts.
    """

    fact: Fact
    kind: Literal["given", "rule", "absent"]
    rule: int | None = None
    binding: tuple[tuple[str, Constant], ...] = ()
    premises: tuple[int, ...] = ()
    probability: float = 1.0


@dataclass(frozen=True)
class Proof:
    """A proof of the fact that its last step concludes.

    Attributes:
        steps: each after its premises; a step that is used twice is there once.
        assumed_absent: leaf facts that are possible and that the world of the proof lacks.
        assumed_idle: groundings of rules with a probability that do not act in this world: number, values of variables.
    """

    steps: tuple[Step, ...]
    assumed_absent: tuple[Fact, ...] = ()
    assumed_idle: tuple[tuple[int, tuple[Constant, ...]], ...] = ()

    @property
    def fact(self) -> Fact:
        """What is proved."""
        return self.steps[-1].fact

    def depth(self, program: Program) -> int:
        """Rules on the longest way from the fact to a leaf; symmetries and facts of the file are none."""
        depths: list[int] = []
        for step in self.steps:
            below = max((depths[k] for k in step.premises), default=0)
            depths.append(below + _height(program, step.rule))
        return depths[-1]

    @cached_property
    def leaves(self) -> tuple[Step, ...]:
        """Its leaf facts, present and absent."""
        return tuple(step for step in self.steps if not step.premises)

    def text(self, program: Program) -> str:
        """The proof as an indented tree; what was shown before is not shown again."""
        lines: list[str] = []
        shown: set[int] = set()
        waiting = [(len(self.steps) - 1, 0)]
        while waiting:
            number, level = waiting.pop()
            step = self.steps[number]
            is_again = number in shown and step.premises != ()
            lines.append(f"{INDENT * level}{_line(step, program)}{' (see above)' if is_again else ''}")
            shown.add(number)
            waiting += [] if is_again else [(k, level + 1) for k in reversed(step.premises)]
        assumed = [fact_text(fact) for fact in self.assumed_absent]
        assumed += [
            f"line {program.rules[n].line} for {', '.join(map(str, v)) or 'itself'}" for n, v in self.assumed_idle
        ]
        return "\n".join(lines + ([f"assumed not to hold: {'; '.join(assumed)}"] if assumed else []))

    def to_json(self, program: Program) -> dict[str, Any]:
        """The proof as plain values, rules as text."""
        rules = [program.rules[step.rule] if step.rule is not None else None for step in self.steps]
        return {
            "steps": [
                {
                    "fact": [step.fact[0], list(step.fact[1])],
                    "kind": step.kind,
                    **({"rule": str(rule), "line": rule.line, "binding": dict(step.binding)} if rule else {}),
                    "premises": list(step.premises),
                    "probability": step.probability,
                }
                for step, rule in zip(self.steps, rules, strict=True)
            ],
            "assumed_absent": [[name, list(values)] for name, values in self.assumed_absent],
            "assumed_idle": [[str(program.rules[number]), list(values)] for number, values in self.assumed_idle],
        }


def _line(step: Step, program: Program) -> str:
    weight = "" if step.probability == 1 else f", {step.probability:.6g}"
    if step.kind == "absent":
        return f"not {fact_text(step.fact)}   [nothing derives it]"
    if step.rule is None:
        return f"{fact_text(step.fact)}   [given{weight}]"
    rule = program.rules[step.rule]
    return f"{fact_text(step.fact)}   [line {rule.line}{weight}{f': {rule}' if rule.body else ''}]"


def _height(program: Program, number: int | None) -> int:
    """What a rule adds to the depth."""
    if number is None or number == GIVEN:
        return 0
    rule = program.rules[number]
    return int(bool(rule.body) and not rule.is_symmetry)


class Prover:
    """Shortest proofs over one grounding; those of certain facts are searched once."""

    def __init__(self, grounding: Grounding) -> None:
        self._grounding = grounding
        self._stratum = {name: k for k, group in enumerate(grounding.strata) for name in group}
        self._certain: dict[Fact, Found] = {}
        certain = [fact for fact in grounding.derivations if fact in grounding.certain]
        self._search(certain, self._certain, lambda each: each.probability >= 1 and not each.negative)

    def prove(self, fact: Fact, world: Mapping[Event, bool]) -> Proof:
        """A proof of minimal depth in a world, in which the fact must hold.

        Events that `world` does not name happen where they are likelier than not.
        """
        if fact in self._certain:
            return self._proof(fact, self._certain, lambda each: True)
        found: ChainMap[Fact, Found] = ChainMap({}, self._certain)

        def happens(each: Derivation) -> bool:
            return each.probability >= 1 or world.get(each.event, each.probability >= 0.5)

        def acts(each: Derivation) -> bool:
            return happens(each) and not any(negated in found for negated in each.negative)

        for group in self._by_stratum(self._below([fact])):
            self._search(group, found, acts)
        return self._proof(fact, found, happens)

    def _below(self, facts: Iterable[Fact]) -> list[Fact]:
        """Uncertain facts that some facts depend on, themselves included."""
        found = {fact: None for fact in facts if fact not in self._grounding.certain}
        waiting = list(found)
        while waiting:
            for each in self._grounding.derivations[waiting.pop()]:
                for fact in (*each.positive, *each.negative):
                    if fact not in found and fact not in self._grounding.certain:
                        found[fact] = None
                        waiting.append(fact)
        return list(found)

    def _by_stratum(self, facts: Iterable[Fact]) -> Iterator[list[Fact]]:
        groups: dict[int, list[Fact]] = {}
        for fact in facts:
            groups.setdefault(self._stratum.get(fact[0], -1), []).append(fact)
        return (groups[key] for key in sorted(groups))

    def _search(
        self, facts: list[Fact], found: MutableMapping[Fact, Found], acts: Callable[[Derivation], bool]
    ) -> None:
        """Put the cheapest derivation of each fact that holds into `found` (Knuth 1977)."""
        heap: list[tuple[Cost, int, Fact, Derivation]] = []
        missing: dict[tuple[Fact, Event], int] = {}
        users: dict[Fact, list[tuple[Fact, Derivation]]] = {}
        for fact in facts:
            for each in self._grounding.derivations[fact]:
                if acts(each):
                    needed = {premise for premise in each.positive if premise not in found}
                    missing[fact, each.event] = len(needed)
                    for premise in needed:
                        users.setdefault(premise, []).append((fact, each))
                    if not needed:
                        heapq.heappush(heap, (self._cost(each, found), len(missing), fact, each))
        number = len(missing)
        while heap:
            cost, _, fact, derivation = heapq.heappop(heap)
            if fact in found:
                continue
            found[fact] = cost, derivation
            for user, each in users.get(fact, ()):
                missing[user, each.event] -= 1
                if not missing[user, each.event]:
                    number += 1
                    heapq.heappush(heap, (self._cost(each, found), number, user, each))

    def _cost(self, derivation: Derivation, found: Mapping[Fact, Found]) -> Cost:
        below = [found[fact][0] for fact in derivation.positive]
        depth = max((each[0] for each in below), default=0) + _height(self._grounding.program, derivation.rule)
        return depth, max((each[1] for each in below), default=0) + 1

    def _proof(
        self,
        fact: Fact,
        found: Mapping[Fact, Found],
        happens: Callable[[Derivation], bool],
    ) -> Proof:
        steps: list[Step] = []
        places: dict[tuple[Fact, bool], int] = {}
        doubted: dict[Fact, None] = {}
        waiting = [(fact, False)]
        while waiting:
            wanted = waiting[-1]
            if wanted in places:
                waiting.pop()
                continue
            if wanted[1]:
                step = Step(wanted[0], "absent")
                if wanted[0] in self._grounding.derivations:
                    doubted[wanted[0]] = None
            else:
                derivation = found[wanted[0]][1]
                premises = self._premises(derivation)
                fresh = [each for each in premises if each not in places]
                if fresh:
                    waiting += reversed(fresh)
                    continue
                step = self._step(wanted[0], derivation, tuple(places[each] for each in premises))
            places[wanted] = len(steps)
            steps.append(step)
            waiting.pop()
        return Proof(tuple(steps), *self._assumed(doubted, happens))

    def _premises(self, derivation: Derivation) -> list[tuple[Fact, bool]]:
        """Facts of the body, each with whether it is negated."""
        if derivation.rule == GIVEN:
            return []
        rule = self._grounding.program.rules[derivation.rule]
        binding = dict(zip(rule.variables, derivation.event[1], strict=True))
        return [(each.atom.fact(binding), each.is_negated) for each in rule.literals]

    def _step(self, fact: Fact, derivation: Derivation, premises: tuple[int, ...]) -> Step:
        if derivation.rule == GIVEN:
            return Step(fact, "given", probability=derivation.probability)
        rule = self._grounding.program.rules[derivation.rule]
        binding = tuple(zip(rule.variables, derivation.event[1], strict=True))
        return Step(fact, "rule", derivation.rule, binding, premises, derivation.probability)

    def _assumed(
        self, doubted: Iterable[Fact], happens: Callable[[Derivation], bool]
    ) -> tuple[tuple[Fact, ...], tuple[tuple[int, tuple[Constant, ...]], ...]]:
        """Events below the negated facts that do not happen: facts, and groundings of rules."""
        derivations = (each for fact in self._below(doubted) for each in self._grounding.derivations[fact])
        events = dict.fromkeys(each.event for each in derivations if not happens(each))
        absent = tuple(what for number, what in events if number == GIVEN)
        return absent, tuple((number, what) for number, what in events if number != GIVEN)
