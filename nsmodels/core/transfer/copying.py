"""Copies of files between folders: those that are missing, each whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.disk import require_space, writing
from nsmodels.core.errors import InputError
from nsmodels.core.progress import Progress
from nsmodels.core.transfer.archive import Counts


def copy_missing(root: Path, names: Sequence[str], out: Path, progress: bool, what: str, why: str) -> Counts:
    """Copy the files `names` below `root` to `out`, without those that are there with the right size.

    Args:
        root: folder of the files.
        names: their paths below it.
        out: folder of the copies.
        progress: whether to report progress on standard error.
        what: the files in messages, as "images".
        why: what a missing file means and what to do, for the message.

    Raises `InputError` for a file that is missing, and for a full disk.
    """
    missing = [name for name in names if not _is_same_size(root / name, out / name, why)]
    size = sum((root / name).stat().st_size for name in missing)
    require_space(out, size, f"{len(missing)} {what}")
    with Progress(what, size, 0, progress) as bar:
        for name in missing:
            partial = out / f"{name}.partial"
            with writing(partial):
                partial.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / name, partial)
                partial.replace(out / name)
            bar.add((out / name).stat().st_size)
    return Counts(0, 0, len(missing), len(names) - len(missing))


def _is_same_size(source: Path, target: Path, why: str) -> bool:
    if not source.is_file():
        raise InputError(f"{source}: missing, {why}")
    return target.is_file() and target.stat().st_size == source.stat().st_size
