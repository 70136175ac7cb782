"""Programs from rule files, and facts from JSON: read, completed by what declarations stand for, and checked."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError, near
from nsmodels.logic import checks
from nsmodels.logic.parser import Declaration, Fault, Statements, parse, parse_atom
from nsmodels.logic.syntax import Atom, Constant, Fact, Literal, Program, Rule, Variable, fact_text, is_constant

SHIPPED = "nsmodels.logic.rules"
X, Y = Variable("X"), Variable("Y")


class ProgramError(InputError):
    """A rule file with faults; `faults` are all of them, one line each."""

    def __init__(self, file: str, faults: list[Fault]) -> None:
        self.faults = [f"{file}:{fault.line}: {fault.message}" for fault in sorted(faults)]
        rest = len(faults) - 1
        super().__init__(self.faults[0] + (f" ({rest} more: nsmodels rules check {file})" if rest else ""))


def load(path: Path | str) -> Program:
    """The program of a rule file, or of one that ships with the package, by its name: `load("seeds")`.

    Raises `ProgramError` with all faults, `InputError` for a file that cannot be read.
    """
    path = Path(path)
    found = shipped()
    if not path.exists() and str(path) in found:
        return read(found[str(path)], f"{path}.rules")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        known = ", ".join(found)
        raise InputError(f"{path}: {error.strerror or error}; give a rule file, or one of {known}") from None
    return read(text, str(path))


def shipped() -> dict[str, str]:
    """Texts of the rule files of the package, by name."""
    places = (each for each in resources.files(SHIPPED).iterdir() if each.name.endswith(".rules"))
    return {
        each.name.removesuffix(".rules"): each.read_text(encoding="utf-8")
        for each in sorted(places, key=lambda e: e.name)
    }


def read(text: str, file: str = "rules") -> Program:
    """The program of a text. Raises `ProgramError` with all faults."""
    statements = parse(unicodedata.normalize("NFC", text))
    program, faults = _completed(statements, file)
    faults += statements.faults + checks.faults(program)
    if faults:
        raise ProgramError(file, faults)
    return program


def _completed(statements: Statements, file: str) -> tuple[Program, list[Fault]]:
    """The program with the rules that its declarations stand for, and the faults of the declarations."""
    rules, faults, notes = list(statements.rules), [], []
    concepts: dict[str, tuple[str, ...]] = {}
    types: dict[str, tuple[Constant, ...]] = {}
    lines: dict[tuple[str, str], int] = {}
    for each in statements.declarations:
        rules += _meant(each, faults)
        if each.keyword == "note":
            notes += each.names
        for name in each.names if each.keyword in ("type", "concept") else ():
            first = lines.setdefault((each.keyword, name), each.line)
            if first != each.line or each.names.count(name) > 1:
                faults.append(Fault(each.line, f"duplicate: {each.keyword} '{name}' of line {first}; remove one"))
                continue
            if each.keyword == "type":
                types[name] = each.values
            else:
                concepts[name] = tuple(map(str, each.values))
    faults += checks.type_faults(types, concepts, lines)
    rules.sort(key=lambda rule: rule.line)  # what declarations stand for included: earlier duplicates are named
    return Program(tuple(rules), concepts, types, tuple(notes), file), list(dict.fromkeys(faults))


def _meant(declaration: Declaration, faults: list[Fault]) -> list[Rule]:
    """The rules that a declaration stands for."""
    keyword, names, values, line = declaration
    wanted = {"parent": (1, None), "inverse": (1, 1), "symmetric": (None, 0), "note": (None, 0)}
    for got, number in zip((names, values), wanted.get(keyword, (None, None)), strict=True):
        if (number is not None and len(got) != number) or (keyword == "parent" and not got):
            form = {"parent": "animal: dog, cat", "inverse": "above: below", "symmetric": "near", "note": "'text'"}
            faults.append(Fault(line, f"unclear declaration; write it as `{keyword} {form[keyword]}.`"))
            return []
    if keyword == "parent":
        return [Rule(Atom(names[0], (X,)), (Literal(Atom(str(each), (X,))),), line=line) for each in values]
    pairs = [(name, name) for name in names] if keyword == "symmetric" else []
    if keyword == "inverse":
        pairs = list(pairwise([names[0], str(values[0]), names[0]]))
    return [Rule(Atom(new, (X, Y)), (Literal(Atom(known, (Y, X))),), line=line) for known, new in pairs]


def query_of(text: str, program: Program) -> Atom:
    """The atom of a query. Raises `InputError` for a fault of syntax, an unknown predicate or a wrong arity."""
    try:
        atom = parse_atom(unicodedata.normalize("NFC", text))
    except ValueError as error:
        raise InputError(f"query '{text}': {error}; write it as 'wet(X)'") from None
    arity = program.arities.get(atom.predicate)
    if arity is None:
        known = near(atom.predicate, program.arities)
        raise InputError(f"query '{text}': {program.file} has no predicate '{atom.predicate}'{known}")
    if arity != len(atom.arguments):
        raise InputError(f"query '{text}': '{atom.predicate}' has {arity} arguments, got {len(atom.arguments)}")
    return atom


def read_facts(path: Path) -> dict[Fact, float]:
    """Facts with their probabilities from a JSON list.

    Each is `["on", ["o3", "o5"]]`, `["on", ["o3", "o5"], 0.9]` or a text as in a rule file, `"0.9 :: on(o3, o5)"`.
    Raises `InputError` that names the file and the place in the list.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as JSON ({error}); give a list of facts") from None
    if not isinstance(document, list):
        raise InputError(f'{path}: expected a list of facts, as [["person", ["o3"], 0.9]]')
    found: dict[Fact, float] = {}
    for number, each in enumerate(document):
        fact, probability = _fact(each, f"{path}: fact {number}")
        if fact in found:
            raise InputError(f"{path}: fact {number}: duplicate of {fact_text(fact)}; remove one")
        found[fact] = probability
    return found


