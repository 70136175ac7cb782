"""Probabilistic execution of CLEVR programs over a scene belief.

Shapes: n objects, k alternatives. A set is a mixture: weights (k,) over the alternatives that an uncertain reference
leaves (one per possible anchor after `relate`), and membership probabilities (k, n) in each, given that the object is
present. Presence is multiplied in where a set is consumed (unique, count, exist), so that it counts once however often
sets are intersected. Exact while no uncertain fact is used twice; otherwise an approximation that `sampled` checks.

Soft execution of programs after Yi et al. 2018 (NS-VQA) and Mao et al. 2019 (NS-CL), count as a Poisson-binomial;
`unique` differs: it conditions on there being one member, m_i Π_{j≠i} (1 − m_j), where they normalise m.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.questions.executor import IllPosed, execute
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS
from nsmodels.systems.visual.reasoning.belief import Array, SceneBelief
from nsmodels.systems.visual.reasoning.worlds import sample_world

Program = list[dict[str, Any]]
NEGLIGIBLE = 1e-9  # anchors less likely than this are dropped
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


class SoftSet(NamedTuple):
    """A mixture of sets: weights (k,) that sum to 1, members (k, n) given that an object is present."""

    weights: Array
    members: Array


class _Run:
    """One execution: the belief, and the product of the probabilities that each `unique` was well posed."""

    def __init__(self, belief: SceneBelief) -> None:
        self.belief = belief
        self.posed = 1.0

    def choose(self, found: SoftSet) -> Array:
        """The distribution (n,) over which object is the only member, given that there is exactly one."""
        inside = found.members * self.belief.presence
        only = found.weights @ only_member(inside)
        total = float(only.sum())
        self.posed *= min(1.0, total)
        if total > 0.0:
            return only / total
        # Certain of none or of several: the best guess left, at no confidence.
        mass = found.weights @ inside
        return mass / mass.sum() if mass.sum() > 0.0 else np.full(len(mass), 1.0 / max(1, len(mass)))


def only_member(inside: Array) -> Array:
    """P(object i is the only member) for independent memberships `inside` (..., n): m_i Π_{j≠i} (1 − m_j)."""
    outside = np.ones((*inside.shape[:-1], inside.shape[-1] + 1))
    outside[..., 1:] = 1.0 - inside
    before = np.cumprod(outside[..., :-1], axis=-1)
    outside[..., :-1], outside[..., -1] = outside[..., 1:], 1.0
    after = np.cumprod(outside[..., :0:-1], axis=-1)[..., ::-1]
    return inside * before * after


def count_distribution(inside: Array) -> Array:
    """The Poisson-binomial distributions (..., n + 1) of how many independent memberships `inside` (..., n) hold."""
    result = np.zeros((*inside.shape[:-1], inside.shape[-1] + 1))
    result[..., 0] = 1.0
    for i in range(inside.shape[-1]):
        p = inside[..., i : i + 1]
        if p.any():
            result[..., 1:] += (result[..., :-1] - result[..., 1:]) * p
            result[..., :1] *= 1.0 - p
    return result


def _filter(attribute: str) -> Callable[..., Any]:
    def step(run: _Run, found: SoftSet, value: str) -> SoftSet:
        column = run.belief.attributes[attribute][:, _VALUE_NUMBER[attribute][value]]
        return SoftSet(found.weights, found.members * column)

    return step


def _anchored(chosen: Array, members: Array) -> SoftSet:
    """One alternative per object that may be the anchor; `members` (n, n) holds a row for each."""
    likely = chosen > NEGLIGIBLE
    return SoftSet(chosen[likely], members[likely])


def _same(attribute: str) -> Callable[..., Any]:
    def step(run: _Run, chosen: Array) -> SoftSet:
        table = run.belief.attributes[attribute]
        alike = table @ table.T
        np.fill_diagonal(alike, 0.0)
        return _anchored(chosen, alike)

    return step


def _combined(a: SoftSet, b: SoftSet, members: Callable[[Array, Array], Array]) -> SoftSet:
    """Every alternative of one set with every one of the other."""
    joined = members(a.members[:, None, :], b.members[None, :, :])
    return SoftSet(np.multiply.outer(a.weights, b.weights).ravel(), joined.reshape(-1, joined.shape[-1]))


def _exist(run: _Run, found: SoftSet) -> float:
    return float(found.weights @ (1.0 - np.prod(1.0 - found.members * run.belief.presence, axis=1)))


def _compare(low: int, high: int) -> Callable[..., Any]:
    """The probability that the difference first − second lies within [low, high]."""

    def step(run: _Run, first: Array, second: Array) -> float:
        joint = np.multiply.outer(first, second)
        difference = np.subtract.outer(np.arange(len(first)), np.arange(len(second)))
        return float(joint[(difference >= low) & (difference <= high)].sum())

    return step


STEPS: dict[str, Callable[..., Any]] = {
    "scene": lambda run: SoftSet(np.ones(1), np.ones((1, len(run.belief)))),
    "unique": _Run.choose,
    "relate": lambda run, chosen, relation: _anchored(chosen, run.belief.relations[relation]),
    "intersect": lambda run, a, b: _combined(a, b, lambda x, y: x * y),
    "union": lambda run, a, b: _combined(a, b, lambda x, y: 1.0 - (1.0 - x) * (1.0 - y)),
    "count": lambda run, found: found.weights @ count_distribution(found.members * run.belief.presence),
    "exist": _exist,
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

    Sets are `SoftSet`s, objects distributions (n,), ints distributions (n + 1,), bools the
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
    counts: Counter[str] = Counter()
    for _ in range(num_worlds):
        try:
            counts[execute(program, sample_world(belief, rng).scene(belief))] += 1
        except IllPosed:
            continue
    total = sum(counts.values())
    if total == 0:
        raise InputError(f"sampled: ill posed in all {num_worlds} worlds; sample more, or check the program")
    return {name: count / total for name, count in counts.items()}
