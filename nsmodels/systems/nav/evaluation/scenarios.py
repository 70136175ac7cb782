"""The problems of MovingAI scenarios on their maps, one or a folder of them, and comparison with the listed optima."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.core.progress import counted
from nsmodels.datasets.mazes.actions import OCTILE, DiagonalRule
from nsmodels.datasets.mazes.drawing.problems import empty_distance_between
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.files import scenarios as files
from nsmodels.datasets.mazes.files import sources
from nsmodels.datasets.mazes.files.movingai import read_terrain
from nsmodels.datasets.mazes.files.readings import MOST_NAMED
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.systems.nav.evaluation.scorer import MODEL, Measurements, Problems, size_name
from nsmodels.systems.nav.evaluation.summary import LENGTHS, length_names

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
        notes: how they were selected, and the files that were not used.
    """

    problems: list[Problems]
    listed: NDArray[np.float64]
    num_listed: int
    num_chosen: int
    left_out: dict[str, int]
    num_foreign: int = 0
    notes: tuple[str, ...] = ()

    @property
    def maps(self) -> Maps:
        """The problems on the first kind of terrain."""
        return self.problems[0].maps[:]

    @property
    def is_as_listed(self) -> bool:
        """Whether the moves are those of the listed optima."""
        return _is_as_listed(self.maps.connectivity, self.maps.diagonals)


class _Listed(NamedTuple):
    """Problems listed for one map, called `name`, that can be posed on it, and those left out, by reason."""

    map: Path
    name: str
    terrain: NDArray[np.uint8]
    table: pd.DataFrame
    left_out: Counter[str]


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
    listed = _Listed(map, map.name, terrain, listing.table, Counter(skipped.reason for skipped in listing.skipped))
    found = _solved(listed, _evenly(len(listing.table), max_problems), connectivity, diagonals)
    if found.num_chosen == len(listing.table):
        return found
    return replace(found, notes=(f"{found.num_chosen} of {len(listing.table)} problems, evenly spaced",))


def read_folder(
    folder: Path, connectivity: int, diagonals: DiagonalRule = OCTILE, max_problems: int = 0
) -> tuple[Scenario, list[str]]:
    """The problems of all scenarios of the maps in a folder, and the names of the maps; see `read_scenario`.

    Of each range of listed lengths (`LENGTHS`) at most `max_problems` (0: all), evenly spaced over maps and lists. A
    map without a scenario or without a problem that can be used is left out with a note. Raises InputError when the
    folder has no maps, and when no problem is left.
    """
    listings, unused = _listings(folder)
    chosen = _by_length([each.table for each in listings], max_problems)
    found = []
    for listed, rows in counted(zip(listings, chosen, strict=True), len(listings), "exact optima", "map"):
        try:
            found += [_solved(listed, rows, connectivity, diagonals)] if len(rows) else []
        except InputError as error:
            unused[listed.name] = str(error)
    if not found:
        first = next((f"; {name}: {why}" for name, why in unused.items()), "")
        raise InputError(f"{folder}: no problem of a scenario can be scored{first}")
    notes = [f"not used: {name}: {why}" for name, why in [*unused.items()][:MOST_NAMED]]
    notes += [f"not used: {len(unused) - MOST_NAMED} more files"] if len(unused) > MOST_NAMED else []
    total, num = sum(len(each.table) for each in listings), sum(each.num_chosen for each in found)
    if max_problems:
        notes += [f"{num} of {total} problems: at most {max_problems} of each range of lengths, evenly spaced"]
    return replace(_joined(found), notes=tuple(notes)), [each.name for each in listings]


def _listings(folder: Path) -> tuple[list[_Listed], dict[str, str]]:
    """The problems listed for each map of a folder, and the files that are not used, with the reason."""
    found = sources.find(folder)
    if found.kind != "movingai":
        raise InputError(f"{folder}: no .map file; give a folder of MovingAI maps with their .scen files")
    listings, unused = [], dict[str, str]()
    for file in found.files:
        try:
            listings.append(_listed(file))
        except InputError as error:
            unused[file.name] = str(error)
    return listings, unused | found.unused


def _listed(file: sources.Source) -> _Listed:
    if not file.scenarios:
        raise InputError("has no scenario")
    terrain = read_terrain(file.path)
    parts = [files.scan(scen, terrain, names) for scen, names in file.scenarios]
    usable = [part.table for part in parts if len(part.table)]
    if not usable:
        raise InputError(parts[0].skipped[0].fault)
    left_out = Counter(skipped.reason for part in parts for skipped in part.skipped)
    return _Listed(file.path, file.name, terrain, pd.concat(usable), left_out)


