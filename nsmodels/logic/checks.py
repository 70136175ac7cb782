"""Checks of a program: every fault with its line and its remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, permutations, product
from math import factorial, prod

from nsmodels.core.errors import near
from nsmodels.logic import strata
from nsmodels.logic.parser import Fault
from nsmodels.logic.syntax import (
    NUMBER,
    Atom,
    Comparison,
    Constant,
    Literal,
    Program,
    Rule,
    Term,
    Variable,
    is_constant,
    term_text,
)

ORDERS = 720  # of literals that look alike, tried to recognise a duplicate
EQUALITIES = ("=", "\\=")


def faults(program: Program) -> list[Fault]:
    """All faults of a program."""
    parts = (_probabilities, _predicates, _arities, _argument_types, _unsafe, _duplicates, _negative_cycles)
    return list(dict.fromkeys(chain.from_iterable(check(program) for check in parts)))


def type_faults(
    types: Mapping[str, tuple[Constant, ...]],
    concepts: Mapping[str, tuple[str, ...]],
    lines: Mapping[tuple[str, str], int],
) -> list[Fault]:
    """Faults of declarations: types that are not declared, or that every file has."""
    found = [Fault(lines["type", NUMBER], f"'{NUMBER}' is always there; remove it")] if NUMBER in types else []
    for concept, kinds in concepts.items():
        for kind in kinds:
            if kind not in types and kind != NUMBER:
                remedy = near(kind, [*types, NUMBER]) or f"; declare it: `type {kind}.`"
                found.append(Fault(lines["concept", concept], f"unknown type '{kind}'{remedy}"))
    return found


def misfit(constant: Constant, kind: str, types: Mapping[str, tuple[Constant, ...]]) -> str:
    """Why a constant is not of a type; empty where it is."""
    if kind == NUMBER:
        return f"expected a number, got {term_text(constant)}" if isinstance(constant, str) else ""
    values = types.get(kind, ())
    if not values:
        return f"expected a name of type {kind}, got the number {constant}" if not isinstance(constant, str) else ""
    names = [str(each) for each in values]
    return "" if constant in values else f"'{constant}' is not of type {kind}{near(str(constant), names) or _of(names)}"


def _of(names: list[str]) -> str:
    return f"; expected {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"


def _atoms(program: Program) -> Iterator[tuple[Rule, Atom, bool]]:
    """Every atom with its rule, and whether it is a head."""
    for rule in program.rules:
        yield rule, rule.head, True
        for each in rule.literals:
            yield rule, each.atom, False


def _probabilities(program: Program) -> Iterator[Fault]:
    for rule in program.rules:
        if not 0 <= rule.probability <= 1:
            yield Fault(rule.line, f"probability {rule.probability:g}; expected a number from 0 to 1")


def _predicates(program: Program) -> Iterator[Fault]:
    """A file that declares concepts declares all of them; else what a rule or a fact derives is known."""
    known = set(program.concepts) or {rule.head.predicate for rule in program.rules}
    defined = known | {rule.head.predicate for rule in program.rules}
    for rule, atom, is_head in _atoms(program):
        name = atom.predicate
        if name not in known and (is_head or name not in defined):
            kinds = ", ".join(["object"] * len(atom.arguments))
            declaration = f"declare it: `concept {name}{': ' if kinds else ''}{kinds}.`"
            yield Fault(rule.line, f"unknown predicate '{name}'{near(name, known) or ''}; {declaration}")


def _arities(program: Program) -> Iterator[Fault]:
    for rule, atom, _ in _atoms(program):
        expected = program.arities[atom.predicate]
        if len(atom.arguments) != expected:
            plural = "s" if expected != 1 else ""
            yield Fault(
                rule.line, f"'{atom.predicate}' has {expected} argument{plural}, got {len(atom.arguments)} in {atom}"
            )


def _argument_types(program: Program) -> Iterator[Fault]:
    for rule in program.rules:
        kinds: dict[str, str] = {}
        for term, kind, place in _typed(program, rule):
            if isinstance(term, Variable):
                first = kinds.setdefault(term.name, kind)
                if first != kind:
                    yield Fault(rule.line, f"{term.name} is a {first}, and in {place} a {kind}; use two variables")
            elif is_constant(term) and (message := misfit(term, kind, program.types)):
                yield Fault(rule.line, f"{message} in {place}")
        yield from _compared(rule, kinds)


def _typed(program: Program, rule: Rule) -> Iterator[tuple[Term, str, Atom]]:
    """Terms of a rule in places of a declared type."""
    for atom in (rule.head, *(each.atom for each in rule.literals)):
        kinds = program.concepts.get(atom.predicate, ())
        if len(kinds) == len(atom.arguments):
            yield from ((term, kind, atom) for term, kind in zip(atom.arguments, kinds, strict=True))


def _compared(rule: Rule, kinds: Mapping[str, str]) -> Iterator[Fault]:
    for each in rule.body:
        if not isinstance(each, Comparison):
            continue
        sides = [_kind_of(term, kinds) for term in (each.left, each.right)]
        if each.operator not in EQUALITIES:
            wrong = [kind for kind in sides if kind not in (NUMBER, "")]
            if wrong:
                yield Fault(rule.line, f"'{each}' compares numbers, got a {wrong[0]}; use = or \\=")
        elif all(sides) and sides[0] != sides[1] and "name" not in sides:
            yield Fault(rule.line, f"'{each}' compares a {sides[0]} with a {sides[1]}, which always differ")


def _kind_of(term: Term, kinds: Mapping[str, str]) -> str:
    if isinstance(term, Variable):
        return kinds.get(term.name, "")
    return "name" if isinstance(term, str) else NUMBER


def _unsafe(program: Program) -> Iterator[Fault]:
    """Variables that no positive literal of the body binds."""
    for rule in program.rules:
        bound = {t for each in rule.literals if not each.is_negated for t in each.atom.arguments}
        places = [(rule.head, rule.head.arguments)]
        places += [(each, each.atom.arguments) for each in rule.literals if each.is_negated]
        places += [(each, (each.left, each.right)) for each in rule.body if isinstance(each, Comparison)]
        for place, terms in places:
            for term in dict.fromkeys(terms):
                if isinstance(term, Variable) and term not in bound:
                    name, is_fact = term_text(term), not rule.body
                    remedy = (
                        "constants, or a body" if is_fact else f"a literal of the body without `not` that has {name}"
                    )
                    if name == "_" and isinstance(place, Literal):
                        remedy = f"a rule of its own: `some(X) :- {place.atom}.` and `not some(X)`"
                    yield Fault(rule.line, f"unsafe variable {name} in '{place}'; expected {remedy}")


def _duplicates(program: Program) -> Iterator[Fault]:
    """Rules equal up to the names of variables, the order of the body, and the probability."""
    first: dict[tuple[str, ...], Rule] = {}
    for rule in program.rules:
        known = first.setdefault(canonical(rule), rule)
        if known is not rule:
            both = 1 - (1 - known.probability) * (1 - rule.probability)
            remedy = "remove one" if both == 1 else f"remove one; as independent causes both together are {both:g}"
            yield Fault(rule.line, f"duplicate of line {known.line}, '{known}'; {remedy}")


def canonical(rule: Rule) -> tuple[str, ...]:
    """A key that rules share which differ in names of variables, order of the body or probability only."""
    if not rule.body:
        return _renamed(rule, ())
    groups: dict[str, list[Literal | Comparison]] = {}
    for mask, _, each in sorted(((_masked(each), str(each), each) for each in set(rule.body)), key=lambda e: e[:2]):
        groups.setdefault(mask, []).append(each)
    if prod(factorial(min(len(group), 10)) for group in groups.values()) > ORDERS:
        return _renamed(rule, tuple(chain.from_iterable(groups.values())))
    orders = product(*(permutations(group) for group in groups.values()))
    return min(_renamed(rule, tuple(chain.from_iterable(order))) for order in orders)


def _masked(part: Literal | Comparison) -> str:
    """Text of a part of a body with all variables alike."""
    terms = part.atom.arguments if isinstance(part, Literal) else (part.left, part.right)
    shown = [" " if isinstance(term, Variable) else _key(term) for term in terms]
    what = (part.atom.predicate, part.is_negated) if isinstance(part, Literal) else part.operator
    return f"{what!r}{'|'.join(shown)}"


def _renamed(rule: Rule, body: tuple[Literal | Comparison, ...]) -> tuple[str, ...]:
    names: dict[str, str] = {}

    def shown(atom: Atom) -> str:
        known = (
            names.setdefault(t.name, f"?{len(names)}") if isinstance(t, Variable) else _key(t) for t in atom.arguments
        )
        return repr(atom.predicate) + ",".join(known)

    parts = [shown(rule.head)]
    for each in body:
        if isinstance(each, Literal):
            parts.append(f"{each.is_negated}{shown(each.atom)}")
        else:
            parts.append(each.operator + shown(Atom("", (each.left, each.right))))
    return tuple(parts)


def _key(constant: Constant) -> str:
    """A text that equal constants share, 1 and 1.0 too."""
    is_whole = isinstance(constant, float) and constant.is_integer()
    return repr(int(constant)) if is_whole else repr(constant)


def _negative_cycles(program: Program) -> Iterator[Fault]:
    for rule, name, cycle in strata.negative_cycles(program):
        way = " ← ".join([rule.head.predicate, *cycle])
        yield Fault(
            rule.line,
            f"negative cycle: '{rule.head.predicate}' depends on 'not {name}', which depends on it ({way}); "
            "derive one of them without the other",
        )
