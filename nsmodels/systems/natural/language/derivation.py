"""Derivations: programs under construction, as sequences of tokens and mentions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.systems.natural.language.grammar import Grammar
from nsmodels.systems.natural.language.mentions import Entry, Mention
from nsmodels.systems.natural.language.trees import CLOSED, ROOT, Frame, Kind, Leaf, Notation, Tree

MOST_ARGUMENTS = 3  # of a frame


class Derivation:
    """An incomplete program of one question. A symbol is a token's number, or that of a mention from `tokens` on.

    Args:
        grammar: tokens and slots.
        mentions: those of the question.
    """

    def __init__(self, grammar: Grammar, mentions: Sequence[Mention]) -> None:
        self.grammar, self.mentions = grammar, mentions
        self.symbols: list[int] = []
        self._open = [grammar.slot_numbers[ROOT]]

    @property
    def slot(self) -> int:
        """Type of the slot that the next symbol fills; that of `CLOSED` when the program is complete."""
        return self._open[-1] if self._open else self.grammar.slot_numbers[CLOSED]

    @property
    def num_open(self) -> int:
        """Number of open slots."""
        return len(self._open)

    def slack(self, limit: int) -> int:
        """Tokens available to the next slot in a program of at most `limit` tokens."""
        others = sum(self.grammar.closing[slot] for slot in self._open[:-1])
        return limit - len(self.symbols) - others

    @property
    def excluded(self) -> frozenset[int]:
        """Symbols that would give a choice two equal options, where something else is left to choose."""
        if len(self.symbols) < 2 or not self._is_second_option():
            return frozenset()
        first = self.leaf(self.symbols[-1])
        groups = self.grammar.groups_of[self.grammar.slots[self.slot]]
        numbers = range(len(self.grammar.tokens), len(self.grammar.tokens) + len(self.mentions))
        fitting = {n for n in numbers if self.leaf(n).group in groups}  # type: ignore[union-attr]  # entries
        fitting |= {int(n) for n in np.flatnonzero(self.grammar.fits[self.slot])}
        equal = {n for n in fitting if self.leaf(n) == first}
        return frozenset(equal) if equal < fitting else frozenset()

    def _is_second_option(self) -> bool:
        notation = self.grammar.notation
        for back in range(2, min(len(self.symbols), MOST_ARGUMENTS) + 1):
            leaf = self.leaf(self.symbols[-back])
            if isinstance(leaf, Frame):
                return notation.has_options(leaf) and len(notation.argument_slots(leaf)) == back
        return False

    def followed_by(self, symbol: int) -> Derivation:
        """A copy with the next slot filled; raise as `push`."""
        longer = Derivation(self.grammar, self.mentions)
        longer.symbols, longer._open = [*self.symbols], [*self._open]
        longer.push(symbol)
        return longer

    def push(self, symbol: int) -> None:
        """Fill the next slot; raise `InputError` where the symbol does not fit or nothing is open."""
        grammar, number = self.grammar, symbol - len(self.grammar.tokens)
        if number < 0:
            does_fit, opened = bool(grammar.fits[self.slot, symbol]), grammar.opens[symbol]
        else:
            group = self.mentions[number].entry.group
            does_fit, opened = group in grammar.groups_of[grammar.slots[self.slot]], ()
        if not self._open or not does_fit:
            raise InputError(f"program: symbol {symbol} cannot fill a slot of type '{grammar.slots[self.slot]}'")
        self._open.pop()
        self._open.extend(reversed(opened))
        self.symbols.append(symbol)

    def tree(self) -> Tree:
        """The tree of a complete derivation."""
        return _tree(iter(self.symbols), self.leaf, self.grammar.notation)

    def leaf(self, symbol: int) -> Frame | Kind | Entry:
        """What a symbol stands for."""
        number = symbol - len(self.grammar.tokens)
        return self.grammar.tokens[symbol] if number < 0 else self.mentions[number].entry


def _tree(symbols: Iterator[int], meaning: Callable[[int], Frame | Leaf], notation: Notation) -> Tree:
    frame = meaning(next(symbols))
    assert isinstance(frame, Frame)
    arguments = tuple(meaning(next(symbols)) for _ in notation.argument_slots(frame))
    inputs = tuple(_tree(symbols, meaning, notation) for _ in range(frame.num_inputs))
    return Tree(frame, arguments, inputs)  # type: ignore[arg-type]


Choice = tuple[int, ...]  # symbols that are right at a place: a token, or all mentions of an entry


def choices(tree: Tree, grammar: Grammar, mentions: Sequence[Mention]) -> list[Choice]:
    """The symbols of a tree in prefix order, each with its equals; raise `InputError` for a word that has none.

    What may be swapped (two inputs, options, successive filters) comes in the order in which the question mentions it.
    """
    found: list[Choice] = []
    for leaf in _prefix(as_mentioned(tree, mentions, grammar.notation)):
        found.append(_symbols(leaf, grammar, mentions))
        if not found[-1]:
            raise InputError(f"program: {leaf} is neither mentioned by the question nor a constant of the grammar")
    return found


def _prefix(tree: Tree) -> Iterator[Frame | Leaf]:
    yield tree.frame
    yield from tree.arguments
    for each in tree.inputs:
        yield from _prefix(each)


def _symbols(leaf: Frame | Leaf, grammar: Grammar, mentions: Sequence[Mention]) -> Choice:
    if isinstance(leaf, Entry):
        pointed = tuple(len(grammar.tokens) + k for k, mention in enumerate(mentions) if mention.entry == leaf)
        if pointed:
            return pointed
    return (grammar.numbers[leaf],) if leaf in grammar.numbers else ()


def as_mentioned(tree: Tree, mentions: Sequence[Mention], notation: Notation) -> Tree:
    """The tree with its parts that may be swapped in the order of their first mentions."""
    arguments = tree.arguments
    if len(arguments) > 1 and type(arguments[-1]) is type(arguments[-2]) and notation.has_options(tree.frame):
        pair = sorted(arguments[-2:], key=lambda leaf: (_place(leaf, mentions), leaf))
        arguments = (*arguments[:-2], *pair)
    inputs = tuple(as_mentioned(each, mentions, notation) for each in tree.inputs)
    if notation.is_symmetric(tree.frame):
        inputs = tuple(sorted(inputs, key=lambda each: (first_place(each, mentions), repr(each))))
    return _filters_as_mentioned(Tree(tree.frame, arguments, inputs), mentions, notation)


def _filters_as_mentioned(tree: Tree, mentions: Sequence[Mention], notation: Notation) -> Tree:
    chain, inner = [], tree
    while notation.is_filter(inner.frame):
        chain.append(inner)
        (inner,) = inner.inputs
    for each in sorted(chain, key=lambda each: (_place(each.arguments[0], mentions), repr(each[:2])), reverse=True):
        inner = Tree(each.frame, each.arguments, (inner,))
    return inner


def first_place(tree: Tree, mentions: Sequence[Mention]) -> int:
    """Place in the question of the first mention of a tree's own words."""
    return min(
        (_place(tree.arguments[0], mentions) if tree.arguments else _NOWHERE),
        min((first_place(each, mentions) for each in tree.inputs), default=_NOWHERE),
    )


_NOWHERE = 10**6


def _place(leaf: Leaf, mentions: Sequence[Mention]) -> int:
    return min((mention.start for mention in mentions if mention.entry == leaf), default=_NOWHERE)
