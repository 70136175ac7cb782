"""Probabilistic execution of CLEVR programs over uncertain facts about a scene.

Shapes: n objects, k alternatives. Each step turns the distributions of its inputs into the distribution of its output:

- set: a mixture. Weights (k,) over the alternatives that an uncertain reference leaves (one per possible anchor after
  `relate`), and in each alternative the probabilities (k, n) that an object is a member, given that it is present.
- object: P(the referent is object i), (n,). Number: P(count is r), (n + 1,). Attribute: P(value is v). Boolean: P(yes).

Assumption: presence, each attribute of each object and each relation of each pair are independent variables, as
perception predicts them. Then conjunctions are products, and the steps are exact as long as no uncertain variable is
used twice on the way to the answer. Where one is (a colour by which one step filters and which a later one queries, the
anchor's value in `same_*`), the steps still multiply, which is an approximation.

Soft execution of programs after Yi et al. 2018 (NS-VQA) and Mao et al. 2019 (NS-CL), count as a Poisson-binomial;
`unique` differs: it conditions on the set having one member, m_i Π_{j≠i} (1 − m_j), where they normalise m.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from nsmodels.core.errors import InputError
from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, FUNCTIONS

Array = np.ndarray
Program = list[dict[str, Any]]
NEGLIGIBLE = 1e-9  # anchors less likely than this are dropped: at most n · 1e-9 of the probability mass
_VALUE_NUMBER = {name: {value: i for i, value in enumerate(values)} for name, values in ATTRIBUTES.items()}


@dataclass(frozen=True)
class Answer:
    """Distribution over answers given that the question is well posed, with its best one and its confidence.

    Attributes:
        distribution: probability by answer; sums to 1.
        best: the most probable answer.
        confidence: probability of `best`; 0 if the question cannot be well posed. Calibrated where the belief is.
        well_posed: probability that every `unique` step met exactly one object, the steps taken as independent. It is
            no factor of the confidence: the questions of the data set are the well-posed ones, which is a condition.
        uniques: the factors of `well_posed`, one per `unique` step in the order of the program.
    """

    distribution: dict[str, float]
    best: str
    confidence: float
    well_posed: float
    uniques: tuple[float, ...] = ()


class Facts(Protocol):
    """Probabilities over one scene of n objects.

    presence (n,); attributes {"size": (n, 2), "color": (n, 8), "material": (n, 2), "shape": (n, 3)} with rows that sum
    to 1; relations[rel][i, j] = P(j is rel of i), with a zero diagonal.
    """

    @property
    def presence(self) -> Array:
        """P(the object exists)."""
        ...

    @property
    def attributes(self) -> Mapping[str, Array]:
        """Distribution over the values of each attribute."""
        ...

    @property
    def relations(self) -> Mapping[str, Array]:
        """P(j is `rel` of i), by relation."""
        ...

    def __len__(self) -> int: ...


class SoftSet(NamedTuple):
    """A mixture of sets: weights (k,) that sum to 1, members (k, n) given that an object is present.

    Presence is left out of `members` and multiplied in where a set is consumed (unique, count, exist): intersecting
    two sets multiplies their members, and would otherwise count the presence of an object twice.
    """

    weights: Array
    members: Array


class _Execution:
    """One execution: the belief, and the probabilities that each `unique` was well posed."""

    def __init__(self, belief: Facts) -> None:
        self.belief = belief
        self.uniques: list[float] = []

    def unique(self, found: SoftSet) -> Array:
        """The distribution (n,) over the sole member, given that there is exactly one."""
        # P(i is the sole member) = Σ_k w_k P(i is the sole member | alternative k). The events of different i exclude
        # each other, so their sum over i is P(exactly one member), by which Bayes' rule divides.
        membership = found.members * self.belief.presence
        sole = found.weights @ sole_member(membership)
        total = float(sole.sum())
        self.uniques.append(min(1.0, total))
        if total > 0.0:
            return sole / total
        # P(exactly one) is 0: certainly no member, or certainly several. The condition is impossible, so the answer
        # has no confidence; the expected membership still gives a best guess.
        mass = found.weights @ membership
        return mass / mass.sum() if mass.sum() > 0.0 else np.full(len(mass), 1.0 / max(1, len(mass)))


def sole_member(membership: Array) -> Array:
    """P(i is the only member) for independent `membership` probabilities (..., n): m_i Π_{j≠i} (1 − m_j), (..., n)."""
    # Π_{j≠i} = (Π_{j<i}) (Π_{j>i}), two cumulative products. Dividing the product of all factors by (1 − m_i) would
    # take as long and fail at m_i = 1.
    outside = np.ones((*membership.shape[:-1], membership.shape[-1] + 1))
    outside[..., 1:] = 1.0 - membership
    before = np.cumprod(outside[..., :-1], axis=-1)
    outside[..., :-1], outside[..., -1] = outside[..., 1:], 1.0
    after = np.cumprod(outside[..., :0:-1], axis=-1)[..., ::-1]
    return membership * before * after


def count_distribution(membership: Array) -> Array:
    """Poisson-binomial: P(exactly r members), (..., n + 1), for independent `membership` probabilities (..., n)."""
    # Recursion over the objects. With c(r) = P(r members among those seen so far), c = (1, 0, 0, ...) at first, an
    # object of membership p leaves the count as it is or raises it by one:
    #     c'(r) = (1 − p) c(r) + p c(r − 1) = c(r) + p (c(r − 1) − c(r)),     c'(0) = (1 − p) c(0).
    result = np.zeros((*membership.shape[:-1], membership.shape[-1] + 1))
    result[..., 0] = 1.0
    for i in range(membership.shape[-1]):
        p = membership[..., i : i + 1]
        if p.any():
            result[..., 1:] += (result[..., :-1] - result[..., 1:]) * p
            result[..., :1] *= 1.0 - p
    return result


def _filter(attribute: str) -> Callable[..., Any]:
    # P(i ∈ S and attribute of i is v) = m_i · P(attribute of i is v): both independent.
    def step(run: _Execution, found: SoftSet, value: str) -> SoftSet:
        column = run.belief.attributes[attribute][:, _VALUE_NUMBER[attribute][value]]
        return SoftSet(found.weights, found.members * column)

    return step


def _condition_on_anchor(anchor: Array, members: Array) -> SoftSet:
    """One alternative per object that may be the anchor, (n,); row a of `members` (n, n) is the set given anchor a."""
    # Law of total probability, left unevaluated: the members are independent given the anchor, but not without it, so
    # that averaging the rows here would make later products wrong.
    likely = anchor > NEGLIGIBLE
    return SoftSet(anchor[likely], members[likely])


def _relate(run: _Execution, anchor: Array, relation: str) -> SoftSet:
    # Row a of the table: P(j is `relation` of a). Its diagonal is zero, the anchor is no member.
    return _condition_on_anchor(anchor, run.belief.relations[relation])


def _same(attribute: str) -> Callable[..., Any]:
    # P(a and i have the same value) = Σ_v P(a has v) P(i has v), without the anchor itself. Members share the value of
    # the anchor, so that their independence holds only as far as that value is certain.
    def step(run: _Execution, anchor: Array) -> SoftSet:
        table = run.belief.attributes[attribute]
        alike = table @ table.T
        np.fill_diagonal(alike, 0.0)
        return _condition_on_anchor(anchor, alike)

    return step


def _combine(a: SoftSet, b: SoftSet, members: Callable[[Array, Array], Array]) -> SoftSet:
    """Every alternative of `a` with every one of `b`: the anchors of the two branches are independent."""
    # k alternatives of `a` and l of `b` give the k · l pairs, with weights w_a w_b that again sum to 1.
    joined = members(a.members[:, None, :], b.members[None, :, :])
    weights = np.multiply.outer(a.weights, b.weights).ravel()
    return SoftSet(weights, joined.reshape(len(weights), joined.shape[-1]))  # -1 would fail where there is no object


def _count(run: _Execution, found: SoftSet) -> Array:
    # Σ_k w_k P(r members | alternative k)
    return found.weights @ count_distribution(found.members * run.belief.presence)


def _exist(run: _Execution, found: SoftSet) -> float:
    # The complement of "no object is a member": Σ_k w_k (1 − Π_i (1 − m_ki)).
    return float(found.weights @ (1.0 - np.prod(1.0 - found.members * run.belief.presence, axis=1)))


def _query(attribute: str) -> Callable[..., Any]:
    # Σ_i P(the referent is i) P(attribute of i is v)
    return lambda run, referent: referent @ run.belief.attributes[attribute]


def _compare(low: int, high: int) -> Callable[..., Any]:
    """The probability that the difference first − second of two counts lies within [low, high]."""

    # The counts are taken as independent, P(r, s) = P(r) P(s). The cells (r, s) of that table exclude each other, so
    # those with a difference in range add up. No scene has 99 objects: ±99 stands for no bound.
    def step(run: _Execution, first: Array, second: Array) -> float:
        joint = np.multiply.outer(first, second)
        difference = np.subtract.outer(np.arange(len(first)), np.arange(len(second)))
        return float(joint[(difference >= low) & (difference <= high)].sum())

    return step


STEPS: dict[str, Callable[..., Any]] = {
    "scene": lambda run: SoftSet(np.ones(1), np.ones((1, len(run.belief)))),  # one alternative: all that is present
    "unique": _Execution.unique,
    "relate": _relate,
    # i ∈ A ∩ B: product; i ∈ A ∪ B: complement of "in neither".
    "intersect": lambda run, a, b: _combine(a, b, lambda x, y: x * y),
    "union": lambda run, a, b: _combine(a, b, lambda x, y: 1.0 - (1.0 - x) * (1.0 - y)),
    "count": _count,
    "exist": _exist,
    "equal_integer": _compare(0, 0),
    "less_than": _compare(-99, -1),
    "greater_than": _compare(1, 99),
    **{f"filter_{name}": _filter(name) for name in ATTRIBUTES},
    **{f"same_{name}": _same(name) for name in ATTRIBUTES},
    **{f"query_{name}": _query(name) for name in ATTRIBUTES},
    # Two independent values agree with probability Σ_v P(a = v) P(b = v).
    **{f"equal_{name}": (lambda run, a, b: float(a @ b)) for name in ATTRIBUTES},
}


def soft_trace(program: Program, belief: Facts) -> tuple[list[Any], tuple[float, ...]]:
    """The soft value of each step, and for each `unique` the probability that it was well posed.

    Sets are `SoftSet`s, objects distributions (n,), numbers distributions (n + 1,), booleans the probability of yes,
    attributes distributions over their values. Raises InputError for a malformed program.
    """
    # A program is a list in topological order: every input is the index of an earlier step.
    run, values = _Execution(belief), []
    for number, node in enumerate(program):
        try:
            inputs = [values[i] for i in node["inputs"]]
            values.append(STEPS[node["function"]](run, *inputs, *node["value_inputs"]))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise InputError(f"program: step {number} cannot be executed, check it: {node}") from error
    return values, tuple(run.uniques)


def _by_answer(value: Any, kind: str) -> dict[str, float]:
    if kind == "bool":
        return {"yes": value, "no": 1.0 - value}
    names = [str(n) for n in range(len(value))] if kind == "int" else ATTRIBUTES[kind]
    return dict(zip(names, value.tolist(), strict=True))


def answer(program: Program, belief: Facts) -> Answer:
    """Execute `program` softly: the distribution over answers of its last step.

    Equals the exact executor when the belief is certain: products of zeros and ones are the logical operations.
    Raises InputError for a malformed program, or one whose last step is a set or an object.
    """
    values, uniques = soft_trace(program, belief)
    function = program[-1]["function"] if program else "nothing"
    kind = FUNCTIONS[function][1] if program else "set"
    if kind in ("set", "object"):
        raise InputError(
            f"program: its last step `{function}` gives no answer; end on count, exist, query_* or a comparison"
        )
    distribution = _by_answer(values[-1], kind)
    best = max(distribution, key=distribution.__getitem__)
    well_posed = math.prod(uniques)
    return Answer(distribution, best, distribution[best] if well_posed > 0.0 else 0.0, well_posed, uniques)
