"""Random maps, and costs to the goal by scipy, which shares nothing with the project's search."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from nsmodels.datasets.mazes.actions import OCTILE, OFFSETS, DiagonalRule
from nsmodels.datasets.mazes.grids import Maps

CASES = [
    (height, width, connectivity, is_weighted)
    for height, width in ((8, 8), (4, 16), (1, 9), (9, 1), (1, 1), (13, 7), (30, 30), (5, 70))
    for connectivity in (4, 8)
    for is_weighted in (False, True)
]


RULES = [DiagonalRule(cost, corners) for cost in ("sqrt2", "unit") for corners in ("strict", "cut")]


def draw(
    num: int,
    height: int,
    width: int,
    connectivity: int,
    is_weighted: bool,
    density: float = 0.3,
    diagonals: DiagonalRule = OCTILE,
) -> Maps:
    """Random obstacles; start and goal anywhere free, perhaps apart from each other."""
    rng = np.random.default_rng([num, height, width, connectivity, is_weighted])
    free = rng.random((num, height, width)) >= density
    start, goal = (rng.integers((height, width), size=(num, 2)).astype(np.int16) for _ in range(2))
    for row, column in (start.T, goal.T):
        free[np.arange(num), row, column] = True
    cost = rng.integers(1, 256, free.shape).astype(np.uint8) if is_weighted else None
    return Maps(free, start, goal, cost, connectivity, diagonals)


def moves(maps: Maps, i: int, row: int, column: int) -> list[tuple[int, int, int, float]]:
    """Every legal move from a cell of map i: action, row and column it leads to, cost."""
    free, (height, width), found = maps.free[i], maps.shape, []
    for action, (rows, columns) in enumerate(OFFSETS[: maps.connectivity]):
        r, c = row + rows, column + columns
        if not (0 <= r < height and 0 <= c < width and free[r, c]):
            continue
        if maps.diagonals.corners == "cut" or (free[row, c] and free[r, column]):
            cost = 1 if maps.cost is None else int(maps.cost[i, r, c])
            is_unit = action < 4 or maps.diagonals.cost == "unit"
            found.append((action, r, c, cost if is_unit else 2**0.5 * cost))
    return found


def costs(maps: Maps, i: int) -> NDArray[np.float64]:
    """Cost to the goal of every cell of map i, inf on walls, (h, w)."""
    (height, width), entries = maps.shape, []
    for row, column in np.argwhere(maps.free[i]).tolist():
        entries += [(r * width + c, row * width + column, cost) for _, r, c, cost in moves(maps, i, row, column)]
    to, origin, cost = np.array(entries).reshape(-1, 3).T
    graph = coo_array((cost, (to.astype(int), origin.astype(int))), shape=(height * width,) * 2).tocsr()
    found = dijkstra(graph, indices=int(maps.goal[i, 0]) * width + int(maps.goal[i, 1])).reshape(height, width)
    return np.where(maps.free[i], found, np.inf)
