"""CLEVR programs as a typed grammar: tokens, well-typed derivations, released node lists.

A program is a tree. In prefix (Polish) order, from the answer backwards, it is a sequence of tokens `function[value]`,
each of which fills the oldest open slot of the innermost incomplete function. A slot has a type, and only functions of
that type can fill it, so that every complete derivation is a well-formed program.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS, RELATIONS

Program = list[dict[str, Any]]


class Token(NamedTuple):
    """One function together with its value; `value` is empty where the function takes none."""

    function: str
    value: str

    def __str__(self) -> str:
        return f"{self.function}[{self.value}]" if self.value else self.function


class Tree(NamedTuple):
    """A program as a tree: the token at its root and the trees of its inputs."""

    token: Token
    inputs: tuple[Tree, ...]


def _values(function: str) -> tuple[str, ...]:
    if function == "relate":
        return RELATIONS
    return ATTRIBUTES[function.removeprefix("filter_")] if function.startswith("filter_") else ("",)


TOKENS = tuple(Token(function, value) for function in FUNCTIONS for value in _values(function))
TOKEN_IDS = {token: number for number, token in enumerate(TOKENS)}
START = len(TOKENS)  # stands for the previous token at the decoder's first step

# Slot types. "closed" fills tables beyond the end of a program; "answer" is the root of every program.
ANSWER_TYPES = ("int", "bool", *ATTRIBUTES)
TYPES = ("closed", "answer", "set", "object", *ANSWER_TYPES)
TYPE_IDS = {name: number for number, name in enumerate(TYPES)}
CLOSED, ANSWER = TYPE_IDS["closed"], TYPE_IDS["answer"]


def _fits(token: Token, slot: str) -> bool:
    output = FUNCTIONS[token.function][1]
    return output in ANSWER_TYPES if slot == "answer" else output == slot


def _closing_costs() -> dict[str, int]:
    """Smallest number of tokens that fill a slot of each type."""
    # Fixed point of cost(type) = min over tokens of that type of 1 + Σ cost(its inputs). A shortest derivation contains
    # no type twice on one path, so that as many rounds as there are types suffice.
    cost = dict.fromkeys(TYPES, 10**6) | {"closed": 0}
    for _ in TYPES:
        for slot in TYPES[1:]:
            costs = [1 + sum(cost[kind] for kind in FUNCTIONS[t.function][0]) for t in TOKENS if _fits(t, slot)]
            cost[slot] = min(costs)
    return cost


_CLOSING = _closing_costs()
CLOSING_COST = [_CLOSING[name] for name in TYPES]
TOKEN_INPUTS = [tuple(TYPE_IDS[kind] for kind in FUNCTIONS[t.function][0]) for t in TOKENS]
TOKEN_COST = np.array([1 + sum(CLOSING_COST[kind] for kind in kinds) for kinds in TOKEN_INPUTS])
MAX_TOKEN_COST = int(TOKEN_COST.max())

# FITS[type, token]: whether the token can fill a slot of the type; a closed slot accepts any, and is never scored.
FITS = np.array([[name == "closed" or _fits(token, name) for token in TOKENS] for name in TYPES])
# FITS_WITHIN[type, slack, token]: and can be completed within `slack` tokens, `slack` capped at MAX_TOKEN_COST.
FITS_WITHIN = FITS[:, None] & (TOKEN_COST[None] <= np.arange(MAX_TOKEN_COST + 1)[:, None])[None]
FITS_WITHIN[CLOSED] = True


class Derivation:
    """An incomplete program: the tokens so far and the stack of open slots, the next one on top."""

    def __init__(self) -> None:
        self.tokens: list[int] = []
        self._open = [ANSWER]
        self._cost = CLOSING_COST[ANSWER]

    @property
    def slot(self) -> int:
        """Type of the slot that the next token fills; `CLOSED` when the program is complete."""
        return self._open[-1] if self._open else CLOSED

    @property
    def num_open(self) -> int:
        """Number of open slots."""
        return len(self._open)

    def slack(self, limit: int) -> int:
        """Tokens available to the next slot in a program of at most `limit` tokens, capped at `MAX_TOKEN_COST`."""
        # What is left of the limit, less the smallest numbers of tokens that close all other open slots.
        others = self._cost - CLOSING_COST[self.slot]
        return min(limit - len(self.tokens) - others, MAX_TOKEN_COST)

    def followed_by(self, token: int) -> Derivation:
        """A copy with the next slot filled; raise as `push`."""
        longer = Derivation()
        longer.tokens, longer._open, longer._cost = [*self.tokens], [*self._open], self._cost
        longer.push(token)
        return longer

    def push(self, token: int) -> None:
        """Fill the next slot with a token; raise `InputError` when its type does not fit or nothing is open."""
        slot = self.slot
        if slot == CLOSED or not FITS[slot, token]:
            raise InputError(f"program: {TOKENS[token]} cannot fill a slot of type '{TYPES[slot]}'")
        self._open.pop()
        self._open.extend(reversed(TOKEN_INPUTS[token]))
        self._cost += int(TOKEN_COST[token]) - 1 - CLOSING_COST[slot]
        self.tokens.append(token)


def linearise(program: Program) -> list[int]:
    """Token numbers of a released node list, from the answer backwards.

    Raises `InputError` naming the node when a function or value is unknown or the types do not fit. A node used twice
    occurs twice: the sequence is that of the tree.
    """
    if not program:
        raise InputError("program: expected at least one function, got an empty list")
    derivation = Derivation()
    pending = [len(program) - 1]
    while pending:
        number = pending.pop()
        node = program[number]
        derivation.push(_token_id(node, number))
        inputs = node["inputs"]
        if len(inputs) != len(FUNCTIONS[_function(node)][0]) or any(not 0 <= i < number for i in inputs):
            raise InputError(f"program node {number} ({_function(node)}): inputs {inputs} do not fit the function")
        pending.extend(reversed(inputs))
    return derivation.tokens


def slots(tokens: list[int]) -> list[tuple[int, int]]:
    """For each token the type of the slot it fills, and the number of open slots before it."""
    derivation = Derivation()
    filled = []
    for token in tokens:
        filled.append((derivation.slot, derivation.num_open))
        derivation.push(token)
    return filled


def program_of(tokens: list[int]) -> Program:
    """The released node list (topological, one `scene` per branch) of a complete sequence of token numbers."""
    nodes: Program = []
    _emit(_tree(iter(tokens)), nodes, {})
    return nodes


def nodes_of(tree: Tree) -> Program:
    """The released node list of a tree; raise `InputError` where a function or value is unknown."""
    return program_of(_numbers(tree))


def _numbers(tree: Tree) -> list[int]:
    if tree.token not in TOKEN_IDS:
        raise InputError(f"program: unknown function {tree.token}")
    return [TOKEN_IDS[tree.token], *(number for part in tree.inputs for number in _numbers(part))]


def tree_of(program: Program) -> Tree:
    """The tree of a node list; raise `InputError` as `linearise`."""
    return _tree(iter(linearise(program)))


def _function(node: dict[str, Any]) -> str:
    return node["function"] if "function" in node else node["type"]


def _token_id(node: dict[str, Any], number: int) -> int:
    token = Token(_function(node), "".join(node["value_inputs"]))
    if token not in TOKEN_IDS:
        raise InputError(
            f"program node {number}: unknown function {token}; expected one of CLEVR's functions and values"
        )
    return TOKEN_IDS[token]


def _tree(remaining: Iterator[int]) -> Tree:
    number = next(remaining)
    return Tree(TOKENS[number], tuple(_tree(remaining) for _ in TOKEN_INPUTS[number]))


def _emit(tree: Tree, nodes: Program, placed: dict[int, int]) -> int:
    """Append the nodes of a tree after those of its inputs; return the index of its root."""
    if id(tree) not in placed:
        for part in _ahead(tree):
            _emit(part, nodes, placed)
        inputs = [_emit(part, nodes, placed) for part in tree.inputs]
        value_inputs = [tree.token.value] if tree.token.value else []
        nodes.append({"inputs": inputs, "function": tree.token.function, "value_inputs": value_inputs})
        placed[id(tree)] = len(nodes) - 1
    return placed[id(tree)]


def _ahead(tree: Tree) -> list[Tree]:
    """Subtrees that the release puts before the branch that contains them.

    Three of its templates are not in post-order: the comparisons of size and of colour between two objects without
    relations contain both objects before they query either, and a union of groups without relations, filtered by shape,
    begins with both scenes.
    """
    function = tree.token.function
    if function in ("equal_size", "equal_color") and not _is_related(tree):
        return [query.inputs[0] for query in tree.inputs]
    if function == "filter_shape" and tree.inputs[0].token.function == "union" and not _is_related(tree):
        return _leaves(tree)
    return []


def _is_related(tree: Tree) -> bool:
    function = tree.token.function
    return function == "relate" or function.startswith("same_") or any(map(_is_related, tree.inputs))


def _leaves(tree: Tree) -> list[Tree]:
    return [leaf for part in tree.inputs for leaf in _leaves(part)] if tree.inputs else [tree]
