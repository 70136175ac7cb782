"""A program in plain English: "whether there is a red cube left of the ball"."""

from __future__ import annotations

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTE_OF, ATTRIBUTES
from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.clauses import Statement, clause, statement, universal
from nsmodels.systems.visual.language.grammar import Program, Tree

RELATED = {"left": "left of", "right": "right of", "front": "in front of", "behind": "behind"}
COMPARED = {"equal_integer": "as many {} as {}", "less_than": "fewer {} than {}", "greater_than": "more {} than {}"}


def describe(program: Program) -> str:
    """What a question with this program asks for, as "the number of big metal things".

    Raises `InputError` for a program that is not well-typed.
    """
    tree = grammar.tree_of(program)
    function = tree.token.function
    if found := statement(tree):
        return f"whether the {noun_phrase(found.subject)} is {_predicate(found.predicate)}"
    if found := universal(tree):
        return f"whether all {noun_phrase(found.subject, True)} are {_stated(found)}"
    if function == "count":
        return f"the number of {noun_phrase(tree.inputs[0], True)}"
    if function == "exist":
        return f"whether there is {article(noun_phrase(tree.inputs[0]))}"
    if function in COMPARED:
        groups = [noun_phrase(count.inputs[0], True) for count in tree.inputs]
        return f"whether there are {COMPARED[function].format(*groups)}"
    attribute = function.partition("_")[2]
    if function.startswith("query_"):
        return f"the {attribute} of {_the(tree.inputs[0])}"
    one, two = (_the(query.inputs[0]) for query in tree.inputs)
    return f"whether {one} and {two} have the same {attribute}"


def noun_phrase(tree: Tree, is_plural: bool = False) -> str:
    """A set as a noun phrase without an article."""
    values, base = clause(tree)
    function = base.token.function
    if function == "union" and not values:
        return " or ".join(noun_phrase(part, is_plural) for part in base.inputs)
    verb = "are" if is_plural else "is"
    if function == "scene":
        link = ""
    elif function == "union":
        link = f" that {verb} {' or '.join(_predicate(part) for part in base.inputs)}"
    elif function == "intersect":
        link = f" that {verb} {' and '.join(_predicate(part) for part in base.inputs)}"
    else:
        link = f" {_link(base)}"
    return _noun(values, is_plural) + link


def _noun(values: tuple[str, ...], is_plural: bool) -> str:
    """Adjectives in the order of the attributes, and a shape or "thing" as the noun."""
    ordered = sorted(set(values), key=lambda value: list(ATTRIBUTES).index(ATTRIBUTE_OF[value]))
    words = [value for value in ordered if ATTRIBUTE_OF[value] != "shape"]
    shapes = [value for value in ordered if ATTRIBUTE_OF[value] == "shape"] or ["thing"]
    return " ".join([*words, *shapes]) + ("s" if is_plural else "")


def _link(base: Tree) -> str:
    """A relation, or a shared attribute, with the thing at its other end."""
    function, value = base.token
    end = _the(base.inputs[0])
    if function == "relate":
        return f"{RELATED[value]} {end}"
    return f"with the same {function.removeprefix('same_')} as {end}"


def _predicate(tree: Tree) -> str:
    """A set as a predicate: "left of the cube", "red", "a red cube"."""
    values, base = clause(tree)
    if not values and base.token.function not in ("scene", "union", "intersect"):
        return _link(base)
    if base.token.function == "scene" and values and all(ATTRIBUTE_OF[value] != "shape" for value in values):
        return " and ".join(reversed(values))
    return article(noun_phrase(tree))


def _stated(found: Statement) -> str:
    """What is said of all things: the values that the predicate adds to its subject."""
    given = len(clause(found.subject).values)
    values = clause(found.predicate).values
    stated = values[: len(values) - given]
    return _noun(stated, True) if any(ATTRIBUTE_OF[v] == "shape" for v in stated) else " and ".join(reversed(stated))


def _the(unique: Tree) -> str:
    return f"the {noun_phrase(unique.inputs[0])}"


def article(noun: str) -> str:
    """A noun phrase with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"
