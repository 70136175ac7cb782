"""States labelled per CPU second, from maps to torch tensors, beside a path-by-path builder, A* alone and scipy.

    python benchmarks/label_speed.py [--maps 100000] [--peer-maps 300]

A state is a cell from which the goal can be reached. Ours has its cost to go and the set of all its optimal actions.
The path-by-path builder is what scripts do: A* in plain Python from random starts, for each state on the path one
tensor of tokens and one action. "A* alone" leaves out the tensors; "A* from every cell" asks for every state of the
map, as ours does, one search for each. scipy's Dijkstra gives costs of whole maps; the sets follow by comparison.
All figures are CPU time in one run, the best of three; a first call, which may compile, is not counted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from nsmodels.datasets.mazes.actions import OFFSETS
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.labels import action_sets, label
from nsmodels.datasets.mazes.solving.search import astar

DENSITY = 0.2
REPEATS = 3
STARTS = 5  # starts drawn for each map by the path-by-path builder


def draw(num: int, side: int) -> Maps:
    """Random obstacles, a free start and a free goal."""
    rng = np.random.default_rng(side)
    free = rng.random((num, side, side)) >= DENSITY
    start, goal = (rng.integers(side, size=(num, 2)).astype(np.int16) for _ in range(2))
    for cells in (start, goal):
        free[np.arange(num), cells[:, 0], cells[:, 1]] = True
    return Maps(free, start, goal)


def ours(maps: Maps) -> int:
    """Labels of all cells as tensors: cost to go, float (n, h, w), and action sets, bool (n, 4, h, w)."""
    labels = label(maps)
    cost = torch.from_numpy(labels.cost_to_go)
    sets = torch.from_numpy(action_sets(labels.optimal, maps.connectivity))
    assert len(cost) == len(sets) == len(maps)
    return len(maps)


def path_by_path(maps: Maps, is_encoded: bool = True) -> int:
    """A* from random starts; a tensor of tokens (1 wall, 2 agent, 3 goal) and an action for each state on its path."""
    rng, states, actions, number = np.random.default_rng(0), [], [], 0
    for i in range(len(maps)):
        free = np.argwhere(maps.free[i])
        for start in free[rng.integers(len(free), size=STARTS)]:
            path = astar(Maps(maps.free[i : i + 1], start[None], maps.goal[i : i + 1]), 0)
            steps = [] if path is None else list(pairwise(path.tolist()))
            number += len(steps)
            for (row, column), (r, c) in steps if is_encoded else ():
                tokens = (~maps.free[i]).astype(np.int64)
                tokens[tuple(maps.goal[i])], tokens[row, column] = 3, 2
                states.append(torch.tensor(tokens.ravel()))
                actions.append(torch.tensor(OFFSETS.index((r - row, c - column))))
    if is_encoded:
        assert len(torch.stack(states)) == len(torch.stack(actions)) == number
    return number


def from_every_cell(maps: Maps) -> int:
    """A* from each free cell of each map."""
    number = 0
    for i in range(len(maps)):
        cells = np.argwhere(maps.free[i])
        repeated = maps[np.full(len(cells), i)]
        repeated = replace(repeated, start=cells)
        number += sum(astar(repeated, k) is not None for k in range(len(cells)))
    return number


def by_scipy(maps: Maps) -> int:
    """scipy's Dijkstra from the goal of each map, and the action sets by comparing neighbours."""
    height, width = maps.shape
    names = np.arange(height * width).reshape(height, width)
    number = 0
    for free, goal in zip(maps.free, maps.goal, strict=True):
        right, down = free[:, 1:] & free[:, :-1], free[1:] & free[:-1]
        one = np.concatenate([names[:, :-1][right], names[:-1][down]])
        other = np.concatenate([names[:, 1:][right], names[1:][down]])
        graph = coo_array((np.ones(len(one)), (one, other)), shape=(names.size,) * 2).tocsr()
        cost = dijkstra(graph, directed=False, unweighted=True, indices=names[tuple(goal)]).reshape(names.shape)
        padded = np.pad(cost, 1, constant_values=np.inf)
        shifted = [padded[1 + r : 1 + r + height, 1 + c : 1 + c + width] for r, c in OFFSETS[:4]]
        sets = torch.from_numpy((np.stack(shifted) == cost - 1) & np.isfinite(cost))
        number += int(np.isfinite(cost).sum()) if len(sets) == 4 else 0
    return number


def rate(work: Callable[[Maps], int], maps: Maps) -> tuple[int, float]:
    """What `work` returns, and the least CPU seconds of `REPEATS` calls."""
    work(maps[:10])
    spent, result = [], 0
    for _ in range(REPEATS):
        start = time.process_time()
        result = work(maps)
        spent.append(time.process_time() - start)
    return result, min(spent)


def compare(side: int, num: int, num_peer: int) -> None:
    """Print a table for square maps."""
    maps, peer_maps = draw(num, side), draw(num_peer, side)
    reachable = int(np.isfinite(label(maps).cost_to_go).sum())
    _, spent = rate(ours, maps)
    best = reachable / spent
    print(f"{side}x{side}, {DENSITY:.0%} obstacles: {num:,} maps here, {num_peer:,} for the others")
    print(f"  {'labels as tensors, all optimal actions':<42}{best:>14,.0f} states/s")
    for name, work in (
        ("path by path, one action", path_by_path),
        ("A* alone, states on its paths", lambda found: path_by_path(found, is_encoded=False)),
        ("A* from every cell", from_every_cell),
        ("scipy, all optimal actions", by_scipy),
    ):
        number, spent = rate(work, peer_maps)
        print(f"  {name:<42}{number / spent:>14,.0f} states/s{best * spent / number:>10,.0f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description="states labelled per CPU second, beside A* and scipy")
    parser.add_argument("--maps", type=int, default=100_000, help="8x8 maps labelled; a fourteenth as many of 30x30")
    parser.add_argument("--peer-maps", type=int, default=300, help="8x8 maps for the others; a tenth of 30x30")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    compare(8, arguments.maps, arguments.peer_maps)
    compare(30, max(arguments.maps // 14, 1), max(arguments.peer_maps // 10, 2))


if __name__ == "__main__":
    main()
