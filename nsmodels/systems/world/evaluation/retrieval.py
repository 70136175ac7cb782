"""Retrieval: the sound of the event of a picture, and the picture of the event of a sound, by one modality each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.clips.names import EVENTS, STATES
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.evaluation.concepts import components, objects_of
from nsmodels.systems.world.evaluation.scores import CHANCE, Metric

DEPTHS = (1, 5, 10)
DIRECTIONS = ("image_to_sound", "sound_to_image")


class Pair(NamedTuple):
    """Vectors of the same clips by their picture (n, d) and by their sound (n, d); larger products are nearer."""

    image: NDArray
    sound: NDArray


def audible(clips: Clips) -> NDArray[np.int64]:
    """Rows of clips with picture and sound of something that was heard."""
    there = clips.has("vision") & clips.has("audio")
    if clips.events is not None:
        there = there & np.asarray(clips.events)[:, EVENTS.index("sounded")]
    return np.flatnonzero(there)


def galleries(num: int, size: int, seed: int) -> list[NDArray[np.int64]]:
    """Rows of the galleries: all clips in random order in parts of `size`, the last one filled up from the first."""
    order = np.random.default_rng(seed).permutation(num)
    if num <= size:
        return [order]
    starts = range(0, num, size)
    return [order[np.arange(start, start + size) % num] for start in starts]


def retrieval(clips: Clips, split: str, rivals: Mapping[str, Pair], ceiling: str, size: int, seed: int) -> list[Metric]:
    """Recall among 1, 5 and 10, and mean reciprocal rank, in both directions; `clips` and pairs have the same rows."""
    parts = galleries(len(clips), size, seed)
    size, ids, objects = len(parts[0]), [str(each) for each in clips.ids.tolist()], objects_of(clips)
    found = []
    for direction in DIRECTIONS:
        ranks = {name: ranks_of(pair, parts, direction) for name, pair in rivals.items()}
        about = (
            f"{direction.replace('_', ' ')}: frames and sound of a clip, one encoder each, among N = {size} heard clips"
        )
        for depth in DEPTHS:
            scores = {name: hits(each, depth) for name, each in ranks.items()}
            found.append(Metric(
                f"{direction}_r{depth}", "retrieval", split, ids, objects, scores,
                {CHANCE: min(1.0, depth / size)}, ceiling, about=about,
            ))  # fmt: skip
        harmonic = float(np.mean(1 / np.arange(1, size + 1)))
        scores = {name: reciprocal(each) for name, each in ranks.items()}
        found.append(
            Metric(
                f"{direction}_mrr", "retrieval", split, ids, objects, scores, {CHANCE: harmonic}, ceiling, about=about
            )
        )
    return found


def shared_figures(clips: Clips, shown_by_both: NDArray[np.bool_]) -> Pair:
    """What both senses can tell at best: the force of contacts by step in half decades, and in tenths the properties.

    `shown_by_both`: bool (9,), whether pictures and sounds show a property. Clips that differ in none are ties.
    """
    assert clips.states is not None
    assert clips.properties is not None
    force = np.asarray(clips.states, np.float64)[:, :, STATES.index("contact_force")]
    decades = np.round(2 * np.log10(np.abs(force) + 0.1)) / 2
    tenths = np.round(10 * np.asarray(clips.properties, np.float64)[:, shown_by_both]) / 10
    vectors = np.concatenate([decades, 10 * tenths], 1)
    # The nearest by distance have the largest products on a sphere of one more dimension.
    lengths = (vectors**2).sum(1)
    vectors = np.concatenate([vectors, np.sqrt(lengths.max() - lengths)[:, None]], 1)
    return Pair(vectors, vectors)


def mapped(train: tuple[NDArray, NDArray], found: tuple[NDArray, NDArray], num: int = 16) -> Pair:
    """Canonical correlations between the features of pictures and of sounds in training clips, `num` of them."""
    spaces = [components(each) for each in train]
    image, sound = (space(each) for space, each in zip(spaces, train, strict=True))
    left, strength, right = np.linalg.svd(image.T @ sound / len(image), full_matrices=False)
    kept = strength[:num] ** 0.5
    vectors = [
        space(each) @ axes[:, :num] * kept for space, each, axes in zip(spaces, found, (left, right.T), strict=True)
    ]
    return Pair(*(each / np.linalg.norm(each, axis=1, keepdims=True) for each in vectors))


class Ranks(NamedTuple):
    """Of each clip: how many others are nearer (n,), and how many are as near (n,)."""

    nearer: NDArray[np.int64]
    ties: NDArray[np.int64]


def ranks_of(pair: Pair, parts: list[NDArray[np.int64]], direction: str) -> Ranks:
    """Rank of the right clip for each query in its gallery; a clip in two galleries has that of the first."""
    nearer, ties = np.full(len(pair.image), -1), np.zeros(len(pair.image), int)
    for rows in parts:
        query, answers = (pair.image, pair.sound) if direction == DIRECTIONS[0] else (pair.sound, pair.image)
        products = np.round(query[rows].astype(np.float64) @ answers[rows].T.astype(np.float64), 9)
        right = np.diag(products)[:, None]
        fresh = nearer[rows] < 0
        nearer[rows[fresh]] = (products > right).sum(1)[fresh]
        ties[rows[fresh]] = (products == right).sum(1)[fresh] - 1
    return Ranks(nearer, ties)


def hits(ranks: Ranks, depth: int) -> NDArray[np.float64]:
    """Probability that the right clip is among the first `depth`, ties in random order."""
    return np.clip((depth - ranks.nearer) / (ranks.ties + 1), 0, 1)


def reciprocal(ranks: Ranks) -> NDArray[np.float64]:
    """Expected reciprocal rank, ties in random order."""
    return np.array([np.mean(1 / np.arange(n + 1, n + t + 2)) for n, t in zip(ranks.nearer, ranks.ties, strict=True)])
