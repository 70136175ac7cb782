"""Properties: read from each subset of the modalities, on objects that training has not seen.

A pair of a property and a modality counts where the modality shows the property: a forest on figures by hand reaches a
correlation of `SHOWN` with it (`formats.clips.probes`). A subset shows what one of its modalities shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.clips.names import MODALITIES, PROPERTIES
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.evaluation.concepts import objects_of
from nsmodels.systems.world.evaluation.scores import CHANCE, WORLD, Metric
from nsmodels.systems.world.evaluation.subsets import SUBSETS, title

SHOWN = 0.5
NUM_RESAMPLES = 200
Predicted = Mapping[tuple[str, ...], NDArray]  # (n, 9) by subset


class Agreement(NamedTuple):
    """Of predictions with the truth, (9,) each: Pearson and Spearman correlation, mean error, explained variance."""

    pearson: NDArray[np.float64]
    spearman: NDArray[np.float64]
    mae: NDArray[np.float64]
    r2: NDArray[np.float64]


def correlations(predicted: NDArray, truth: NDArray) -> NDArray[np.float64]:
    """Pearson's of each column; 0 where one of them does not vary."""
    first, second = predicted - predicted.mean(0), truth - truth.mean(0)
    below = np.sqrt((first**2).sum(0) * (second**2).sum(0))
    return np.where(below > 1e-9, ((first * second).sum(0) / np.maximum(below, 1e-9)).clip(-1, 1), 0.0)


def agreement(predicted: NDArray, truth: NDArray) -> Agreement:
    """Of predictions (n, 9) with the truth (n, 9)."""
    from scipy.stats import rankdata

    spread = np.maximum(((truth - truth.mean(0)) ** 2).mean(0), 1e-9)
    return Agreement(
        correlations(predicted, truth),
        correlations(rankdata(predicted, axis=0), rankdata(truth, axis=0)),
        np.abs(predicted - truth).mean(0),
        1 - ((predicted - truth) ** 2).mean(0) / spread,
    )


def shown_by(matrix: NDArray[np.float64], subset: Sequence[str]) -> NDArray[np.bool_]:
    """Bool (9,): whether one of the modalities shows a property; `matrix` (9, 3) as of `probes.identifiability`."""
    best = matrix[:, [MODALITIES.index(each) for each in subset]].max(1)
    return np.asarray(best >= SHOWN)


def properties(
    clips: Clips, split: str, found: Predicted, probes: Predicted, matrix: NDArray[np.float64]
) -> tuple[list[Metric], dict[str, Any]]:
    """Correlations on the pairs that count, and everything by property and subset.

    Args:
        clips: of the split. found: of the model. probes: of forests on figures by hand; subsets may be missing.
        matrix: (9, 3), see `shown_by`.
    """
    truth, everything = np.asarray(clips.properties, np.float64), max(found, key=len)
    table = {
        title(subset): _rows(found[subset], truth, shown_by(matrix, subset), objects_of(clips))
        for subset in SUBSETS
        if subset in found
    }
    shown = shown_by(matrix, everything)
    report = {
        "identifiability": {
            name: dict(zip(MODALITIES, row.tolist(), strict=True)) for name, row in zip(PROPERTIES, matrix, strict=True)
        },
        "limit": SHOWN,
        "subsets": table,
        "scatter": _scatter(found[everything], truth),
    }
    metrics = [_absolute(clips, split, found, probes, shown)]
    if shown.any():
        rivals, both = (
            {WORLD: found, "forest on figures by hand": probes},
            [s for s in SUBSETS if s in found and s in probes],
        )
        subsets = {"property_r": [everything], "property_r_pairs": both}
        metrics = [_pearson(split, rivals, truth, matrix, name, some) for name, some in subsets.items()] + metrics
    return metrics, report


