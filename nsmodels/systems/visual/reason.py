"""Probabilistic execution of CLEVR programs over a scene belief.

A set is a vector of membership probabilities given that the object is present; presence is multiplied in where a set
is consumed (unique, count, exist), so that it counts once however often sets are intersected. Each step is exact if
its inputs are independent; a program that uses one uncertain fact twice is approximated, and `sampled` is the check.
Soft execution of programs after Yi et al. 2018 (NS-VQA) and Mao et al. 2019 (NS-CL); count is Poisson-binomial.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS
from nsmodels.systems.visual.belief import Array, SceneBelief
from nsmodels.systems.visual.worlds import sample_world

Program = list[dict[str, Any]]
_VALUE_NUMBER = {name: {value: i for i, value in enumerate(values)} for name, values in ATTRIBUTES.items()}


@dataclass(frozen=True)
class Answer:
    """A distribution over answers given that the question is well posed, its best one, and how far to trust it.

    `confidence` is the probability of the best answer, 0 if the question cannot be well posed; `posed` the probability
    that every `unique` on the way met exactly one object, taken as independent. On beliefs that are calibrated the
    confidence is too, and its product with `posed` is not: the questions asked are the well-posed ones.
    """

    distribution: dict[str, float]
    best: str
    confidence: float
    posed: float


class _Run:
    """One execution: the belief, and the product of the probabilities that each `unique` was well posed."""

    def __init__(self, belief: SceneBelief) -> None:
        self.belief = belief
        self.posed = 1.0

    def choose(self, members: Array) -> Array:
        """The distribution (n,) over which object is the only member, given that there is exactly one."""
        inside = members * self.belief.presence
        only = only_member(inside)
        total = float(only.sum())
        self.posed *= min(1.0, total)
        if total > 0.0:
            return only / total
        # Certain of none or of several: the best guess left, at no confidence.
        mass = float(inside.sum())
        return inside / mass if mass > 0.0 else np.full(len(inside), 1.0 / max(1, len(inside)))


def only_member(inside: Array) -> Array:
    """P(object i is the only member) for independent memberships `inside` (n,): m_i Π_{j≠i} (1 − m_j)."""
    outside = 1.0 - inside
    before = np.concatenate(([1.0], np.cumprod(outside)[:-1]))
    after = np.concatenate((np.cumprod(outside[::-1])[:-1][::-1], [1.0]))
    return inside * before[: len(inside)] * after[-len(inside) :] if len(inside) else inside


def count_distribution(inside: Array) -> Array:
    """The Poisson-binomial distribution (n + 1,) of how many independent memberships `inside` (n,) hold."""
    result = np.zeros(len(inside) + 1)
    result[0] = 1.0
    for p in inside.tolist():
        if p > 0.0:
            result[1:] = result[1:] * (1.0 - p) + result[:-1] * p
            result[0] *= 1.0 - p
    return result


def _filter(attribute: str) -> Callable[..., Any]:
    def step(run: _Run, members: Array, value: str) -> Array:
        return members * run.belief.attributes[attribute][:, _VALUE_NUMBER[attribute][value]]

    return step


def _same(attribute: str) -> Callable[..., Any]:
    def step(run: _Run, chosen: Array) -> Array:
        table = run.belief.attributes[attribute]
        alike = table @ table.T
        np.fill_diagonal(alike, 0.0)
        return chosen @ alike

    return step


def _compare(low: int, high: int) -> Callable[..., Any]:
    """The probability that the difference first − second lies within [low, high]."""

    def step(run: _Run, first: Array, second: Array) -> float:
        joint = np.multiply.outer(first, second)
        difference = np.subtract.outer(np.arange(len(first)), np.arange(len(second)))
        return float(joint[(difference >= low) & (difference <= high)].sum())

    return step


def _union(run: _Run, a: Array, b: Array) -> Array:
    return 1.0 - (1.0 - a) * (1.0 - b)


STEPS: dict[str, Callable[..., Any]] = {
    "scene": lambda run: np.ones(len(run.belief)),
    "unique": lambda run, members: run.choose(members),
    "relate": lambda run, chosen, relation: chosen @ run.belief.relations[relation],
    "intersect": lambda run, a, b: a * b,
    "union": _union,
    "count": lambda run, members: count_distribution(members * run.belief.presence),
    "exist": lambda run, members: float(1.0 - np.prod(1.0 - members * run.belief.presence)),
    "equal_integer": _compare(0, 0),
    "less_than": _compare(-99, -1),
    "greater_than": _compare(1, 99),
    **{f"filter_{name}": _filter(name) for name in ATTRIBUTES},
    **{f"same_{name}": _same(name) for name in ATTRIBUTES},
    **{f"query_{name}": (lambda run, chosen, name=name: chosen @ run.belief.attributes[name]) for name in ATTRIBUTES},
    **{f"equal_{name}": (lambda run, a, b: float(a @ b)) for name in ATTRIBUTES},
}


def soft_trace(program: Program, belief: SceneBelief) -> tuple[list[Any], float]:
    """The soft value of each step, and the probability that every `unique` was well posed.

    Sets are memberships (n,) without presence, objects distributions (n,), ints distributions (n + 1,), bools the
    probability of yes, attributes distributions over their values. Raises InputError for a malformed program.
    """
    run, values = _Run(belief), []
    for number, node in enumerate(program):
        try:
            inputs = [values[i] for i in node["inputs"]]
            values.append(STEPS[node["function"]](run, *inputs, *node["value_inputs"]))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError(f"program: step {number} cannot be executed, check it: {node}") from error
    return values, run.posed


def _named(value: Any, kind: str) -> dict[str, float]:
    if kind == "bool":
        return {"yes": value, "no": 1.0 - value}
    names = [str(n) for n in range(len(value))] if kind == "int" else ATTRIBUTES[kind]
    return dict(zip(names, value.tolist(), strict=True))


def answer(program: Program, belief: SceneBelief) -> Answer:
    """Execute `program` softly: the distribution over answers of its last step.

    Equals the exact executor when the belief is certain. Raises InputError for a malformed program, or one whose last
    step is a set or an object.
    """
    values, posed = soft_trace(program, belief)
    function = program[-1]["function"] if program else "nothing"
    kind = FUNCTIONS[function][1] if program else "set"
    if kind in ("set", "object"):
        raise InputError(
            f"program: its last step `{function}` gives no answer; end on count, exist, query_* or a comparison"
        )
    distribution = _named(values[-1], kind)
    best = max(distribution, key=distribution.__getitem__)
    return Answer(distribution, best, distribution[best] if posed > 0.0 else 0.0, posed)


def sampled(program: Program, belief: SceneBelief, num_worlds: int, rng: np.random.Generator) -> dict[str, float]:
    """The distribution over answers in worlds drawn from the belief, by the exact executor: the check of `answer`.

    Worlds in which the question is ill posed are left out, as in `answer`. Raises InputError if all were.
    """
    from nsmodels.datasets.clevr.execute import IllPosed, execute

    counts: Counter[str] = Counter()
    for _ in range(num_worlds):
        try:
            counts[execute(program, sample_world(belief, rng).scene(belief))] += 1
        except IllPosed:
            continue
    total = sum(counts.values())
    if total == 0:
        raise InputError(f"sampled: ill posed in all of {num_worlds} worlds; the program does not fit the scene")
    return {name: count / total for name, count in counts.items()}
