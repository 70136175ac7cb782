"""Several datasets in one training of perception: the union of their words, what each knows of it, and in what shares
their images are drawn.

A further dataset needs nothing but a reader that gives photographs with scene graphs, and its vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nsmodels.engine.batching import epoch_order, generator
from nsmodels.formats.scenes.vocabulary import SceneVocabulary
from nsmodels.systems.natural.perception.labels import LabelSpace


def union_of(vocabularies: Sequence[SceneVocabulary]) -> SceneVocabulary:
    """All words of all vocabularies; what two of them say differently of a word is as the earlier one says."""
    first, rest = vocabularies[0], vocabularies[1:]
    if not any(each != first for each in rest):
        return first
    typed = {value: kind for words in reversed(vocabularies) for value, kind in words.type_of.items()}
    kinds = dict.fromkeys(kind for words in vocabularies for kind in words.attributes)
    attributes = {
        kind: _distinct([words.attributes.get(kind, ()) for words in vocabularies], typed, kind) for kind in kinds
    }
    merged: dict[str, Any] = {
        name: {key: value for words in reversed(vocabularies) for key, value in getattr(words, name).items()}
        for name in ("parents", "inverses", "plurals")
    }
    listed: dict[str, Any] = {
        name: tuple(dict.fromkeys(word for words in vocabularies for word in getattr(words, name)))
        for name in ("names", "relations", "locations", "weathers")
    }
    return SceneVocabulary(attributes=attributes, **merged, **listed)


def _distinct(values: Sequence[Sequence[str]], typed: dict[str, str], kind: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for each in values for value in each if typed[value] == kind))


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Which words of a label space a dataset has, bool each: the rest is masked in its images, never absent."""

    names: np.ndarray
    values: np.ndarray
    types: np.ndarray
    relations: np.ndarray
    concepts: np.ndarray

    @classmethod
    def of(cls, words: SceneVocabulary, space: LabelSpace) -> Knowledge:
        """What a dataset with these words knows."""
        named = set(words.names) | set(words.locations) | set(words.weathers) | set(words.type_of)
        return cls(
            names=np.array([name in set(words.names) for name in space.words.names], bool),
            values=np.array([value in words.type_of for value in space.values], bool),
            types=np.array([kind in words.attributes for kind in space.words.attributes], bool),
            relations=np.array([name in words.relations for name in space.relations], bool),
            concepts=np.array([word in named for _, word in space.concepts], bool),
        )


def shares_of(sizes: Sequence[int], temperature: float) -> np.ndarray:
    """Share of each dataset of n images, in proportion to n^(1/T)."""
    weights = np.array(sizes, float) ** (1 / temperature)
    return weights / weights.sum()


def mixed_order(sizes: Sequence[int], temperature: float, seed: int, epoch: int) -> np.ndarray:
    """Images of an epoch, int64 (Σ sizes,), as rows of the datasets one behind the other.

    Each dataset is passed through in permutations of its own, on and on over the epochs, so that no image is drawn
    twice before every one is drawn once; its epoch holds its share. It depends on nothing but the arguments.
    """
    total = sum(sizes)
    counts, first, found = _whole(total * shares_of(sizes, temperature), total), 0, []
    for number, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        drawn = [_drawn(place, size, seed + number) for place in _passes(epoch * count, count, size)]
        found.append(first + (np.concatenate(drawn) if drawn else np.zeros(0, np.int64)))
        first += size
    rows = np.concatenate(found)
    return rows[generator(seed, "mixing", epoch, 0).permutation(len(rows))]


def _passes(start: int, count: int, size: int) -> list[tuple[int, int, int]]:
    """The parts (pass, from, to) of consecutive passes through a dataset that `count` draws from `start` on take."""
    end, parts = start + count, []
    while start < end:
        number, place = divmod(start, size)
        taken = min(size - place, end - start)
        parts.append((number, place, place + taken))
        start += taken
    return parts


def _drawn(part: tuple[int, int, int], size: int, seed: int) -> np.ndarray:
    number, begin, end = part
    return epoch_order(size, seed, number)[begin:end]


def _whole(wanted: np.ndarray, total: int) -> list[int]:
    """Whole numbers that sum to `total`, by the largest remainders."""
    counts = np.floor(wanted).astype(int)
    for place in np.argsort(-(wanted - counts), kind="stable")[: total - counts.sum()]:
        counts[place] += 1
    return counts.tolist()
