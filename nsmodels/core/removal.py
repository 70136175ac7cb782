"""Taking artifacts away: whole or not at all, never one that is being built, and a seal that stays true."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from nsmodels.core import artifact, locks
from nsmodels.core.artifact import MANIFEST, NOTE
from nsmodels.core.errors import Busy, InputError
from nsmodels.core.inventory import Item


def remove(item: Item) -> None:
    """Take away a sealed artifact, unfinished work or a leftover; raise `InputError` when it is being built.

    It is given another name first: stopped at any moment, the artifact is whole or gone. What a stop leaves under that
    name is a leftover.
    """
    removed = artifact.beside(item.folder, "removed")
    with artifact.locked(item.folder):
        if item.path != removed:
            _erase(removed)
            if item.kind == "sealed":  # else a reader would put the previous artifact back
                _erase(artifact.beside(item.folder, "previous"))
            item.path.rename(removed)
        _erase(removed)


def remove_interval_checkpoints(item: Item) -> None:
    """Take away the checkpoints of every so many epochs; best and last stay.

    A sealed artifact is sealed anew first, without them: stopped at any moment, its manifest names what is there.
    """
    with artifact.locked(item.folder):
        files = item.interval_checkpoints()
        if item.kind == "sealed":
            _seal_without(item.path, files)
        for path in files:
            path.unlink(missing_ok=True)


def empty_cache(cache: Path) -> None:
    """Take away what can be computed again, except for files that a process is just making."""
    for lock in cache.glob("*.lock"):
        with contextlib.suppress(Busy), locks.exclusive(lock, f"{lock}: another process is writing these images"):
            for path in cache.glob(f"{lock.stem}.*npy"):
                path.unlink()


def _seal_without(folder: Path, files: Iterable[Path]) -> None:
    manifest, gone = artifact.read_manifest(folder), {str(path.relative_to(folder)) for path in files}
    kept = {name: record for name, record in manifest.files.items() if name not in gone}
    sealed = manifest.model_copy(update={"files": kept})
    artifact.write_atomic(folder / MANIFEST, sealed.model_dump_json(indent=1) + "\n")


def _erase(folder: Path) -> None:
    """Remove a folder; the files that tell it is ours go last."""
    if folder.is_symlink():
        raise InputError(f"{folder}: is a link, which is not followed; remove it by hand")
    if not folder.exists():
        return
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name not in (MANIFEST, NOTE):
            path.unlink()
    shutil.rmtree(folder)
