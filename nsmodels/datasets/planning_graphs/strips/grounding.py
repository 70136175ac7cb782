"""Ground STRIPS tasks: every action of a problem with its objects, without what can never change or never happen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nsmodels.core.errors import InputError, near
from nsmodels.datasets.planning_graphs.strips.reader import Atom, Domain, Problem, Schema

MOST_ACTIONS = 20_000
NOT = "not "  # the complement of an atom, for negative preconditions


class Action(NamedTuple):
    """A ground action: its name with objects, and the ids of the atoms that it needs, adds and deletes."""

    name: Atom
    pre: tuple[int, ...]
    add: tuple[int, ...]
    delete: tuple[int, ...]


@dataclass(frozen=True)
class GroundTask:
    """A problem in ground form; an atom is its place in `atoms`. Deletes take effect before adds."""

    name: str
    atoms: tuple[Atom, ...]
    actions: tuple[Action, ...]
    init: frozenset[int]
    goal: frozenset[int]


def ground(domain: Domain, problem: Problem, where: str = "problem") -> GroundTask:
    """The ground task; atoms that never change are checked here and left out.

    Raises InputError for objects of unknown types, a goal that can never hold, and more than `MOST_ACTIONS` actions.
    """
    if problem.domain != domain.name:
        raise InputError(f"{where}: is a problem of domain '{problem.domain}'; the domain file defines '{domain.name}'")
    objects = domain.constants | problem.objects
    for name, kind in objects.items():
        if unknown := [each for each in kind.split("|") if each != "object" and each not in domain.types]:
            raise InputError(f"{where}: object '{name}' has the type '{unknown[0]}', which the domain does not declare")
    _require_declared(domain, problem, objects, where)
    changing = {atom[0] for schema in domain.schemas for atom in (*schema.add, *schema.delete)}
    found: list[tuple[Atom, set[Atom], set[Atom], set[Atom]]] = []
    for schema in domain.schemas:
        for binding in _bindings(domain, schema, objects, problem.init, changing):
            found.append(_action(schema, binding, problem.init, changing))
            if len(found) > MOST_ACTIONS:
                raise InputError(f"{where}: has more than {MOST_ACTIONS:,} ground actions; leave it out")
    return _reachable(problem, found, changing, where)


def _require_declared(domain: Domain, problem: Problem, objects: dict[str, str], where: str) -> None:
    """Raise InputError for an atom of the problem with an unknown predicate, a wrong number of words, or no object."""
    for part, atoms in ((":init", sorted(problem.init)), (":goal", (*problem.goal, *problem.negative_goal))):
        for name, *given in atoms:
            about = f"{where}: {part}: ({' '.join((name, *given))})"
            if name not in domain.predicates:
                raise InputError(f"{about}: the domain has no predicate '{name}'{near(name, domain.predicates)}")
            if len(given) != domain.predicates[name]:
                raise InputError(f"{about}: has {len(given)} arguments; declared with {domain.predicates[name]}")
            if unknown := [word for word in given if word not in objects]:
                raise InputError(
                    f"{about}: no object '{unknown[0]}'{near(unknown[0], objects)}; declare it in :objects"
                )


def _bindings(
    domain: Domain, schema: Schema, objects: dict[str, str], init: frozenset[Atom], changing: set[str]
) -> Iterator[dict[str, str]]:
    """Assignments of objects to parameters that satisfy types, comparisons and atoms that never change."""
    static = [atom for atom in schema.positive if atom[0] not in changing]
    forbidden = [atom for atom in schema.negative if atom[0] not in changing]
    names = [name for name, _ in schema.parameters]
    choices = [[o for o, kind in objects.items() if domain.is_a(kind, wanted)] for _, wanted in schema.parameters]

    def extend(place: int, binding: dict[str, str]) -> Iterator[dict[str, str]]:
        if place == len(names):
            yield dict(binding)
            return
        for name in choices[place]:
            binding[names[place]] = name
            if _fits(binding, schema, static, forbidden, init):
                yield from extend(place + 1, binding)
        binding.pop(names[place], None)

    yield from extend(0, {})


def _fits(
    binding: dict[str, str], schema: Schema, static: list[Atom], forbidden: list[Atom], init: frozenset[Atom]
) -> bool:
    """Whether a partial assignment can still be completed, by all that it decides already."""

    def known(words: Sequence[str]) -> bool:
        return all(not word.startswith("?") or word in binding for word in words)

    return (
        all(_bound(atom, binding) in init for atom in static if known(atom[1:]))
        and all(_bound(atom, binding) not in init for atom in forbidden if known(atom[1:]))
        and all(len(set(_bound(pair, binding))) == 1 for pair in schema.equal if known(pair))
        and all(len(set(_bound(pair, binding))) == 2 for pair in schema.unequal if known(pair))
    )


def _bound(atom: Sequence[str], binding: dict[str, str]) -> Atom:
    return tuple(binding.get(word, word) for word in atom)


def _action(
    schema: Schema, binding: dict[str, str], init: frozenset[Atom], changing: set[str]
) -> tuple[Atom, set[Atom], set[Atom], set[Atom]]:
    pre = {_bound(atom, binding) for atom in schema.positive if atom[0] in changing}
    pre |= {_complement(_bound(atom, binding)) for atom in schema.negative if atom[0] in changing}
    add = {_bound(atom, binding) for atom in schema.add}
    delete = {_bound(atom, binding) for atom in schema.delete} - add
    return (schema.name, *(binding[name] for name, _ in schema.parameters)), pre, add, delete


def _complement(atom: Atom) -> Atom:
    return (NOT + atom[0], *atom[1:])


def _reachable(
    problem: Problem, actions: list[tuple[Atom, set[Atom], set[Atom], set[Atom]]], changing: set[str], where: str
) -> GroundTask:
    """Actions whose preconditions can come true when deletes are ignored, and the atoms that they touch."""
    wanted = set(problem.goal) | {_complement(atom) for atom in problem.negative_goal}
    negated = {atom for _, pre, _, _ in actions for atom in pre if atom[0].startswith(NOT)}
    negated |= {atom for atom in wanted if atom[0].startswith(NOT)}
    plain: dict[Atom, Atom] = {atom: (atom[0].removeprefix(NOT), *atom[1:]) for atom in negated}
    init = set(problem.init) | {atom for atom, positive in plain.items() if positive not in problem.init}
    by_positive = {positive: atom for atom, positive in plain.items()}
    full = []
    for name, pre, add, delete in actions:
        more = {by_positive[atom] for atom in delete if atom in by_positive}
        less = {by_positive[atom] for atom in add if atom in by_positive}
        full.append((name, pre, add | more, delete | less))
    reached, left, kept = set(init), full, []
    while ready := [each for each in left if each[1] <= reached]:
        kept += ready
        left = [each for each in left if not each[1] <= reached]
        reached |= {atom for each in ready for atom in each[2]}
    for atom in sorted(wanted):
        if atom not in reached:
            raise InputError(f"{where}: the goal ({' '.join(atom)}) can never hold; check the problem")
    kept.sort(key=lambda each: each[0])
    atoms = sorted({atom for _, *sets in kept for each in sets for atom in each})
    ids = {atom: number for number, atom in enumerate(atoms)}

    def numbers(found: set[Atom]) -> tuple[int, ...]:
        return tuple(sorted(ids[atom] for atom in found))

    ground_actions = tuple(Action(name, *(numbers(each) for each in sets)) for name, *sets in kept)
    goal = frozenset(ids[atom] for atom in wanted if atom in ids)
    return GroundTask(problem.name, tuple(atoms), ground_actions, frozenset(ids[a] for a in init if a in ids), goal)
