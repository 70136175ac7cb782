"""Labels of every cell against scipy's Dijkstra and against the definition of an optimal action."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import ARROWS, LENGTHS, NAMES, OFFSETS
from nsmodels.datasets.mazes.grids import concatenate
from nsmodels.datasets.mazes.solving import distances
from nsmodels.datasets.mazes.solving.labels import action_sets, label
from tests.datasets.mazes.oracle import CASES, costs, draw, moves


def test_actions_are_listed_alike() -> None:
    assert len(OFFSETS) == len(NAMES) == len(ARROWS) == len(LENGTHS) == 8
    for (rows, columns), name, length in zip(OFFSETS, NAMES, LENGTHS, strict=True):
        words = [["up", "", "down"][rows + 1], ["left", "", "right"][columns + 1]]
        assert name == "-".join(word for word in words if word)
        assert length == pytest.approx(np.hypot(rows, columns))


@pytest.mark.parametrize(("height", "width", "connectivity", "is_weighted"), CASES)
def test_costs_are_scipys(height: int, width: int, connectivity: int, is_weighted: bool) -> None:
    maps = draw(6, height, width, connectivity, is_weighted)
    found = label(maps).cost_to_go
    assert found.dtype == np.float32
    for i in range(len(maps)):
        np.testing.assert_allclose(found[i], costs(maps, i), rtol=1e-6)


@pytest.mark.parametrize(("height", "width", "connectivity", "is_weighted"), CASES)
def test_an_action_is_optimal_when_its_cost_and_the_rest_make_up_the_whole(
    height: int, width: int, connectivity: int, is_weighted: bool
) -> None:
    maps = draw(4, height, width, connectivity, is_weighted)
    sets = action_sets(label(maps).optimal, connectivity)
    assert sets.shape == (4, connectivity, height, width)
    for i in range(len(maps)):
        exact, expected = costs(maps, i), np.zeros(sets.shape[1:], bool)
        for row, column in np.argwhere(np.isfinite(exact) & (exact > 0)).tolist():
            for action, r, c, cost in moves(maps, i, row, column):
                expected[action, row, column] = abs(exact[row, column] - cost - exact[r, c]) < 1e-7
        np.testing.assert_array_equal(sets[i], expected)


@pytest.mark.parametrize("shape", [(8, 8), (7, 9), (64, 1), (1, 64), (2, 2), (8, 9), (5, 70)])
def test_word_queue_and_heap_agree(shape: tuple[int, int]) -> None:
    maps = draw(500, *shape, 4, False)
    one, other = label(maps), distances.dijkstra_all(maps)
    np.testing.assert_array_equal(one.cost_to_go, other[0])
    np.testing.assert_array_equal(one.optimal, other[1])


def test_a_long_corridor_is_exact() -> None:
    free = np.zeros((1, 61, 61), bool)
    free[0, ::2] = True
    free[0, 1::4, -1] = free[0, 3::4, 0] = True
    maps = replace(draw(1, 61, 61, 4, False), free=free, goal=np.zeros((1, 2), np.int16))
    assert label(maps).cost_to_go[0, 60, 60] == 30 * 62 + 60


def test_a_corner_is_not_cut() -> None:
    maps = draw(1, 2, 2, 8, False, density=0.0)
    maps = replace(maps, start=np.array([[0, 0]], np.int16), goal=np.array([[1, 1]], np.int16))
    assert label(maps).cost_to_go[0, 0, 0] == np.float32(2**0.5)
    maps.free[0, 0, 1] = False
    assert label(maps).cost_to_go[0, 0, 0] == 2


def test_slices_of_views_label_like_copies() -> None:
    maps = draw(20, 8, 8, 4, False)
    turned = replace(maps, free=maps.free[:, ::-1, ::-1], goal=7 - maps.goal)
    np.testing.assert_array_equal(label(turned).cost_to_go, label(maps).cost_to_go[:, ::-1, ::-1])
    np.testing.assert_array_equal(label(maps[3:9]).optimal, label(maps).optimal[3:9])


def test_no_maps_have_no_labels() -> None:
    assert label(draw(2, 8, 8, 4, False)[:0]).cost_to_go.shape == (0, 8, 8)


@pytest.mark.parametrize(("goal", "place"), [((0, 1), "in a wall"), ((8, 0), "outside the map"), ((0, -1), "outside")])
def test_a_goal_must_be_free(goal: tuple[int, int], place: str) -> None:
    maps = draw(3, 8, 8, 4, False)
    maps.free[2, 0, 1] = False
    maps.goal[2] = goal
    with pytest.raises(InputError, match=f"map 2: the goal, row {goal[0]} column {goal[1]}, is {place}"):
        label(maps)


def test_maps_of_one_shape_are_joined() -> None:
    plain, weighted = draw(2, 5, 6, 4, False), draw(3, 5, 6, 4, True)
    joined = concatenate([plain, weighted])
    assert joined.cost is not None
    assert len(joined) == 5
    assert (joined.cost[:2] == 1).all()
    np.testing.assert_array_equal(joined[[4, 2]].free, weighted.free[[2, 0]])
    for others in ([draw(1, 6, 5, 4, False)], [draw(1, 5, 6, 8, False)]):
        with pytest.raises(InputError, match="expected one shape and connectivity"):
            concatenate([plain, *others])
    with pytest.raises(InputError, match="got no maps"):
        concatenate([])
