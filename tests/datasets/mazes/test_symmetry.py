"""Rotations and mirrors commute with labelling, and share a mark that nothing else has."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from nsmodels.datasets.mazes.actions import NAMES, OFFSETS
from nsmodels.datasets.mazes.drawing.symmetry import (
    NUM_TRANSFORMS,
    action_permutation,
    mark,
    transform,
    transform_cells,
    transform_maps,
    transform_mask,
)
from nsmodels.datasets.mazes.solving.labels import action_sets, label
from tests.datasets.mazes.oracle import draw

SHAPES = [(8, 8), (5, 9), (1, 7), (12, 12)]


@pytest.mark.parametrize("k", range(NUM_TRANSFORMS))
@pytest.mark.parametrize(("connectivity", "is_weighted"), [(4, False), (8, False), (8, True)])
@pytest.mark.parametrize("shape", SHAPES)
def test_labels_turn_with_the_map(shape: tuple[int, int], connectivity: int, is_weighted: bool, k: int) -> None:
    maps = draw(10, *shape, connectivity, is_weighted)
    before, turned = label(maps), transform_maps(maps, k)
    after = label(turned)
    np.testing.assert_array_equal(after.cost_to_go, transform(before.cost_to_go, k))
    np.testing.assert_array_equal(after.optimal, transform_mask(before.optimal, k, connectivity))
    sets, permutation = action_sets(before.optimal, connectivity), action_permutation(k, connectivity)
    for action in range(connectivity):
        moved = action_sets(after.optimal, connectivity)[:, permutation[action]]
        np.testing.assert_array_equal(moved, transform(sets[:, action], k))
    assert turned.free[np.arange(10), turned.start[:, 0], turned.start[:, 1]].all()


def test_the_first_transforms_are_what_their_numbers_say() -> None:
    array = np.array([[1, 2, 3], [4, 5, 6]])
    assert transform(array, 0).tolist() == array.tolist()
    assert transform(array, 1).tolist() == [[3, 6], [2, 5], [1, 4]]
    assert transform(array, 4).tolist() == [[3, 2, 1], [6, 5, 4]]
    assert [NAMES[action] for action in action_permutation(1, 4)] == ["left", "up", "right", "down"]
    assert [NAMES[action] for action in action_permutation(4, 4)] == ["up", "left", "down", "right"]


@pytest.mark.parametrize("k", range(NUM_TRANSFORMS))
def test_a_step_turns_with_its_cells(k: int) -> None:
    one = np.array([2, 3])
    for action, offset in enumerate(OFFSETS):
        ends = transform_cells(np.stack([one, one + offset]), (5, 7), k)
        assert tuple(ends[1] - ends[0]) == OFFSETS[action_permutation(k, 8)[action]]


def test_the_eight_transforms_differ() -> None:
    array = np.arange(9).reshape(3, 3)
    assert len({transform(array, k).tobytes() for k in range(NUM_TRANSFORMS)}) == NUM_TRANSFORMS


@pytest.mark.parametrize("shape", SHAPES)
def test_a_mark_is_shared_by_the_eight_transforms(shape: tuple[int, int]) -> None:
    free = draw(200, *shape, 4, False).free
    for k in range(NUM_TRANSFORMS):
        assert mark(transform(free, k)) == mark(free)


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (1, 5)])
def test_marks_differ_where_no_transform_agrees(shape: tuple[int, int]) -> None:
    """All maps of a shape: as many marks as there are classes, and equal marks only within a class."""
    bits = list(itertools.product([False, True], repeat=shape[0] * shape[1]))
    free = np.array(bits).reshape(-1, *shape)
    classes = [
        min(str(t.shape) + t.tobytes().hex() for t in (transform(one, k) for k in range(NUM_TRANSFORMS)))
        for one in free
    ]
    pairs = set(zip(classes, mark(free), strict=True))
    assert len(pairs) == len(set(classes)) == len({name for _, name in pairs})


def test_a_mark_knows_the_shape() -> None:
    marks = [mark(np.ones((1, *shape), bool))[0] for shape in ((1, 8), (2, 4), (4, 4), (1, 7))]
    assert len(set(marks)) == 4
