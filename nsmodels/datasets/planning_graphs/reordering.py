"""Twins of given plans: the same steps in two other orders, one that reaches the goal and one that does not.

A plan of one agent often has a single order: with one hand, every step needs what the step before it did. Plans of
several problems interleaved as independent instances have many, and are of the form of the drawn plans.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from nsmodels.datasets.planning_graphs.config import PlanningGraphsConfig
from nsmodels.datasets.planning_graphs.encoding import Plan, graph_of
from nsmodels.datasets.planning_graphs.strips.grounding import Action, GroundTask
from nsmodels.datasets.planning_graphs.strips.simulation import execute
from nsmodels.formats.graphs.tables import Graph

MOST_TRIES = 40  # swaps looked for in one order of a plan


class Solved(NamedTuple):
    """A problem with its plan; `name` is DOMAIN/PROBLEM."""

    name: str
    task: GroundTask
    plan: Sequence[Action]


def groups(solved: Sequence[Solved], size: int) -> list[list[Solved]]:
    """Each problem with those that follow it, in a circle; all in one group where there are no more than `size`."""
    if len(solved) <= size:
        return [list(solved)] if solved else []
    return [[solved[(first + k) % len(solved)] for k in range(size)] for first in range(len(solved))]


def joined_name(group: Sequence[Solved]) -> str:
    """DOMAIN/PROBLEM+PROBLEM+..."""
    return "+".join([group[0].name, *(each.name.rpartition("/")[2] for each in group[1:])])


def twins_of(group: Sequence[Solved], config: PlanningGraphsConfig, first: int) -> Iterator[Graph]:
    """Pairs of graphs of interleaved plans, numbered from `first`, of different orders, twins in random order."""
    name = joined_name(group)
    rng = np.random.default_rng([config.seed, zlib.crc32(name.encode())])
    task, plans = joined(group)
    seen: set[tuple[Action, ...]] = set()
    number = 0
    for _ in range(4 * config.pairs_per_problem):
        orders = _pair(task, shuffled(interleaved(plans, rng), rng), config, rng)
        if orders is None or seen & {tuple(order) for order in orders}:
            continue
        seen |= {tuple(order) for order in orders}
        turn = int(rng.integers(2))
        for twin in (turn, 1 - turn):
            given = Plan(orders[twin], task.init, task.goal, task.atoms)
            yield graph_of(given, 1 - twin, f"{name}/{number}/{twin ^ turn}", first + number, rng)
        number += 1
        if number == config.pairs_per_problem:
            return


def joined(group: Sequence[Solved]) -> tuple[GroundTask, list[list[Action]]]:
    """The problems as independent instances of one task, and their plans with the numbers of its atoms."""
    starts = np.cumsum([0, *(len(each.task.atoms) for each in group)]).tolist()

    def moved(atoms: Sequence[int] | frozenset[int], start: int) -> tuple[int, ...]:
        return tuple(start + atom for atom in sorted(atoms))

    plans = [
        [Action(step.name, *(moved(part, start) for part in step[1:])) for step in each.plan]
        for each, start in zip(group, starts, strict=False)
    ]
    init, goal = (
        frozenset(atom for each, start in zip(group, starts, strict=False) for atom in moved(part(each.task), start))
        for part in (lambda task: task.init, lambda task: task.goal)
    )
    atoms = tuple(atom for each in group for atom in each.task.atoms)
    actions = tuple(step for plan in plans for step in plan)
    return GroundTask(joined_name(group), atoms, actions, init, goal), plans


def interleaved(plans: Sequence[Sequence[Action]], rng: np.random.Generator) -> list[Action]:
    """All steps, those of each plan in its order, each way to merge them equally likely."""
    turns = rng.permutation(np.repeat(np.arange(len(plans)), [len(plan) for plan in plans]))
    left = [iter(plan) for plan in plans]
    return [next(left[turn]) for turn in turns.tolist()]


def shuffled(plan: Sequence[Action], rng: np.random.Generator) -> list[Action]:
    """The plan after random transpositions of neighbours whose order does not matter; its ends stay."""
    order = list(plan)
    for place in rng.integers(1, max(len(order) - 2, 2), 4 * len(order)).tolist():
        if place + 2 < len(order) and not _interfere(order[place], order[place + 1]):
            order[place], order[place + 1] = order[place + 1], order[place]
    return order


def _interfere(one: Action, other: Action) -> bool:
    needs, adds, deletes = (set(one[k]) for k in (1, 2, 3))
    return bool(
        deletes & {*other.pre, *other.add}
        or set(other.delete) & (needs | adds)
        or adds & {*other.pre}
        or needs & {*other.add}
    )


def _pair(
    task: GroundTask, order: list[Action], config: PlanningGraphsConfig, rng: np.random.Generator
) -> tuple[list[Action], list[Action]] | None:
    """Two orders after one swap over the same gap each: the first runs and reaches the goal, the second does not."""
    most = min(config.longest_gap, len(order) - 3)
    for gap in rng.permutation(np.arange(config.shortest_gap, most + 1)).tolist():
        found: dict[bool, list[Action]] = {}
        for place in (1 + rng.permutation(len(order) - 2 - gap)).tolist()[:MOST_TRIES]:
            other = list(order)
            other[place], other[place + gap] = other[place + gap], other[place]
            if other != order:
                found.setdefault(execute(other, task.init, task.goal).reaches_goal, other)
        if len(found) == 2:
            return found[True], found[False]
    return None
