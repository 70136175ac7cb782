"""Problems from local files: MovingAI maps with or without scenarios, Maze-Hard tables, planning sets of Neural A*."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.actions import OCTILE
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing import problems
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.drawing.synthesis import Batch
from nsmodels.datasets.mazes.files import maze_hard, movingai, neural_astar, scenarios, sources
from nsmodels.datasets.mazes.files.allotment import allot
from nsmodels.datasets.mazes.files.readings import Reading, Report
from nsmodels.datasets.mazes.files.sources import Source
from nsmodels.datasets.mazes.grids import Maps, concatenate
from nsmodels.datasets.mazes.solving.components import can_reach, reaching_cells
from nsmodels.datasets.mazes.solving.distances import paths_at_start

CELLS_AT_ONCE = 1 << 22  # of maps on which problems are drawn together
SOLVED_AT_ONCE = 64  # problems that a thread takes at a time
ISOLATED, TWICE = "no cell reaches the goal", "the map is in two splits"
MALFORMED = "malformed map"


class Solved(NamedTuple):
    """A reading with the exact costs float64 (n,) and the paths of its problems."""

    reading: Reading
    costs: NDArray[np.float64]
    paths: list[str]


def read_splits(config: MazesConfig) -> tuple[list[Batch], dict[str, Any]]:
    """Problems at `local_path` by split, and metrics: what was left out per reason, numbers compared and disagreeing.

    A map is in one split with all of its problems, turned and mirrored ones too. Raises `InputError` for a single file
    that cannot be read, and when no problem can be used.
    """
    path, report = Path(config.local_path), Report()
    found = sources.find(path)
    report.unused |= found.unused
    _require_effect(config, found.kind)
    readings = [reading for file in found.files for reading in _read(config, found, file, report)]
    _require_share(config, readings)
    solved = [_checked(each, report) for each in _solve(readings, config.num_workers)]
    metrics = _compared(solved, report)
    batches = _batches(solved, allot([each.reading for each in solved], config, path.is_dir()), report)
    report.write_log(config.local_path)
    if not batches:
        reasons = ", ".join(f"{number} {reason}" for reason, number in report.counts().items())
        first = f"; {report.first_fault()}" if report.first_fault() else ""
        raise InputError(f"{path}: no problem can be used ({reasons or 'no file can be read'}){first}")
    return batches, report.metrics() | metrics


def _require_effect(config: MazesConfig, kind: str) -> None:
    """Raise `InputError` for a field that cannot act on files of this kind."""
    idle = {"maze_hard": ("problems_per_map", "placement", "detour_share"), "neural_astar": ("problems_per_map",)}
    for name in idle.get(kind, ()):
        if getattr(config, name) != MazesConfig.model_fields[name].default:
            reason = "its problems have their start" if kind == "maze_hard" else "it has one problem for each map"
            raise InputError(f"'{name}' has no effect with {config.local_path}: {reason}; leave it out")


def _require_share(config: MazesConfig, readings: Sequence[Reading]) -> None:
    """Raise `InputError` for a share of validation maps of files that need none."""
    splits = {reading.split for reading in readings}
    is_needed = Path(config.local_path).is_dir() and "train" in splits and "val" not in splits
    if not is_needed and config.val_share != MazesConfig.model_fields["val_share"].default:
        raise InputError(
            f"'val_share' has no effect with {config.local_path}: it needs a folder with a split train and none called "
            "val; leave it out"
        )


def _batches(solved: Sequence[Solved], splits: Sequence[NDArray], report: Report) -> list[Batch]:
    taken, batches = Counter[str](), []
    for (reading, costs, paths), belongs in zip(solved, splits, strict=True):
        lost = np.flatnonzero(belongs == "")
        report.skip(TWICE, (f"{reading.name}: problem {k} of {reading.split} is in another split too" for k in lost))
        for split in dict.fromkeys(belongs[belongs != ""].tolist()):
            chosen = np.flatnonzero(belongs == split)
            rows = taken[split] + np.arange(len(chosen))
            taken[split] += len(chosen)
            kind, name = (np.full(len(rows), word, object) for word in (reading.kind, reading.name))
            part, moves = reading[chosen], [paths[k] for k in chosen]
            batches.append(Batch(split, rows, part.maps, kind, name, part.mark, part.answer, (costs[chosen], moves)))
    return batches


def _read(config: MazesConfig, found: sources.Sources, file: Source, report: Report) -> list[Reading]:
    """The readings of a file; of several files, one that cannot be read is left out, unless it is a whole split."""
    reader = {"movingai": _movingai, "maze_hard": _maze_hard, "neural_astar": _neural_astar}[found.kind]
    try:
        return [reading for reading in reader(config, file, report) if len(reading)]
    except InputError as error:
        if len(found.files) == 1 or (found.kind == "maze_hard" and file.split):
            raise
        report.unused[file.name] = str(error).removeprefix(f"{file.path}: ")
        return []


def _movingai(config: MazesConfig, file: Source, report: Report) -> Iterator[Reading]:
    """Problems of one map, one reading for each kind of terrain: those in its scenarios, else by the declared rule."""
    terrain = movingai.read_terrain(file.path)
    if not file.scenarios:
        drawn = _drawn(config, file, terrain == movingai.GROUND)
        report.drawn.append(file.name)
        yield drawn
        return
    table = _chosen(config, _usable(config, file, terrain, report))
    if table.empty:
        report.unused[file.name] = "none of the problems of its scenarios can be used"
        return
    report.num_foreign += int(scenarios.is_of_other_map(file.path, table).sum())
    for free, rows in scenarios.layers(terrain, table):
        part = table.iloc[rows]
        is_octile = config.connectivity == 8 and config.diagonals == OCTILE
        maps = scenarios.on_map(free, part, config.connectivity, config.diagonals)
        listed = part["optimal"].to_numpy(float) if is_octile else np.full(len(part), np.nan)
        yield _one_map(file, maps, listed, part["tolerance"].to_numpy(float))


def _one_map(file: Source, maps: Maps, listed: NDArray, tolerance: NDArray) -> Reading:
    marks = np.repeat(np.array(mark(maps.free[:1]), object), len(maps))
    answer = np.full(len(maps), "", object)
    return Reading("movingai", file.name, maps, marks, listed, tolerance, answer, file.split, is_one_map=True)


def _usable(config: MazesConfig, file: Source, terrain: NDArray[np.uint8], report: Report) -> pd.DataFrame:
    """Problems in the scenarios of a map that can be posed and solved on it; the others are reported."""
    tables = [_named(file, scen, terrain, names, report) for scen, names in file.scenarios]
    usable = [part for part in tables if len(part)]
    if not usable:
        return tables[0]
    table = pd.concat(usable)
    is_solvable = np.zeros(len(table), bool)
    for free, rows in scenarios.layers(terrain, table):
        is_solvable[rows] = can_reach(scenarios.on_map(free, table.iloc[rows], config.connectivity, config.diagonals))
    lost = table.iloc[np.flatnonzero(~is_solvable)]
    report.skip(scenarios.UNREACHABLE, (f"{scen}: line {n}" for n, scen in zip(lost.index, lost["file"], strict=True)))
    return table.iloc[np.flatnonzero(is_solvable)]


def _named(
    file: Source, scen: Path, terrain: NDArray[np.uint8], names: frozenset[str] | None, report: Report
) -> pd.DataFrame:
    """Problems of a scenario that are on the map: all of one of its name, unless only some name it."""
    try:
        listing = scenarios.scan(scen, terrain, names)
    except InputError as error:
        report.unused[file.name_of(scen)] = str(error).removeprefix(f"{scen}: ")
        return pd.DataFrame(columns=["map"])
    for reason, fault in listing.skipped:
        report.skip(reason, [fault])
    table = listing.table.assign(file=str(scen))
    is_other = scenarios.is_of_other_map(file.path, table)
    if names is not None or is_other.all():
        return table
    lost = table.iloc[np.flatnonzero(is_other)]
    report.skip(
        scenarios.NAME, (f"{scen}: line {n} names {name}" for n, name in zip(lost.index, lost["map"], strict=True))
    )
    return table.iloc[np.flatnonzero(~is_other)]


def _chosen(config: MazesConfig, table: pd.DataFrame) -> pd.DataFrame:
    """`problems_per_map` problems, spread evenly."""
    if table.empty:
        return table
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, config.problems_per_map).round().astype(int))]


def _drawn(config: MazesConfig, file: Source, free: NDArray[np.bool_]) -> Reading:
    if not problems.has_problem(free[None], config.diagonals)[0]:
        raise InputError(
            f"{file.path}: no two free cells side by side, so no problem can be drawn; give a different map"
        )
    (name,) = mark(free[None])
    size = max(1, CELLS_AT_ONCE // free.size)
    parts = []
    for first in range(0, config.problems_per_map, size):
        rng = np.random.default_rng([config.seed, int(name[:12], 16), *([first] if first else [])])
        num = min(size, config.problems_per_map - first)
        parts.append(problems.place(config, np.broadcast_to(free, (num, *free.shape)), rng))
    start, goal = (np.concatenate([getattr(part, end) for part in parts]) for end in ("start", "goal"))
    shared = np.broadcast_to(free, (len(start), *free.shape))
    maps = Maps(shared, start, goal, None, config.connectivity, config.diagonals)
    unknown = np.full(len(maps), np.nan)
    return _one_map(file, maps, unknown, unknown)


def _maze_hard(config: MazesConfig, file: Source, report: Report) -> Iterator[Reading]:
    maps, answers = maze_hard.read(file.path)
    lengths = [len(digits) if config.connectivity == 4 else np.nan for digits in answers]
    maps = replace(maps, connectivity=config.connectivity, diagonals=config.diagonals)
    yield Reading(
        "maze_hard",
        file.name,
        maps,
        np.array(mark(maps.free), object),
        np.array(lengths, float),
        np.zeros(len(lengths)),
        np.array(answers, object),
        file.split,
    )


def _neural_astar(config: MazesConfig, file: Source, report: Report) -> Iterator[Reading]:
    """One problem for each map of a set; its goal is the file's, its start is drawn by the declared rule."""
    for number, part in enumerate(neural_astar.read(file.path)):
        report.skip(MALFORMED, part.faults)
        maps = replace(part.maps, connectivity=config.connectivity, diagonals=config.diagonals)
        is_good = reaching_cells(maps) > 1 if len(maps) else np.zeros(0, bool)
        report.skip(ISOLATED, (f"{file.path}: {part.split} map {k}" for k in np.flatnonzero(~is_good)))
        rows = np.flatnonzero(is_good)
        if not len(rows):
            continue
        maps = _with_starts(config, maps[rows], np.random.default_rng([config.seed, number]))
        is_comparable = maps.rule == part.maps.rule
        if not is_comparable and not number:
            report.notes.append(
                f"{file.name}: its distances are {part.maps.rule}, these data {maps.rule}: they are not compared"
            )
        listed = part.distances[rows, *maps.start.T] if is_comparable else np.full(len(rows), np.nan)
        marks, blank = np.array(mark(maps.free), object), np.full(len(rows), "", object)
        yield Reading("neural_astar", file.name, maps, marks, listed, np.full(len(rows), 0.01), blank, part.split)


