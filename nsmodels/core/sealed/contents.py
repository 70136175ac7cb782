"""Files of a folder: those that its manifest lists, leftovers of killed writers, and foreign ones."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.core.sealed.manifest import MANIFEST, NOTE, manifest_of

# Endings of files that a killed process was writing.
LEFTOVERS = (".partial", ".part", ".link")
# Written into any folder by desktops and network file systems when it is opened.
OF_DESKTOPS = (".DS_Store", "Thumbs.db", "desktop.ini", ".directory")
SHOWN = 3


def files_in(folder: Path) -> list[Path]:
    """Every file and link below `folder`, sorted; links are not followed, files deleted meanwhile are left out."""
    found: list[Path] = []
    pending = [folder]
    while pending:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            for entry in pending.pop().iterdir():
                is_folder = entry.is_dir() and not entry.is_symlink()
                (pending if is_folder else found).append(entry)
    return sorted(found)


def is_leftover(path: Path) -> bool:
    """Whether the name is that of a file which a killed process was writing."""
    return path.name.startswith(".") and path.suffix in LEFTOVERS


def foreign_files(folder: Path) -> list[Path]:
    """Files below `folder` that are not of the artifact sealed in it: all of them where none is sealed."""
    manifest = manifest_of(folder)
    found = files_in(folder)
    if manifest is None:
        return found
    own = {MANIFEST, NOTE, *manifest.files}
    others = [path for path in found if path.relative_to(folder).as_posix() not in own]
    return [path for path in others if not is_leftover(path) and path.name not in OF_DESKTOPS]


def shown(paths: Sequence[Path], folder: Path) -> str:
    """The first few files by their path below `folder`, and the number of the others."""
    names = ", ".join(str(path.relative_to(folder)) for path in paths[:SHOWN])
    return names + (f" and {len(paths) - SHOWN:,} more" if len(paths) > SHOWN else "")


def erase(folder: Path) -> None:
    """Delete a folder; manifest and note, which mark it as an artifact, are deleted last."""
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
