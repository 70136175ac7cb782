"""Names of the planning graphs, in both encodings."""

from __future__ import annotations

from nsmodels.datasets.planning_graphs.domains import PREDICATES as PREDICATES
from nsmodels.datasets.planning_graphs.domains import SCHEMAS as SCHEMAS
from nsmodels.formats.graphs.vocabulary import Vocabulary

ATOM, STEP, THING = 0, 1, 2
UNKNOWN, FALSE, TRUE = 0, 1, 2
NONE, GOAL, FIRST, LAST = 0, 1, 2, 3
PRE, ADD, DELETE, NEXT, SLOT = 0, 1, 2, 3, 4  # SLOT + k: argument k
HOLDS, FAILS, CLOCK = 0, 1, 2
NUM_SLOTS = 4
LOWEST_PREDICATE = 3
LOWEST_SCHEMA = LOWEST_PREDICATE + len(PREDICATES)

VOCABULARY = Vocabulary(
    node_types=("atom", "step", "object", *(f"atom of {name}" for name in PREDICATES), *(f"step {n}" for n in SCHEMAS)),
    features=("unknown", "false at first", "true at first"),
    marks=("none", "goal", "first step", "last step"),
    relations=("needs", "adds", "deletes", "next", *(f"argument {k}" for k in range(1, NUM_SLOTS + 1))),
    kinds=("executable",),
    channels=("holds", "fails", "clock"),
    classes=("fails", "reaches its goal"),
    length="steps of the plan",
    aggregation="sum",
)
