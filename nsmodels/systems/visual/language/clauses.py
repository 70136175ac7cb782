"""Parts of a program as a reader of it distinguishes them: noun phrases, statements about one thing, about all things.

Two kinds of statements are written with CLEVR's functions, which have no step of their own for them:

- "the gray thing is a sphere": exist(intersect(gray things, spheres)). The question presupposes that one thing is gray.
- "all cubes are red": equal_integer(count(cubes), count(cubes that are red)).
"""

from __future__ import annotations

from typing import NamedTuple

from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.grammar import Program, Token, Tree

SCENE = Tree(Token("scene", ""), ())


class Clause(NamedTuple):
    """A set as a noun phrase: `values` by which it is filtered, and the `base` that is filtered.

    `base` begins with scene, relate, a same_* function, intersect or union.
    """

    values: tuple[str, ...]
    base: Tree


class Statement(NamedTuple):
    """A question whether what is in `subject` is in `predicate`, too: two sets of the program."""

    subject: Tree
    predicate: Tree


def clause(tree: Tree) -> Clause:
    """The noun phrase of a set."""
    values: list[str] = []
    while tree.token.function.startswith("filter_"):
        values.append(tree.token.value)
        tree = tree.inputs[0]
    return Clause(tuple(values), tree)


def statement(tree: Tree) -> Statement | None:
    """The statement about the one thing of a set that a program asks for; None for other programs."""
    if tree.token.function != "exist" or tree.inputs[0].token.function != "intersect":
        return None
    return Statement(*tree.inputs[0].inputs)


def universal(tree: Tree) -> Statement | None:
    """The statement about all things of a set that a program asks for; None for other programs.

    `predicate` contains the subject: the things of the subject for which the statement holds.
    """
    if tree.token.function != "equal_integer":
        return None
    subject, predicate = (count.inputs[0] for count in tree.inputs)
    inner = predicate
    while inner != subject and inner.token.function.startswith("filter_"):
        inner = inner.inputs[0]
    return Statement(subject, predicate) if inner == subject and predicate != subject else None


def presupposed(program: Program) -> Program | None:
    """The program that counts the things which a question about "the" one thing presupposes to be one.

    None where the program has no such presupposition outside of its `unique` steps.
    """
    found = statement(grammar.tree_of(program))
    return grammar.nodes_of(Tree(Token("count", ""), (found.subject,))) if found else None
