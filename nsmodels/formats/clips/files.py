"""Files of a split: a folder with an array per file, which can be memory-mapped, a table of the clips, and the twins.

`<folder>/<split>/clips.parquet` has the names of the clips, what each has, and their columns; the names of values and
the rates are its metadata. Beside it `video.npy`, `audio.npy` and so on, one for each field of `Clips` that there is,
and `twins.npz`.
"""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from nsmodels.core.artifact import MANIFEST
from nsmodels.core.disk import atomically, writing
from nsmodels.core.errors import InputError
from nsmodels.formats.clips.names import (
    ACTION,
    AFFORDANCES,
    EVENTS,
    MODALITIES,
    OUTCOMES,
    PROPERTIES,
    PROPRIO,
    STATES,
)
from nsmodels.formats.clips.tables import Clips, Twins

TABLE, TWINS, ABOUT = "clips.parquet", "twins.npz", "clips"
DTYPES = {
    "video": np.uint8,
    "audio": np.float16,
    "proprio": np.float32,
    "actions": np.float32,
    "states": np.float32,
    "properties": np.float32,
    "affordances": np.bool_,
    "outcomes": np.float32,
    "events": np.bool_,
}
# Numbers of dimensions with that of the clips, and the size of the last one.
NUM_DIMENSIONS = dict.fromkeys(DTYPES, 2) | {"video": 5, "proprio": 3, "actions": 3, "states": 3}
LAST = {
    "video": 3,
    "proprio": len(PROPRIO),
    "actions": len(ACTION),
    "states": len(STATES),
    "properties": len(PROPERTIES),
    "affordances": len(AFFORDANCES),
    "outcomes": len(OUTCOMES),
    "events": len(EVENTS),
}
OF_STEPS = ("video", "proprio", "actions", "states")
FINITE = ("audio", "proprio", "actions", "states", "properties")  # outcomes have NaN where there is none
AT_ONCE = 512  # clips
OBSERVED = [f"has_{modality}" for modality in MODALITIES]
# The columns that every table has, as the UI describes them.
COLUMNS = {"id": "name of the clip"} | {f"has_{name}": f"whether the clip has {name}" for name in MODALITIES}


def splits(folder: Path) -> list[str]:
    """Names of the splits in a folder, sorted."""
    return sorted(path.parent.name for path in folder.glob(f"*/{TABLE}"))


def path_of(folder: Path, split: str, name: str) -> Path:
    """The file of an array of a split."""
    return folder / split / f"{name}.npy"