def _solved(listed: _Listed, rows: NDArray[np.int64], connectivity: int, diagonals: DiagonalRule) -> Scenario:
    """The problems `rows` (m,) of a map with their optima, without those that have none or a wrong one."""
    table, terrain = listed.table.iloc[rows], listed.terrain
    exact = files.exact_costs(terrain, table, connectivity, diagonals)
    is_solvable = np.isfinite(exact)
    if not is_solvable.any():
        raise InputError(f"{listed.map}: no problem has a path from start to goal; use the scenario of this map")
    is_kept = is_solvable.copy()
    if _is_as_listed(connectivity, diagonals):
        is_kept &= files.agrees(table["optimal"].to_numpy(float), exact, table["tolerance"].to_numpy(float))
    if not is_kept.any():
        raise InputError(f"{listed.map}: exact search finds none of the listed optima; use the scenario of this map")
    lost = {files.UNREACHABLE: int((~is_solvable).sum()), DIFFERENT: int((is_solvable & ~is_kept).sum())}
    problems, optima = [], []
    kept = table.iloc[np.flatnonzero(is_kept)]
    for free, places in files.layers(terrain, kept):
        part = kept.iloc[places]
        maps = files.on_map(free, part, connectivity, diagonals)
        problems.append(_problems(listed.name, maps, exact[is_kept][places]))
        optima.append(part["optimal"].to_numpy(float))
    num_listed = len(listed.table) + listed.left_out.total()
    num_foreign = int(files.is_of_other_map(listed.map, table).sum())
    return Scenario(problems, np.concatenate(optima), num_listed, len(table), dict(listed.left_out) | lost, num_foreign)


def _joined(scenarios: Sequence[Scenario]) -> Scenario:
    left_out = sum((Counter(each.left_out) for each in scenarios), Counter({files.UNREACHABLE: 0, DIFFERENT: 0}))
    return Scenario(
        [part for each in scenarios for part in each.problems],
        np.concatenate([each.listed for each in scenarios]),
        sum(each.num_listed for each in scenarios),
        sum(each.num_chosen for each in scenarios),
        {files.UNREACHABLE: 0, DIFFERENT: 0} | dict(left_out),
        sum(each.num_foreign for each in scenarios),
    )


def compare_with_listed(scenario: Scenario, result: Measurements) -> dict[str, Any]:
    """Comparison with the listed optima: counts, mean ratio of path length to listed optimum, notes."""
    table, listed = result.tables[MODEL], scenario.listed
    rows = (table["success"] == 1) & (listed > 0)
    times = float((table["cost"][rows] / listed[rows]).mean()) if rows.any() else None
    left_out = {reason: number for reason, number in scenario.left_out.items() if number}
    notes = [LISTED if scenario.is_as_listed else RECOMPUTED.format(rule=scenario.maps.rule)]
    notes += scenario.notes
    notes += [f"problems that name a different map: {scenario.num_foreign}"] if scenario.num_foreign else []
    notes += [f"left out with {reason}: {number}" for reason, number in left_out.items()]
    notes += [f"paths found are {times:.3f} times as long as the listed optima on average"] if times else []
    counts = {"num_listed": scenario.num_listed, "left_out": left_out}
    counts |= {
        "num_unsolvable": scenario.left_out[files.UNREACHABLE],
        "num_disagreeing": scenario.left_out[DIFFERENT],
    }
    return {**counts, "times_listed_optimum": times, "notes": notes}


def _is_as_listed(connectivity: int, diagonals: DiagonalRule) -> bool:
    return connectivity == 8 and diagonals == OCTILE


def _evenly(num: int, most: int) -> NDArray[np.int64]:
    """At most `most` (0: all) of `num` places, evenly spaced."""
    return np.linspace(0, num - 1, min(most or num, num)).round().astype(np.int64)


def _by_length(tables: Sequence[pd.DataFrame], most: int) -> list[NDArray[np.int64]]:
    """Rows of each table: of all tables together at most `most` (0: all) of each range of listed lengths."""
    sizes = [len(table) for table in tables]
    if not most or not sizes:
        return [np.arange(size) for size in sizes]
    names = length_names(np.concatenate([table["optimal"].to_numpy(float) for table in tables]))
    groups = [np.flatnonzero(names == name) for name in LENGTHS]
    chosen = np.sort(np.concatenate([places[_evenly(len(places), most)] for places in groups if len(places)]))
    ends = np.cumsum(sizes)
    return [
        chosen[(chosen >= end - size) & (chosen < end)] - (end - size) for end, size in zip(ends, sizes, strict=True)
    ]


def _problems(name: str, maps: Maps, optimum: NDArray[np.float64]) -> Problems:
    num, straight = len(maps), empty_distance_between(maps, maps.start)
    alike = {"kind": "movingai", "name": name, "mark": mark(maps.free[:1])[0], "size": size_name(maps), "path": ""}
    facts: dict[str, NDArray] = {name: np.full(num, value) for name, value in alike.items()}
    facts["density"] = np.full(num, 1 - maps.free[0].mean())
    facts["detour"] = np.divide(optimum, straight, out=np.ones(num), where=straight > 0)
    return Problems(maps, facts, optimum)
