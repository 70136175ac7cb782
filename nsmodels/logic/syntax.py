"""Syntax of rules as values: constants, variables, atoms, literals, comparisons, rules, programs, and their text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

Constant = str | int | float
Fact = tuple[str, tuple[Constant, ...]]  # predicate and arguments: ("on", ("o3", "o5"))

NUMBER = "number"  # the type of numbers, always there
OPERATORS = ("=", "\\=", "<", "=<", ">", ">=")
ANONYMOUS = "_#"  # in front of the number of a variable that is written `_`
_PLAIN = re.compile(r"(?:[^\W\d]|[^\x00-\x7f\s])(?:\w|[^\x00-\x7f\s])*")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a rule; its name begins with a capital letter or `_`."""

    name: str


Term = Variable | Constant


@dataclass(frozen=True, slots=True)
class Atom:
    """A predicate applied to terms: `on(X, table)`."""

    predicate: str
    arguments: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return text_of(self.predicate, self.arguments)

    def fact(self, binding: Mapping[str, Constant]) -> Fact:
        """The atom with constants for its variables."""
        return self.predicate, tuple(value_of(term, binding) for term in self.arguments)


@dataclass(frozen=True, slots=True)
class Literal:
    """An atom, or its negation as failure: `not covered(X)` holds where `covered(X)` is not derived."""

    atom: Atom
    is_negated: bool = False

    def __str__(self) -> str:
        return f"not {self.atom}" if self.is_negated else str(self.atom)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two terms compared by one of `OPERATORS`; all but `=` and `\\=` compare numbers."""

    left: Term
    operator: str
    right: Term

    def __str__(self) -> str:
        return f"{term_text(self.left)} {self.operator} {term_text(self.right)}"


@dataclass(frozen=True)
class Rule:
    """`probability :: head :- body.` A rule without a body is a fact of the file.

    Attributes:
        head: what it derives.
        body: literals and comparisons that must all hold, in the order of the file.
        probability: of each of its groundings, independent of everything else.
        line: in the file, from 1; 0: no file.
    """

    head: Atom
    body: tuple[Literal | Comparison, ...] = ()
    probability: float = 1.0
    line: int = field(default=0, compare=False)

    @property
    def literals(self) -> tuple[Literal, ...]:
        """Its body without comparisons."""
        return tuple(each for each in self.body if isinstance(each, Literal))

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Names of its variables, in order of appearance."""
        return tuple(dict.fromkeys(term.name for term in self.terms() if isinstance(term, Variable)))

    @cached_property
    def is_symmetry(self) -> bool:
        """Whether it only restates a fact with its arguments in a different order: `near(X, Y) :- near(Y, X)`."""
        if len(self.body) != 1 or self.probability < 1 or not isinstance(only := self.body[0], Literal):
            return False
        mine, others = self.head.arguments, only.atom.arguments
        is_same = only.atom.predicate == self.head.predicate and not only.is_negated
        return is_same and set(mine) == set(others) and len({v for v in mine if isinstance(v, Variable)}) == len(mine)

    def terms(self) -> Iterator[Term]:
        """All terms of head and body, with repetitions."""
        yield from self.head.arguments
        for each in self.body:
            yield from each.atom.arguments if isinstance(each, Literal) else (each.left, each.right)

    def __str__(self) -> str:
        front = "" if self.probability == 1 else f"{self.probability:.12g} :: "
        body = f" :- {', '.join(map(str, self.body))}" if self.body else ""
        return f"{front}{self.head}{body}."


@dataclass(frozen=True)
class Program:
    """Rules with the declarations of their file.

    Attributes:
        rules: rules and facts, those that declarations stand for included.
        concepts: types of the arguments by declared predicate.
        types: by type its constants; empty: any.
        notes: remarks of the file on itself.
        file: where it was read; "rules" where there is no file.
    """

    rules: tuple[Rule, ...]
    concepts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    types: Mapping[str, tuple[Constant, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    file: str = "rules"

    @cached_property
    def arities(self) -> Mapping[str, int]:
        """Number of arguments by predicate, from declarations, else from heads, else from bodies."""
        atoms = [rule.head for rule in self.rules]
        atoms += [each.atom for rule in self.rules for each in rule.literals]
        found = {name: len(types) for name, types in self.concepts.items()}
        for atom in atoms:
            found.setdefault(atom.predicate, len(atom.arguments))
        return found

    def __str__(self) -> str:
        return "".join(f"{rule}\n" for rule in self.rules)


def value_of(term: Term, binding: Mapping[str, Constant]) -> Constant:
    """The constant that a term stands for."""
    return binding[term.name] if isinstance(term, Variable) else term


def is_constant(value: object) -> bool:
    """Whether a value is a constant: a text, or a finite number."""
    return isinstance(value, str) or (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    )


def is_variable_name(name: str) -> bool:
    """Whether a word that is not quoted is a variable."""
    return name[0] == "_" or name[0].isupper() or name[0].istitle()


def term_text(term: Term) -> str:
    """A term as it is written in a rule file."""
    if isinstance(term, Variable):
        return "_" if term.name.startswith(ANONYMOUS) else term.name
    return quoted(term) if isinstance(term, str) else repr(term)


def quoted(name: str) -> str:
    """A predicate or a constant, in quotes where it would be read differently without."""
    if _PLAIN.fullmatch(name) and not is_variable_name(name) and name != "not":
        return name
    inner = name.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{inner}'"


def text_of(predicate: str, arguments: tuple[Term, ...]) -> str:
    """An atom or a fact as it is written in a rule file."""
    inner = ", ".join(map(term_text, arguments))
    return f"{quoted(predicate)}({inner})" if arguments else quoted(predicate)


def fact_text(fact: Fact) -> str:
    """A fact as it is written in a rule file."""
    return text_of(*fact)
