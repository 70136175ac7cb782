"""Comparison of variants with the full model, paired by item and seed.

Shapes: s seeds, n items, c clusters of items.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from nsmodels.core.errors import InputError
from nsmodels.evaluation.measure import FEWEST_SEEDS, SHARE, Measure
from nsmodels.evaluation.metrics import Interval
from nsmodels.evaluation.outcomes import Outcomes
from nsmodels.evaluation.replication import LEVEL, student_interval
from nsmodels.studies.variant import FULL, OPERATIONS, PARAMETERS, REPLACED, WHOLE, Variant

Verdict = Literal["helps", "does not matter", "hurts", "not shown", "-"]
Scored = Mapping[int, Sequence[Outcomes]]  # by seed: the outcomes of a variant, one per metric, the headline first
ROUNDING = 1e-9  # share of a difference by which sums of floats may vary
UNANIMOUS = 6  # clusters that are all on one side by accident with a probability of .03 (sign test)
Counts = Mapping[str, float]  # by quantity, as "terms of the loss": how much of it a model has


class Size(NamedTuple):
    """Number of parameters, and of multiplications and additions for one item; None: not counted."""

    parameters: int
    operations: int | None


class Cost(NamedTuple):
    """Size of a model, and the processor seconds of its training."""

    size: Size
    cpu_seconds: float


@dataclass(frozen=True)
class Row:
    """A variant by one metric.

    Attributes:
        variant, about: its name, and the part that it lacks, or has, in words.
        metric, split, unit, direction: of the scores.
        is_judged: whether the verdict on the part is given by this metric.
        num_items, num_clusters: scored by every model.
        seeds, scores: of each model.
        mean, low, high: over seeds, with the 95 % interval (Student); None: less than two seeds, or all equal.
        gain, gain_low, gain_high: by how much the part makes the model better, in the direction of the metric, with the
            95 % interval over seeds and clusters; None for the full model, and without an interval.
        gains: likewise by seed; empty for the full model.
        changed: share of items whose score differs from that of the full model, over all seeds.
        parameters, operations: of the model; `parameters_removed` and `operations_removed` against the full model.
        cpu_seconds: of a training, mean over seeds.
        verdict: on the part.
        quantity: that the model without the part has less of; "replaced" where a different part stands in its place.
        amount, removed: of the quantity, in the model with the part, and how much less there is without it; None where
            there is no quantity.
        chance: score of what has learnt nothing; None where it is not known.
        is_above_chance: whether the full model surely is better than that, by more than the margin; of a metric without
            chance that of the headline; None where neither has one.
    """

    variant: str
    about: str
    metric: str
    split: str
    unit: str
    direction: str
    is_judged: bool
    num_items: int
    num_clusters: int
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    mean: float
    low: float | None
    high: float | None
    gain: float | None
    gain_low: float | None
    gain_high: float | None
    gains: tuple[float, ...]
    changed: float | None
    parameters: int
    parameters_removed: int
    operations: int | None
    operations_removed: int | None
    cpu_seconds: float
    verdict: Verdict
    quantity: str = "-"
    amount: float | None = None
    removed: float | None = None
    chance: float | None = None
    is_above_chance: bool | None = None

    @property
    def measure(self) -> Measure:
        """The metric, to print its scores."""
        return Measure(self.metric, self.unit, (0, 1) if self.unit == "share" else (None, None), self.direction)  # type: ignore[arg-type]

    @property
    def gain_ends(self) -> tuple[float | None, float | None]:
        """The interval of the gain, cut where no gain can be: Student's goes beyond it for few, unequal seeds."""
        if self.gain_low is None or self.gain_high is None:
            return None, None
        most = self.measure.range
        return max(self.gain_low, -most), min(self.gain_high, most)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def compare(
    variants: Mapping[str, Variant],
    scored: Mapping[str, Scored],
    costs: Mapping[str, Sequence[Cost]],
    margin: float,
    counts: Mapping[str, Counts] | None = None,
) -> list[Row]:
    """A row per variant and metric, the full model first; all of them were scored on the same items with all seeds.

    Args:
        variants: without the full model, by name.
        scored: outcomes by name and seed, those of `FULL` among them.
        costs: likewise, one per seed.
        margin: see `verdict_of`; of a metric that is no share, as a share of the score of the full model.
        counts: by name, of quantities that are neither parameters nor operations.

    Raises `InputError` where items, seeds or metrics differ, and for a quantity that is not counted.
    """
    _require_alike(scored)
    first = next(iter(scored[FULL].values()))
    known, rows = [outcomes.metric for outcomes in first], []
    above = [is_above_chance(each, _table(scored[FULL], place), margin) for place, each in enumerate(first)]
    for name, variant in {FULL: WHOLE, **variants}.items():
        judged = variant.judged_by(known, name)
        same: Any = {"about": variant.about, **_costs(costs[FULL], costs[name])}
        same |= _removed(name, variant, *(_amounts(costs[each], counts, each) for each in (FULL, name)))
        for place, outcomes in enumerate(first):
            full, own = (_table(scored[each], place) for each in (FULL, name))
            row = _scores(outcomes, own, tuple(scored[name]), outcomes.metric in judged)
            row |= {"is_above_chance": above[place] if outcomes.chance is not None else above[0]}
            row |= _gains(name, variant, outcomes, full, own, margin)
            if row["verdict"] == "does not matter" and row["is_above_chance"] is False:
                row["verdict"] = "not shown"  # of a model that has learnt nothing, no part matters
            rows.append(Row(variant=name, **row, **same))
    return rows


