"""Exact probability of facts: each fact as a Boolean function of independent events, counted by weight.

Recursion through positive literals is a least fixpoint over functions, as for truth values (Vlasselaer et al. 2015).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from nsmodels.logic.chaining import Derivation, Event, Grounding
from nsmodels.logic.diagrams import FALSE, TRUE, Diagrams, TooLarge
from nsmodels.logic.strata import components
from nsmodels.logic.syntax import Fact

V = TypeVar("V")


@dataclass(frozen=True)
class Exact:
    """The exact probability of a fact, and the likeliest part of a world in which it holds, as events."""

    probability: float
    world: Mapping[Event, bool]


class Counter:
    """Exact probabilities of facts of one grounding; what they share is counted once."""

    def __init__(self, grounding: Grounding, facts: Iterable[Fact], max_nodes: int) -> None:
        self._grounding, self._max_nodes = grounding, max_nodes
        self._order = event_order(grounding, facts)
        self._names = list(self._order)
        self._forget()

    def _forget(self) -> None:
        self._diagrams = Diagrams(list(self._order.values()), self._max_nodes)
        self._events = {event: number for number, event in enumerate(self._names)}
        self._functions: dict[Fact, int] = {}

    def exact(self, fact: Fact) -> Exact | None:
        """Its exact probability; None where that takes more nodes than allowed."""
        if fact in self._grounding.certain:
            return Exact(1.0, {})
        for is_last in (not self._functions, True):  # shared work first, then by itself
            try:
                function = self._function(fact)
            except TooLarge:
                self._forget()
                if is_last:
                    return None
                continue
            world = self._diagrams.likeliest(function) if function != FALSE else {}
            return Exact(self._diagrams.probabilities[function], {self._names[k]: v for k, v in world.items()})
        return None

    def _function(self, fact: Fact) -> int:
        for component in ordered(self._grounding, [fact], self._functions):
            settle(self._grounding, component, self._functions, FALSE, self._once)
        return self._functions[fact]

    def _once(self, derivations: Iterable[Derivation], known: Mapping[Fact, int]) -> int:
        """The function of a fact from those of the facts that it is derived from."""
        diagrams, found = self._diagrams, []
        for each in derivations:
            parts = [diagrams.event(self._events[each.event])] if each.probability < 1 else []
            parts += [TRUE if fact in self._grounding.certain else known[fact] for fact in each.positive]
            parts += [diagrams.negation(known[fact]) for fact in each.negative]
            found.append(diagrams.conjunction(parts))
        return diagrams.disjunction(found)


def event_order(grounding: Grounding, facts: Iterable[Fact]) -> dict[Event, float]:
    """The events that facts depend on with their probabilities, in an order that keeps diagrams small.

    From the facts down, what few things depend on first: causes of one effect are neighbours, and of a chain the links
    near to the fact are on top, so that the function of the rest is used as it is.
    """
    asked = {fact for fact in facts if fact not in grounding.certain}
    rank: dict[Fact, int] = {}  # derivations on the longest way down, recursions aside
    for group in ordered(grounding, asked, {}):
        below = (rank[each] for fact in group for each in needed(grounding, fact) if each in rank)
        rank.update(dict.fromkeys(group, max(below, default=-1) + 1))
    found: dict[Event, float] = {}
    seen: set[Fact] = set()
    waiting: list[tuple[Fact, int]] = [(fact, 0) for fact in sorted(asked, key=rank.__getitem__)]
    while waiting:
        fact, place = waiting.pop()
        derivations = grounding.derivations[fact]
        if place == 0 and fact in seen:
            continue
        seen.add(fact)
        if place < len(derivations):
            each = derivations[place]
            if each.probability < 1:
                found.setdefault(each.event, each.probability)
            waiting.append((fact, place + 1))
            below = [premise for premise in (*each.positive, *each.negative) if premise not in seen]
            fresh = [premise for premise in below if premise not in grounding.certain]
            waiting += [(premise, 0) for premise in sorted(fresh, key=rank.__getitem__, reverse=True)]
    return found


def needed(grounding: Grounding, fact: Fact) -> list[Fact]:
    """The uncertain facts in the derivations of a fact."""
    if fact in grounding.certain:
        return []
    found = dict.fromkeys(f for each in grounding.derivations[fact] for f in (*each.positive, *each.negative))
    return [each for each in found if each not in grounding.certain]


def ordered(grounding: Grounding, facts: Iterable[Fact], known: Mapping[Fact, object]) -> list[list[Fact]]:
    """Facts with all that they depend on and that is not known, in groups, each after those that it depends on."""
    return components(
        [fact for fact in facts if fact not in known],
        lambda fact: [each for each in needed(grounding, fact) if each not in known],
    )


def settle(
    grounding: Grounding,
    component: list[Fact],
    values: dict[Fact, V],
    start: V,
    once: Callable[[list[Derivation], Mapping[Fact, V]], V],
    is_equal: Callable[[V, V], bool] = lambda a, b: a == b,
    max_updates: int = 1 << 60,
) -> None:
    """Put the fixpoint of facts that depend on each other, reached from `start`, into `values`.

    `once` computes the value of a fact from its derivations and the values of others. A fact is computed again when
    one that it depends on has changed; after `max_updates` of them the values stay as they are.
    """
    inside = set(component)
    users: dict[Fact, list[Fact]] = {}
    for fact in component:
        for each in needed(grounding, fact):
            if each in inside:
                users.setdefault(each, []).append(fact)
    values.update(dict.fromkeys(component, start))
    waiting, is_waiting = deque(component), set(component)
    while waiting and max_updates > 0:
        fact = waiting.popleft()
        is_waiting.discard(fact)
        max_updates -= 1
        value = once(grounding.derivations[fact], values)
        if not is_equal(value, values[fact]):
            values[fact] = value
            fresh = [each for each in dict.fromkeys(users.get(fact, ())) if each not in is_waiting]
            waiting.extend(fresh)
            is_waiting.update(fresh)
