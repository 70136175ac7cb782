"""Problems from files of your own: MovingAI maps with or without scenarios, or a Maze-Hard table."""

from __future__ import annotations

import logging
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import MazesConfig
from nsmodels.datasets.mazes.drawing import problems
from nsmodels.datasets.mazes.drawing.symmetry import mark
from nsmodels.datasets.mazes.drawing.synthesis import Batch
from nsmodels.datasets.mazes.files import maze_hard, movingai
from nsmodels.datasets.mazes.grids import Maps
from nsmodels.datasets.mazes.solving.distances import costs_at_start

FEWEST_TO_SPLIT = 20
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Source:
    """What one file holds: problems of one shape, and the optimal costs it lists, nan where it lists none.

    `answer` (n,) are the paths it gives as digits, empty where it gives none; `num_foreign` how many problems stand in
    scenarios that name another map.
    """

    kind: str
    name: str
    maps: Maps
    mark: NDArray[np.object_]
    listed: NDArray[np.float64]
    answer: NDArray[np.object_]
    num_foreign: int = 0


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
    return Batch(split, rows, source.maps[chosen], kind, name, source.mark[chosen], source.answer[chosen])


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
    return [_map(config, file, str(file.relative_to(root)), _scenarios_of(file, files, scenarios)) for file in files]


def _scenarios_of(file: Path, files: list[Path], scenarios: list[Path]) -> list[Path]:
    """The scenarios of a map by their name: those in its own folder, else those beside no other map of that name."""
    own = re.compile(rf"{re.escape(file.stem)}(\.map|-(even|random)-\d+)?\.scen")
    named = [scen for scen in scenarios if own.fullmatch(scen.name)]
    taken = {other.parent for other in files if other.stem == file.stem}
    return [scen for scen in named if scen.parent == file.parent] or [s for s in named if s.parent not in taken]


def _map(config: MazesConfig, file: Path, name: str, scenarios: list[Path]) -> _Source:
    """The problems of one map: those its scenarios list, else drawn by the declared rule."""
    free = movingai.read_map(file)
    marks = np.array(mark(free[None]), object)
    num_foreign = 0
    if scenarios:
        table = pd.concat([movingai.read_scenarios(scen, free) for scen in scenarios])
        chosen = np.unique(np.linspace(0, len(table) - 1, config.problems_per_map).round().astype(int))
        table = table.iloc[chosen]
        num_foreign = int(movingai.names_another(file, table).sum())
        rows = table[["start_row", "start_col", "goal_row", "goal_col", "optimal"]].to_numpy(float)
        start, goal, listed = rows[:, :2].astype(np.int16), rows[:, 2:4].astype(np.int16), rows[:, 4]
        maps = Maps(np.repeat(free[None], len(rows), 0), start, goal, None, config.connectivity)
    else:
        if not problems.has_problem(free[None])[0]:
            raise InputError(f"{file}: no two free cells side by side, so no problem can be drawn; give another map")
        rng = np.random.default_rng([config.seed, int(marks[0][:12], 16)])
        unit = config.with_values({"max_cell_cost": 1})
        maps = problems.place(unit, np.repeat(free[None], config.problems_per_map, 0), rng)
        listed = np.full(len(maps), np.nan)
    no_answer = np.full(len(maps), "", object)
    return _Source("movingai", name, maps, np.repeat(marks, len(maps)), listed, no_answer, num_foreign)


def _maze_hard(config: MazesConfig, path: Path) -> _Source:
    maps, answers = maze_hard.read(path)
    lengths = [len(digits) if config.connectivity == 4 else np.nan for digits in answers]
    maps = replace(maps, connectivity=config.connectivity)
    return _Source(
        "maze_hard",
        path.name,
        maps,
        np.array(mark(maps.free), object),
        np.array(lengths, float),
        np.array(answers, object),
    )


def _verified(sources: list[_Source], config: MazesConfig) -> tuple[list[_Source], dict[str, Any]]:
    """The solvable problems; and how many were not, and how many shortest paths are as long as their file says.

    An answer that is no shortest path is dropped. Lengths listed in .scen files count diagonal moves: they are compared
    when `connectivity` is 8.
    """
    kept, costs = [], []
    for source in sources:
        cost = costs_at_start(source.maps)
        rows = np.flatnonzero(np.isfinite(cost))
        costs.append(cost[rows])
        kept.append(_of_rows(source, rows, cost[rows]))
    num_left_out = sum(len(source.mark) for source in sources) - sum(len(source.mark) for source in kept)
    if not any(len(source.mark) for source in kept):
        raise InputError(f"{config.local_path}: no problem has a path from start to goal; give other files")
    listed, cost = np.concatenate([source.listed for source in kept]), np.concatenate(costs)
    is_compared = ~np.isnan(listed) & (config.connectivity == 8 or kept[0].kind == "maze_hard")
    is_wrong = is_compared & (np.abs(listed - cost) > movingai.TOLERANCE * np.maximum(listed, 10.0))
    num_foreign = sum(source.num_foreign for source in sources)
    words = ("cannot be solved: left out", "list another optimal cost", "stand in a .scen that names another map")
    for number, word in zip((num_left_out, is_wrong.sum(), num_foreign), words, strict=True):
        if number:
            log.warning("%s: %d problems %s", config.local_path, number, word)
    told = {
        "num_unsolvable": num_left_out,
        "num_compared": int(is_compared.sum()),
        "num_disagreeing": int(is_wrong.sum()),
        "num_naming_another_map": num_foreign,
    }
    return kept, told


def _of_rows(source: _Source, rows: NDArray[np.int64], cost: NDArray) -> _Source:
    """The problems `rows` (k,), with those answers that are as short as their shortest path, `cost` (k,)."""
    answer = [digits if len(digits) == best else "" for digits, best in zip(source.answer[rows], cost, strict=True)]
    kept = replace(source, maps=source.maps[rows], mark=source.mark[rows], listed=source.listed[rows])
    return replace(kept, answer=np.array(answer, object))