def paired_interval(differences: Float[np.ndarray, "s n"], clusters: Sequence[str]) -> Interval | None:
    """95 % interval of the mean difference of two models over s seeds and n items: both are samples.

    Its variance is the sum of two estimates, over seeds and over clusters of the means over seeds; degrees of freedom
    are those of Welch and Satterthwaite (Satterthwaite 1946). The noise of a training in each cluster is in both, which
    makes the interval a little too wide. None for fewer than two seeds or clusters, and for equal differences.
    """
    from scipy import stats

    by_seed, by_item = differences.mean(1), differences.mean(0)
    _, index = np.unique(np.asarray(clusters), return_inverse=True)
    num_seeds, num_clusters = len(by_seed), int(index.max()) + 1
    if num_seeds < 2 or num_clusters < 2:
        return None
    mean = float(by_item.mean())
    # A mean over items in clusters is a ratio, of sums to sizes: its error is that of the sums less their expectation.
    errors = np.bincount(index, weights=by_item - mean)
    of_seeds = float(by_seed.var(ddof=1)) / num_seeds
    of_items = num_clusters / (num_clusters - 1) * float((errors**2).sum()) / len(by_item) ** 2
    total = of_seeds + of_items
    if total <= (ROUNDING * mean) ** 2:
        return None
    freedom = total**2 / (of_seeds**2 / (num_seeds - 1) + of_items**2 / (num_clusters - 1))
    half = float(stats.t.ppf((1 + LEVEL) / 2, freedom)) * math.sqrt(total)
    return mean - half, mean + half


def verdict_of(
    gain: float, interval: Interval | None, changed: float, num_seeds: int, margin: float, num_clusters: int = 0
) -> Verdict:
    """What an interval says of a part: helps, hurts, surely less than `margin` either way, or not shown.

    Without an interval, since all scores differ by the same: where not a single one differs the part does not matter,
    and where all of `UNANIMOUS` or more clusters are on one side it helps, or hurts.
    """
    if num_seeds < FEWEST_SEEDS:
        return "-"
    if interval is None and changed == 1 and num_clusters >= UNANIMOUS:
        return "helps" if gain > 0 else "hurts"
    if interval is None:
        return "does not matter" if changed == 0 else "not shown"
    if interval[0] > 0:
        return "helps"
    if interval[1] < 0:
        return "hurts"
    return "does not matter" if max(abs(end) for end in interval) <= margin else "not shown"


def _scores(
    outcomes: Outcomes, own: Float[np.ndarray, "s n"], seeds: tuple[int, ...], is_judged: bool
) -> dict[str, Any]:
    values = own.mean(1).tolist()
    low, high = student_interval(values, measure=outcomes.measure) or (None, None)
    return {
        **{"metric": outcomes.metric, "split": outcomes.split, "unit": outcomes.unit},
        **{"direction": outcomes.direction, "is_judged": is_judged},
        **{"num_items": own.shape[1], "num_clusters": outcomes.num_clusters, "seeds": seeds, "scores": tuple(values)},
        "chance": outcomes.chance,
        **{"mean": float(np.mean(values)), "low": low, "high": high},
    }


