"""Scores of perception: believed objects are matched to true ones by their boxes, then what is right is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from nsmodels.systems.natural.beliefs import Belief, belief_of
from nsmodels.systems.natural.perception.labels import LabelSpace, Photograph

LEAST_OVERLAP = 0.5  # of a match: area common to both boxes over the area of both
RARE = 0.25  # share of names, those least frequent in training, that are scored as rare
PRESENT = 0.5  # probability from which an object, an attribute or a relation is taken as a fact


def score_beliefs(
    photographs: Sequence[Photograph], beliefs: Sequence[Belief], space: LabelSpace, counts: Mapping[str, int]
) -> dict[str, float]:
    """Shares in 0..1; 0 where there is nothing to count.

    `recall`, `precision` of objects by their boxes; of matched ones `names`, `attribute_sets` (all attributes of all
    types as stated), `within_class` (names among those whose class is right) and `rare_names` (of the quarter of names
    least frequent in training, by `counts`); `relation_f1` of relations but left and right, missed objects included.
    """
    rare = rare_names(space, counts)
    total: Counter[str] = Counter()
    for photograph, belief in zip(photographs, beliefs, strict=True):
        total.update(count_right(photograph, belief, space, rare))
    hits, missed = total["relations"], total["relations_true"] + total["relations_found"]
    return {
        "recall": _share(total["matched"], total["true"]),
        "precision": _share(total["matched"], total["found"]),
        "names": _share(total["names"], total["matched"]),
        "attribute_sets": _share(total["sets"], total["described"]),
        "within_class": _share(total["names"], total["classes"]),
        "rare_names": _share(total["rare_right"], total["rare"]),
        "relation_f1": _share(2 * hits, missed),
    }


def count_right(photograph: Photograph, belief: Belief, space: LabelSpace, rare: set[str]) -> dict[str, int]:
    """Numbers of objects and relations of one image: true ones, found ones, right ones."""
    truth = belief_of(photograph.graph, space.words)
    present = np.flatnonzero(belief.presence >= PRESENT)
    pairs = match_boxes(belief.boxes[present], truth.boxes)
    found, true = present[pairs[:, 0]], pairs[:, 1]
    named, wanted = belief.names[found].argmax(1), truth.names[true].argmax(1)
    classes, right = np.array(space.class_numbers), named == wanted
    is_rare = np.array([space.words.names[number] in rare for number in wanted], bool)
    tables = [
        (belief.attributes[kind][found] >= PRESENT, truth.attributes[kind][true] > 0) for kind in truth.attributes
    ]
    sets = np.logical_and.reduce([np.ones(len(found), bool), *((a == b).all(1) for a, b in tables)])
    return {
        **{"true": len(truth), "found": len(present), "matched": len(found), "names": int(right.sum())},
        "classes": int((classes[named] == classes[wanted]).sum()),
        **{"rare": int(is_rare.sum()), "rare_right": int((right & is_rare).sum())},
        "described": len(found) if photograph.is_described else 0,
        "sets": int(sets.sum()) if photograph.is_described else 0,
        **(_count_relations(belief, truth, present, found, true, space) if photograph.is_described else {}),
    }


def named_objects(photograph: Photograph, belief: Belief, space: LabelSpace) -> Bool[np.ndarray, " m"]:
    """Whether each true object of an image is found and named as it is."""
    read, true = named_numbers(photograph, belief, space)
    return read == true


def named_numbers(
    photograph: Photograph, belief: Belief, space: LabelSpace
) -> tuple[Int[np.ndarray, " m"], Int[np.ndarray, " m"]]:
    """The number of the name that is read for each true object of an image, −1 where it is not found; the true one."""
    truth = belief_of(photograph.graph, space.words)
    present = np.flatnonzero(belief.presence >= PRESENT)
    pairs = match_boxes(belief.boxes[present], truth.boxes)
    read = np.full(len(truth), -1)
    read[pairs[:, 1]] = belief.names[present[pairs[:, 0]]].argmax(1)
    return read, truth.names.argmax(1)


def rare_names(space: LabelSpace, counts: Mapping[str, int]) -> set[str]:
    """The quarter of all names that are least frequent, by `counts`."""
    return set(sorted(space.words.names, key=lambda name: (counts.get(name, 0), name))[: _quarter(space)])


def match_boxes(found: Float[np.ndarray, "n 4"], true: Float[np.ndarray, "m 4"]) -> Int[np.ndarray, "k 2"]:
    """Pairs (row found, row true) that overlap enough, the best first, each row used once."""
    overlaps = overlaps_of(found, true)
    pairs: list[tuple[int, int]] = []
    while overlaps.size and overlaps.max() >= LEAST_OVERLAP:
        i, j = (int(k) for k in np.unravel_index(overlaps.argmax(), overlaps.shape))
        pairs.append((i, j))
        overlaps[i, :] = overlaps[:, j] = 0
    return np.array(pairs, np.int64).reshape(-1, 2)


def overlaps_of(first: Float[np.ndarray, "n 4"], second: Float[np.ndarray, "m 4"]) -> Float[np.ndarray, "n m"]:
    """Area common to two boxes over the area of both."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum((first[:, :2] + first[:, 2:])[:, None], (second[:, :2] + second[:, 2:])[None])
    shared = np.clip(high - low, 0, None).prod(-1)
    areas = first[:, 2:].prod(-1)[:, None] + second[:, 2:].prod(-1)[None]
    return shared / np.maximum(areas - shared, 1e-9)


def _count_relations(
    belief: Belief, truth: Belief, present: np.ndarray, found: np.ndarray, true: np.ndarray, space: LabelSpace
) -> dict[str, int]:
    rows = [space.words.relations.index(name) for name in space.relations]
    guessed = belief.relations[rows] >= PRESENT
    stated = truth.relations[rows] > 0
    both = guessed[:, found][:, :, found] & stated[:, true][:, :, true]
    return {
        "relations": int(both.sum()),
        "relations_found": int(guessed[:, present][:, :, present].sum()),
        "relations_true": int(stated.sum()),
    }


def _quarter(space: LabelSpace) -> int:
    return max(1, round(RARE * len(space.words.names)))


def _share(count: int, of: int) -> float:
    return count / of if of else 0.0
