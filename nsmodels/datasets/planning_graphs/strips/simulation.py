"""The oracle of plans: runs the steps one by one on sets of atoms (Fikes & Nilsson 1971)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nsmodels.datasets.planning_graphs.strips.grounding import Action


class Execution(NamedTuple):
    """Outcome of a plan.

    Attributes:
        reaches_goal: whether every step could be taken and all atoms of the goal hold at the end.
        failing_step: number of the first step with an unmet precondition, from 0; None where all can be taken.
        unmet: atoms that this step needs and that do not hold.
        missing: atoms of the goal that do not hold at the end of a plan that runs.
    """

    reaches_goal: bool
    failing_step: int | None
    unmet: frozenset[int]
    missing: frozenset[int]


def execute(steps: Sequence[Action], init: Iterable[int], goal: Iterable[int]) -> Execution:
    """Run the steps from `init` up to the first that cannot be taken."""
    state = set(init)
    for number, step in enumerate(steps):
        if unmet := set(step.pre) - state:
            return Execution(False, number, frozenset(unmet), frozenset())
        state = (state - set(step.delete)) | set(step.add)
    missing = frozenset(goal) - state
    return Execution(not missing, None, frozenset(), missing)