def _fact(document: Any, place: str) -> tuple[Fact, float]:
    if isinstance(document, str):
        statements = parse(unicodedata.normalize("NFC", document.rstrip().removesuffix(".") + "."))
        if statements.faults or statements.declarations or len(statements.rules) != 1 or statements.rules[0].body:
            raise InputError(f"{place}: expected one fact, as '0.9 :: on(o3, o5)', got {document!r}")
        rule = statements.rules[0]
        document = [rule.head.predicate, list(rule.head.arguments), rule.probability]
    match document:
        case [str(name), list(arguments)]:
            probability: Any = 1.0
        case [str(name), list(arguments), probability]:
            pass
        case _:
            raise InputError(f'{place}: expected ["predicate", [constants], probability], got {document!r}')
    if not all(map(is_constant, arguments)):
        raise InputError(f"{place}: expected constants (texts or finite numbers), got {arguments!r}")
    if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 <= probability <= 1:
        raise InputError(f"{place}: expected a probability from 0 to 1, got {probability!r}")
    return (_composed(name), tuple(map(_composed, arguments))), float(probability)


def _composed(value: Any) -> Any:
    """A text in the normal form of rule files, numbers as they are."""
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def require_facts(program: Program, facts: Mapping[Fact, float], where: str = "facts") -> dict[Fact, float]:
    """The facts whose predicate the program knows.

    Raises `InputError` for one of a wrong number or type of arguments, and for a probability outside 0 to 1.
    """
    for fact, value in facts.items():
        if not 0 <= value <= 1 or not all(map(is_constant, fact[1])):
            raise InputError(f"{where}: {fact!r} with {value!r}; expected constants and a probability from 0 to 1")
    known = {fact: value for fact, value in facts.items() if fact[0] in program.arities}
    for message in _misfits(program, known):
        raise InputError(f"{where}: {message}")
    return known


def _misfits(program: Program, facts: Iterable[Fact]) -> Iterable[str]:
    for fact in facts:
        name, arguments = fact
        if len(arguments) != program.arities[name]:
            yield f"{fact_text(fact)}: '{name}' has {program.arities[name]} arguments in {program.file}"
        for constant, kind in zip(arguments, program.concepts.get(name, ()), strict=False):
            if message := checks.misfit(constant, kind, program.types):
                yield f"{fact_text(fact)}: {message}"
