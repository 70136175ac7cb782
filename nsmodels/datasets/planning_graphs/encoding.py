"""A plan as a graph, one by one: steps and atoms, or steps, atoms and objects. `drawing/arrays.py` does it in bulk.

What a round can carry. After round r (counted from 1) the clock is at step r - 1, and an atom holds as after r - 1
steps: the step at the clock has sent its effects, which arrive one round later. A step fails, from round r + 1 on, when
the clock was at it after round r and one of its preconditions did not hold. All of that follows from the state of the
neighbours one round before, and needs L + 1 rounds for L steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.datasets.planning_graphs.strips.grounding import Action
from nsmodels.datasets.planning_graphs.strips.reader import Atom
from nsmodels.formats.graphs.tables import NEVER, Graph


class Plan(NamedTuple):
    """Ground steps in their order, ids of the atoms that hold at first and of those of the goal, names of the atoms."""

    steps: Sequence[Action]
    init: Iterable[int]
    goal: Iterable[int]
    atoms: Sequence[Atom]


def states_of(plan: Plan, used: Sequence[int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Truth of the atoms `used` after 0 to L steps, bool (L + 1, a), and whether each step fails, bool (L,).

    Effects are applied whether or not a step fails: what follows a failure is then still a matter of neighbours.
    """
    state, held, fails = set(plan.init), [], []
    for step in plan.steps:
        held.append([atom in state for atom in used])
        fails.append(not set(step.pre) <= state)
        state = (state - set(step.delete)) | set(step.add)
    held.append([atom in state for atom in used])
    return np.array(held, bool).reshape(-1, len(used)), np.array(fails, bool)


def graph_of(plan: Plan, label: int, name: str, pair: int, rng: np.random.Generator, is_lifted: bool = False) -> Graph:
    """The graph of a plan, its nodes in random order; `is_lifted`: with argument slots, without needs and effects."""
    used = sorted({a for step in plan.steps for part in step[1:] for a in part} | set(plan.goal))
    held, fails = states_of(plan, used)
    num_steps, init, goal = len(plan.steps), set(plan.init), set(plan.goal)
    things = sorted({word for each in _names(plan, used) for word in each[1:]}) if is_lifted else []
    num_nodes = num_steps + len(used) + len(things)
    types, features, marks = np.zeros((3, num_nodes), np.int16)
    types[:num_steps], types[num_steps + len(used) :] = v.STEP, v.THING
    atoms = slice(num_steps, num_steps + len(used))
    features[atoms] = [v.TRUE if atom in init else v.FALSE for atom in used]
    marks[atoms] = [v.GOAL if atom in goal else v.NONE for atom in used]
    marks[0], marks[num_steps - 1] = v.FIRST, v.LAST
    edges = _next(num_steps)
    if is_lifted:
        types[:num_steps], types[atoms] = _lifted_types(plan, used)
        edges += _slots(plan, used, {word: num_steps + len(used) + k for k, word in enumerate(things)})
    else:
        edges += _effects(plan, {atom: num_steps + k for k, atom in enumerate(used)})
    truth, since = _trace(held, fails, num_steps, num_nodes)
    ends = np.array(edges, np.int32)
    order, place = _shuffled(num_nodes, rng)
    mixed = rng.permutation(len(ends))
    speed = 2 if is_lifted else 1  # an effect passes an object on its way
    return Graph(
        name, pair, 0, label, speed * (num_steps + 1), num_steps, types[order], features[order], marks[order],
        place[ends[mixed, 0]], place[ends[mixed, 1]], ends[mixed, 2], truth[:, order].repeat(speed, 0), since[order],
    )  # fmt: skip


def _shuffled(num: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    order = rng.permutation(num)
    place = np.empty(num, np.int32)
    place[order] = np.arange(num)
    return order, place


def _trace(
    held: NDArray[np.bool_], fails: NDArray[np.bool_], num_steps: int, num_nodes: int
) -> tuple[NDArray[np.bool_], NDArray[np.int16]]:
    """Truth, bool (L + 1, n, 3), and the rounds since which it is decidable, int16 (n, 3)."""
    truth = np.zeros((num_steps + 1, num_nodes, 3), bool)
    rounds, steps = np.arange(num_steps + 1)[:, None], np.arange(num_steps)
    truth[:, num_steps : num_steps + held.shape[1], v.HOLDS] = held
    truth[:, :num_steps, v.CLOCK] = rounds == steps
    truth[:, :num_steps, v.FAILS] = fails & (rounds > steps)
    since = np.full((num_nodes, 3), NEVER, np.int16)
    since[num_steps : num_steps + held.shape[1], v.HOLDS] = 0
    since[:num_steps, [v.FAILS, v.CLOCK]] = 0
    return truth, since


def _next(num_steps: int) -> list[tuple[int, int, int]]:
    return [(k, k + 1, v.NEXT) for k in range(num_steps - 1)]


def _effects(plan: Plan, places: dict[int, int]) -> list[tuple[int, int, int]]:
    edges = []
    for k, step in enumerate(plan.steps):
        edges += [(places[atom], k, v.PRE) for atom in step.pre]
        edges += [(k, places[atom], v.ADD) for atom in step.add]
        edges += [(k, places[atom], v.DELETE) for atom in step.delete]
    return edges


def _names(plan: Plan, used: Sequence[int]) -> list[Atom]:
    return [step.name for step in plan.steps] + [plan.atoms[atom] for atom in used]


def _lifted_types(plan: Plan, used: Sequence[int]) -> tuple[list[int], list[int]]:
    """Node types of the steps and of the atoms; raises KeyError for names of other domains."""
    schemas = {name: v.LOWEST_SCHEMA + k for k, name in enumerate(v.SCHEMAS)}
    predicates = {name: v.LOWEST_PREDICATE + k for k, name in enumerate(v.PREDICATES)}
    return [schemas[step.name[0]] for step in plan.steps], [predicates[plan.atoms[atom][0]] for atom in used]


def _slots(plan: Plan, used: Sequence[int], things: dict[str, int]) -> list[tuple[int, int, int]]:
    edges = []
    for node, name in enumerate(_names(plan, used)):
        edges += [(node, things[word], v.SLOT + k) for k, word in enumerate(name[1:])]
    return edges
