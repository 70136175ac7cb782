"""Problems: solvable, placed by the declared rule, equal for equal seeds; and configurations that make no sense."""

from __future__ import annotations

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import KINDS, PRESETS, MazesConfig, quick
from nsmodels.datasets.mazes.drawing import problems
from nsmodels.datasets.mazes.drawing.blocking import block
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.components import can_reach
from nsmodels.datasets.mazes.solving.labels import label

NUM = 2000


def draw(num: int = NUM, shape: tuple[int, int] = (8, 8), seed: int = 0, **fields) -> tuple[Maps, np.ndarray]:
    return problems.draw(MazesConfig(**fields), num, *shape, np.random.default_rng(seed))


def only(kind: str) -> dict[str, float]:
    return {f"{name}_weight": float(name == kind) for name in KINDS}


def at(values: np.ndarray, cells: np.ndarray) -> np.ndarray:
    return values[np.arange(len(values)), *cells.T]


def excess(maps: Maps) -> np.ndarray:
    """Length of the shortest path beyond that on an empty map."""
    return at(label(maps).cost_to_go, maps.start) - at(problems.empty_distance(maps), maps.start)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("placement", ["uniform", "far"])
@pytest.mark.parametrize("shape", [(4, 4), (8, 8), (7, 12)])
def test_every_problem_can_be_solved_and_start_is_not_goal(shape, placement, connectivity) -> None:
    maps, kind = draw(300, shape, placement=placement, connectivity=connectivity, max_density=0.9)
    cost = at(label(maps).cost_to_go, maps.start)
    assert np.isfinite(cost).all()
    assert (cost > 0).all()
    assert at(maps.free, maps.goal).all()
    assert maps.connectivity == connectivity
    assert kind.dtype == np.int8


def test_equal_seeds_give_equal_problems() -> None:
    (first, kinds), (again, same), (other, _) = draw(), draw(), draw(seed=1)
    assert (kinds == same).all()
    assert all((getattr(first, name) == getattr(again, name)).all() for name in ("free", "start", "goal"))
    assert (first.free != other.free).any()


@pytest.mark.parametrize("fields", [{}, {"connectivity": 8}, {"connectivity": 8, "corner_rule": "cut"}])
def test_blocked_problems_have_no_way_and_few_more_walls(fields: dict) -> None:
    maps, _ = draw(300, (16, 16), **fields)
    blocked, is_blocked = block(maps, np.random.default_rng(0))
    assert (can_reach(blocked) != is_blocked).all()
    assert is_blocked.mean() > 0.9
    assert not (blocked.free & ~maps.free).any()
    assert (maps.free != blocked.free).sum((1, 2)).mean() < 6
    assert at(blocked.free, blocked.start).all()
    assert (blocked.goal == maps.goal).all()
    assert 0.01 < (blocked.start != maps.start).any(1).mean() < 0.6


def test_kinds_come_by_their_weights() -> None:
    _, kinds = draw(**dict.fromkeys(only("maze"), 0.0) | {"obstacles_weight": 3, "maze_weight": 1})
    shares = np.bincount(kinds, minlength=len(KINDS)) / NUM
    assert abs(shares[0] - 0.75) < 0.04
    assert shares[2:].sum() == 0


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_share_of_detours_is_at_least_the_one_asked_for(share: float) -> None:
    maps, _ = draw(detour_share=share, **only("maze"))
    free_share = (excess(draw(detour_share=0.0, **only("maze"))[0]) > 0).mean()
    expected = share + (1 - share) * free_share
    assert abs((excess(maps) > 0).mean() - expected) < 0.05


def test_goals_and_starts_are_uniform_on_an_empty_map() -> None:
    config = MazesConfig(detour_share=0)
    maps = problems.place(config, np.ones((20_000, 4, 4), bool), np.random.default_rng(0))
    for cells in (maps.start, maps.goal):
        counts = np.bincount(cells[:, 0] * 4 + cells[:, 1], minlength=16)
        assert abs(counts - 1250).max() < 200
    assert (maps.start != maps.goal).any(axis=1).all()


def test_far_starts_lie_in_the_farthest_quarter() -> None:
    maps, _ = draw(500, placement="far", detour_share=0)
    distance = label(maps).cost_to_go.reshape(500, -1)
    reached = np.isfinite(distance) & (distance > 0)
    farther = (distance > at(label(maps).cost_to_go, maps.start)[:, None]) & reached
    assert (farther.sum(1) < np.maximum(1, reached.sum(1) * 0.25)).all()


def test_cells_cost_what_is_asked_for() -> None:
    assert draw(10)[0].cost is None
    costs = draw(200, max_cell_cost=5)[0].cost
    assert costs is not None
    assert (costs.min(), costs.max()) == (1, 5)


def test_distance_on_an_empty_map_is_what_the_labels_say_there() -> None:
    for connectivity in (4, 8):
        maps = problems.place(
            MazesConfig(connectivity=connectivity), np.ones((20, 6, 9), bool), np.random.default_rng(0)
        )
        assert np.allclose(problems.empty_distance(maps), label(maps).cost_to_go, atol=1e-5)


def test_maps_without_a_problem_are_drawn_again() -> None:
    maps, _ = draw(2000, (4, 4), min_density=0.9, max_density=0.9, **only("obstacles"))
    assert problems.has_problem(maps.free).all()
    assert not problems.has_problem(np.eye(4, dtype=bool)[None]).any()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"sides": [8, 3]}, "sides must all be between 4 and 512"),
        ({"sides": []}, "'sides': List should have at least 1 item"),
        ({"transfer_sides": [1000]}, "transfer_sides must all be between 4 and 512"),
        ({"heights": [8]}, "heights has 1 values and widths 0"),
        ({"min_density": 0.5, "max_density": 0.2}, "min_density 0.5 is above max_density 0.2"),
        ({"max_density": 1.0}, "'max_density': Input should be less than or equal to 0.9"),
        ({f"{kind}_weight": 0 for kind in KINDS}, "are 0; raise at least one"),
        ({"connectivity": 6}, "'connectivity'"),
        ({"source": "local"}, "source=local needs local_path"),
        ({"augment": True}, "unknown field 'augment'"),
    ],
)
def test_bad_fields_are_named(fields: dict, expected: str) -> None:
    with pytest.raises(InputError) as error:
        quick().with_values(fields)
    assert expected in str(error.value)


def test_presets_have_the_sizes_of_the_recipes() -> None:
    sizes = {name: PRESETS[name]().num_train for name in ("quick", "base", "paper")}
    assert sizes == {"quick": 5_000, "base": 50_000, "paper": 100_000}
    assert MazesConfig(heights=[8, 9], widths=[10, 11]).shapes == [(8, 10), (9, 11)]
