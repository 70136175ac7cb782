"""Pairs of planning graphs of a split."""

from __future__ import annotations

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.planning_graphs.config import DOMAINS, PlanningGraphsConfig
from nsmodels.datasets.planning_graphs.domains import compiled, task
from nsmodels.datasets.planning_graphs.drawing.arrays import graphs_of
from nsmodels.datasets.planning_graphs.drawing.orders import Orders, draw_orders
from nsmodels.datasets.planning_graphs.encoding import Plan, graph_of
from nsmodels.datasets.planning_graphs.strips.grounding import Action
from nsmodels.datasets.planning_graphs.vocabulary import VOCABULARY
from nsmodels.formats.graphs.tables import Graphs, table


def draw(config: PlanningGraphsConfig, split: str, num_pairs: int, rng: np.random.Generator) -> Graphs:
    """Pairs of a split: rows 2k and 2k + 1 are twins in random order. Raises InputError when too few can be found."""
    lengths = _lengths(config, split, num_pairs, rng)
    names = config.ood_domains if split == "ood" else config.domains
    known = np.array([DOMAINS.index(name) for name in names])
    domains = known[rng.integers(0, len(known), (num_pairs, config.num_agents))]
    seeds = rng.integers(0, 2**31, 2).tolist()
    gaps = (config.shortest_gap, config.longest_gap)
    orders = draw_orders(seeds[0], lengths, domains, compiled(), gaps, config.num_goals)
    if orders.found < num_pairs:
        raise InputError(
            f"{split}: found no two swaps over {gaps[0]} to {gaps[1]} positions in a plan of {lengths[orders.found]} "
            "steps, one that keeps it running and one that does not; widen shortest_gap and longest_gap, or add agents"
        )
    if config.encoding == "ground":
        return graphs_of(seeds[1], orders, lengths, domains, compiled(), config.num_distractors)
    return _lifted(orders, lengths, domains, rng)


def _lengths(config: PlanningGraphsConfig, split: str, num_pairs: int, rng: np.random.Generator) -> np.ndarray:
    known = np.array(config.lengths_of(split), np.int64)
    return np.resize(known, num_pairs) if split == "lengths" else known[rng.integers(0, len(known), num_pairs)]


def _lifted(orders: Orders, lengths: np.ndarray, domains: np.ndarray, rng: np.random.Generator) -> Graphs:
    found = []
    for p in range(len(lengths)):
        turn = int(rng.integers(2))
        twins = [
            graph_of(plan_of(orders, p, twin, domains[p]), 1 - twin, "", p, rng, is_lifted=True) for twin in range(2)
        ]
        found += [twins[turn], twins[1 - turn]]
    return table(found, VOCABULARY)


def plan_of(orders: Orders, pair: int, twin: int, domains: np.ndarray) -> Plan:
    """A drawn plan with the names of its domains and agents; `twin` 0 is the plan that runs."""
    names = [DOMAINS[d] for d in domains]
    tasks = [task(name) for name in names]
    first = np.concatenate([[0], np.cumsum([len(each.atoms) for each in tasks])]).tolist()

    def named(agent: int, words: tuple[str, ...]) -> tuple[str, ...]:
        return (f"{names[agent]}/{words[0]}", *(f"{word}{agent + 1}" for word in words[1:]))

    def moved(agent: int, ids: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(first[agent] + atom for atom in ids)

    steps = []
    for agent, number in zip(orders.agents[pair, twin].tolist(), orders.actions[pair, twin].tolist(), strict=True):
        if agent >= 0:
            action = tasks[agent].actions[number]
            steps.append(Action(named(agent, action.name), *(moved(agent, part) for part in action[1:])))
    init, goal = (
        [first[agent] + atom for agent, atom in np.argwhere(each[pair]).tolist()] for each in (orders.init, orders.goal)
    )
    atoms = [named(agent, atom) for agent, each in enumerate(tasks) for atom in each.atoms]
    return Plan(steps, init, goal, atoms)
