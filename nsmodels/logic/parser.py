"""Parser of rule files, written by hand: it recovers after each faulty statement, so that all faults are reported.

The grammar::

    statement    = [number "::"] atom [":-" condition {"," condition}] "." | declaration "."
    condition    = ["not"] atom | term operator term
    declaration  = "type" names [":" constants] | "concept" names [":" types] | "parent" name ":" names
                 | "symmetric" names | "inverse" name ":" name | "note" text
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from nsmodels.logic.syntax import ANONYMOUS, OPERATORS, Atom, Comparison, Constant, Literal, Rule, Term, Variable
from nsmodels.logic.syntax import is_variable_name as _is_variable

NOT = ("not", "\\+")
SPELLINGS = {"!=": "\\=", "==": "=", "<=": "=<"}  # accepted for those of `OPERATORS`
KEYWORDS = ("type", "concept", "parent", "symmetric", "inverse", "note")
NAMED = ("name", "quoted")
_TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    |(?P<name>(?:[^\W\d]|[^\x00-\x7f\s])(?:\w|[^\x00-\x7f\s])*)
    |(?P<quoted>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    |(?P<sign>::|:-|\\=|\\\+|!=|==|=<|<=|>=|[<>=(),.:-])
    |(?P<stray>.)""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """A word of a rule file. Kinds: name, number, quoted, sign, stray, end."""

    kind: str
    text: str
    line: int


class Fault(NamedTuple):
    """What is wrong in a line of a file, with the remedy."""

    line: int
    message: str


class Declaration(NamedTuple):
    """`keyword names: values.`"""

    keyword: str
    names: tuple[str, ...]
    values: tuple[Constant, ...]
    line: int


@dataclass
class Statements:
    """The statements of a file, and the faults that kept others from being read."""

    rules: list[Rule] = field(default_factory=list)
    declarations: list[Declaration] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class _Unreadable(Exception):
    def __init__(self, token: Token, expected: str) -> None:
        shown = "the end of the file" if token.kind == "end" else f"'{token.text}'"
        self.fault = Fault(token.line, f"expected {expected}, got {shown}")


def tokens_of(text: str) -> Iterator[Token]:
    """The words of a text, without space and comments, and an end."""
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "space":
            yield Token(match.lastgroup or "", match[0], line)
        line += match[0].count("\n")
    yield Token("end", "", line)


def parse(text: str) -> Statements:
    """The statements of a rule file."""
    return _Parser(text).statements()


def parse_atom(text: str) -> Atom:
    """One atom, as in a query: `wet(X)`. Raises `ValueError` with what was expected."""
    parser = _Parser(text.strip().removesuffix("."))
    try:
        atom = parser.atom()
        parser.expect("", "the end of the query")
    except _Unreadable as error:
        raise ValueError(error.fault.message) from None
    return atom


class _Parser:
    """Reads statements one after the other; `_place` is the number of the next token."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens_of(text))
        self._place = 0
        self._num_anonymous = 0

    def statements(self) -> Statements:
        """All statements."""
        found = Statements()
        while self._next.kind != "end":
            try:
                read = self._statement()
            except _Unreadable as error:
                found.faults.append(error.fault)
                self._recover()
                continue
            if isinstance(read, Rule):
                found.rules.append(read)
            else:
                found.declarations.append(read)
        return found

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    def _take(self) -> Token:
        token = self._next
        self._place += token.kind != "end"
        return token

    def _has(self, *texts: str) -> bool:
        """Take the next token if it is one of these signs or words."""
        is_there = self._next.kind in ("sign", "name") and self._next.text in texts
        self._place += is_there
        return is_there

    def expect(self, text: str, what: str = "") -> None:
        """Take the next token, which must be `text` (empty: the end)."""
        is_there = self._next.kind == "end" if not text else self._next.kind == "sign" and self._next.text == text
        if not is_there:
            raise _Unreadable(self._next, what or f"'{text}'")
        self._take()

    def _recover(self) -> None:
        """Skip the rest of a faulty statement."""
        while self._next.kind != "end" and not (self._next.kind == "sign" and self._next.text == "."):
            self._take()
        self._take()

    def _statement(self) -> Rule | Declaration:
        self._num_anonymous = 0
        first, following = self._next, self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        if first.kind == "name" and first.text in KEYWORDS and following.kind in NAMED:
            return self._declaration()
        probability = 1.0
        if first.kind == "number" or (first.kind == "sign" and first.text == "-"):
            probability = float(self._number())
            self.expect("::")
        head = self.atom()
        body = self._conditions() if self._has(":-") else ()
        self.expect(".", "',' or '.'" if body else "':-' or '.'")
        return Rule(head, body, probability, first.line)

    def _declaration(self) -> Declaration:
        keyword = self._take()
        names = tuple(str(each) for each in self._list())
        if self._next.text == "(":
            raise _Unreadable(self._next, f"':' or '.', as in `{keyword.text} on: object, object.`")
        values = tuple(self._list()) if self._has(":") else ()
        self.expect(".", "',', ':' or '.'")
        return Declaration(keyword.text, names, values, keyword.line)

    def _list(self) -> Iterator[Constant]:
        yield self._constant()
        while self._has(","):
            yield self._constant()

    def _constant(self) -> Constant:
        token = self._next
        if token.kind not in NAMED:
            return self._number()
        self._take()
        return _name(token)

    def _number(self) -> int | float:
        is_negative = self._has("-")
        token = self._next
        if token.kind != "number":
            raise _Unreadable(token, "a name or a number")
        self._take()
        value = int(token.text) if token.text.isdigit() else float(token.text)
        return -value if is_negative else value

    def _conditions(self) -> tuple[Literal | Comparison, ...]:
        found = [self._condition()]
        while self._has(","):
            found.append(self._condition())
        return tuple(found)

    def _condition(self) -> Literal | Comparison:
        if self._next.text in NOT and self._next.kind != "quoted":
            self._take()
            return Literal(self._in_brackets(), is_negated=True)
        following = self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        is_compared = following.kind == "sign" and (following.text in OPERATORS or following.text in SPELLINGS)
        if self._next.kind == "number" or self._next.text == "-" or is_compared:
            left, sign, right = self._term(), self._take(), self._term()
            operator = SPELLINGS.get(sign.text, sign.text)
            if operator not in OPERATORS:
                raise _Unreadable(sign, f"one of {' '.join(OPERATORS)}")
            return Comparison(left, operator, right)
        return Literal(self.atom())

    def _in_brackets(self) -> Atom:
        """An atom, or one in brackets: `not(wet(X))`."""
        if not self._has("("):
            return self.atom()
        atom = self._in_brackets()
        self.expect(")")
        return atom

    def atom(self) -> Atom:
        """A predicate with its arguments."""
        token = self._next
        if token.kind not in NAMED or (token.kind == "name" and (token.text == "not" or _is_variable(token.text))):
            remedy = " (names with a capital letter are variables; quote them)" if token.kind == "name" else ""
            raise _Unreadable(token, f"a predicate{remedy}")
        self._take()
        if not self._has("("):
            return Atom(_name(token))
        if self._has(")"):
            return Atom(_name(token))
        arguments = [self._term()]
        while self._has(","):
            arguments.append(self._term())
        self.expect(")", "',' or ')'")
        return Atom(_name(token), tuple(arguments))

    def _term(self) -> Term:
        token = self._next
        if token.kind != "name" or not _is_variable(token.text):
            return self._constant()
        self._take()
        if token.text != "_":
            return Variable(token.text)
        self._num_anonymous += 1
        return Variable(f"{ANONYMOUS}{self._num_anonymous}")


def _name(token: Token) -> str:
    if token.kind == "name":
        return token.text
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], token.text[1:-1])