def _with_starts(config: MazesConfig, maps: Maps, rng: np.random.Generator) -> Maps:
    size = max(1, CELLS_AT_ONCE // (maps.shape[0] * maps.shape[1]))
    parts = [maps[first : first + size] for first in range(0, len(maps), size)]
    return concatenate([problems.place_start(config, part.free, part.goal, rng) for part in parts])


def _solve(readings: Sequence[Reading], num_workers: int) -> list[Solved]:
    """The exact costs and paths of all problems, on `num_workers` threads (0: one per core)."""
    parts = [
        reading.maps[first : first + SOLVED_AT_ONCE]
        for reading in readings
        for first in range(0, len(reading), SOLVED_AT_ONCE)
    ]
    with ThreadPoolExecutor(num_workers or os.cpu_count()) as pool:  # the compiled search releases the GIL
        found = pool.map(paths_at_start, parts)
        solved = []
        for reading in readings:
            chunks = [next(found) for _ in range(0, len(reading), SOLVED_AT_ONCE)]
            paths = [path for _, some in chunks for path in some]
            solved.append(Solved(reading, np.concatenate([costs for costs, _ in chunks]), paths))
    return solved


def _checked(solved: Solved, report: Report) -> Solved:
    """The solvable problems; an answer of the file that is not as short as the shortest path is dropped."""
    reading, costs, paths = solved
    is_solvable = np.isfinite(costs)
    lost = np.flatnonzero(~is_solvable)
    report.skip(scenarios.UNREACHABLE, (f"{reading.name}: problem {k}, counted from 0" for k in lost))
    rows = np.flatnonzero(is_solvable)
    kept, best = reading[rows], costs[rows]
    answer = [digits if len(digits) == cost else "" for digits, cost in zip(kept.answer, best, strict=True)]
    return Solved(replace(kept, answer=np.array(answer, object)), best, [paths[k] for k in rows])


def _compared(solved: Sequence[Solved], report: Report) -> dict[str, Any]:
    """Metrics of the comparison of exact costs with those listed in the files, where these are of the same moves."""
    listed = np.concatenate([each.reading.listed for each in solved] or [np.zeros(0)])
    tolerance = np.concatenate([each.reading.tolerance for each in solved] or [np.zeros(0)])
    costs = np.concatenate([each.costs for each in solved] or [np.zeros(0)])
    is_compared = ~np.isnan(listed)
    rows = np.flatnonzero(is_compared)
    is_wrong = ~scenarios.agrees(listed[rows], costs[rows], tolerance[rows])
    if is_wrong.any():
        report.notes.append(f"{is_wrong.sum()} problems list a different optimal cost; the computed one is used")
    return {"num_compared": int(is_compared.sum()), "num_disagreeing": int(is_wrong.sum())}
