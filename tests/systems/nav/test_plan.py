"""Plans: walked before they are believed, exact on request, unreachable as an answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.grids import Maps, concatenate
from nsmodels.datasets.mazes.solving import search
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.systems.nav.config import ModelConfig
from nsmodels.systems.nav.network.construction import make_navigator
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.network.readout import Policy
from nsmodels.systems.nav.planning.plan import Plan, plan, plan_many, plans_from, problem

pytestmark = pytest.mark.usefixtures("one_thread")


def navigator(connectivity: int = 4, core: str = "conv") -> Navigator:
    torch.manual_seed(0)
    return make_navigator(
        ModelConfig(dim=8, group_width=8, num_heads=2, num_segments=1, connectivity=connectivity, core=core)
    ).eval()


def problems(
    num: int, height: int, width: int, connectivity: int = 4, is_weighted: bool = False, seed: int = 0
) -> Maps:
    """Random obstacles; the goal is often beyond reach, and sometimes the start itself."""
    rng = np.random.default_rng(seed)
    free = rng.random((num, height, width)) > 0.3
    start, goal = (np.stack([rng.integers(0, side, num) for side in (height, width)], 1).astype(np.int16) for _ in "sg")
    for ends in (start, goal):
        free[np.arange(num), ends[:, 0], ends[:, 1]] = True
    cost = rng.integers(1, 9, free.shape).astype(np.uint8) if is_weighted else None
    return Maps(free, start, goal, cost, connectivity)


def check(made: Plan, maps: Maps, k: int) -> None:
    """What holds of every plan."""
    assert tuple(made.path[0]) == tuple(maps.start[k])
    assert len(made.actions) == len(made.confidence) == len(made.path) - 1
    assert ((made.confidence >= 0) & (made.confidence <= 1)).all()
    assert made.cost == pytest.approx(search.path_cost(maps, k, made.path))
    if made.is_found:
        assert tuple(made.path[-1]) == tuple(maps.goal[k])
        assert made.is_reachable
        assert made.is_certain
    assert (made.path == search.path_cells(maps, k, made.actions.tolist())).all()


@pytest.mark.parametrize(("connectivity", "is_weighted"), [(4, False), (8, False), (4, True), (8, True)])
def test_a_perfect_policy_gives_optimal_plans(connectivity: int, is_weighted: bool) -> None:
    maps = problems(60, 7, 9, connectivity, is_weighted)
    labels = label(maps)
    for k, made in enumerate(plans_from(Policy.from_labels(labels, maps), maps, fallback=True)):
        check(made, maps, k)
        way = search.astar(maps, k)
        assert made.is_found is (way is not None)
        if way is None:
            assert made.why == "unreachable (certain: exact search found no path)"
            assert (made.is_reachable, made.is_certain, made.is_optimal, made.source) == (False, True, None, "astar")
        else:
            assert made.is_optimal
            assert made.source == "model"
            assert made.optimal_cost == pytest.approx(search.path_cost(maps, k, way))


@pytest.mark.parametrize(("connectivity", "is_weighted"), [(4, False), (8, True)])
def test_exact_search_takes_over_where_the_network_fails(connectivity: int, is_weighted: bool) -> None:
    maps = problems(40, 6, 8, connectivity, is_weighted)
    plans = plan_many(navigator(connectivity), maps, fallback=True)
    assert {made.source for made in plans} == {"model", "astar"}
    for k, made in enumerate(plans):
        check(made, maps, k)
        assert made.is_certain
        assert made.is_reachable is made.is_found is (search.astar(maps, k) is not None)
        assert made.is_optimal is (None if not made.is_found else made.cost == pytest.approx(made.optimal_cost))
        if made.source == "astar" and made.is_found:
            assert made.is_optimal


def policy_of(rows: list[str], maps: Maps, is_reachable: float = 1.0) -> Policy:
    """A policy drawn as arrows."""
    perfect = Policy.from_labels(label(maps), maps)
    actions = np.array([["↑→↓←↗↘↙↖".find(mark) for mark in row] for row in rows], np.int8)[None]
    return replace(perfect, actions=actions.clip(0), reachable=np.full_like(perfect.reachable, is_reachable))


OPEN = np.ones((3, 3), bool)


@pytest.mark.parametrize(
    ("rows", "why", "length"),
    [
        (["→→↓", "↑↑↓", "↑↑↑"], "goal reached", 5),
        (["→↓.", "↑←.", "..."], "loop at (0, 0)", 5),
        (["↑..", "...", "..."], "edge of the map at (0, 0)", 1),
        (["→→→", "...", "..."], "edge of the map at (0, 2)", 3),
    ],
)
def test_a_walk_ends_where_the_policy_fails(rows: list[str], why: str, length: int) -> None:
    maps = problem(OPEN, (0, 0), (2, 2))
    (made,) = plans_from(policy_of(rows, maps), maps)
    check(made, maps, 0)
    assert made.why == why
    assert made.is_found is (why == "goal reached")
    assert len(made.path) == length
    assert made.optimal_cost is made.is_optimal is None


def test_walls_and_corners_are_named() -> None:
    free = OPEN.copy()
    free[0, 1] = False
    maps = problem(free, (0, 0), (2, 2), connectivity=8)
    (made,) = plans_from(policy_of(["→..", "...", "..."], maps), maps)
    assert made.why == "wall at (0, 1)"
    (made,) = plans_from(policy_of(["↘..", "...", "..."], maps), maps)
    assert made.why == "corner cut at (0, 0)"
    (made,) = plans_from(policy_of(["↘..", "...", "..."], maps), maps, fallback=True)
    assert made.source == "astar"
    assert made.why == "goal reached by A*; the network's plan: corner cut at (0, 0)"
    assert made.cost == made.optimal_cost == pytest.approx(2 + 2**0.5)


def test_the_path_that_a_fallback_replaces_is_kept() -> None:
    maps = problem(OPEN, (0, 0), (2, 2))
    (failed,) = plans_from(policy_of(["→→→", "...", "..."], maps), maps)
    (made,) = plans_from(policy_of(["→→→", "...", "..."], maps), maps, fallback=True)
    assert made.is_found
    assert made.failed_path.tolist() == failed.path.tolist() == [[0, 0], [0, 1], [0, 2]]
    assert made.to_dict()["failed_path"] == [[0, 0], [0, 1], [0, 2]]
    (found,) = plans_from(policy_of(["→→↓", "..↓", "..."], maps), maps, fallback=True)
    assert found.source == "model"
    assert not len(found.failed_path)


@pytest.mark.parametrize("belief", [0.2, 0.99])
def test_unreachable_is_claimed_where_no_path_exists_and_nowhere_else(belief: float) -> None:
    free = OPEN.copy()
    free[:, 1] = False
    maps = problem(free, (0, 0), (2, 2))
    (made,) = plans_from(policy_of(["↑..", "...", "..."], maps, is_reachable=belief), maps)
    assert made.why == "unreachable (certain: exact search found no path)"
    assert (made.is_reachable, made.is_certain, made.is_found, len(made.path)) == (False, True, False, 1)


def test_a_network_that_gives_up_reports_so_and_a_walk_is_stronger_than_belief() -> None:
    maps = problem(OPEN, (0, 0), (2, 2))
    (made,) = plans_from(policy_of(["↑..", "...", "..."], maps, is_reachable=0.2), maps)
    assert made.why == "the network found no path, though there is one (its probability of a path: 0.20)"
    assert (made.is_reachable, made.is_certain, made.is_found, len(made.path)) == (True, True, False, 1)
    (made,) = plans_from(policy_of(["→→↓", "..↓", "..."], maps, is_reachable=0.2), maps)
    assert made.is_found
    assert made.is_reachable


def test_start_is_goal() -> None:
    made = plan(navigator(), OPEN, (1, 1), (1, 1), fallback=True)
    assert made.is_found
    assert made.is_optimal
    assert (len(made.path), made.cost, made.why) == (1, 0.0, "goal reached")


def test_many_maps_of_several_shapes_keep_their_order() -> None:
    model = navigator()
    parts = [problems(3, 5, 6), problems(2, 4, 4, seed=1), problems(0, 4, 4), problems(4, 5, 6, seed=2)]
    singly = [plan_many(model, part[k : k + 1])[0] for part in parts for k in range(len(part))]
    together = plan_many(model, parts)
    assert [made.to_dict()["path"] for made in together] == [made.to_dict()["path"] for made in singly]
    assert [made.why for made in together] == [made.why for made in singly]
    assert plan_many(model, []) == []
    assert plan_many(model, parts[2]) == []
    same = plan_many(model, concatenate([parts[0], parts[3]]))
    assert [made.why for made in same] == [made.why for made in together[:3] + together[5:]]


def test_plans_are_plain_values_for_json() -> None:
    made = plan(navigator(), OPEN, (0, 0), (2, 2), fallback=True).to_dict()
    assert set(made["actions"]) <= {"up", "right", "down", "left"}
    assert made["optimal_cost"] == 4.0
    assert made["path"][-1] == [2, 2]
    walled = np.array([[True, False, True]])
    assert plan(navigator(), walled, (0, 0), (0, 2), fallback=True).to_dict()["optimal_cost"] is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"free": np.zeros((3, 3), int)}, "expected bool, True for free cells, got int64"),
        ({"free": np.ones(3, bool)}, "expected a grid of rows and columns, got an array of shape (3,)"),
        ({"free": np.ones((0, 3), bool)}, "expected a grid of rows and columns"),
        ({"start": (0, 3)}, "start (0, 3): is outside the map of 3 rows and 3 columns"),
        ({"start": (-1, 0)}, "start (-1, 0): is outside"),
        ({"start": (90, 7)}, "start (90, 7): is outside"),
        ({"goal": (1, 1)}, "goal (1, 1): is a wall; choose a free cell"),
        ({"goal": (1.5, 1)}, "goal: expected a row and a column, got (1.5, 1)"),
        ({"goal": (1, 1, 1)}, "goal: expected a row and a column"),
        ({"cost": np.zeros((3, 3), int)}, "cost: expected 1 to 255 on free cells, got 0 to 0"),
        (
            {"cost": np.ones((3, 4), int)},
            "cost: expected integers of the grid's shape (3, 3), got int64 of shape (3, 4)",
        ),
    ],
)
def test_bad_input_is_one_line(given: dict, message: str) -> None:
    free = OPEN.copy()
    free[1, 1] = False
    with pytest.raises(InputError) as failure:
        plan(navigator(), **{"free": free, "start": (0, 0), "goal": (2, 2), **given})
    assert message in str(failure.value)


def test_a_bad_map_among_many_is_named() -> None:
    maps = problems(5, 4, 4)
    maps.goal[3] = (9, 0)
    with pytest.raises(InputError, match=r"goal \(9, 0\) of map 3: is outside the map of 4 rows"):
        plan_many(navigator(), maps)


def test_the_mixer_names_the_size_it_accepts() -> None:
    with pytest.raises(InputError, match="core=mixer takes maps of 8x8 only, got 3x3"):
        plan(navigator(core="mixer"), OPEN, (0, 0), (2, 2))
