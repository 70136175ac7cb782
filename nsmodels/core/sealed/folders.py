"""Folders of artifacts: their places, what lies beside them, the lock, and the swap of a finished one into place."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from nsmodels.core import locks
from nsmodels.core.errors import InputError, near
from nsmodels.core.sealed.contents import erase, foreign_files, shown
from nsmodels.core.sealed.manifest import MANIFEST, NOTE, Manifest, manifest_of

log = logging.getLogger(__name__)
SLIP = 0.85  # of two names, from which one is a slip of the other: gqa_model is none of nav_model


def data_root() -> Path:
    """Folder of all artifacts: `$NSMODELS_DATA`, else `data/` under the current directory."""
    return Path(os.environ.get("NSMODELS_DATA") or "data").resolve()


def folder_of(key: str, partition: str | None = None) -> Path:
    """Folder of an asset key (and partition) under the data root; it need not exist."""
    folder = data_root() / key
    return folder / partition if partition else folder


def beside(folder: Path, word: str) -> Path:
    """Sibling path of an artifact: "partial" (unfinished), "previous" (replaced), "removed", or "lock"."""
    return folder.with_name(f".{folder.name}.{word}")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of an artifact; raises `Busy` at once when another process holds it."""
    busy = f"{folder}: another process is building this artifact; wait for it or stop it"
    with locks.exclusive(beside(folder, "lock"), busy):
        yield


def read_manifest(folder: Path, key: str | None = None) -> Manifest:
    """Manifest of a sealed folder; raises `InputError` when it is missing or broken."""
    recover(folder)
    path = folder / MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(f"{folder}: {_remedy(folder, key)}") from None
    except ValidationError as error:
        raise InputError(
            f"{path}: not a manifest of this project ({error.error_count()} fields are wrong); restore it from a copy, "
            "or give a different folder"
        ) from None


def _remedy(folder: Path, key: str | None) -> str:
    place = folder.resolve()
    is_asset = data_root() in place.parents
    name = key or (place.relative_to(data_root()).parts[0] if is_asset else folder.name)
    missing = f"artifact '{name}' does not exist or was never finished"
    if not is_asset:
        return f"{missing}; make it again with the command that made it"
    command = f"make it with: dagster asset materialize --select {name}"
    if key or (data_root() / name).is_dir():
        return f"{missing}; {command}"
    # The keys of all assets are Dagster's, which takes seconds to load them: a name is compared with what is there.
    there = [path.name for path in data_root().glob("[!.]*") if path.is_dir()]
    return missing + (near(name, there, most=1, alike=SLIP) or f"; if it is an asset, {command}")


def sealed_at(folder: Path) -> int:
    """When a folder was sealed, by the clock of its file system in ns; 0 where it is not sealed."""
    path = folder / MANIFEST
    return path.stat().st_mtime_ns if path.exists() else 0


def is_sealed(partial: Path) -> bool:
    """Whether a partial folder is finished, but not in its place yet."""
    return (partial / MANIFEST).exists() and not (partial / NOTE).exists() and manifest_of(partial) is not None


def recover(folder: Path) -> None:
    """Complete a swap that a dead process began, or restore the previous artifact."""
    if not is_sealed(beside(folder, "partial")) and (folder.exists() or not beside(folder, "previous").exists()):
        return
    # A live builder holds the lock and completes its swap by itself; a read-only disk is left as it is.
    with contextlib.suppress(InputError, OSError), locked(folder):
        mend(folder)


def mend(folder: Path) -> None:
    """What `recover` does, for the holder of the lock."""
    partial, previous = beside(folder, "partial"), beside(folder, "previous")
    if not folder.exists() and manifest_of(previous):
        previous.rename(folder)
    if is_sealed(partial):
        swap(partial, folder)


def swap(partial: Path, folder: Path) -> None:
    """Put a sealed partial folder in its place; of the replaced one, files that are not its own are kept."""
    previous = beside(folder, "previous")
    discard(previous, folder)
    if folder.exists():
        folder.rename(previous)
    partial.rename(folder)
    discard(previous, folder)


def discard(previous: Path, folder: Path) -> None:
    """Delete a replaced artifact, unless it holds files of a person: then it is kept under a visible name."""
    if not (foreign := foreign_files(previous)):
        with contextlib.suppress(OSError):
            erase(previous)
        return
    place = next(path for path in _names(folder) if not os.path.lexists(path))
    listed = shown(foreign, previous)
    previous.rename(place)
    log.warning(
        "%s: was replaced, but held files that are not its own (%s); they are kept in %s", folder, listed, place
    )


def _names(folder: Path) -> Iterator[Path]:
    yield folder.with_name(f"{folder.name}.kept")
    number = 2
    while True:
        yield folder.with_name(f"{folder.name}.kept-{number}")
        number += 1
