"""Statistics of scores: intervals, calibration, selective prediction, paired comparison. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nsmodels.core.errors import InputError

Interval = tuple[float, float]
CHUNK = 2**21  # resampled entries held at once


def wilson_interval(hits: int, total: int, z: float = 1.959964) -> Interval:
    """95 % interval of a proportion of independent trials (Wilson 1927); never leaves [0, 1]."""
    if total <= 0 or not 0 <= hits <= total:
        raise InputError(f"wilson_interval: expected 0 <= hits <= total and total > 0, got {hits} of {total}")
    share, square = hits / total, z * z
    centre = (share + square / (2 * total)) / (1 + square / total)
    half = z * math.sqrt(share * (1 - share) / total + square / (4 * total**2)) / (1 + square / total)
    # The interval contains the share, also where rounding would put a bound of 0 or 1 beside it.
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))


def clustered_interval(
    values: ArrayLike, clusters: ArrayLike, level: float = 0.95, num_resamples: int = 2000, seed: int = 0
) -> Interval:
    """Percentile-bootstrap interval of the mean of `values` (n,), resampling whole `clusters` (n,).

    Questions about one image succeed and fail together; an interval that takes them as independent is too narrow.
    """
    sums, counts = _cluster_sums(_numbers(values, "values"), np.asarray(clusters))
    means = _resampled_means(sums, counts, num_resamples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_interval(
    values: ArrayLike, clusters: ArrayLike, bounds: tuple[float | None, float | None] = (0.0, 1.0)
) -> Interval | None:
    """95 % interval of the mean of scores (n,) within `bounds`, whole `clusters` (n,) resampled.

    Resampling gives no width to scores that all equal one bound: Wilson's interval on the number of clusters does,
    scaled to the bounds. None for a single cluster, and for equal scores of an unbounded metric.
    """
    scores, groups = _numbers(values, "values"), np.asarray(clusters)
    num, (low, high) = len(np.unique(groups)), bounds
    if scores.min() < scores.max():
        return clustered_interval(scores, groups) if num > 1 else None
    if low is None or high is None:
        return None
    if scores[0] not in (low, high):
        return clustered_interval(scores, groups) if num > 1 else None
    ends = wilson_interval(num if scores[0] == high else 0, num)
    return low + (high - low) * ends[0], low + (high - low) * ends[1]


def _cluster_sums(values: NDArray, clusters: NDArray) -> tuple[NDArray, NDArray]:
    if values.shape != clusters.shape:
        raise InputError(f"clusters: expected one per value, got {clusters.shape} for {values.shape}")
    _, index = np.unique(clusters, return_inverse=True)
    return np.bincount(index, weights=values), np.bincount(index).astype(float)


def _resampled_means(sums: NDArray, counts: NDArray, num_resamples: int, seed: int) -> NDArray:
    rng = np.random.default_rng(seed)
    num, rows = len(sums), max(1, CHUNK // len(sums))
    means = []
    for first in range(0, num_resamples, rows):
        drawn = rng.integers(0, num, (min(rows, num_resamples - first), num))
        means.append(sums[drawn].sum(1) / counts[drawn].sum(1))
    return np.concatenate(means)


@dataclass(frozen=True)
class Bins:
    """Predictions by confidence: edges (k + 1,), count, mean confidence and accuracy (k,); empty bins are NaN."""

    edges: NDArray
    count: NDArray
    confidence: NDArray
    accuracy: NDArray


def calibration_bins(confidence: ArrayLike, right: ArrayLike, num_bins: int = 15) -> Bins:
    """Predictions in bins of equal width; `confidence` (n,) in [0, 1], `right` (n,) 0 or 1."""
    sure, hit = _numbers(confidence, "confidence"), _numbers(right, "right")
    if sure.shape != hit.shape or sure.min() < 0 or sure.max() > 1 + 1e-6:
        raise InputError("confidence: expected one value in [0, 1] for each prediction")
    place = np.clip((sure * num_bins).astype(int), 0, num_bins - 1)
    count = np.bincount(place, minlength=num_bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, weights=v, minlength=num_bins) / count for v in (sure, hit)]
    return Bins(np.linspace(0, 1, num_bins + 1), count, *means)


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, num_bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over bins, weighted by count (Guo et al. 2017, equation 3)."""
    bins = calibration_bins(confidence, right, num_bins)
    return float(np.nansum(bins.count * np.abs(bins.accuracy - bins.confidence)) / bins.count.sum())


def risk_coverage(confidence: ArrayLike, right: ArrayLike) -> tuple[NDArray, NDArray]:
    """Coverage (n,) and error rate (n,) when only the most confident are answered (El-Yaniv & Wiener 2010).

    Equal confidences are answered together: each of them gets the error rate of the whole tie.
    """
    sure, hit = _numbers(confidence, "confidence"), _numbers(right, "right")
    order = np.argsort(-sure, kind="stable")
    taken = np.arange(1, len(sure) + 1)
    risk = 1 - np.cumsum(hit[order]) / taken
    last_of_tie = np.searchsorted(-sure[order], -sure[order], side="right") - 1
    return taken[last_of_tie] / len(sure), risk[last_of_tie]


def selective_accuracy(confidence: ArrayLike, right: ArrayLike, coverage: float) -> float:
    """Accuracy on the most confident share `coverage` of the predictions, ties at its edge included."""
    covered, risk = risk_coverage(confidence, right)
    if not 0 < coverage <= 1:
        raise InputError(f"coverage: expected a share in (0, 1], got {coverage}")
    wanted = max(1, round(coverage * len(covered)))
    return float(1 - risk[wanted - 1])


@dataclass(frozen=True)
class Comparison:
    """`first` minus `second` in accuracy, its 95 % interval, and the p-value of McNemar's exact test."""

    difference: float
    interval: Interval
    p_value: float
    only_first: int
    only_second: int


def paired_comparison(
    first: ArrayLike, second: ArrayLike, clusters: ArrayLike | None = None, widest: float = 1.0
) -> Comparison:
    """Compare two systems on the same samples: scores `first`, `second` (n,); interval by bootstrap over `clusters`.

    A single cluster gives no estimate of the variation: the interval is then all that is possible, -`widest` to
    `widest`, where `widest` is the greatest possible difference of two scores.
    The p-value (McNemar 1947, exact and two-sided) takes samples as independent; with clusters trust the interval.
    """
    one, other = _numbers(first, "first"), _numbers(second, "second")
    if one.shape != other.shape:
        raise InputError(f"paired_comparison: expected the same samples, got {one.shape} and {other.shape}")
    groups = np.arange(len(one)) if clusters is None else np.asarray(clusters)
    wins, losses = int((one > other).sum()), int((one < other).sum())
    interval = clustered_interval(one - other, groups) if len(np.unique(groups)) > 1 else (-widest, widest)
    return Comparison(float((one - other).mean()), interval, _sign_test(wins, losses), wins, losses)


def _sign_test(wins: int, losses: int) -> float:
    """Two-sided probability of a split at least this uneven when both are equally likely."""
    from scipy.stats import binomtest

    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def _numbers(values: ArrayLike, name: str) -> NDArray:
    array = np.asarray(values, float)
    if array.ndim != 1 or not array.size:
        raise InputError(f"{name}: expected a one-dimensional array that is not empty, got shape {array.shape}")
    return array
