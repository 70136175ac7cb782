"""PDDL domains and problems of the STRIPS fragment: typing, constants, equality, negative preconditions.

Refused in one line: conditional effects, quantifiers, disjunctions, numbers, derived predicates. Names are lower-cased,
as PDDL does not distinguish cases (McDermott et al. 1998).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from nsmodels.core.errors import InputError

OBJECT = "object"
DEEPEST = 100  # brackets within each other
REFUSED = {
    "when": "a conditional effect", "forall": "a quantifier", "exists": "a quantifier", "or": "a disjunction",
    "imply": "an implication", "increase": "a number", "decrease": "a number", "assign": "a number",
    "probabilistic": "a probability",
}  # fmt: skip
Form = Any  # a word, or a list of forms
Atom = tuple[str, ...]  # predicate or action, then its arguments


@dataclass(frozen=True)
class Schema:
    """An action with parameters: literals are atoms whose words beginning with "?" are variables.

    Attributes:
        name: of the action.
        parameters: pairs of variable and type.
        positive, negative: atoms that must hold, and that must not.
        equal, unequal: pairs of words that must be the same, and that must differ.
        add, delete: effects.
    """

    name: str
    parameters: tuple[tuple[str, str], ...]
    positive: tuple[Atom, ...]
    negative: tuple[Atom, ...]
    equal: tuple[tuple[str, str], ...]
    unequal: tuple[tuple[str, str], ...]
    add: tuple[Atom, ...]
    delete: tuple[Atom, ...]


@dataclass(frozen=True)
class Domain:
    """Types with their parents, constants with their types, predicates with their numbers of arguments, actions."""

    name: str
    types: dict[str, str]
    constants: dict[str, str]
    predicates: dict[str, int]
    schemas: tuple[Schema, ...]

    def is_a(self, kind: str, wanted: str) -> bool:
        """Whether a type is another one, or below it; `either` is written with "|"."""
        while kind not in wanted.split("|"):
            if kind == OBJECT or kind not in self.types:
                return OBJECT in wanted.split("|")
            kind = self.types[kind]
        return True


@dataclass(frozen=True)
class Problem:
    """Objects with their types, atoms that hold at the beginning, atoms that must and must not hold at the end."""

    name: str
    domain: str
    objects: dict[str, str]
    init: frozenset[Atom]
    goal: tuple[Atom, ...]
    negative_goal: tuple[Atom, ...]


def read_domain(text: str, where: str) -> Domain:
    """A domain from the text of a file; raises InputError naming `where`, the form and what was expected."""
    sections = _sections(text, where, "domain")
    types = dict(_typed(sections.get(":types", []), where))
    try:
        TopologicalSorter({kind: [parent] for kind, parent in types.items()}).prepare()
    except CycleError as error:
        raise InputError(f"{where}: :types: cycle through {', '.join(error.args[1])}; expected none") from None
    constants = dict(_typed(sections.get(":constants", []), where))
    predicates = {}
    for form in sections.get(":predicates", []):
        name = _words(form, where, "a predicate")[0]
        predicates[name] = len(_typed(form[1:], where))
    schemas = tuple(_schema(form, where, predicates) for form in sections["actions"])
    if not schemas:
        raise InputError(f"{where}: has no :action; expected a PDDL domain")
    declared = {OBJECT, *types, *types.values()}
    for schema in schemas:
        for name, kind in schema.parameters:
            if unknown := set(kind.split("|")) - declared:
                raise InputError(f"{where}: action {schema.name}: {name} has the undeclared type '{min(unknown)}'")
    return Domain(sections["name"], types, constants, predicates, schemas)


def read_problem(text: str, where: str) -> Problem:
    """A problem from the text of a file; raises InputError naming `where`, the form and what was expected."""
    sections = _sections(text, where, "problem")
    for name in (":domain", ":init", ":goal"):
        if name not in sections:
            raise InputError(f"{where}: ({name} ...) is missing; expected a PDDL problem")
    if len(sections[":goal"]) != 1 or len(sections[":domain"]) != 1:
        raise InputError(f"{where}: :goal and :domain take one form each")
    init = [tuple(_words(form, where, "an atom of :init")) for form in sections[":init"] if form[:1] != ["="]]
    positive, negative, equal, unequal = _literals(sections[":goal"][0], where, "the goal")
    if equal or unequal:
        raise InputError(f"{where}: the goal compares objects; expected atoms")
    objects = dict(_typed(sections.get(":objects", []), where))
    return Problem(sections["name"], str(sections[":domain"][0]), objects, frozenset(init), positive, negative)


def _sections(text: str, where: str, kind: str) -> dict[str, Any]:
    forms = _parse(text, where)
    if not isinstance(forms, list) or forms[:1] != ["define"] or len(forms) < 2:
        raise InputError(f"{where}: expected (define ({kind} NAME) ...)")
    head = forms[1]
    if not isinstance(head, list) or len(head) != 2 or head[0] != kind:
        raise InputError(f"{where}: expected (define ({kind} NAME) ...), got {_text(head)}")
    found: dict[str, Any] = {"name": head[1], "actions": []}
    for form in forms[2:]:
        if not isinstance(form, list) or not form or not isinstance(form[0], str):
            raise InputError(f"{where}: expected a section as (:init ...), got {_text(form)}")
        if form[0] in (":derived", ":functions", ":durative-action"):
            raise InputError(f"{where}: {form[0]} is not of the STRIPS fragment; leave such domains out")
        if form[0] == ":action":
            found["actions"].append(form)
        else:
            found[form[0]] = form[1:]
    return found


def _schema(form: list[Form], where: str, predicates: dict[str, int]) -> Schema:
    words = _words(form[:2], where, "an action")
    about = f"action {words[-1]}"
    if len(form) % 2 or len(words) != 2:
        raise InputError(f"{where}: {about}: expected pairs as :parameters (...) :precondition (...) :effect (...)")
    parts = dict(zip((str(name) for name in form[2::2]), form[3::2], strict=True))
    parameters = tuple(_typed(parts.get(":parameters", []), where))
    positive, negative, equal, unequal = _literals(parts.get(":precondition", []), where, f"{about}: precondition")
    add, delete, *compared = _literals(parts.get(":effect", []), where, f"{about}: effect")
    if any(compared):
        raise InputError(f"{where}: {about}: an effect compares objects; expected atoms")
    variables = {name for name, _ in parameters}
    for atom in (*positive, *negative, *add, *delete, *equal, *unequal):
        if unknown := [word for word in atom if word.startswith("?") and word not in variables]:
            raise InputError(f"{where}: {about}: {unknown[0]} is not among its :parameters")
    for atom in (*positive, *negative, *add, *delete):
        if atom[0] not in predicates:
            raise InputError(f"{where}: {about}: predicate '{atom[0]}' is not declared in :predicates")
        if len(atom) - 1 != predicates[atom[0]]:
            raise InputError(
                f"{where}: {about}: {_text(list(atom))} has {len(atom) - 1} arguments; declared with "
                f"{predicates[atom[0]]}"
            )
    return Schema(words[1], parameters, positive, negative, equal, unequal, add, delete)


def _literals(form: Form, where: str, about: str) -> tuple[Any, Any, Any, Any]:
    """Positive and negative atoms, equal and unequal pairs of a conjunction."""
    found: tuple[list[Any], ...] = ([], [], [], [])
    for each in _conjuncts(form):
        is_negated = isinstance(each, list) and each[:1] == ["not"]
        if is_negated and len(each) != 2:
            raise InputError(f"{where}: {about}: expected (not ATOM), got {_text(each)}")
        atom = _words(each[1] if is_negated else each, where, about)
        if atom[0] in REFUSED:
            raise InputError(
                f"{where}: {about} has {REFUSED[atom[0]]} ({atom[0]}), which is not of the STRIPS fragment"
            )
        if atom[0] == "=":
            found[2 + is_negated].append(tuple(atom[1:]))
        else:
            found[is_negated].append(tuple(atom))
    positive, negative, equal, unequal = (tuple(each) for each in found)
    return positive, negative, equal, unequal


def _conjuncts(form: Form) -> Iterator[Form]:
    if form == [] or form is None:
        return
    if isinstance(form, list) and form[:1] == ["and"]:
        for each in form[1:]:
            yield from _conjuncts(each)
    else:
        yield form


def _typed(forms: Sequence[Form], where: str) -> list[tuple[str, str]]:
    """Pairs of name and type from "a b - kind c"; a type `(either x y)` becomes "x|y"."""
    found: list[tuple[str, str]] = []
    waiting: list[str] = []
    words = [part for word in forms for part in _split(word)]
    while words:
        word = words.pop(0)
        if word == "-" and words:
            kind = words.pop(0)
            name = "|".join(_words(kind, where, "a type")[1:]) if isinstance(kind, list) else kind
            found += [(each, name) for each in waiting]
            waiting = []
        elif isinstance(word, str) and word != "-":
            waiting.append(word)
        else:
            raise InputError(f"{where}: expected names with types as a b - kind, got {_text(word)}")
    return found + [(each, OBJECT) for each in waiting]


def _split(word: Form) -> list[Form]:
    """Take "-kind" as "-" and "kind": names begin with a letter."""
    return ["-", word[1:]] if isinstance(word, str) and word.startswith("-") and len(word) > 1 else [word]


def _words(form: Form, where: str, about: str) -> list[str]:
    if isinstance(form, list) and form and isinstance(form[0], str):
        if form[0] in REFUSED:
            raise InputError(
                f"{where}: {about} has {REFUSED[form[0]]} ({form[0]}), which is not of the STRIPS fragment"
            )
        if all(isinstance(word, str) for word in form):
            return form
    raise InputError(f"{where}: {about}: expected words in brackets, got {_text(form)}")


def _parse(text: str, where: str) -> Form:
    """The one form of a file; a comment goes from ";" to the end of the line."""
    plain = re.sub(r";[^\n]*", "", text)
    stack: list[list[Form]] = [[]]
    opened: list[int] = []
    for match in re.finditer(r"[()]|[^\s()]+", plain):
        word, line = match.group().lower(), plain.count("\n", 0, match.start()) + 1
        if word == "(":
            stack.append([])
            opened.append(line)
            if len(opened) > DEEPEST:
                raise InputError(f"{where}: line {line}: more than {DEEPEST} brackets within each other")
        elif word == ")":
            if len(stack) == 1:
                raise InputError(f"{where}: line {line}: a closing bracket too many")
            done = stack.pop()
            opened.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(word)
    if opened:
        raise InputError(f"{where}: the bracket of line {opened[-1]} is never closed")
    if len(stack[0]) != 1:
        raise InputError(f"{where}: expected one form (define ...), got {len(stack[0])}")
    return stack[0][0]


def _text(form: Form) -> str:
    text = f"({' '.join(_text(each) for each in form)})" if isinstance(form, list) else str(form)
    return text if len(text) < 60 else f"{text[:56]} ..."
