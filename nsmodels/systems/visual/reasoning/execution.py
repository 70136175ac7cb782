"""Probabilistic execution of CLEVR programs over a scene belief, and worlds drawn from it to check what it gives."""

from __future__ import annotations

from collections import Counter

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.questions.executor import IllPosed, execute
from nsmodels.layers.soft_programs import Answer, Program, answer, count_distribution, soft_trace, sole_member
from nsmodels.systems.visual.reasoning.belief import SceneBelief
from nsmodels.systems.visual.reasoning.worlds import sample_world

__all__ = ["Answer", "Program", "answer", "count_distribution", "sample_answers", "soft_trace", "sole_member"]


def sample_answers(
    program: Program, belief: SceneBelief, num_worlds: int, rng: np.random.Generator
) -> dict[str, float]:
    """Monte Carlo estimate of `answer`: shares of answers of the exact executor in worlds drawn from the belief.

    Worlds in which the question is ill posed are rejected, which conditions on it being well posed as `answer` does.
    A share p has the standard error √(p (1 − p) / number of worlds kept). Raises InputError if none was kept.
    """
    counts: Counter[str] = Counter()
    for _ in range(num_worlds):
        try:
            counts[execute(program, sample_world(belief, rng).scene(belief))] += 1
        except IllPosed:
            continue
    total = sum(counts.values())
    if total == 0:
        raise InputError(f"sample_answers: ill posed in all {num_worlds} worlds; draw more, or check the program")
    return {name: count / total for name, count in counts.items()}
