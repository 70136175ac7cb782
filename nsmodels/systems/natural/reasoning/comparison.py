"""Comparisons of two things over a belief: older, larger, healthier … from attributes, kinds of things, then boxes."""

from __future__ import annotations

import numpy as np

from nsmodels.datasets.gqa.programs.comparison import BOXES, SCALES, STATED
from nsmodels.datasets.gqa.programs.words import HEALTHY, UNHEALTHY, YOUNG, singular
from nsmodels.formats.scenes.graphs import Box
from nsmodels.systems.natural.reasoning.operations import Distribution, name_of, normalised
from nsmodels.systems.natural.reasoning.scene import Scene
from nsmodels.systems.natural.reasoning.sets import Found, referent

Array = np.ndarray


def compare(scene: Scene, first: Found, second: Found | None, comparison: str) -> Distribution:
    """The name of the one of two things that is "older", or as the comparison says; of one set, of two members."""
    scale, sign = SCALES[comparison]
    above = exceeds(scene, scale)
    wins = above if sign > 0 else above.T
    own = referent(first.preferred).weights
    if second is None:
        pairs = np.multiply.outer(own, own)
        np.fill_diagonal(pairs, 0.0)
        return name_of(scene, _shares((pairs * wins).sum(1)), first.names)
    pairs = np.multiply.outer(own, referent(second.preferred).weights)
    np.fill_diagonal(pairs, 0.0)
    one = name_of(scene, (pairs * wins).sum(1), first.names)
    two = name_of(scene, (pairs * wins.T).sum(0), second.names)
    shares = ((pairs * wins).sum(), (pairs * wins.T).sum())
    found: Distribution = {}
    for names, weight in zip((one, two), shares, strict=True):
        for name, p in names.items():
            found[name] = found.get(name, 0.0) + p * float(weight)
    return normalised(found)


def exceeds(scene: Scene, scale: str) -> Array:
    """P(object i is more on a scale than object j), (n, n): by the first measure on which they differ."""
    decided = np.zeros((len(scene), len(scene)))
    undecided = np.ones_like(decided)
    for more in (_stated(scene, scale), _kinds(scene, scale), _boxes(scene, scale)):
        decided += undecided * more
        undecided = undecided * np.clip(1.0 - more - more.T, 0.0, 1.0)
    return decided


def _stated(scene: Scene, scale: str) -> Array:
    """By attributes: both state one, and the expected levels of what they state differ."""
    values = [(scene.has("", value), level) for value, level in STATED[scale].items()]
    if not values:
        return np.zeros((len(scene), len(scene)))
    held, levels = np.stack([p for p, _ in values], 1), np.array([level for _, level in values], float)
    states = 1.0 - np.prod(1.0 - held, axis=1)
    # Expected level given that there is one: exact for zeros and ones, where it is the sum of the stated levels.
    level = np.divide(held @ levels, states, out=np.zeros(len(scene)), where=states > 0)
    return np.multiply.outer(states, states) * (level[:, None] > level[None, :])


def _kinds(scene: Scene, scale: str) -> Array:
    """By what they are: a boy is young, a vegetable is healthy."""
    levels = np.array([_level(scene, name, scale) for name in scene.lexicon.words.names], float)
    distinct = np.unique(levels)
    shares = scene.names @ (levels[:, None] == distinct[None, :])
    below = np.cumsum(shares, axis=1) - shares
    return shares @ below.T


def _level(scene: Scene, name: str, scale: str) -> float:
    parents = scene.lexicon.words.parents
    above = {singular(name), *parents.get(singular(name), ()), *parents.get(name, ())}
    if scale == "old":
        return -1.0 if singular(name) in YOUNG else 0.0
    return float(bool(above & HEALTHY)) - float(bool(above & UNHEALTHY)) if scale == "healthy" else 0.0


def _boxes(scene: Scene, scale: str) -> Array:
    if scale not in BOXES:
        return np.zeros((len(scene), len(scene)))
    sizes = np.array([BOXES[scale](Box(*box)) for box in scene.belief.boxes.tolist()], float)
    return (sizes[:, None] > sizes[None, :]).astype(float)


def _shares(weights: Array) -> Array:
    return weights / weights.sum() if weights.sum() > 0 else weights
