"""Forward chaining: all that rules can derive from facts, with every derivation; semi-naive, stratum by stratum.

Facts have probabilities, so that a fact is certain, impossible, or either. What is *possible* holds in some world; a
negated literal excludes a derivation only where its atom is certain, and counts as uncertain where it is possible.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from nsmodels.core.errors import InputError
from nsmodels.logic import strata
from nsmodels.logic.syntax import Atom, Comparison, Constant, Fact, Literal, Program, Rule, Term, Variable, value_of

GIVEN = -1  # in place of the number of a rule: a fact that was given with the question
BUDGET = 1_000_000  # derivations
TRIES = 10  # groundings that are tried, for each derivation of the budget
Arguments = tuple[Constant, ...]
Binding = dict[str, Constant]
Event = tuple[int, Any]  # number of a rule with the values of its variables, or GIVEN with a fact
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "\\=": operator.ne, "<": operator.lt, "=<": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class Derivation(NamedTuple):
    """A grounding of a rule, or a given fact.

    Attributes:
        rule: its number in the program, or `GIVEN`.
        event: what has to happen for it, independent of all other events.
        probability: of the event.
        positive: facts that it needs.
        negative: facts whose absence it needs, among those that are possible.
    """

    rule: int
    event: Event
    probability: float
    positive: tuple[Fact, ...] = ()
    negative: tuple[Fact, ...] = ()


@dataclass
class Grounding:
    """Everything that can be derived.

    Attributes:
        program: the rules.
        derivations: of each possible fact, in the order in which they were found.
        certain: facts that hold in every world.
        strata: predicates in order of derivation.
    """

    program: Program
    derivations: dict[Fact, list[Derivation]] = field(default_factory=dict)
    certain: set[Fact] = field(default_factory=set)
    strata: list[list[str]] = field(default_factory=list)

    @property
    def num_derivations(self) -> int:
        """Number of groundings of rules, and of given facts."""
        return sum(map(len, self.derivations.values()))

    def facts_of(self, predicate: str) -> list[Fact]:
        """Possible facts of a predicate."""
        return [fact for fact in self.derivations if fact[0] == predicate]


def chain(program: Program, facts: Mapping[Fact, float], goal: str | None = None, budget: int = BUDGET) -> Grounding:
    """Derive everything, or what the predicate `goal` depends on, from facts with their probabilities.

    Raises `InputError` where more than `budget` derivations are found, and where `<` compares no numbers.
    """
    wanted = strata.relevant(program, goal) if goal else None
    order = [group for group in strata.strata(program) if wanted is None or wanted.intersection(group)]
    run = _Run(Grounding(program, strata=order), budget)
    for fact, probability in facts.items():
        if probability > 0 and (wanted is None or fact[0] in wanted):
            run.add(fact, Derivation(GIVEN, (GIVEN, fact), float(probability)))
    for number, rule in enumerate(program.rules):
        if not rule.body and (wanted is None or rule.head.predicate in wanted):
            run.derive(number, {})
    run.settle(list(run.grounding.derivations))
    for group in order:
        run.stratum(set(group))
    return run.grounding


class _Run:
    """State of one chaining."""

    def __init__(self, grounding: Grounding, budget: int) -> None:
        self.grounding = grounding
        self._rules = grounding.program.rules
        self._budget, self._num_derivations, self._num_tried = budget, 0, 0
        self._num_by_rule: Counter[int] = Counter()
        self._facts: dict[str, list[Arguments]] = {}
        self._round: dict[Fact, int] = {}
        self._now = 0  # facts of later rounds are not matched
        self._indexes: dict[tuple[str, tuple[int, ...]], dict[Arguments, list[Arguments]]] = {}
        self._heads: dict[str, list[int]] = {}
        for number, rule in enumerate(self._rules):
            if rule.body:
                self._heads.setdefault(rule.head.predicate, []).append(number)

    def add(self, fact: Fact, derivation: Derivation) -> bool:
        """Record a derivation; whether the fact is the first of its kind."""
        self._num_derivations += 1
        self._num_by_rule[derivation.rule] += 1
        if self._num_derivations > self._budget:
            self._refuse(self._num_by_rule.most_common(1)[0][0])
        known = self.grounding.derivations.get(fact)
        if known is not None:
            known.append(derivation)
            return False
        self.grounding.derivations[fact] = [derivation]
        name, arguments = fact
        self._round[fact] = self._now + 1
        self._facts.setdefault(name, []).append(arguments)
        for (predicate, places), index in self._indexes.items():
            if predicate == name:
                index.setdefault(tuple(arguments[k] for k in places), []).append(arguments)
        return True

    def _refuse(self, number: int) -> None:
        what = "given facts" if number == GIVEN else f"line {self._rules[number].line}, '{self._rules[number]}'"
        much = f"more than {self._budget:,} derivations, or {TRIES} times as many tries"
        raise InputError(
            f"{self.grounding.program.file}: {much}; {self._num_by_rule[number]:,} derivations by {what}; "
            "restrict it, give fewer facts, or raise the field 'budget'"
        )

    def derive(self, number: int, binding: Binding) -> bool:
        """Record a grounding of a rule unless it is impossible; whether its head is a fresh fact."""
        rule = self._rules[number]
        self._num_tried += 1
        if self._num_tried > TRIES * self._budget:
            self._refuse(number)
        if rule.probability <= 0 or not all(_holds(c, binding, rule, self.grounding.program) for c in rule.body):
            return False
        positive, negative = [], []
        for each in rule.literals:
            fact = each.atom.fact(binding)
            if not each.is_negated:
                positive.append(fact)
            elif fact in self.grounding.certain:
                return False
            elif fact in self.grounding.derivations:
                negative.append(fact)
        event = (number, tuple(binding[name] for name in rule.variables))
        found = Derivation(number, event, rule.probability, tuple(positive), tuple(negative))
        return self.add(rule.head.fact(binding), found)

    def stratum(self, group: set[str]) -> None:
        """Apply the rules of a stratum until nothing is added."""
        numbers = sorted(number for name in group for number in self._heads.get(name, ()))
        recursive: dict[str, list[tuple[int, int]]] = {}  # by predicate, rules and places of a body that it feeds
        self._now += 1
        for number in numbers:
            literals = [each.atom for each in self._rules[number].literals if not each.is_negated]
            for place, atom in enumerate(literals):
                if atom.predicate in group:
                    recursive.setdefault(atom.predicate, []).append((number, place))
        start = {name: len(self._facts.get(name, ())) for name in recursive}
        fresh = self._apply((number, -1, []) for number in numbers)
        while recursive and fresh:
            self._now += 1
            delta = {name: self._facts.get(name, [])[begin:] for name, begin in start.items()}
            start = {name: len(self._facts.get(name, ())) for name in recursive}
            fresh = self._apply(_with_delta(recursive, delta))
        if numbers:
            self.settle([(name, arguments) for name in group for arguments in self._facts.get(name, ())])

    def _apply(self, jobs: Iterable[tuple[int, int, list[Arguments]]]) -> bool:
        is_fresh = False
        for number, place, delta in jobs:
            literals = [each.atom for each in self._rules[number].literals if not each.is_negated]
            for binding in self._matches(literals, place, delta):
                is_fresh |= self.derive(number, binding)
        return is_fresh

    def _matches(self, atoms: Sequence[Atom], place: int, delta: list[Arguments]) -> Iterator[Binding]:
        """Bindings that satisfy all atoms, the one at `place` (-1: none) by a fact of the last round.

        Atoms before it match earlier rounds only, so that every grounding is found once.
        """
        if place < 0:
            yield from self._join(_ordered(atoms, set()), 0, {}, {})
            return
        last = dict.fromkeys(range(place), self._now - 1)
        bound = {term.name for term in atoms[place].arguments if isinstance(term, Variable)}
        rest = _ordered([atom if k != place else None for k, atom in enumerate(atoms)], bound)
        for arguments in delta:
            binding = _bound(atoms[place].arguments, arguments, {})
            if binding is not None:
                yield from self._join(rest, 0, binding, last)

    def _join(
        self, atoms: list[tuple[int, Atom, tuple[int, ...]]], depth: int, binding: Binding, last: Mapping[int, int]
    ) -> Iterator[Binding]:
        if depth == len(atoms):
            yield binding
            return
        number, atom, places = atoms[depth]
        latest = last.get(number, self._now)
        for arguments in self._candidates(atom, places, binding):
            if self._round[atom.predicate, arguments] <= latest:
                extended = _bound(atom.arguments, arguments, binding)
                if extended is not None:
                    yield from self._join(atoms, depth + 1, extended, last)

    def _candidates(self, atom: Atom, places: tuple[int, ...], binding: Binding) -> list[Arguments]:
        """Facts that agree with an atom in the places that are bound."""
        if not places:
            return self._facts.get(atom.predicate, [])
        index = self._indexes.get((atom.predicate, places))
        if index is None:
            index = self._indexes[atom.predicate, places] = {}
            for arguments in self._facts.get(atom.predicate, ()):
                index.setdefault(tuple(arguments[k] for k in places), []).append(arguments)
        return index.get(tuple(value_of(atom.arguments[k], binding) for k in places), [])

    def settle(self, facts: list[Fact]) -> None:
        """Find which of the facts are certain; facts of lower strata are settled."""
        certain, users, missing = self.grounding.certain, {}, {}
        waiting = []
        for fact in facts:
            for derivation in self.grounding.derivations[fact]:
                if derivation.probability < 1 or derivation.negative:
                    continue
                needed = {each for each in derivation.positive if each not in certain}
                key = (fact, derivation.event)
                missing[key] = len(needed)
                for each in needed:
                    users.setdefault(each, []).append(key)
                if not needed:
                    waiting.append(fact)
        while waiting:
            fact = waiting.pop()
            if fact in certain:
                continue
            certain.add(fact)
            for key in users.get(fact, ()):
                missing[key] -= 1
                if not missing[key]:
                    waiting.append(key[0])


def _with_delta(
    recursive: Mapping[str, list[tuple[int, int]]], delta: Mapping[str, list[Arguments]]
) -> Iterator[tuple[int, int, list[Arguments]]]:
    """Jobs of a later round: each rule over the fresh facts of one of its literals."""
    for name, uses in recursive.items():
        yield from ((number, place, delta[name]) for number, place in uses if delta[name])


def _ordered(atoms: Sequence[Atom | None], bound: set[str]) -> list[tuple[int, Atom, tuple[int, ...]]]:
    """Atoms in an order of joins, those with most bound places first: number, atom, bound places."""
    rest, known, found = {k: atom for k, atom in enumerate(atoms) if atom is not None}, set(bound), []
    while rest:
        number = max(rest, key=lambda k: (len(_places(rest[k].arguments, known)), -k))
        atom = rest.pop(number)
        found.append((number, atom, _places(atom.arguments, known)))
        known |= {term.name for term in atom.arguments if isinstance(term, Variable)}
    return found


def _places(terms: Sequence[Term], known: set[str]) -> tuple[int, ...]:
    return tuple(k for k, term in enumerate(terms) if not isinstance(term, Variable) or term.name in known)


def _bound(terms: Sequence[Term], values: Arguments, binding: Binding) -> Binding | None:
    """The binding extended so that the terms equal the values; None where they cannot."""
    extended = dict(binding)
    for term, value in zip(terms, values, strict=True):
        if isinstance(term, Variable):
            if extended.setdefault(term.name, value) != value:
                return None
        elif term != value:
            return None
    return extended


def _holds(part: Literal | Comparison, binding: Binding, rule: Rule, program: Program) -> bool:
    """Whether a comparison holds; literals do."""
    return not isinstance(part, Comparison) or compare(part, binding, f"{program.file}:{rule.line}")


def compare(comparison: Comparison, binding: Mapping[str, Constant], where: str) -> bool:
    """Whether a comparison holds. Raises `InputError` where `<` and the like compare what is no number."""
    left, right = value_of(comparison.left, binding), value_of(comparison.right, binding)
    if comparison.operator not in ("=", "\\=") and (isinstance(left, str) or isinstance(right, str)):
        raise InputError(f"{where}: '{comparison}' compares {left!r} with {right!r}; expected numbers")
    return _COMPARED[comparison.operator](left, right)