def _gains(
    name: str, variant: Variant, outcomes: Outcomes, full: np.ndarray, own: np.ndarray, margin: float
) -> dict[str, Any]:
    if name == FULL:
        none = dict.fromkeys(("gain", "gain_low", "gain_high", "changed"))
        return none | {"gains": (), "verdict": "-"}
    sign = outcomes.measure.sign * (-1 if variant.adds else 1)
    gains = sign * (full - own)
    found, changed = paired_interval(gains, outcomes.clusters), float((gains != 0).mean())
    low, high = found or (None, None)
    how = len(gains), _width(outcomes, full, margin), outcomes.num_clusters
    verdict = verdict_of(float(gains.mean()), found, changed, *how)
    if verdict == "does not matter" and _is_worst(outcomes, float(full.mean()), margin):
        verdict = "not shown"  # of a model that can do nothing, no part matters
    return {
        **{"gain": float(gains.mean()), "gain_low": low, "gain_high": high, "changed": changed},
        **{"gains": tuple(gains.mean(1).tolist()), "verdict": verdict},
    }


def is_above_chance(outcomes: Outcomes, full: Float[np.ndarray, "s n"], margin: float) -> bool | None:
    """Whether scores over seeds surely are better than chance, by more than the margin; None where it is not known.

    Without an interval, as where all scores are equal, the mean decides.
    """
    if outcomes.chance is None:
        return None
    ahead = outcomes.measure.sign * (full - outcomes.chance)
    found = paired_interval(ahead, outcomes.clusters)
    return (found[0] if found else float(ahead.mean())) > _width(outcomes, full, margin)


def _width(outcomes: Outcomes, full: Float[np.ndarray, "s n"], margin: float) -> float:
    """The margin in the unit of the scores; of one that is no share it is a share of the full model's score."""
    return margin if outcomes.unit == SHARE else margin * abs(float(full.mean()))


def _is_worst(outcomes: Outcomes, mean: float, margin: float) -> bool:
    """Whether a score is as bad as can be, or within the margin of it."""
    worst = outcomes.bounds[0 if outcomes.direction == "higher" else 1]
    return worst is not None and abs(mean - worst) <= margin


def _costs(full: Sequence[Cost], own: Sequence[Cost]) -> dict[str, Any]:
    whole, mine = full[0].size, own[0].size  # size does not depend on the seed
    counted = whole.operations is not None and mine.operations is not None
    return {
        "parameters": mine.parameters,
        "parameters_removed": whole.parameters - mine.parameters,
        "operations": mine.operations,
        "operations_removed": (whole.operations or 0) - (mine.operations or 0) if counted else None,
        "cpu_seconds": float(np.mean([each.cpu_seconds for each in own])),
    }


def _amounts(costs: Sequence[Cost], counts: Mapping[str, Counts] | None, name: str) -> dict[str, float]:
    """How much a variant has of each quantity."""
    size = costs[0].size
    known = {PARAMETERS: size.parameters} | ({} if size.operations is None else {OPERATIONS: size.operations})
    return {**known, **(counts or {}).get(name, {})}


def _removed(name: str, variant: Variant, full: Mapping[str, float], own: Mapping[str, float]) -> dict[str, Any]:
    """Of the quantity by which a variant is measured, the amount with the part, and how much of it the part brings."""
    quantity = variant.removes
    if name == FULL or quantity == REPLACED:
        return {"quantity": "-" if name == FULL else REPLACED, "amount": None, "removed": None}
    if quantity not in full or quantity not in own:
        raise InputError(f"variant '{name}': removes {quantity}, which are not counted; there are {', '.join(full)}")
    has, lacks = (own, full) if variant.adds else (full, own)
    amount = float(has[quantity])
    return {"quantity": quantity, "amount": amount, "removed": amount - float(lacks[quantity])}


def _table(scored: Scored, place: int) -> Float[np.ndarray, "s n"]:
    return np.stack([several[place].scores for several in scored.values()])


def _require_alike(scored: Mapping[str, Scored]) -> None:
    """Raise `InputError` unless all models have the seeds, metrics and items of the full one."""
    if not scored.get(FULL):
        raise InputError(f"variants: the scores of '{FULL}' are missing")
    seeds, first = list(scored[FULL]), next(iter(scored[FULL].values()))
    for name, by_seed in scored.items():
        if list(by_seed) != seeds:
            raise InputError(f"variant '{name}': expected scores of seeds {seeds}, got {list(by_seed)}")
        for seed, several in by_seed.items():
            where = f"variant '{name}', seed {seed}"
            if [each.metric for each in several] != [each.metric for each in first]:
                raise InputError(f"{where}: expected scores by {[each.metric for each in first]}")
            for wanted, found in zip(first, several, strict=True):
                if found.split != wanted.split or list(found.items) != list(wanted.items):
                    raise InputError(f"{where}: {found.metric} is of different items than those of the full model")
