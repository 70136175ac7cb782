"""Differences between what the words of a question mean and what its program contains, as short lines.

Colours, shapes, sizes, materials and relations are compared one by one with how often they occur; attribute names, the
kind of the answer, comparisons, and/or by whether they occur at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTE_OF, ATTRIBUTES, FUNCTIONS, RELATIONS
from nsmodels.systems.visual.language import grammar
from nsmodels.systems.visual.language.clauses import universal
from nsmodels.systems.visual.language.grammar import Program, Tree

SYNONYMS = {
    "cube": "block box",
    "sphere": "ball orb globe",
    "large": "big huge",
    "small": "tiny little",
    "metal": "metallic shiny metals",
    "rubber": "matte",
    "gray": "grey",
}
MEANINGS = {value: value for values in (*ATTRIBUTES.values(), RELATIONS) for value in values}
MEANINGS |= {word: value for value, words in SYNONYMS.items() for word in words.split()}
MEANINGS |= {f"{word}s": value for word, value in MEANINGS.items() if value in ATTRIBUTES["shape"]}
MEANINGS |= {"boxes": "cube"}
# Words that name an attribute itself.
NAMES = {"color": "color colour colors colours colored coloured", "shape": "shape shapes", "size": "size sizes"}
NAMES |= {"material": "material materials"}
ATTRIBUTE_NAMES = {word: name for name, words in NAMES.items() for word in words.split()}
BIG = {("how", "big"), ("how", "large"), ("how", "small")}
COUNTING = frozenset("many number count total amount more fewer less equal all every each everything".split())  # noqa: SIM905
SEEKING = frozenset(("what", "which", "same"))
ASKING = COUNTING | frozenset(["what", "which", "how", "is", "are", "does", "do", "can", "any", "there"])
THINGS = frozenset("thing things object objects item items anything something everything all it".split())  # noqa: SIM905
UNITING = frozenset(("or", "and", "either"))


def differences(words: Sequence[str], program: Program) -> tuple[str, ...]:
    """What words of a question are not in the program, and what in the program no word of the question means."""
    tree = grammar.tree_of(program)
    asked = tree.token.function.removeprefix("query_")
    if asked in ATTRIBUTES and (rest := without_choice(words, asked)) != list(words):
        words = [*rest, "what", asked]
    return (*_values(words, tree), *_names(words, tree), *_functions(set(words), tree))


def without_choice(words: Sequence[str], attribute: str) -> list[str]:
    """The words without two values of an attribute that are offered as answers, as "is the cube red or blue"."""
    rest = list(words)
    if "or" in rest[1:-1]:
        at = rest.index("or")
        after = at + (2 if rest[at + 1] in ("a", "an") else 1)
        offered = [word for word in (rest[at - 1], *rest[after : after + 1]) if _attribute_of(word) == attribute]
        return rest[: at - 1] + rest[after + 1 :] if len(offered) == 2 else rest
    return rest


def _attribute_of(word: str) -> str:
    return ATTRIBUTE_OF.get(MEANINGS.get(word, ""), "")


def meanings(words: Sequence[str]) -> list[tuple[str, str]]:
    """The words that mean a value or relation, each with its meaning. The size in "how big" is an attribute."""
    pairs = zip(words, ["", *words], strict=False)
    return [(word, MEANINGS[word]) for word, before in pairs if word in MEANINGS and before != "how"]


def _values(words: Sequence[str], tree: Tree) -> list[str]:
    found = universal(tree)
    # "All cubes are red" has the cubes twice in its program; "as many cubes as red cubes" has the same one.
    parts = [tree, found.predicate] if found else [tree]
    return min((list(_value_differences(words, part)) for part in parts), key=len)


def _value_differences(words: Sequence[str], tree: Tree) -> Iterator[str]:
    contained = Counter(token.value for token in _tokens(tree) if token.value)
    for word, value in meanings(words):
        if not contained[value]:
            yield f"the word '{word}' is not in the program"
        contained[value] -= contained[value] > 0
    yield from (f"no word of the question means '{value}'" for value in contained.elements())


def _names(words: Sequence[str], tree: Tree) -> Iterator[str]:
    asked = {ATTRIBUTE_NAMES[word] for word in words if word in ATTRIBUTE_NAMES}
    if not SEEKING & set(words):
        # "Blue in color", "the color red": the name goes with a value.
        asked -= {_attribute_of(word) for word in words}
    asked |= {"size"} if set(pairwise(words)) & BIG else set()
    functions = {token.function for token in _tokens(tree)}
    contained = {name for name in ATTRIBUTES if functions & {f"query_{name}", f"same_{name}", f"equal_{name}"}}
    # "Made of" goes with a value ("made of metal") or asks for one.
    asked |= contained & {"material"} if "made" in words else set()
    yield from (f"the program has nothing about the {name}" for name in sorted(asked - contained))
    yield from (f"no word of the question means the {name}" for name in sorted(contained - asked))


def _functions(words: set[str], tree: Tree) -> Iterator[str]:
    functions = {token.function for token in _tokens(tree)}
    kind = FUNCTIONS[tree.token.function][1]
    if not words & ASKING:
        yield "no word of the question asks for something"
    if not words & (THINGS | MEANINGS.keys()):
        yield "no word of the question names a thing"
    if kind == "int" and not words & COUNTING:
        yield "the program counts, the question does not"
    if kind != "int" and "many" in words and not functions & {"equal_integer"}:
        yield "the question counts, the program does not"
    if "union" in functions and not words & UNITING:
        yield "the program joins two groups, the question does not"
    if "union" in functions and kind == "bool" and "or" not in words:
        yield "'and' is read as 'or'"
    if "or" in words and "union" not in functions:
        yield "the word 'or' is not in the program"


def _tokens(tree: Tree) -> Iterator[grammar.Token]:
    yield tree.token
    for part in tree.inputs:
        yield from _tokens(part)
