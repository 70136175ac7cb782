"""The rules: regular languages of paths, as finite automata over relations and their inverses.

A path rule is `a (b c)* b? d`, that is: a, then b and c in turn, then d. Its four versions permute the same relations,
so that only their order decides. Consistency of types is `instance of, (subclass of)*, disjoint with, (inverse of
subclass of)*`: what leads from an entity to a class that it cannot belong to; disjointness holds in both directions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.graphs.vocabulary import Vocabulary

PATHS, TYPES = range(2)  # kinds of queries
# Letters a, b, c, d of each path rule, as numbers of relations.
LETTERS = np.array([(0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 1, 0), (3, 2, 0, 1)])
RELATIONS = ("p", "q", "r", "s", "near", "instance of", "subclass of", "disjoint with", "related to")
NUM_LETTERS = 4
NEAR, INSTANCE, SUBCLASS, DISJOINT, RELATED = range(4, 9)
TYPE_RULE = len(LETTERS)
NUM_STATES = 4
START, ONE, TWO, END = range(NUM_STATES)
VOCABULARY = Vocabulary(
    node_types=("entity", "class"),
    features=("none", *(f"asks rule {k + 1}" for k in range(len(LETTERS))), "asks exclusion"),
    marks=("none", "head", "tail"),
    relations=RELATIONS,
    kinds=("paths", "types"),
    channels=("start reaches", "state 1 reaches", "state 2 reaches", "end reaches"),
    classes=("not entailed", "entailed"),
    length="relations on the entailing path",
    aggregation="max",
)
HEAD, TAIL = 1, 2  # marks
# The state in which a path that is spelled by the rule ends, by rule.
ACCEPTING = np.array([END] * len(LETTERS) + [TWO])


def spelling(rule: int) -> str:
    """A rule in words of relations."""
    if rule == TYPE_RULE:
        return "instance of, (subclass of)*, disjoint with, (inverse of subclass of)*"
    a, b, c, d = (RELATIONS[letter] for letter in LETTERS[rule])
    return f"{a} ({b} {c})* {b}? {d}"


def transitions() -> NDArray[np.int64]:
    """The next state, int (rules, 2, relations, states), -1 for none; first an edge is followed, then its inverse."""
    table = np.full((len(LETTERS) + 1, 2, len(RELATIONS), NUM_STATES), -1)
    for rule, (a, b, c, d) in enumerate(LETTERS):
        table[rule, 0, a, START] = ONE
        table[rule, 0, b, ONE] = TWO
        table[rule, 0, c, TWO] = ONE
        table[rule, 0, d, ONE] = table[rule, 0, d, TWO] = END
    table[TYPE_RULE, 0, INSTANCE, START] = ONE
    table[TYPE_RULE, 0, SUBCLASS, ONE] = ONE
    table[TYPE_RULE, :, DISJOINT, ONE] = TWO
    table[TYPE_RULE, 1, SUBCLASS, TWO] = TWO
    return table


def _sets() -> NDArray[np.uint8]:
    """Transitions of sets of states, uint8 (rules, 2, relations, 16): state s is bit 3 - s, as `np.packbits` has it."""
    table = transitions()
    found = np.zeros((*table.shape[:-1], 16), np.uint8)
    for place in np.argwhere(table >= 0):
        *where, state = place.tolist()
        holds = (np.arange(16) >> (3 - state) & 1).astype(bool)
        found[(*where, holds)] |= np.uint8(8 >> table[tuple(place)])
    return found


SETS = _sets()
