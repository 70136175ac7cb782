"""Concepts: combinations of material and shape that no training clip has, named by their attributes or by examples.

Zero-shot: a concept is given by its definition alone, the words for its material and its shape, each known from other
combinations; the score of a concept is log p(material) + log p(shape) (direct attribute prediction: Lampert, Nickisch &
Harmeling 2014). Few-shot: five concepts, five examples of each, 15 queries; a query goes to the nearest mean in the
linear discriminants of the training concepts. Examples and queries are different objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.evaluation.scores import CHANCE, WORLD, Metric

NUM_WAYS, NUM_SHOTS, NUM_QUERIES = 5, 5, 15
SHRINKAGE = 0.1  # of a covariance towards its mean variance
NUM_DIMENSIONS = 64  # of features of any origin, after principal components
ATTRIBUTES = ("material", "shape")
Features = NDArray[np.float64]
Probabilities = Mapping[str, Features]  # by attribute: (n, k)


class Space(NamedTuple):
    """A linear map of features: principal components, in which the spread within a training concept is one."""

    mean: Features
    matrix: Features

    def __call__(self, features: NDArray) -> Features:
        """Features (..., F) in the space (..., d)."""
        return (np.asarray(features, np.float64) - self.mean) @ self.matrix


def _origin(split: str) -> str:
    """Whether training has the combinations of a split."""
    return "none in training" if split == "novel" else f"those of {split}"


def concepts_of(clips: Clips) -> NDArray[np.int64]:
    """Number of the concept of each clip: material and shape."""
    return clips.columns["material"].astype(np.int64) * 1_000 + clips.columns["shape"].astype(np.int64)


def objects_of(clips: Clips) -> list[str]:
    """Name of the object of each clip; a clip of which none is known is an object by itself."""
    if "object" in clips.columns:
        return [str(each) for each in clips.columns["object"].tolist()]
    return [str(each) for each in clips.ids.tolist()]


def has_concepts(clips: Clips) -> bool:
    """Whether materials and shapes of clips are known by name."""
    return all(name in clips.columns and name in clips.words for name in ATTRIBUTES)


# --- zero-shot -------------------------------------------------------------------------------------------------------


def probabilities(features: NDArray, train: NDArray, clips: Clips) -> Probabilities:
    """Materials and shapes of `features` by linear discriminants of the features `train` of training clips `clips`."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    reduced = components(train)
    found = {}
    for name in ATTRIBUTES:
        probe = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        probe.fit(reduced(train), clips.columns[name])
        found[name] = np.zeros((len(features), len(clips.words[name])))
        found[name][:, probe.classes_] = probe.predict_proba(reduced(features))
    return found


def zero_shot(clips: Clips, split: str, rivals: Mapping[str, Probabilities], ceiling: str) -> Metric:
    """Share of clips whose concept has the highest score among those of the split; `WORLD` is among the `rivals`."""
    concepts, rows = np.unique(concepts_of(clips), return_inverse=True)
    scores = {name: (_scores(found, concepts).argmax(1) == rows).astype(float) for name, found in rivals.items()}
    return Metric(
        "zero_shot_accuracy", "zero-shot", split, _ids(clips), objects_of(clips), scores,
        {CHANCE: 1 / len(concepts)}, ceiling,
        about=f"{len(concepts)} combinations of material and shape, {_origin(split)}, given by these two words",
    )  # fmt: skip


def by_concept(clips: Clips, metric: Metric) -> dict[str, float]:
    """Accuracy of the model by combination."""
    names = [
        f"{clips.words['material'][m]} {clips.words['shape'][s]}"
        for m, s in zip(*(clips.columns[name].tolist() for name in ATTRIBUTES), strict=True)
    ]
    right, every = metric.scores[WORLD], np.array(names)
    return {name: float(right[every == name].mean()) for name in dict.fromkeys(names)}


