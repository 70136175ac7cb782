"""Problems from files of your own: MovingAI maps with or without scenarios, or a Maze-Hard table."""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes import maze_hard, movingai, problems
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.distances import costs_at_start
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.symmetry import mark
from nsmodels.datasets.mazes.synthesis import Batch

FEWEST_TO_SPLIT = 20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Source:
    """What one file holds: problems of one shape, and the optimal costs it lists, nan where it lists none."""

    kind: str
    name: str
    maps: Maps
    mark: NDArray[np.object_]
    listed: NDArray[np.float64]


def read_splits(config: MazesConfig) -> tuple[list[Batch], dict[str, Any]]:
    """The problems at `local_path` by split, and how many were left out or disagree with the length their file lists.

    A map goes to one split with all of its problems, turned and mirrored ones too. `InputError` for a file that cannot
    be read, and when nothing can be solved.
    """
    path = Path(config.local_path)
    sources = [_maze_hard(config, path)] if path.suffix == ".csv" else _movingai(config, path)
    sources, told = _verified(sources, config)
    split_of = _splits({name for source in sources for name in source.mark}, path, config)
    taken: Counter[str] = Counter()
    batches = []
    for source in sources:
        belongs = np.array([split_of[name] for name in source.mark])
        for split in dict.fromkeys(belongs.tolist()):
            chosen = np.flatnonzero(belongs == split)
            rows = taken[split] + np.arange(len(chosen))
            taken[split] += len(chosen)
            batches.append(_batch(split, rows, source, chosen))
    return batches, told


def _batch(split: str, rows: NDArray[np.int64], source: _Source, chosen: NDArray[np.int64]) -> Batch:
    kind, name = (np.full(len(rows), word, object) for word in (source.kind, source.name))
    return Batch(split, rows, source.maps[chosen], kind, name, source.mark[chosen])


def _splits(marks: set[str], path: Path, config: MazesConfig) -> dict[str, str]:
    """The split of each mark: all in one for few maps or a file that names it, else 8:1:1 in the marks' own order."""
    if config.local_split == "auto" and path.suffix == ".csv" and path.stem in ("train", "val", "test"):
        return dict.fromkeys(marks, path.stem)
    if config.local_split == "test" or len(marks) < FEWEST_TO_SPLIT:
        return dict.fromkeys(marks, "test")
    tenth = len(marks) // 10
    words = ["test"] * tenth + ["val"] * tenth + ["train"] * (len(marks) - 2 * tenth)
    return dict(zip(sorted(marks), words, strict=True))


def _movingai(config: MazesConfig, path: Path) -> list[_Source]:
    files = sorted(path.rglob("*.map")) if path.is_dir() else [path]
    if not files or files[0].suffix != ".map":
        raise InputError(
            f"{path}: no .map file; field 'local_path' names a folder with .map files (their .scen beside them), one "
            ".map file, or one Maze-Hard .csv"
        )
    root = path if path.is_dir() else path.parent
    scenarios = sorted(path.rglob("*.scen") if path.is_dir() else root.glob("*.scen"))
    return [_map(config, file, str(file.relative_to(root)), scenarios) for file in files]


def _map(config: MazesConfig, file: Path, name: str, scenarios: list[Path]) -> _Source:
    """The problems of one map: those its .scen lists, else drawn by the declared rule."""
    free = movingai.read_map(file)
    marks = np.array(mark(free[None]), object)
    own = re.compile(rf"{re.escape(file.stem)}(\.map|-(even|random)-\d+)?\.scen")
    tables = [movingai.read_scenarios(scen, free) for scen in scenarios if own.fullmatch(scen.name)]
    if tables:
        rows = np.concatenate(
            [t[["start_row", "start_col", "goal_row", "goal_col", "optimal"]].to_numpy(float) for t in tables]
        )
        rows = rows[np.unique(np.linspace(0, len(rows) - 1, config.problems_per_map).round().astype(int))]
        start, goal, listed = rows[:, :2].astype(np.int16), rows[:, 2:4].astype(np.int16), rows[:, 4]
        maps = Maps(np.repeat(free[None], len(rows), 0), start, goal, None, config.connectivity)
    else:
        if not problems.has_problem(free[None])[0]:
            raise InputError(f"{file}: no two free cells side by side, so no problem can be drawn; give another map")
        rng = np.random.default_rng([config.seed, int(marks[0][:12], 16)])
        unit = config.with_values({"max_cell_cost": 1})
        maps = problems.place(unit, np.repeat(free[None], config.problems_per_map, 0), rng)
        listed = np.full(len(maps), np.nan)
    return _Source("movingai", name, maps, np.repeat(marks, len(maps)), listed)


def _maze_hard(config: MazesConfig, path: Path) -> _Source:
    maps, answers = maze_hard.read(path)
    listed = answers.sum(axis=(1, 2)) + 1.0 if config.connectivity == 4 else np.full(len(maps), np.nan)
    maps = replace(maps, connectivity=config.connectivity)
    return _Source("maze_hard", path.name, maps, np.array(mark(maps.free), object), listed)


def _verified(sources: list[_Source], config: MazesConfig) -> tuple[list[_Source], dict[str, Any]]:
    """The solvable problems; and how many were not, and how many shortest paths are as long as their file says.

    Lengths listed in .scen files count diagonal moves: they are compared when `connectivity` is 8.
    """
    kept, costs = [], []
    for source in sources:
        cost = costs_at_start(source.maps)
        rows = np.flatnonzero(np.isfinite(cost))
        costs.append(cost[rows])
        kept.append(replace(source, maps=source.maps[rows], mark=source.mark[rows], listed=source.listed[rows]))
    num_left_out = sum(len(source.mark) for source in sources) - sum(len(source.mark) for source in kept)
    if not any(len(source.mark) for source in kept):
        raise InputError(f"{config.local_path}: no problem has a path from start to goal; give other files")
    listed, cost = np.concatenate([source.listed for source in kept]), np.concatenate(costs)
    is_compared = ~np.isnan(listed) & (config.connectivity == 8 or kept[0].kind == "maze_hard")
    is_wrong = is_compared & (np.abs(listed - cost) > movingai.TOLERANCE * np.maximum(listed, 10.0))
    for number, word in ((num_left_out, "cannot be solved: left out"), (is_wrong.sum(), "list another optimal cost")):
        if number:
            log.warning("%s: %d problems %s", config.local_path, number, word)
    told = {
        "num_unsolvable": num_left_out,
        "num_compared": int(is_compared.sum()),
        "num_disagreeing": int(is_wrong.sum()),
    }
    return kept, told
