"""Forests on figures by hand: which modality shows which property, and what they reach without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.clips.names import MODALITIES, PROPERTIES
from nsmodels.systems.world.evaluation.properties import correlations
from nsmodels.systems.world.evaluation.subject import TRAIN, Subject

NUM_TREES, LEAF, SHARE = 50, 2, 0.15


class Forests(NamedTuple):
    """Properties of a split by forests, (n, 9) by subset, and their correlation (9, 3) with the truth by modality."""

    predicted: dict[tuple[str, ...], NDArray[np.float64]]
    matrix: NDArray[np.float64]


def forests_of(subject: Subject, split: str) -> Forests:
    """Fitted on the training clips of a subject, once: of each modality alone, and of all."""
    return subject.once(("forests", split), lambda: _fitted(subject, split))


def _fitted(subject: Subject, split: str) -> Forests:
    chosen = [each for each in subject.subsets if len(each) == 1 or each == subject.modalities]
    predicted = {each: _predicted(subject, split, each) for each in chosen}
    truth = np.asarray(subject.splits[split].properties, np.float64)
    matrix = np.zeros((len(PROPERTIES), len(MODALITIES)))
    for column, modality in enumerate(MODALITIES):
        if (modality,) in predicted:
            matrix[:, column] = correlations(predicted[modality,], truth)
    return Forests(predicted, matrix)


def _predicted(subject: Subject, split: str, subset: Sequence[str]) -> NDArray[np.float64]:
    """Properties (n, 9) of a split by a forest on the figures of these modalities."""
    from sklearn.ensemble import ExtraTreesRegressor

    train, found = (np.concatenate([subject.figures(name, each) for each in subset], 1) for name in (TRAIN, split))
    forest = ExtraTreesRegressor(NUM_TREES, min_samples_leaf=LEAF, max_features=SHARE, random_state=0)
    return forest.fit(train, np.asarray(subject.splits[TRAIN].properties)).predict(found)