def _scores(found: Probabilities, concepts: NDArray[np.int64]) -> Features:
    material, shape = (np.log(found[name] + 1e-9) for name in ATTRIBUTES)
    return material[:, concepts // 1_000] + shape[:, concepts % 1_000]


# --- few-shot --------------------------------------------------------------------------------------------------------


def few_shot(
    clips: Clips, split: str, rivals: Mapping[str, NDArray], ceiling: str, num_episodes: int, seed: int
) -> Metric | None:
    """Accuracy of each episode, for features of the same clips by rival; None where there are too few objects."""
    drawn = episodes(clips, num_episodes, seed)
    if drawn is None:
        return None
    support, query = drawn
    scores = {
        name: np.array([_accuracy(found[s], found[q]) for s, q in zip(support, query, strict=True)])
        for name, found in rivals.items()
    }
    names = [str(number) for number in range(num_episodes)]
    return Metric(
        "few_shot_accuracy", "few-shot", split, names, names, scores, {CHANCE: 1 / NUM_WAYS}, ceiling,
        about=f"{NUM_WAYS}-way {NUM_SHOTS}-shot, {num_episodes} episodes of {NUM_QUERIES} queries of other objects, "
        f"classes are {_origin(split)}",
    )  # fmt: skip


def episodes(clips: Clips, num: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Rows of the examples (num, ways, shots) and of the queries (num, ways, queries), of different objects."""
    concepts, objects = concepts_of(clips), np.array(objects_of(clips))
    by_object = {
        c: [np.flatnonzero((concepts == c) & (objects == o)) for o in np.unique(objects[concepts == c])]
        for c in np.unique(concepts)
    }
    usable = [c for c, rows in by_object.items() if len(rows) > 1]
    if len(usable) < NUM_WAYS:
        return None
    random, support, query = np.random.default_rng(seed), [], []
    for _ in range(num):
        parts = [_drawn(by_object[c], random) for c in random.choice(usable, NUM_WAYS, replace=False)]
        support.append([part[0] for part in parts])
        query.append([part[1] for part in parts])
    return np.array(support), np.array(query)


def _drawn(objects: list[NDArray[np.int64]], random: np.random.Generator) -> tuple[NDArray, NDArray]:
    """Examples of some objects, one of each while there are enough, and queries of the others."""
    order = random.permutation(len(objects))
    num_support = min(NUM_SHOTS, len(objects) - 1, max(1, len(objects) // 2))
    given = [random.permutation(objects[k]) for k in order[:num_support]]
    rest = np.concatenate([objects[k] for k in order[num_support:]])
    turns = max(map(len, given))
    pool = np.array([rows[turn % len(rows)] for turn in range(turns) for rows in given])
    return np.resize(pool, NUM_SHOTS), np.resize(random.permutation(rest), NUM_QUERIES)


def _accuracy(support: Features, query: Features) -> float:
    """Share of queries (ways, queries, d) nearest to the mean of the examples (ways, shots, d) of their class."""
    means = support.mean(1)
    distances = -2 * query @ means.T + (means**2).sum(-1)
    return float((distances.argmin(-1) == np.arange(len(means))[:, None]).mean())


# --- features --------------------------------------------------------------------------------------------------------


def components(train: NDArray) -> Space:
    """Principal components of standardised features, at most `NUM_DIMENSIONS`, each of unit variance."""
    from sklearn.utils.extmath import randomized_svd

    values = np.asarray(train, np.float64)
    mean, scale = values.mean(0), values.std(0) + 1e-6
    most = min(NUM_DIMENSIONS, *values.shape)
    _, spread, axes = randomized_svd((values - mean) / scale, most, random_state=0)
    kept = int((spread > 1e-3 * spread[0]).sum())
    matrix = (axes[:kept].T / scale[:, None]) / (spread[:kept] / np.sqrt(len(values)))
    return Space(mean, matrix)


def within_concepts(train: NDArray, clips: Clips) -> Space:
    """The axes in which the training concepts differ most, scaled so that the clips of a concept vary alike in each.

    Linear discriminants (Fisher 1936) with a shrunk covariance, as many as the words for materials and shapes can tell
    apart.
    """
    first = components(train)
    values = first(train)
    _, rows, counts = np.unique(concepts_of(clips), return_inverse=True, return_counts=True)
    means = np.stack([values[rows == k].mean(0) for k in range(len(counts))])
    covariance = np.cov((values - means[rows]).T, bias=True).reshape(values.shape[1], -1)
    covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.eye(len(covariance)) * np.trace(covariance) / len(
        covariance
    )
    roots, axes = np.linalg.eigh(covariance)
    alike = axes / np.sqrt(np.maximum(roots, 1e-6))
    differences = (means - values.mean(0)) @ alike * np.sqrt(counts)[:, None]
    _, _, apart = np.linalg.svd(differences, full_matrices=False)
    num_axes = sum(len(clips.words[name]) - 1 for name in ATTRIBUTES)
    return Space(first.mean, first.matrix @ alike @ apart[:num_axes].T)


def _ids(clips: Clips) -> list[str]:
    return [str(each) for each in clips.ids.tolist()]
