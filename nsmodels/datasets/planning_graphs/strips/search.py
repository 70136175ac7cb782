"""Plans by greedy best-first search with the additive heuristic (Bonet & Geffner 2001)."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from nsmodels.datasets.planning_graphs.strips.grounding import Action, GroundTask

INFINITE = float("inf")
State = frozenset[int]


def find_plan(task: GroundTask, max_states: int = 2_000) -> list[Action] | None:
    """A plan, or None after so many expanded states; deterministic."""
    heuristic, start = AdditiveHeuristic(task), frozenset(task.init)
    parents: dict[State, tuple[State, Action] | None] = {start: None}
    queue, pushed = [(heuristic(start), 0, start)], 0
    for _ in range(max_states):
        if not queue:
            return None
        estimate, _, state = heapq.heappop(queue)
        if task.goal <= state:
            return _path(parents, state)
        if estimate == INFINITE:
            return None
        for action in task.actions:
            after = (state - set(action.delete)) | set(action.add) if state.issuperset(action.pre) else state
            if after not in parents:
                parents[after] = (state, action)
                pushed += 1
                heapq.heappush(queue, (heuristic(after), pushed, after))
    return None


class AdditiveHeuristic:
    """Sum over the goal's atoms of their cost when deletes are ignored and preconditions are independent."""

    def __init__(self, task: GroundTask) -> None:
        self.task = task
        self.needing: dict[int, list[int]] = {}
        for number, action in enumerate(task.actions):
            for atom in action.pre:
                self.needing.setdefault(atom, []).append(number)

    def __call__(self, state: Iterable[int]) -> float:
        """Estimate of the steps from a state to the goal; infinite where the goal cannot be reached."""
        # Dijkstra over atoms: an action is ready when its last precondition has its price, and costs one more than
        # their sum.
        actions = self.task.actions
        cost = dict.fromkeys(state, 0.0)
        unmet, price = [len(action.pre) for action in actions], [1.0] * len(actions)
        queue = [(0.0, atom) for atom in cost]
        for action in actions:
            if not action.pre:
                self._pay(action, 1.0, cost, queue)
        heapq.heapify(queue)
        done: set[int] = set()
        while queue:
            paid, atom = heapq.heappop(queue)
            if atom in done:
                continue
            done.add(atom)
            for number in self.needing.get(atom, ()):
                unmet[number] -= 1
                price[number] += paid
                if unmet[number] == 0:
                    self._pay(actions[number], price[number], cost, queue)
        return sum(cost.get(atom, INFINITE) for atom in self.task.goal)

    @staticmethod
    def _pay(action: Action, price: float, cost: dict[int, float], queue: list[tuple[float, int]]) -> None:
        for atom in action.add:
            if price < cost.get(atom, INFINITE):
                cost[atom] = price
                heapq.heappush(queue, (price, atom))


def _path(parents: dict[State, tuple[State, Action] | None], state: State) -> list[Action]:
    steps = []
    while before := parents[state]:
        state, action = before
        steps.append(action)
    return steps[::-1]
