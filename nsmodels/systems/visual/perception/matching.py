"""Perception metrics: predicted objects are matched to true ones, then errors are counted.

Matching is greedy, nearest pair first, by the distance of the centres as a fraction of the image's width.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from nsmodels.datasets.clevr.vocabulary import ATTRIBUTES, RELATIONS
from nsmodels.systems.visual.reasoning.belief import Array, Scene, SceneBelief

MAX_DISTANCE = 0.05  # of the image's width; small objects are about 0.06 wide


def match_points(predicted: Array, true: Array, max_distance: float) -> list[tuple[int, int]]:
    """Pairs (predicted index, true index) of points (n, 2) and (m, 2), nearest first, each point used once.

    `max_distance`: largest distance of a pair, in the units of the points.
    """
    distances = np.linalg.norm(predicted[:, None, :] - true[None, :, :], axis=2)
    pairs: list[tuple[int, int]] = []
    while distances.size and distances.min() <= max_distance:
        i, j = (int(k) for k in np.unravel_index(distances.argmin(), distances.shape))
        pairs.append((i, j))
        distances[i, :] = distances[:, j] = np.inf
    return pairs


def object_metrics(
    scenes: Iterable[Scene], beliefs: Iterable[SceneBelief], max_distance: float = MAX_DISTANCE
) -> dict[str, float]:
    """Detection, attributes and relations over paired true scenes and beliefs, all in 0..1.

    Keys: precision, recall, one per attribute and `all_attributes` (share of matched objects), relations (share of the
    four relations of ordered pairs of matched objects), scene_exact (objects, attributes and relations all right), and
    the numbers of `objects` and `scenes`. True pixel coordinates must be those of the image given to perception.
    `max_distance`: of a match, as a fraction of the image's width.
    """
    total: Counter[str] = Counter()
    for scene, belief in zip(scenes, beliefs, strict=True):
        total.update(_count_matches(scene, belief, max_distance))
    matches = total["matched"]
    attributes = {name: _ratio(total[name], matches) for name in (*ATTRIBUTES, "all_attributes")}
    return {
        "precision": _ratio(matches, total["predicted"]),
        "recall": _ratio(matches, total["true"]),
        **attributes,
        "relations": _ratio(total["relations"], total["pairs"]),
        "scene_exact": _ratio(total["exact"], total["scenes"]),
        "objects": float(total["true"]),
        "scenes": float(total["scenes"]),
    }


def _ratio(count: int, of: int) -> float:
    return count / of if of else float("nan")


def match_objects(belief: SceneBelief, truth: SceneBelief, max_distance: float = MAX_DISTANCE) -> tuple[Array, Array]:
    """Rows of the present objects of a belief, and of the true objects they match, pair by pair."""
    kept = np.flatnonzero(belief.presence >= 0.5)
    pairs = match_points(belief.pixels[kept], truth.pixels, max_distance * belief.image_size[0])
    return kept[np.array([i for i, _ in pairs], int)], np.array([j for _, j in pairs], int)


def _count_matches(scene: Scene, belief: SceneBelief, max_distance: float) -> dict[str, int]:
    truth = SceneBelief.from_scene(scene, belief.image_size)
    found, true = match_objects(belief, truth, max_distance)
    num_predicted = int((belief.presence >= 0.5).sum())
    right = {
        name: belief.attributes[name][found].argmax(axis=1) == truth.attributes[name][true].argmax(axis=1)
        for name in ATTRIBUTES
    }
    everything = np.logical_and.reduce(list(right.values()))
    agree = [
        (belief.relations[name][np.ix_(found, found)] > 0.5) == (truth.relations[name][np.ix_(true, true)] > 0.5)
        for name in RELATIONS
    ]
    ordered = len(found) * (len(found) - 1)
    # The diagonals always agree, both are zero: no object is left of itself.
    relations = int(sum(table.sum() for table in agree)) - len(RELATIONS) * len(found)
    is_exact = num_predicted == len(truth) == len(found) and everything.all() and relations == len(RELATIONS) * ordered
    return {
        "scenes": 1,
        "predicted": num_predicted,
        "true": len(truth),
        "matched": len(found),
        **{name: int(flags.sum()) for name, flags in right.items()},
        "all_attributes": int(everything.sum()),
        "pairs": len(RELATIONS) * ordered,
        "relations": relations,
        "exact": int(is_exact),
    }
