"""Blocks of clips that are done, so that an interrupted simulation goes on with the next one.

A block writes its rows into the arrays of the split; when they are on disk, names, columns and twins of the block go to
a file of its own. The folder of these files is removed when the last block is done.
"""

from __future__ import annotations

import shutil
from dataclasses import fields
from pathlib import Path

import numpy as np

from nsmodels.core.disk import atomically, writing
from nsmodels.formats.clips.tables import Clips, Twins

FOLDER = "blocks"


def has_begun(folder: Path) -> bool:
    """Whether the arrays of all splits are there to be filled."""
    return (folder / FOLDER).is_dir()


def begin(folder: Path) -> None:
    """From now on the arrays are there to be filled."""
    (folder / FOLDER).mkdir()


def write(folder: Path, split: str, first: int, clips: Clips, twins: Twins) -> None:
    """The block of a split that begins with row `first` is done; the arrays of `clips` are not looked at."""
    arrays = {f"column/{name}": values for name, values in clips.columns.items()}
    arrays |= {f"twin/{each.name}": getattr(twins, each.name) for each in fields(Twins)}
    path = _path(folder, split, first)
    with writing(path), atomically(path) as beside, beside.open("wb") as stream:
        np.savez(stream, allow_pickle=False, ids=clips.ids, observed=clips.observed, **arrays)


def read(folder: Path, split: str, first: int) -> tuple[Clips, Twins] | None:
    """What `write` was given, without words and rates; None for a block that is not done."""
    path = _path(folder, split, first)
    if not path.is_file():
        return None
    with np.load(path, allow_pickle=False) as found:
        arrays = dict(found)
    columns = {name.removeprefix("column/"): arrays[name] for name in arrays if name.startswith("column/")}
    twins = Twins(**{each.name: arrays[f"twin/{each.name}"] for each in fields(Twins)})
    return Clips(arrays["ids"], arrays["observed"], columns=columns), twins


def end(folder: Path) -> None:
    """Remove the files: all blocks are done."""
    shutil.rmtree(folder / FOLDER)


def _path(folder: Path, split: str, first: int) -> Path:
    return folder / FOLDER / f"{split}-{first}.npz"
