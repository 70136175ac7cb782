"""The problems of a MovingAI scenario on its map, and comparison with its listed optima."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.files.movingai import TOLERANCE, read_map, read_scenarios
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.distances import costs_at_start
from nsmodels.datasets.mazes.solving.search import distance
from nsmodels.systems.nav.evaluation.scorer import MODEL, Measurements, Problems, size_name

RECOMPUTED = "the optima are 4-connected and computed here: the listed ones use diagonal moves, the checkpoint does not"
LISTED = "the optima are those listed, 8-connected; where exact search finds a different one, the problem is left out"


@dataclass(frozen=True)
class Scenario:
    """Problems of a scenario that have a solution, n of them.

    Attributes:
        problems: with the optima that paths are compared with, from exact search in the requested connectivity.
        listed: the optima in the file (n,), 8-connected.
        num_listed: problems in the file.
        num_chosen: problems selected from it.
        num_unsolvable: of them, left out because the goal cannot be reached.
        num_disagreeing: of them, left out because the listed optimum is not that of exact search; 0 if 4-connected.
    """

    problems: Problems
    listed: NDArray[np.float64]
    num_listed: int
    num_chosen: int
    num_unsolvable: int
    num_disagreeing: int


def read_scenario(map: Path, scen: Path, connectivity: int, max_problems: int = 0) -> Scenario:
    """The problems of a .scen file on a .map, at most `max_problems` (0: all), evenly spaced over the list.

    4-connected optima are computed, 8-connected ones are those listed: a problem whose listed optimum is wrong is left
    out. Raises InputError for broken files, and when no problem is left.
    """
    free = read_map(map)
    listed, ends, num_listed = _chosen(scen, free, max_problems)
    exact = costs_at_start(_maps(free, ends, connectivity)).astype(float)
    is_solvable = np.isfinite(exact)
    if not is_solvable.any():
        raise InputError(f"{scen}: no problem has a path from start to goal; use the scenario of {map.name}")
    is_kept = is_solvable & (_agrees(listed, exact) if connectivity == 8 else True)
    if not is_kept.any():
        raise InputError(f"{scen}: exact search finds none of the listed optima; use the scenario of {map.name}")
    problems = _problems(map, _maps(free, ends[is_kept], connectivity), exact[is_kept])
    left_out = int((~is_solvable).sum()), int((is_solvable & ~is_kept).sum())
    return Scenario(problems, listed[is_kept], num_listed, len(ends), *left_out)


def compare_with_listed(scenario: Scenario, result: Measurements) -> dict[str, Any]:
    """Comparison with the listed optima: counts, mean ratio of path length to listed optimum, notes."""
    table, listed = result.tables[MODEL], scenario.listed
    rows = (table["success"] == 1) & (listed > 0)
    times = float((table["cost"][rows] / listed[rows]).mean()) if rows.any() else None
    is_octile, num = scenario.problems.maps.connectivity == 8, scenario.num_chosen
    notes = [LISTED if is_octile else RECOMPUTED]
    notes += [f"{num} of {scenario.num_listed} problems, evenly spaced"] if num < scenario.num_listed else []
    notes += [f"left out without a path from start to goal: {left}"] if (left := scenario.num_unsolvable) else []
    notes += [f"left out with a wrong listed optimum: {left}"] if (left := scenario.num_disagreeing) else []
    notes += [f"paths found are {times:.3f} times as long as the listed optima on average"] if times else []
    counts = {name: getattr(scenario, name) for name in ("num_listed", "num_unsolvable", "num_disagreeing")}
    return {**counts, "times_listed_optimum": times, "notes": notes}


def _maps(free: NDArray[np.bool_], ends: NDArray[np.int16], connectivity: int) -> Maps:
    """The problems of one map, as a view of it."""
    return Maps(np.broadcast_to(free, (len(ends), *free.shape)), ends[:, 0], ends[:, 1], None, connectivity)


def _chosen(scen: Path, free: NDArray[np.bool_], most: int) -> tuple[NDArray[np.float64], NDArray[np.int16], int]:
    """Listed optima (n,), starts and goals (n, 2, 2) of the selected problems, and the number of listed ones."""
    listed = read_scenarios(scen, free)
    places = np.linspace(0, len(listed) - 1, min(most or len(listed), len(listed))).round().astype(int)
    ends = listed[["start_row", "start_col", "goal_row", "goal_col"]].to_numpy(np.int16)[places]
    return listed["optimal"].to_numpy(float)[places], ends.reshape(-1, 2, 2), len(listed)


def _problems(map: Path, maps: Maps, optimum: NDArray[np.float64]) -> Problems:
    num, ends = len(maps), zip(maps.start.tolist(), maps.goal.tolist(), strict=True)
    straight = np.array([distance(tuple(start), tuple(goal), maps.connectivity) for start, goal in ends])
    alike = {"kind": "movingai", "name": map.name, "mark": mark(maps.free[:1])[0], "size": size_name(maps), "path": ""}
    facts: dict[str, NDArray] = {name: np.full(num, value) for name, value in alike.items()}
    facts["density"] = np.full(num, 1 - maps.free[0].mean())
    facts["detour"] = np.divide(optimum, straight, out=np.ones(num), where=straight > 0)
    return Problems(maps, facts, optimum)


def _agrees(listed: NDArray[np.float64], exact: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.abs(listed - exact) <= TOLERANCE * np.maximum(listed, 10.0)
