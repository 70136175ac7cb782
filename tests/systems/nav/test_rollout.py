"""Following policies: every way in which a walk ends, and the rules that need no learning."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import action_sets, label
from nsmodels.systems.nav.network.readout import Policy
from nsmodels.systems.nav.planning.heuristics import greedy, legal_actions, uniform
from nsmodels.systems.nav.planning.rollout import Rollout, roll_out

UP, RIGHT, DOWN, LEFT, UP_RIGHT = range(5)


def drawn(lines: list[str], connectivity: int = 4) -> Maps:
    """One problem from text: `S`, `G`, `#` for walls."""
    cells = np.array([list(line) for line in lines])
    start, goal = (np.argwhere(cells == mark).astype(np.int16) for mark in "SG")
    return Maps((cells != "#")[None], start, goal if len(goal) else start, None, connectivity)


def many(num: int, side: int, connectivity: int = 4, seed: int = 0, density: float = 0.2) -> Maps:
    """Random obstacles; starts and goals on free cells, not always joined by a way."""
    rng = np.random.default_rng(seed)
    free = rng.random((num, side, side)) > density
    ends = rng.integers(0, side, (2, num, 2)).astype(np.int16)
    for end in ends:
        free[np.arange(num), *end.T] = True
    return Maps(free, ends[0], ends[1], None, connectivity)


def ends(walk: Rollout) -> list[str]:
    """How each walk ended, in a word."""
    flags = zip(walk.success, walk.collided, walk.looped, strict=True)
    return [
        "+".join(word for word, flag in zip(("success", "collided", "looped"), f, strict=True) if flag) for f in flags
    ]


def everywhere(action: int, maps: Maps) -> np.ndarray:
    return np.full(maps.free.shape, action, np.int8)


def test_a_straight_walk_reaches_the_goal() -> None:
    walk = roll_out(everywhere(RIGHT, maps := drawn(["S..G"])), maps)
    assert (ends(walk), walk.cost.tolist(), walk.num_moves.tolist()) == (["success"], [3.0], [3])
    assert walk.paths[0].tolist() == [[0, 0], [0, 1], [0, 2], [0, 3]]


@pytest.mark.parametrize("lines", [["S#G"], ["S..", "###", "G.."]])
def test_a_walk_ends_before_a_wall_or_the_border(lines: list[str]) -> None:
    walk = roll_out(everywhere(RIGHT, maps := drawn(lines)), maps)
    assert ends(walk) == ["collided"]


def test_a_walk_ends_at_a_cell_seen_before() -> None:
    maps = drawn(["S.#G"])
    walk = roll_out(np.array([[[RIGHT, LEFT, UP, UP]]], np.int8), maps)
    assert ends(walk) == ["looped"]
    assert walk.paths[0].tolist() == [[0, 0], [0, 1], [0, 0]]


def test_a_start_on_the_goal_is_a_success_without_a_move() -> None:
    walk = roll_out(everywhere(UP, maps := drawn(["S."])), maps)
    assert (ends(walk), walk.cost.tolist(), walk.num_moves.tolist()) == (["success"], [0.0], [0])


def test_a_walk_ends_after_the_moves_allowed() -> None:
    walk = roll_out(everywhere(RIGHT, maps := drawn(["S..G"])), maps, max_moves=2)
    assert (ends(walk), walk.num_moves.tolist()) == ([""], [2])


def test_diagonals_cost_more_and_cut_no_corner() -> None:
    open_walk = roll_out(everywhere(UP_RIGHT, maps := drawn([".G", "S."], 8)), maps)
    assert open_walk.success.all()
    assert open_walk.cost[0] == pytest.approx(math.sqrt(2))
    cut = roll_out(everywhere(UP_RIGHT, maps := drawn(["#G", "S."], 8)), maps)
    assert cut.collided.all()


def test_costs_are_those_of_the_cells_entered() -> None:
    plain = drawn(["S.G"])
    maps = Maps(plain.free, plain.start, plain.goal, np.array([[[9, 5, 2]]], np.uint8))
    assert roll_out(everywhere(RIGHT, maps), maps).cost.tolist() == [7.0]


@pytest.mark.parametrize("connectivity", [4, 8])
def test_the_perfect_policy_reaches_every_goal_at_the_optimal_cost(connectivity: int) -> None:
    maps = many(200, 9, connectivity)
    labels = label(maps)
    walk = roll_out(Policy.from_labels(labels, maps).actions, maps)
    best = labels.cost_to_go[np.arange(len(maps)), *maps.start.T]
    assert (walk.success == np.isfinite(best)).all()
    assert np.allclose(walk.cost[walk.success], best[walk.success], atol=1e-4)


def test_actions_of_another_shape_and_starts_outside_are_refused() -> None:
    maps = drawn(["S.G"])
    with pytest.raises(InputError, match="one per cell"):
        roll_out(np.zeros((1, 2, 2), np.int8), maps)
    outside = Maps(maps.free, np.array([[0, 3]], np.int16), maps.goal)
    with pytest.raises(InputError, match="outside"):
        roll_out(everywhere(UP, maps), outside)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_the_greedy_rule_is_optimal_without_walls(connectivity: int) -> None:
    maps = many(50, 7, connectivity, density=0.0)
    sets = action_sets(label(maps).optimal, connectivity)
    taken = np.take_along_axis(sets, greedy(maps)[:, None].astype(int), 1)[:, 0]
    assert taken[sets.any(1)].all()


def test_the_greedy_rule_goes_to_and_fro_behind_a_wall() -> None:
    maps = drawn(["....#.", ".S..#G", "....#."])
    assert roll_out(greedy(maps), maps).looped.all()


def test_the_greedy_rule_breaks_ties_by_the_straight_line_then_by_number() -> None:
    assert greedy(drawn(["....G", "S...."]))[0, 1, 0] == RIGHT  # up is as near on foot, but farther as the crow flies
    assert greedy(drawn(["G..", "...", "..S"]))[0, 2, 2] == UP  # up and left are equal in both: the lower number
    assert greedy(drawn([".S", "G."]))[0, 0, 1] == DOWN


def test_chance_takes_legal_actions_only() -> None:
    maps = many(40, 8, 8, density=0.4)
    legal = legal_actions(maps)
    taken = np.take_along_axis(legal, uniform(maps, np.random.default_rng(1))[:, None].astype(int), 1)[:, 0]
    assert taken[legal.any(1)].all()
