"""The problems of a MovingAI scenario on its map, and comparison with its listed optima."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule
from nsmodels.datasets.mazes.drawing.problems import empty_distance_between
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.files import scenarios as files
from nsmodels.datasets.mazes.files.movingai import read_terrain
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.systems.nav.evaluation.scorer import MODEL, Measurements, Problems, size_name

RECOMPUTED = (
    "the optima are {rule} and computed here: the listed ones are 8-connected, diagonals of cost √2 that do not cut "
    "corners"
)
LISTED = "the optima are those listed, 8-connected; where exact search finds a different one, the problem is left out"
DIFFERENT = "a wrong listed optimum"


@dataclass(frozen=True)
class Scenario:
    """Problems of a scenario that have a solution, n of them.

    Attributes:
        problems: one entry for each kind of terrain, with the optima that paths are compared with, from exact search
            under the moves of the checkpoint.
        listed: the optima in the file (n,), 8-connected, in the order of the problems.
        num_listed: problems in the file.
        num_chosen: problems selected from those that can be posed on the map.
        left_out: number of problems left out, by reason.
        num_foreign: of those selected, problems that name a different map.
    """

    problems: list[Problems]
    listed: NDArray[np.float64]
    num_listed: int
    num_chosen: int
    left_out: dict[str, int]
    num_foreign: int = 0

    @property
    def maps(self) -> Maps:
        """The problems on the first kind of terrain."""
        return self.problems[0].maps[:]

    @property
    def is_as_listed(self) -> bool:
        """Whether the moves are those of the listed optima."""
        return _is_as_listed(self.maps.connectivity, self.maps.diagonals)


def read_scenario(
    map: Path, scen: Path, connectivity: int, diagonals: DiagonalRule = OCTILE, max_problems: int = 0
) -> Scenario:
    """The problems of a .scen file on a .map, at most `max_problems` (0: all), evenly spaced over the list.

    A problem that cannot be posed on the map is left out, as is one without a path and, where the moves are those of
    the file, one whose listed optimum is wrong; under other moves the optima are computed. Raises InputError for broken
    files, and when no problem is left.
    """
    terrain = read_terrain(map)
    listing = files.read_scenarios(scen, terrain)
    table, left_out = _chosen(listing.table, max_problems), Counter(skipped.reason for skipped in listing.skipped)
    num_foreign = int(files.is_of_other_map(map, table).sum())
    exact = files.exact_costs(terrain, table, connectivity, diagonals)
    is_solvable = np.isfinite(exact)
    if not is_solvable.any():
        raise InputError(f"{scen}: no problem has a path from start to goal; use the scenario of {map.name}")
    is_kept = is_solvable.copy()
    if _is_as_listed(connectivity, diagonals):
        is_kept &= files.agrees(table["optimal"].to_numpy(float), exact, table["tolerance"].to_numpy(float))
    if not is_kept.any():
        raise InputError(f"{scen}: exact search finds none of the listed optima; use the scenario of {map.name}")
    lost = {files.UNREACHABLE: int((~is_solvable).sum()), DIFFERENT: int((is_solvable & ~is_kept).sum())}
    problems, listed = [], []
    kept = table.iloc[np.flatnonzero(is_kept)]
    for free, rows in files.layers(terrain, kept):
        part = kept.iloc[rows]
        problems.append(_problems(map, files.on_map(free, part, connectivity, diagonals), exact[is_kept][rows]))
        listed.append(part["optimal"].to_numpy(float))
    return Scenario(
        problems, np.concatenate(listed), listing.num_listed, len(table), dict(left_out) | lost, num_foreign
    )


def compare_with_listed(scenario: Scenario, result: Measurements) -> dict[str, Any]:
    """Comparison with the listed optima: counts, mean ratio of path length to listed optimum, notes."""
    table, listed = result.tables[MODEL], scenario.listed
    rows = (table["success"] == 1) & (listed > 0)
    times = float((table["cost"][rows] / listed[rows]).mean()) if rows.any() else None
    left_out = {reason: number for reason, number in scenario.left_out.items() if number}
    num = scenario.num_chosen
    notes = [LISTED if scenario.is_as_listed else RECOMPUTED.format(rule=scenario.maps.rule)]
    num_usable = scenario.num_listed - _skipped(scenario)
    notes += [f"{num} of {num_usable} problems, evenly spaced"] if num < num_usable else []
    notes += [f"problems that name a different map: {scenario.num_foreign}"] if scenario.num_foreign else []
    notes += [f"left out with {reason}: {number}" for reason, number in left_out.items()]
    notes += [f"paths found are {times:.3f} times as long as the listed optima on average"] if times else []
    counts = {"num_listed": scenario.num_listed, "left_out": left_out}
    counts |= {
        "num_unsolvable": scenario.left_out[files.UNREACHABLE],
        "num_disagreeing": scenario.left_out[DIFFERENT],
    }
    return {**counts, "times_listed_optimum": times, "notes": notes}


def _skipped(scenario: Scenario) -> int:
    """Number of problems that cannot be posed on the map."""
    return sum(number for reason, number in scenario.left_out.items() if reason not in (files.UNREACHABLE, DIFFERENT))


def _is_as_listed(connectivity: int, diagonals: DiagonalRule) -> bool:
    return connectivity == 8 and diagonals == OCTILE


def _chosen(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """At most `most` problems (0: all), evenly spaced."""
    return table.iloc[np.linspace(0, len(table) - 1, min(most or len(table), len(table))).round().astype(int)]


def _problems(map: Path, maps: Maps, optimum: NDArray[np.float64]) -> Problems:
    num, straight = len(maps), empty_distance_between(maps, maps.start)
    alike = {"kind": "movingai", "name": map.name, "mark": mark(maps.free[:1])[0], "size": size_name(maps), "path": ""}
    facts: dict[str, NDArray] = {name: np.full(num, value) for name, value in alike.items()}
    facts["density"] = np.full(num, 1 - maps.free[0].mean())
    facts["detour"] = np.divide(optimum, straight, out=np.ones(num), where=straight > 0)
    return Problems(maps, facts, optimum)