def _pearson(
    split: str,
    rivals: Mapping[str, Predicted],
    truth: NDArray,
    matrix: NDArray,
    name: str,
    subsets: Sequence[tuple[str, ...]],
) -> Metric:
    """Pearson's correlation; an item is a property and a subset that shows it."""
    items, clusters = [], []
    for subset in subsets:
        items += [f"{PROPERTIES[k]} by {title(subset)}" for k in np.flatnonzero(shown_by(matrix, subset))]
        clusters += [PROPERTIES[k] for k in np.flatnonzero(shown_by(matrix, subset))]
    scores = {
        rival: np.concatenate([correlations(found[s], truth)[shown_by(matrix, s)] for s in subsets])
        for rival, found in rivals.items()
        if all(s in found for s in subsets)
    }
    what = "all three modalities" if len(subsets) == 1 else "subsets of the modalities that show it"
    return Metric(
        name,
        "properties",
        split,
        items,
        clusters,
        scores,
        {CHANCE: 0.0, "exact": 1.0},
        "exact",
        unit="",
        bounds=(-1.0, 1.0),
        about=f"Pearson's r of properties by {what}, on objects not in training",
    )


def _absolute(clips: Clips, split: str, found: Predicted, probes: Predicted, shown: NDArray[np.bool_]) -> Metric:
    """Mean absolute error over the properties, an item is a clip."""
    truth, everything = np.asarray(clips.properties, np.float64), max(found, key=len)
    chosen = shown if shown.any() else np.ones(len(PROPERTIES), bool)
    rivals = {WORLD: found[everything], "mean of the split": np.broadcast_to(truth.mean(0), truth.shape)}
    if everything in probes:
        rivals["forest on figures by hand"] = probes[everything]
    scores = {name: np.clip(np.abs(each - truth)[:, chosen].mean(1), 0, 1) for name, each in rivals.items()}
    return Metric(
        "property_mae",
        "properties",
        split,
        [str(each) for each in clips.ids.tolist()],
        objects_of(clips),
        scores,
        {"exact": 0.0},
        "exact",
        unit="",
        bounds=(0.0, 1.0),
        direction="lower",
        about="mean absolute error of properties in [0, 1]",
    )


def _rows(found: NDArray, truth: NDArray, shown: NDArray[np.bool_], objects: Sequence[str]) -> dict[str, Any]:
    measured, (low, high) = agreement(found, truth), _interval(found, truth, objects)
    return {
        name: {
            "r": float(measured.pearson[k]),
            "interval": [float(low[k]), float(high[k])],
            "spearman": float(measured.spearman[k]),
            "mae": float(measured.mae[k]),
            "r2": float(measured.r2[k]),
            "is_shown": bool(shown[k]),
        }
        for k, name in enumerate(PROPERTIES)
    }


def _interval(found: NDArray, truth: NDArray, objects: Sequence[str]) -> NDArray[np.float64]:
    """95 % intervals (2, 9) of the correlations, whole objects resampled: weights of clips instead of copies."""
    _, index = np.unique(np.array(objects), return_inverse=True)
    num, random = index.max() + 1, np.random.default_rng(0)
    drawn = random.multinomial(num, np.full(num, 1 / num), NUM_RESAMPLES)[:, index].astype(float)
    total = drawn.sum(1, keepdims=True)

    def centre(values: NDArray) -> NDArray:
        return values - (drawn @ values / total)[:, None]

    first, second = (np.asarray(each, float) for each in (found, truth))
    sums = [
        np.einsum("kn,kni,kni->ki", drawn, centre(a), centre(b))
        for a, b in ((first, second), (first, first), (second, second))
    ]
    resampled = sums[0] / np.sqrt(np.maximum(sums[1] * sums[2], 1e-12))
    return np.quantile(resampled, [0.025, 0.975], axis=0)


def _scatter(found: NDArray, truth: NDArray, most: int = 400) -> dict[str, Any]:
    """Points of the scatter plot: truth and prediction by property."""
    return {
        name: {
            "truth": np.round(truth[:most, k], 4).tolist(),
            "predicted": np.round(np.asarray(found, float)[:most, k], 4).tolist(),
        }
        for k, name in enumerate(PROPERTIES)
    }
