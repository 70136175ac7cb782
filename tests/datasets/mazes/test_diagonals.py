"""Every rule of diagonal moves in search, generation and walks, against scipy, which shares nothing with them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nsmodels.core.config import Given
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes import checks
from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule
from nsmodels.datasets.mazes.config import MazesConfig, debug
from nsmodels.datasets.mazes.drawing.problems import empty_distance
from nsmodels.datasets.mazes.drawing.symmetry import transform_maps, transform_mask
from nsmodels.datasets.mazes.files.format import read_index, read_split, splits
from nsmodels.datasets.mazes.grids import Maps, concatenate
from nsmodels.datasets.mazes.prepare import prepare, recipe_of
from nsmodels.datasets.mazes.solving import search
from nsmodels.datasets.mazes.solving.components import can_reach, reaching_cells
from nsmodels.datasets.mazes.solving.distances import costs_at_start, paths_at_start
from nsmodels.datasets.mazes.solving.labels import action_sets, label
from tests.datasets.mazes.oracle import RULES, costs, draw, moves

CASES = [(4, OCTILE), *((8, rule) for rule in RULES)]
every_rule = pytest.mark.parametrize(("connectivity", "rule"), CASES, ids=[f"{c} {r}" for c, r in CASES])


@every_rule
@pytest.mark.parametrize("is_weighted", [False, True])
def test_costs_and_optimal_actions_are_those_of_scipy(connectivity: int, rule: DiagonalRule, is_weighted: bool) -> None:
    maps = draw(6, 9, 11, connectivity, is_weighted, 0.4, rule)
    found = label(maps)
    sets, at_start, steps = action_sets(found.optimal, connectivity), costs_at_start(maps), paths_at_start(maps)
    for i in range(len(maps)):
        exact = costs(maps, i)
        np.testing.assert_allclose(found.cost_to_go[i], exact, rtol=1e-6)
        start = tuple(maps.start[i])
        assert at_start[i] == pytest.approx(exact[start])
        assert can_reach(maps)[i] == np.isfinite(exact[start])
        assert reaching_cells(maps)[i] == np.isfinite(exact).sum()
        for row, column in np.argwhere(np.isfinite(exact)).tolist():
            best = {
                action
                for action, r, c, cost in moves(maps, i, row, column)
                if (row, column) != tuple(maps.goal[i]) and exact[r, c] + cost == pytest.approx(exact[row, column])
            }
            assert set(np.flatnonzero(sets[i, :, row, column])) == best
        way = search.astar(maps, i)
        assert (way is None) == (not np.isfinite(exact[start]))
        if way is not None:
            assert search.path_cost(maps, i, way) == pytest.approx(exact[start])
            assert steps[1][i] == search.demonstrations(maps, found)[i]
            assert steps[0][i] == pytest.approx(exact[start])


@every_rule
def test_the_distance_on_an_empty_map_is_that_of_the_rule(connectivity: int, rule: DiagonalRule) -> None:
    maps = draw(3, 6, 8, connectivity, False, 0.0, rule)
    np.testing.assert_allclose(empty_distance(maps), label(maps).cost_to_go, rtol=1e-6)


@every_rule
def test_turned_problems_keep_their_rule(connectivity: int, rule: DiagonalRule) -> None:
    maps = draw(4, 6, 7, connectivity, False, 0.4, rule)
    for k in range(8):
        turned = transform_maps(maps, k)
        assert turned.rule == maps.rule
        np.testing.assert_array_equal(label(turned).optimal, transform_mask(label(maps).optimal, k, connectivity))


@pytest.mark.parametrize("rule", RULES[1:], ids=str)
def test_data_of_a_rule_are_made_checked_and_read(rule: DiagonalRule, tmp_path: Path) -> None:
    fields = {"connectivity": 8, "diagonal_cost": rule.cost, "corner_rule": rule.corners}
    config = MazesConfig(num_train=20, num_val=8, num_test=8, num_transfer=0, sides=[6, 7], **fields)
    prepare(config, "mazes", tmp_path / "mazes")
    assert {group.maps.diagonals for split in splits(tmp_path / "mazes") for group in
            read_split(tmp_path / "mazes", split).groups} == {rule}  # fmt: skip
    every = (checks.disjoint, checks.solvable, checks.labels_agree, checks.detours)
    assert [line for check in every for line in check(tmp_path / "mazes")] == []
    index = read_index(tmp_path / "mazes")
    assert (index["detour"] >= 1 - 1e-6).all()
    wrong = replace(read_split(tmp_path / "mazes", "test").groups[0].maps[:], diagonals=OCTILE)
    assert not np.array_equal(label(wrong).cost_to_go, label(replace(wrong, diagonals=rule)).cost_to_go)


def test_the_default_rule_is_in_neither_recipe_nor_columns(tmp_path: Path) -> None:
    assert not {"diagonal_cost", "corner_rule"} & set(recipe_of(debug().with_given(Given({"connectivity": 8}))))
    prepare(debug(), "mazes", tmp_path / "mazes")
    assert not {"diagonal_cost", "corner_rule"} & set(read_index(tmp_path / "mazes"))


def test_rules_do_not_mix_and_need_diagonals() -> None:
    one, other = (draw(2, 5, 5, 8, False, diagonals=rule) for rule in RULES[:2])
    with pytest.raises(InputError, match="expected one shape and connectivity"):
        concatenate([one, other])
    with pytest.raises(InputError, match="'corner_rule' has no effect with connectivity=4; it needs connectivity=8"):
        debug().with_given(Given({"corner_rule": "cut"}))


def test_many_problems_on_one_map_share_it() -> None:
    maps = draw(1, 9, 9, 8, False)
    ends = np.repeat(maps.start, 5, 0), np.repeat(maps.goal, 5, 0)
    shared = Maps(np.broadcast_to(maps.free[0], (5, 9, 9)), *ends, None, 8)
    assert shared[[0, 2]].is_shared
    assert shared[np.array([True, False, True, True, False])].is_shared
    assert len(shared[1:3]) == len(shared[1:3].free) == 2
    np.testing.assert_array_equal(label(shared).optimal[4], label(maps).optimal[0])
    assert paths_at_start(shared)[1] == paths_at_start(maps)[1] * 5