def create(folder: Path, split: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Make the array files of a split, all zeros, which `opened` then fills in parts; `shapes` by name of the array."""
    (folder / split).mkdir(parents=True, exist_ok=True)
    for name, shape in shapes.items():
        path = path_of(folder, split, name)
        with writing(path):
            np.lib.format.open_memmap(path, mode="w+", dtype=DTYPES[name], shape=shape)


def opened(folder: Path, split: str, name: str) -> np.memmap:
    """An array of a split to be written to: several processes may write different rows at a time."""
    return np.lib.format.open_memmap(path_of(folder, split, name), mode="r+")


def shorten(folder: Path, split: str, name: str, num: int) -> None:
    """Keep the first `num` rows of an array."""
    path = path_of(folder, split, name)
    found = np.load(path, mmap_mode="r")
    with writing(path), atomically(path) as beside:
        kept = np.lib.format.open_memmap(beside, mode="w+", dtype=found.dtype, shape=(num, *found.shape[1:]))
        for row in range(num):
            kept[row] = found[row]


def write(folder: Path, split: str, clips: Clips) -> None:
    """Write a whole split, without twins."""
    (folder / split).mkdir(parents=True, exist_ok=True)
    for name, dtype in DTYPES.items():
        values = getattr(clips, name)
        if values is not None:
            path = path_of(folder, split, name)
            with writing(path), atomically(path) as beside, beside.open("wb") as stream:
                np.save(stream, np.asarray(values, dtype))
    write_table(folder, split, clips)


def write_table(folder: Path, split: str, clips: Clips) -> None:
    """Write names, modalities, columns, words and rates of a split; the arrays of `clips` are not looked at."""
    path = folder / split / TABLE
    columns: dict[str, Any] = {"id": pa.array([str(each) for each in clips.ids])}
    columns |= {name: pa.array(clips.observed[:, k]) for k, name in enumerate(OBSERVED)}
    columns |= {name: pa.array(np.asarray(values)) for name, values in clips.columns.items()}
    about = {
        "words": {name: list(words) for name, words in clips.words.items()},
        "sample_rate": clips.sample_rate,
        "frame_rate": clips.frame_rate,
    }
    table = pa.table(columns).replace_schema_metadata({ABOUT: json.dumps(about)})
    with writing(path), atomically(path) as beside:
        pq.write_table(table, beside, compression="zstd")


def read(folder: Path, split: str) -> Clips:
    """The clips of a split, arrays memory-mapped.

    Raises InputError in one line for a missing or broken file, and for arrays of a different shape or length.
    """
    path = folder / split / TABLE
    table, about = _table(folder, split)
    columns = {name: table.column(name).to_numpy() for name in table.column_names if name not in COLUMNS}
    observed = np.stack([table.column(name).to_numpy() for name in OBSERVED], axis=1)
    ids = np.array(table.column("id").to_pylist(), dtype=np.str_)
    arrays: dict[str, Any] = {name: _array(folder, split, name, len(ids)) for name in DTYPES}
    for modality, name in zip(MODALITIES, ("video", "audio", "proprio"), strict=True):
        if arrays[name] is None and observed[:, MODALITIES.index(modality)].any():
            raise InputError(f"{path_of(folder, split, name)}: missing, and {path} lists clips that have {modality}")
    _require_equal_steps(folder, split, arrays)
    words = {name: tuple(values) for name, values in about["words"].items()}
    return Clips(
        ids, observed, **arrays, columns=columns, words=words,
        sample_rate=int(about["sample_rate"]), frame_rate=float(about["frame_rate"]),
    )  # fmt: skip


def read_finite(folder: Path, split: str) -> Clips:
    """As `read`, and every value of what is observed is a number, which is not looked at again in sealed data.

    Raises InputError naming file and clip.
    """
    clips = read(folder, split)
    if (folder / MANIFEST).exists():
        return clips
    for name in FINITE:
        if (values := getattr(clips, name)) is not None and (row := _first_not_finite(values)) is not None:
            raise InputError(
                f"{path_of(folder, split, name)}: clip {clips.ids[row]} has values that are no numbers; expected "
                "finite ones; correct the file or make the data again"
            )
    return clips


def write_twins(folder: Path, split: str, twins: Twins) -> None:
    """Write the twins of a split."""
    path = folder / split / TWINS
    arrays = {each.name: getattr(twins, each.name) for each in dataclasses.fields(Twins)}
    with writing(path), atomically(path) as beside, beside.open("wb") as stream:
        np.savez(stream, **arrays)


def read_twins(folder: Path, split: str) -> Twins | None:
    """The twins of a split, None where it has none; raises InputError for a broken file."""
    path = folder / split / TWINS
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as found:
            return Twins(**{each.name: found[each.name] for each in dataclasses.fields(Twins)})
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not readable as twins ({error}); make the data again") from None


def _first_not_finite(values: np.ndarray) -> int | None:
    """The first row that has a value which is no finite number, read in parts."""
    for first in range(0, len(values), AT_ONCE):
        is_good = np.isfinite(values[first : first + AT_ONCE])
        if (rows := np.flatnonzero(~is_good.reshape(len(is_good), -1).all(axis=1))).size:
            return first + int(rows[0])
    return None


def _require_equal_steps(folder: Path, split: str, arrays: Mapping[str, np.ndarray | None]) -> None:
    """Raise InputError where arrays have different numbers of steps; a video of one step is a picture."""
    found = {name: array.shape[1] for name in OF_STEPS if (array := arrays[name]) is not None and len(array)}
    found = {name: number for name, number in found.items() if name != "video" or number > 1}
    if len(set(found.values())) > 1:
        other = next(name for name, number in found.items() if number != max(found.values()))
        raise InputError(
            f"{path_of(folder, split, other)}: has {found[other]} steps, and others have {max(found.values())}; "
            f"expected equally many in {', '.join(found)}"
        )


def _table(folder: Path, split: str) -> tuple[pa.Table, dict[str, Any]]:
    path = folder / split / TABLE
    if not path.is_file():
        raise InputError(f"{path}: missing; the splits here are {', '.join(splits(folder)) or 'none'}")
    try:
        table = pq.read_table(path).combine_chunks()
        about = json.loads((table.schema.metadata or {})[ABOUT.encode()])
        missing = [name for name in COLUMNS if name not in table.column_names]
    except KeyError:
        raise InputError(f"{path}: holds no clips, the metadata '{ABOUT}' are missing") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable parquet file ({error})") from None
    if missing:
        raise InputError(f"{path}: holds no clips, the column '{missing[0]}' is missing")
    return table, about


def _array(folder: Path, split: str, name: str, num_clips: int) -> np.ndarray | None:
    path = path_of(folder, split, name)
    if not path.is_file():
        return None
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path}: not a readable .npy file ({error}); make the data again") from None
    expected = f"{np.dtype(DTYPES[name])} ({num_clips}{', ...' * (NUM_DIMENSIONS[name] - 2)}, {LAST.get(name, '...')})"
    is_right = found.ndim == NUM_DIMENSIONS[name] and len(found) == num_clips
    if not is_right or found.dtype != DTYPES[name] or found.shape[-1] != LAST.get(name, found.shape[-1]):
        raise InputError(f"{path}: has {found.dtype} {found.shape}; expected {expected}")
    return found
