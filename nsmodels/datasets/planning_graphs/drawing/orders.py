"""Pairs of plans of the same ground steps in different orders: one runs and reaches its goal, one does not.

p pairs, three agents or more, each with its own instance of a domain; L steps. Compiled.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.planning_graphs.domains import Compiled

MOST_TRIES = 200  # plans drawn for one pair
WARM_UP = 12  # random steps of each agent before the plan begins


class Orders(NamedTuple):
    """Plans of p pairs.

    Attributes:
        agents, actions: int16 (p, 2, most), step by step; -1 beyond the length. Plan 0 runs, plan 1 does not.
        init, goal: uint8 (p, agents, m) by atom.
        found: number of pairs that could be drawn, the first ones.
    """

    agents: NDArray[np.int16]
    actions: NDArray[np.int16]
    init: NDArray[np.uint8]
    goal: NDArray[np.uint8]
    found: int


def draw_orders(
    seed: int, lengths: NDArray[np.int64], domains: NDArray[np.int64], ops: Compiled, gaps: tuple[int, int], goals: int
) -> Orders:
    """Draw a pair of each length (p,) with the domains (p, agents) of its agents.

    gaps: fewest and most positions between the two steps that are swapped. goals: atoms of a goal.
    """
    pairs, most = len(lengths), int(lengths.max())
    plans = np.full((2, pairs, 2, most), -1, np.int16)
    states = np.zeros((2, pairs, domains.shape[1], ops.init.shape[1]), np.uint8)
    found = _draw(seed, lengths, domains, *ops, *gaps, goals, plans[0], plans[1], states[0], states[1])
    return Orders(plans[0], plans[1], states[0], states[1], found)


@njit(cache=True, nogil=True)
def _applies(state, pre):
    k = 0
    while k < len(pre) and (pre[k] < 0 or state[pre[k]] == 1):
        k += 1
    return k == len(pre)


@njit(cache=True, nogil=True)
def _take(state, add, delete):
    for k in range(len(delete)):
        if delete[k] >= 0:
            state[delete[k]] = 0
    for k in range(len(add)):
        if add[k] >= 0:
            state[add[k]] = 1


@njit(cache=True, nogil=True)
def _random_action(state, domain, pre, num_actions):
    """A random action that can be taken; every instance has one in every state."""
    chosen, seen = -1, 0
    for a in range(num_actions[domain]):
        if _applies(state, pre[domain, a]):
            seen += 1
            if np.random.randint(seen) == 0:
                chosen = a
    return chosen


@njit(cache=True, nogil=True)
def _states(agents, actions, length, domains, add, delete, init):
    """The state before each step."""
    states = np.empty((length, *init.shape), np.uint8)
    state = init.copy()
    for i in range(length):
        states[i] = state
        d = domains[agents[i]]
        _take(state[agents[i]], add[d, actions[i]], delete[d, actions[i]])
    return states


@njit(cache=True, nogil=True)
def _runs(agents, actions, start, length, domains, pre, add, delete, before, goal):
    """Whether the steps from `start` on can be taken in the state `before` them and reach the goal."""
    state = before.copy()
    for i in range(start, length):
        agent, a = agents[i], actions[i]
        d = domains[agent]
        if not _applies(state[agent], pre[d, a]):
            return False
        _take(state[agent], add[d, a], delete[d, a])
    for agent in range(len(domains)):
        for atom in range(state.shape[1]):
            if goal[agent, atom] and not state[agent, atom]:
                return False
    return True


@njit(cache=True, nogil=True)
def _meet(one, other):
    for k in range(len(one)):
        if one[k] >= 0:
            for j in range(len(other)):
                if one[k] == other[j]:
                    return True
    return False


@njit(cache=True, nogil=True)
def _interfere(d, a, b, pre, add, delete):
    """Whether the order of two actions of one agent matters."""
    if _meet(delete[d, a], pre[d, b]) or _meet(delete[d, b], pre[d, a]):
        return True
    if _meet(add[d, a], pre[d, b]) or _meet(add[d, b], pre[d, a]):
        return True
    return _meet(add[d, a], delete[d, b]) or _meet(add[d, b], delete[d, a])


@njit(cache=True, nogil=True)
def _plan(length, domains, pre, add, delete, num_actions, first, init, agents, actions):
    """A random plan of interleaved agents; `init` becomes the state before it."""
    for agent in range(len(domains)):
        init[agent] = first[domains[agent]]
        for _ in range(WARM_UP):
            a = _random_action(init[agent], domains[agent], pre, num_actions)
            _take(init[agent], add[domains[agent], a], delete[domains[agent], a])
    state = init.copy()
    for i in range(length):
        agent = np.random.randint(len(domains))
        a = _random_action(state[agent], domains[agent], pre, num_actions)
        agents[i], actions[i] = agent, a
        _take(state[agent], add[domains[agent], a], delete[domains[agent], a])
    return state


@njit(cache=True, nogil=True)
def _choose_goal(state, agents, actions, length, domains, add, goals, goal):
    """Atoms that hold at the end and that some step adds."""
    goal[:] = 0
    for _ in range(20 * goals):
        if goal.sum() >= goals:
            return
        i = np.random.randint(length)
        effects = add[domains[agents[i]], actions[i]]
        atom = effects[np.random.randint(len(effects))]
        if atom >= 0 and state[agents[i], atom]:
            goal[agents[i], atom] = 1


@njit(cache=True, nogil=True)
def _shuffle(agents, actions, length, domains, pre, add, delete):
    """Random transpositions of neighbours whose order does not matter, first and last step excluded."""
    for _ in range(4 * length):
        i = 1 + np.random.randint(length - 3)
        if agents[i] == agents[i + 1] and _interfere(domains[agents[i]], actions[i], actions[i + 1], pre, add, delete):
            continue
        agents[i], agents[i + 1] = agents[i + 1], agents[i]
        actions[i], actions[i + 1] = actions[i + 1], actions[i]


@njit(cache=True, nogil=True)
def _swap(values, i, j):
    values[i], values[j] = values[j], values[i]


@njit(cache=True, nogil=True)
def _find_swaps(agents, actions, length, domains, pre, add, delete, init, goal, low, high, places):
    """Two swaps over the same gap: `places` = (i that keeps the plan running, i that breaks it, gap)."""
    most = min(high, length - 3)
    states = _states(agents, actions, length, domains, add, delete, init)
    for _ in range(4):
        gap = low + np.random.randint(most - low + 1) if most >= low else most
        if gap < 1:
            return False
        places[0], places[1], places[2] = -1, -1, gap
        for i in np.random.permutation(length - 2 - gap) + 1:
            j = i + gap
            if agents[i] == agents[j] and actions[i] == actions[j]:
                continue
            _swap(agents, i, j)
            _swap(actions, i, j)
            place = 0 if _runs(agents, actions, i, length, domains, pre, add, delete, states[i], goal) else 1
            _swap(agents, i, j)
            _swap(actions, i, j)
            if places[place] < 0:
                places[place] = i
            if places[0] >= 0 and places[1] >= 0:
                return True
    return False


@njit(cache=True, nogil=True)
def _draw(
    seed,
    lengths,
    domains,
    pre,
    add,
    delete,
    num_actions,
    num_atoms,
    first,
    low,
    high,
    goals,
    agents,
    actions,
    inits,
    ends,
):
    np.random.seed(seed)
    places = np.zeros(3, np.int64)
    for p in range(len(lengths)):
        length, is_found = lengths[p], False
        who, what = np.zeros(length, np.int16), np.zeros(length, np.int16)
        for _ in range(MOST_TRIES):
            state = _plan(length, domains[p], pre, add, delete, num_actions, first, inits[p], who, what)
            _choose_goal(state, who, what, length, domains[p], add, goals, ends[p])
            _shuffle(who, what, length, domains[p], pre, add, delete)
            if _find_swaps(who, what, length, domains[p], pre, add, delete, inits[p], ends[p], low, high, places):
                is_found = True
                break
        if not is_found:
            return p
        for twin in range(2):
            agents[p, twin, :length], actions[p, twin, :length] = who, what
            i, j = places[twin], places[twin] + places[2]
            _swap(agents[p, twin], i, j)
            _swap(actions[p, twin], i, j)
    return len(lengths)
