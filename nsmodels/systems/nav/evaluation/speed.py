"""Maps per second: the navigator in batches, exact search one map at a time, and the compiled labels.

Their outputs differ: the navigator, the rules and the labels give the actions of every cell of a map, A* and
breadth-first search one path.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving import search
from nsmodels.datasets.mazes.solving.labels import label
from nsmodels.systems.nav.evaluation.scorer import Measurements, Problems
from nsmodels.systems.nav.evaluation.scoring import RELATIVE, TOLERANCE

NOTE = "navigator, mlp, cnn, greedy and labels: the actions of all cells of a map; astar, bfs, dijkstra: one path"
RATES = ("maps_per_second", "maps_per_cpu_second")
SEARCH = ("astar", "bfs", "dijkstra")
SECONDS, MOST_SHAPES, LABEL_CELLS, SEARCH_CELLS = 0.3, 5, 2**18, 2**22
Solver = Callable[[Maps, int], NDArray[np.int16] | None]


def speed_report(problems: Sequence[Problems], result: Sequence[Measurements], device: torch.device) -> dict[str, Any]:
    """By size and name: maps per second of wall and of CPU time, and the number of maps; search on at most five sizes.

    The times of networks and rules are those of the evaluation.
    """
    chosen = np.unique(np.linspace(0, len(problems) - 1, MOST_SHAPES).round().astype(int))
    by_size: dict[str, dict[str, Any]] = {}
    for part in result:
        for name, sizes in part.seconds.items():
            for size, (num, wall, cpu) in sizes.items():
                by_size.setdefault(size, {})[name] = _rate(num, wall, cpu)
    for place in chosen:
        part = problems[place]
        sample = np.random.default_rng(0).permutation(len(part.maps))
        maps = part.maps[sample[: max(1, SEARCH_CELLS // math.prod(part.maps.shape))]]
        by_size[part.size] |= search_rates(maps) | {"labels": label_rate(maps)}
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return {"by_size": by_size, "device": where, "num_threads": torch.get_num_threads(), "note": NOTE}


def solvers(maps: Maps) -> dict[str, Solver]:
    """Exact search by name, one map at a time in plain Python; breadth-first search only where it is exact."""
    exact: dict[str, Solver] = {"astar": search.astar}
    is_plain = maps.connectivity == 4 and maps.cost is None
    return exact | ({"bfs": search.bfs} if is_plain else {"dijkstra": search.dijkstra})


def search_rates(maps: Maps, seconds: float = SECONDS) -> dict[str, dict[str, Any]]:
    """By solver: its rate over the maps solved in `seconds`, and the share of `optimal` paths."""
    return {name: _solve(solver, maps, seconds) for name, solver in solvers(maps).items()}


def _solve(solver: Solver, maps: Maps, seconds: float) -> dict[str, Any]:
    order = np.random.default_rng(0).permutation(len(maps)).tolist()
    wall, cpu, paths = time.perf_counter(), time.process_time(), {}
    for i in order:
        paths[i] = solver(maps, i)
        if time.perf_counter() - wall > seconds:
            break
    rate = _rate(len(paths), time.perf_counter() - wall, time.process_time() - cpu)
    rows = list(paths)
    best = label(maps[rows]).cost_to_go[np.arange(len(rows)), *maps.start[rows].T]
    costs = np.array([np.inf if path is None else search.path_cost(maps, i, path) for i, path in paths.items()])
    return rate | {"optimal": float((costs <= best + TOLERANCE + RELATIVE * best).mean())}


def label_rate(maps: Maps) -> dict[str, Any]:
    """Rate of computing cost-to-go and optimal actions of every cell, the best of three runs; few maps are repeated."""
    part = maps[np.arange(max(1, LABEL_CELLS // (maps.shape[0] * maps.shape[1]))) % len(maps)]
    label(part[:1])
    return max((_timed(part) for _ in range(3)), key=lambda rate: rate["maps_per_second"])


def _timed(maps: Maps) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    label(maps)
    return _rate(len(maps), time.perf_counter() - wall, time.process_time() - cpu)


def _rate(num: float, wall: float, cpu: float) -> dict[str, Any]:
    per_second, per_cpu = num / max(wall, 1e-9), num / max(cpu, 1e-9)
    return {**dict(zip(RATES, (float(per_second), float(per_cpu)), strict=True)), "n": int(num)}
