"""The navigation data as a sealed folder: drawn by a declared rule, or read from files of your own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nsmodels.core import artifact
from nsmodels.core.artifact import Manifest
from nsmodels.core.config import fingerprint
from nsmodels.core.errors import InputError
from nsmodels.datasets.mazes.config import CODE_VERSION, SPLITS, MazesConfig

if TYPE_CHECKING:
    import pandas as pd

    from nsmodels.datasets.mazes.drawing.synthesis import Batch

MAKER = "nsmodels.datasets.mazes"
CAPTIONS = {
    "synthetic": "synthetic mazes",
    "movingai": "MovingAI maps from a local folder",
    "maze_hard": "Maze-Hard from a local file",
}
# A path this much longer than on an empty map is a detour; the quotient is rounded to float32.
LEAST_DETOUR = 1 + 1e-4
LOCAL_FILES = (".map", ".scen", ".csv")
# Raise it when the same local files give other data; what is drawn stays valid then.
READING_VERSION = "2"
# The fields that decide the content, by source; the others cannot change it.
_ONLY_LOCAL = ("local_path", "local_split", "problems_per_map")
_LOCAL = ("source", *_ONLY_LOCAL, "connectivity", "placement", "detour_share", "seed")


def prepare(config: MazesConfig, key: str, folder: Path, is_forced: bool = False) -> Manifest:
    """The data as a sealed `folder`, made when it is not there yet; raise `InputError` with the reason if it cannot."""
    if config.source == "local":
        _require_apart(folder, Path(config.local_path))
    recipe: Any = {"config": recipe_of(config), "code_version": CODE_VERSION, "seed": config.seed}
    if found := artifact.kept(folder, is_forced, **recipe):
        return found
    with artifact.build(folder, key=key, maker=MAKER, source=caption(config), **recipe) as part:
        part.metrics |= _make(config, part.path)
    return artifact.read_manifest(folder)


def recipe_of(config: MazesConfig) -> dict[str, Any]:
    """The fields that decide the content of the data; for local data also what the files hold."""
    values = config.relevant()
    if config.source == "synthetic":
        return {name: value for name, value in values.items() if name not in _ONLY_LOCAL}
    return {name: values[name] for name in _LOCAL} | {"local_fingerprint": _local_mark(Path(config.local_path))}


def caption(config: MazesConfig) -> str:
    """The word for the data in manifest and figures."""
    if config.source == "synthetic":
        return CAPTIONS["synthetic"]
    return CAPTIONS["maze_hard" if Path(config.local_path).suffix == ".csv" else "movingai"]


def _make(config: MazesConfig, folder: Path) -> dict[str, Any]:
    from nsmodels.datasets.mazes.files.format import write
    from nsmodels.datasets.mazes.files.indexing import make_index

    began = time.perf_counter()
    batches, told = _batches(config)
    drawn = time.perf_counter()
    index, groups, num_states = make_index(batches, config.num_workers)
    solved = time.perf_counter()
    write(folder, index, groups)
    seconds = {"drawing": drawn - began, "labels": solved - drawn, "writing": time.perf_counter() - solved}
    rounded = {name: round(value, 3) for name, value in seconds.items()}
    return {**told, "num_states": num_states, **_summary(index), "seconds": rounded}


def _batches(config: MazesConfig) -> tuple[list[Batch], dict[str, Any]]:
    """Problems by split and shape, and what is to be said of how they came about."""
    if config.source == "local":
        from nsmodels.datasets.mazes.files.local import read_splits

        return read_splits(config)
    from nsmodels.datasets.mazes.drawing.synthesis import draw_splits

    batches, num_dropped = draw_splits(config)
    return batches, {"num_duplicates_dropped": num_dropped}


def _summary(index: pd.DataFrame) -> dict[str, Any]:
    """By split: problems and different maps, share that needs a detour, means of path and density; maps by kind."""
    by_split = {split: index.query("split == @split") for split in SPLITS}
    present: dict[str, Any] = {split: rows for split, rows in by_split.items() if len(rows)}
    return {
        "num_problems": {split: len(rows) for split, rows in present.items()},
        "num_maps": {split: rows["mark"].nunique() for split, rows in present.items()},
        "detour_share": {split: float(rows["detour"].gt(LEAST_DETOUR).mean()) for split, rows in present.items()},
        "mean_steps": {split: float(rows["num_steps"].mean()) for split, rows in present.items()},
        "mean_density": {split: float(rows["density"].mean()) for split, rows in present.items()},
        "kind_shares": index["kind"].value_counts(normalize=True).sort_index().to_dict(),
    }


def _require_apart(folder: Path, source: Path) -> None:
    """`InputError` when one of the two is the other or lies in it: the data would count among their own sources."""
    out, read = folder.resolve(), source.resolve()
    if source.exists() and (out.is_relative_to(read) or read.is_relative_to(out)):
        raise InputError(
            f"{folder}: the data cannot be made in, around or in place of the files they are read from, "
            f"'local_path' {source}; give another folder as --out"
        )


def _local_mark(path: Path) -> str:
    """Names and content of the files that are read; `InputError` when there is nothing at `path`."""
    if not path.exists():
        raise InputError(f"{path}: no such file or folder; field 'local_path' names .map files or a Maze-Hard .csv")
    found = [path, *path.parent.glob(f"{path.stem}*.scen")] if path.is_file() else path.rglob("*")
    files = sorted(file for file in found if file.is_file() and file.suffix in LOCAL_FILES)
    return fingerprint(
        [READING_VERSION, *((str(file.relative_to(path.parent)), artifact.sha256_of(file)) for file in files)]
    )
