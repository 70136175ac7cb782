from __future__ import annotations

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.evaluation.metrics import (
    calibration_bins,
    clustered_interval,
    expected_calibration_error,
    paired_comparison,
    risk_coverage,
    selective_accuracy,
    wilson_interval,
)


def test_wilson_against_published_values():
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert wilson_interval(29, 29) == pytest.approx((0.8830, 1.0), abs=1e-4)
    with pytest.raises(InputError, match="5 of 4"):
        wilson_interval(5, 4)


def test_clustered_interval_is_wider_when_clusters_agree():
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(100) < 0.7, 10).astype(float)
    independent = clustered_interval(right, np.arange(1000))
    clustered = clustered_interval(right, np.repeat(np.arange(100), 10))
    assert independent == pytest.approx(wilson_interval(int(right.sum()), 1000), abs=0.01)
    ratio = (clustered[1] - clustered[0]) / (independent[1] - independent[0])
    assert ratio == pytest.approx(np.sqrt(10), rel=0.15)


def test_clustered_interval_covers_the_truth_at_its_level():
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(200):
        chance = rng.beta(7, 3, 60)
        right = (rng.random((60, 5)) < chance[:, None]).astype(float).ravel()
        low, high = clustered_interval(right, np.repeat(np.arange(60), 5), num_resamples=400)
        covered += low <= 0.7 <= high
    assert 0.89 <= covered / 200 <= 0.99


def test_calibration_error_of_known_predictions():
    assert expected_calibration_error([1.0, 1.0, 0.0], [1, 1, 0]) == 0
    assert expected_calibration_error([0.9] * 10, [1] * 5 + [0] * 5) == pytest.approx(0.4)
    bins = calibration_bins([0.05, 0.95, 0.951], [0, 1, 0], num_bins=10)
    assert bins.count.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert bins.accuracy[-1] == 0.5
    with pytest.raises(InputError, match=r"in \[0, 1\]"):
        expected_calibration_error([1.2], [1])


def test_selective_accuracy_rises_when_confidence_is_informative():
    confidence, right = [0.9, 0.8, 0.7, 0.6], [1, 1, 0, 0]
    assert selective_accuracy(confidence, right, 1.0) == 0.5
    assert selective_accuracy(confidence, right, 0.5) == 1.0
    assert selective_accuracy([0.5] * 4, right, 0.25) == 0.5  # a tie is answered as a whole
    covered, risk = risk_coverage(confidence, right)
    assert covered.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert risk == pytest.approx([0, 0, 1 / 3, 0.5])


def test_one_cluster_says_nothing_of_others():
    assert paired_comparison([1, 1, 0], [0, 0, 0], ["a", "a", "a"]).interval == (-1, 1)
    assert paired_comparison([1, 1, 1], [0, 0, 0], ["a", "a", "a"]).interval == (-1, 1)


def test_paired_comparison_against_the_exact_test():
    first = [1] * 9 + [0] * 1 + [1] * 20
    second = [0] * 9 + [1] * 1 + [1] * 20
    result = paired_comparison(first, second)
    assert (result.only_first, result.only_second) == (9, 1)
    assert result.p_value == pytest.approx(0.021484375)
    assert result.difference == pytest.approx(8 / 30)
    assert result.interval[0] > 0
    same = paired_comparison(first, first)
    assert (same.difference, same.p_value, same.interval) == (0, 1, (0, 0))


def test_empty_or_unequal_input_is_refused():
    with pytest.raises(InputError, match="right: expected a one-dimensional array that is not empty"):
        expected_calibration_error([0.5], [])
    with pytest.raises(InputError, match="the same samples"):
        paired_comparison([1, 0], [1])
