"""Removal of artifacts: whole or not at all, never one that is being built, and manifests that stay true."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from nsmodels.core import disk, locks
from nsmodels.core.errors import Busy, InputError
from nsmodels.core.sealed.contents import erase, foreign_files, shown
from nsmodels.core.sealed.folders import beside, discard, locked, read_manifest
from nsmodels.core.sealed.inventory import Item
from nsmodels.core.sealed.manifest import MANIFEST, NOTE, manifest_of


def remove(item: Item) -> None:
    """Remove a sealed artifact, unfinished work or a leftover.

    The folder is renamed first: whenever the removal is interrupted, the artifact is whole or gone, and the renamed
    folder counts as a leftover. Raises `Busy` when another process is building the artifact, `InputError` for a link
    and for files that are not of the artifact.
    """
    removed = beside(item.folder, "removed")
    with locked(item.folder):
        _require_own(item.path)
        if item.path != removed:
            _require_own(removed)
            erase(removed)
            if item.kind == "sealed":  # else a reader would restore the previous artifact
                discard(beside(item.folder, "previous"), item.folder)
            item.path.rename(removed)
        erase(removed)


def remove_interval_checkpoints(item: Item) -> None:
    """Remove the interval checkpoints (one every n epochs); best and last stay.

    A sealed artifact is sealed again without them first: whenever the removal is interrupted, its manifest lists only
    files that exist. Raises `Busy` when another process is building the artifact.
    """
    with locked(item.folder):
        files = item.interval_checkpoints()
        if item.kind == "sealed":
            seal_without(item.path, files)
        for path in files:
            path.unlink(missing_ok=True)


def empty_cache(cache: Path) -> None:
    """Remove cached arrays and checksums, which can be computed again, except arrays that a process is writing."""
    for path in (cache / "verified").glob("*.json"):
        path.unlink(missing_ok=True)
    for lock in cache.glob("*.lock"):
        with contextlib.suppress(Busy), locks.exclusive(lock, f"{lock}: another process is writing these images"):
            for path in cache.glob(f"{lock.stem}.*npy"):
                path.unlink()


def _require_own(folder: Path) -> None:
    """Raise `InputError` for a folder with files of somebody else, as far as a manifest or a note shows them."""
    if (folder / NOTE).exists() and not manifest_of(folder):
        return
    if foreign := [path for path in foreign_files(folder) if not path.is_symlink()]:  # links are not followed
        raise InputError(
            f"{folder}: holds files that are not of an artifact and would be lost: {shown(foreign, folder)}; move them "
            "away first"
        )


def seal_without(folder: Path, files: Iterable[Path]) -> None:
    """Write the manifest of a sealed folder again without some of its files, which are then removed."""
    manifest, removed = read_manifest(folder), {str(path.relative_to(folder)) for path in files}
    kept = {name: record for name, record in manifest.files.items() if name not in removed}
    sealed = manifest.model_copy(update={"files": kept})
    disk.write_atomic(folder / MANIFEST, sealed.model_dump_json(indent=1) + "\n")
