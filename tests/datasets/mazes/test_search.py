"""A*, Dijkstra, breadth-first search and demonstrations: allowed paths with the costs of scipy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.solving.distances import costs_at_start
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.datasets.mazes.solving.search import astar, bfs, demonstrations, dijkstra, distance, path_cells, path_cost
from tests.datasets.mazes.oracle import CASES, costs, draw


@pytest.mark.parametrize(("height", "width", "connectivity", "is_weighted"), CASES)
def test_every_solver_finds_an_optimal_path(height: int, width: int, connectivity: int, is_weighted: bool) -> None:
    maps = draw(12, height, width, connectivity, is_weighted)
    digits, at_start = demonstrations(maps, label(maps)), costs_at_start(maps)
    solvers = [astar, dijkstra] + [bfs] * (connectivity == 4 and not is_weighted)
    for i in range(len(maps)):
        exact = costs(maps, i)[tuple(maps.start[i])]
        assert at_start[i] == pytest.approx(exact)
        paths = [solve(maps, i) for solve in solvers]
        if math.isinf(exact):
            assert digits[i] == ""
            assert all(path is None for path in paths)
            continue
        for path in (*paths, path_cells(maps, i, digits[i])):
            assert path is not None
            assert path[0].tolist() == maps.start[i].tolist()
            assert path[-1].tolist() == maps.goal[i].tolist()
            assert path_cost(maps, i, path) == pytest.approx(exact)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_without_walls_astar_goes_straight_on(connectivity: int) -> None:
    """Among equal estimates it follows the cell that has come farthest, so 40,000 free cells are no work."""
    maps = draw(1, 200, 200, connectivity, False, density=0.0)
    maps = replace(maps, start=np.array([[0, 3]], np.int16), goal=np.array([[199, 180]], np.int16))
    path = astar(maps, 0)
    assert path is not None
    assert path_cost(maps, 0, path) == pytest.approx(distance((0, 3), (199, 180), connectivity))


def test_a_demonstration_takes_the_lowest_optimal_action() -> None:
    maps = draw(1, 5, 5, 8, False, density=0.0)
    maps = replace(maps, start=np.array([[4, 0]], np.int16), goal=np.array([[0, 2]], np.int16))
    assert demonstrations(maps, label(maps)) == ["0044"]
    maps = replace(maps, connectivity=4)
    assert demonstrations(maps, label(maps)) == ["000011"]
    assert path_cells(maps, 0, "01").tolist() == [[4, 0], [3, 0], [3, 1]]
    assert path_cells(maps, 0, [1]).tolist() == [[4, 0], [4, 1]]
    assert path_cells(maps, 0, "").tolist() == [[4, 0]]


def test_what_is_not_allowed_costs_infinitely_much() -> None:
    maps = draw(1, 3, 3, 8, False, density=0.0)
    maps.free[0, 0, 1] = False
    allowed = {((0, 0),): 0, ((1, 0), (2, 0), (2, 1)): 2, ((1, 1), (2, 2)): math.sqrt(2)}
    for cells, cost in allowed.items():
        assert path_cost(maps, 0, np.array(cells)) == pytest.approx(cost)
    for cells in [((0, 1),), ((0, 0), (0, 1)), ((0, 0), (1, 1)), ((0, 0), (2, 0)), ((0, 0), (-1, 0)), ((1, 0), (1, 0))]:
        assert path_cost(maps, 0, np.array(cells)) == math.inf
    assert path_cost(replace(maps, connectivity=4), 0, np.array([(1, 1), (2, 2)])) == math.inf


def test_the_bound_is_the_cost_without_walls() -> None:
    maps = draw(5, 9, 14, 8, False, density=0.0)
    for i in range(len(maps)):
        start, goal = maps.start[i], maps.goal[i]
        assert distance(tuple(start), tuple(goal), 8) == pytest.approx(costs(maps, i)[tuple(start)])
        assert distance(tuple(start), tuple(goal), 4) == abs(start - goal).sum()


def test_breadth_first_search_refuses_costs() -> None:
    for maps in (draw(1, 4, 4, 8, False), draw(1, 4, 4, 4, True)):
        with pytest.raises(InputError, match="4-connected map without cell costs"):
            bfs(maps, 0)
