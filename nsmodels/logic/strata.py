"""Strata of a program: predicates in the order in which they can be derived; components of a graph."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from nsmodels.logic.syntax import Program, Rule

T = TypeVar("T", bound=Hashable)


def components(nodes: Iterable[T], following: Callable[[T], Iterable[T]]) -> list[list[T]]:
    """Strongly connected components of a graph, each after those that it leads to (Tarjan 1972, without recursion)."""
    index: dict[T, int] = {}
    low: dict[T, int] = {}
    waiting: list[T] = []
    found: list[list[T]] = []
    is_waiting: set[T] = set()
    for root in nodes:
        if root in index:
            continue
        path = [(root, iter(following(root)))]
        index[root] = low[root] = len(index)
        waiting.append(root)
        is_waiting.add(root)
        while path:
            node, rest = path[-1]
            for each in rest:
                if each not in index:
                    index[each] = low[each] = len(index)
                    waiting.append(each)
                    is_waiting.add(each)
                    path.append((each, iter(following(each))))
                    break
                if each in is_waiting:
                    low[node] = min(low[node], index[each])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    found.append(_popped(waiting, is_waiting, node))
    return found


def _popped(waiting: list[T], is_waiting: set[T], root: T) -> list[T]:
    place = len(waiting) - 1
    while waiting[place] != root:
        place -= 1
    component = waiting[place:]
    del waiting[place:]
    is_waiting.difference_update(component)
    return component


def dependencies(program: Program) -> dict[str, dict[str, None]]:
    """By predicate those in the bodies of its rules, in order of appearance."""
    found: dict[str, dict[str, None]] = {}
    for rule in program.rules:
        mine = found.setdefault(rule.head.predicate, {})
        for each in rule.literals:
            mine[each.atom.predicate] = None
            found.setdefault(each.atom.predicate, {})
    return found


def strata(program: Program) -> list[list[str]]:
    """Groups of predicates that depend on each other, each after those that it depends on."""
    graph = dependencies(program)
    return components(graph, graph.__getitem__)


def negative_cycles(program: Program) -> list[tuple[Rule, str, list[str]]]:
    """Rules that negate a predicate which depends on their head: the rule, the predicate, and the cycle in order."""
    graph = dependencies(program)
    number = {name: k for k, group in enumerate(components(graph, graph.__getitem__)) for name in group}
    found = []
    for rule in program.rules:
        for each in rule.literals:
            name = each.atom.predicate
            if each.is_negated and number[name] == number[rule.head.predicate]:
                found.append((rule, name, _way(graph, name, rule.head.predicate)))
    return found


def relevant(program: Program, predicate: str) -> set[str]:
    """The predicates that a predicate depends on, itself included."""
    graph, found, waiting = dependencies(program), {predicate}, [predicate]
    while waiting:
        fresh = [name for name in graph.get(waiting.pop(), ()) if name not in found]
        found.update(fresh)
        waiting += fresh
    return found


def _way(graph: Mapping[str, Iterable[str]], start: str, end: str) -> list[str]:
    """A shortest way along dependencies."""
    before, waiting = {start: start}, [start]
    for node in waiting:
        if node == end:
            break
        fresh = [each for each in graph[node] if each not in before]
        before.update(dict.fromkeys(fresh, node))
        waiting += fresh
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return way[::-1]
