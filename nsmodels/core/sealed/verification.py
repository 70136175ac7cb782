"""Comparison of the files of an artifact with its manifest: sizes always, checksums once per state of a file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import IO, Literal

from nsmodels.core.disk import sha256_of
from nsmodels.core.errors import InputError
from nsmodels.core.orders import DATA, Inputs
from nsmodels.core.progress import counted
from nsmodels.core.sealed.contents import foreign_files, shown
from nsmodels.core.sealed.folders import read_manifest, recover
from nsmodels.core.sealed.manifest import MANIFEST, NOTE, FileRecord, Manifest, manifest_of
from nsmodels.core.sealed.remembered import Remembered, Signature, signature

State = Literal["missing", "changed", "foreign"]
REMEDY = "restore it from a copy, or make the artifact again (--force; in a launchpad: force)"
SHOW_FROM = 1_000_000_000  # bytes to hash from which progress is shown


@dataclass(frozen=True)
class Finding:
    """A file that differs from the manifest, and how, in one line that begins with its path."""

    path: Path
    state: State
    line: str


# --- whole artifacts -------------------------------------------------------------------------------------------------


def findings(folder: Path, *, checksums: Literal["all", "once", "none"] = "once", show: bool = False) -> list[Finding]:
    """Every file of a sealed folder that is missing, changed or foreign.

    `checksums`: of all files, of those whose state is not remembered as right, or of none. `show`: report progress.
    Raises `InputError` when the folder is not sealed.
    """
    manifest, seal = read_manifest(folder), seal_of(folder)
    found = [each for each in _compared(folder, manifest, manifest.files, checksums, show) if each]
    others = foreign_files(folder)
    found += [Finding(path, "foreign", f"{path}: is not of the artifact {folder}") for path in others]
    if found and seal_of(folder) != seal:  # it was built again meanwhile
        return findings(folder, checksums=checksums, show=show)
    return found


def verify(folder: Path, with_checksums: bool = True) -> Manifest:
    """Compare the files of a sealed folder with its manifest; raises `InputError` naming the first that differs."""
    manifest = read_manifest(folder)
    for found in _compared(folder, manifest, manifest.files, "all" if with_checksums else "none", False):
        if found:
            raise InputError(found.line)
    return manifest


def require_intact(folder: Path, is_exclusive: bool = False, has_checksums: bool = True) -> Manifest:
    """The manifest of a sealed folder whose files have the sizes and checksums in it; each state is hashed once.

    `is_exclusive`: there must be no other files either. Raises `InputError` naming the first that differs, since when,
    and what to do.
    """
    manifest = read_manifest(folder)
    how: Literal["once", "none"] = "once" if has_checksums else "none"
    wrong = [found for found in _compared(folder, manifest, manifest.files, how, False) if found]
    if wrong:
        more = f" ({len(wrong) - 1:,} more files differ)" if len(wrong) > 1 else ""
        raise InputError(wrong[0].line + more)
    if is_exclusive and (others := foreign_files(folder)):
        raise InputError(
            f"{folder}: holds files that are not of the artifact: {shown(others, folder)}; move them away, or seal the "
            "data together with them under a new name"
        )
    return manifest


def require_inputs(inputs: Mapping[str, Path]) -> None:
    """Raise `InputError` unless sealed inputs are intact, data without other files; plain folders are taken as is."""
    for key, folder in inputs.items():
        recover(folder)
        if (folder / MANIFEST).exists():
            is_data = not isinstance(inputs, Inputs) or inputs.role(key) == DATA
            require_intact(folder, is_exclusive=is_data)


def remember(folder: Path, manifest: Manifest, known: Mapping[str, Signature]) -> None:
    """Remember the files of an artifact that was just sealed, by their state when they were hashed."""
    memory = Remembered(folder, seal_of(folder))
    for name in manifest.files:
        if name in known:
            memory.add(name, known[name])
    memory.save()


def seal_of(folder: Path) -> str:
    """SHA-256 of the manifest of an artifact."""
    return sha256_of(folder / MANIFEST)


# --- single files ----------------------------------------------------------------------------------------------------


def require_listed(paths: Iterable[Path]) -> None:
    """Raise `InputError` for a file in an artifact that differs from its manifest or is not listed there.

    For readers of data: files of plain folders are taken as they are.
    """
    by_artifact: dict[Path, list[str]] = {}
    outer: dict[Path, Path | None] = {}
    for path in paths:
        for place in _places(path):
            if place.parent not in outer:
                outer[place.parent] = artifact_of(place)
            if folder := outer[place.parent]:
                by_artifact.setdefault(folder, []).append(place.relative_to(folder).as_posix())
                break
    for folder, names in by_artifact.items():
        manifest = _manifest_at(folder)
        if absent := [name for name in names if name not in manifest.files and (folder / name).exists()]:
            raise InputError(f"{folder / absent[0]}: {_not_listed(folder)}")
        listed = {name: manifest.files[name] for name in names if name in manifest.files}
        for found in _compared(folder, manifest, listed, "once", False):
            if found:
                raise InputError(found.line)


def require_same(path: Path, stream: IO[bytes]) -> bool:
    """Whether an open file lies in an artifact; raises `InputError` when its content is not what was sealed.

    The whole content is hashed, whatever is remembered.
    """
    found = ((place, folder) for place in _places(path) if (folder := artifact_of(place)))
    place, folder = next(found, (path, None))
    if folder is None:
        return False
    manifest, name = _manifest_at(folder), place.relative_to(folder).as_posix()
    if (record := manifest.files.get(name)) is None:
        raise InputError(f"{path}: {_not_listed(folder)}")
    found = hashlib.file_digest(stream, "sha256").hexdigest()  # pyright: ignore[reportArgumentType]
    stream.seek(0)
    if found != record.sha256:
        raise InputError(f"{path}: content differs from its checksum; {_since(place, manifest)}; {REMEDY}")
    return True


def artifact_of(path: Path) -> Path | None:
    """The sealed folder that holds a file; None for a plain folder and for unfinished work."""
    for folder in _place(path).parents:
        if folder.name.startswith(".") and (folder / NOTE).exists():  # a note by itself does not break a seal
            return None
        if (folder / MANIFEST).exists() and manifest_of(folder):
            return folder
    return None


def remedy(path: Path) -> str:
    """What to do about a file that cannot be read: one of an artifact can be made again, a person's own cannot."""
    return REMEDY if artifact_of(path) else "correct it, replace it by a copy that can be read, or leave it out"


def _place(path: Path) -> Path:
    """The absolute path; links are kept, since an artifact may hold one that leads elsewhere."""
    return Path(os.path.normpath(path.absolute()))


def _places(path: Path) -> Iterator[Path]:
    """The absolute path, and where links lead elsewhere, that place: a plain folder may link to artifacts."""
    yield (place := _place(path))
    if (real := Path(os.path.realpath(place))) != place:
        yield real


def _not_listed(folder: Path) -> str:
    return f"is not of the artifact {folder}, whose manifest does not list it; move it away, or give the files sealed"


# --- comparison ------------------------------------------------------------------------------------------------------


def _manifest_at(folder: Path) -> Manifest:
    state = (folder / MANIFEST).stat()
    return _read_once(folder, signature(state))


@lru_cache(maxsize=4)
def _read_once(folder: Path, state: Signature) -> Manifest:
    """A manifest of many files takes a second to read, and readers of data ask for it with every file."""
    return read_manifest(folder)


def _compared(
    folder: Path, manifest: Manifest, files: Mapping[str, FileRecord], checksums: str, show: bool
) -> Iterator[Finding | None]:
    """The finding of each file in the order of the manifest, None where it is right."""
    memory = Remembered(folder, seal_of(folder)) if checksums != "none" else None
    found: dict[str, Finding | None] = {}
    to_hash: dict[str, Signature] = {}
    for name, record in files.items():
        path = folder / name
        state = path.stat() if path.is_file() else None
        found[name] = _size_differs(path, folder, manifest, record, state)
        if state and memory and not found[name] and (checksums == "all" or not memory.has(name, signature(state))):
            to_hash[name] = signature(state)
    sums = _hashed(folder, to_hash, show or sum(files[name].bytes for name in to_hash) > SHOW_FROM)
    for name, total in sums:
        if total == files[name].sha256 and memory:
            memory.add(name, to_hash[name])
        elif isinstance(total, OSError):
            line = f"{folder / name}: cannot be read ({total.strerror}); check its permissions and the disk"
            found[name] = Finding(folder / name, "changed", line)
        elif total != files[name].sha256:
            line = f"{folder / name}: content differs from its checksum; {_since(folder / name, manifest)}; {REMEDY}"
            found[name] = Finding(folder / name, "changed", line)
    if memory:
        memory.save()
    yield from found.values()


def _size_differs(
    path: Path, folder: Path, manifest: Manifest, record: FileRecord, state: os.stat_result | None
) -> Finding | None:
    if state is None:
        return Finding(path, "missing", f"{path}: missing, though {folder / MANIFEST} lists it; {REMEDY}")
    if state.st_size == record.bytes:
        return None
    line = f"{path}: {state.st_size} bytes, expected {record.bytes}; {_since(path, manifest)}; {REMEDY}"
    return Finding(path, "changed", line)


def _hashed(folder: Path, names: Iterable[str], show: bool) -> Iterator[tuple[str, str | OSError]]:
    listed = list(names)
    if not listed:
        return
    with ThreadPoolExecutor() as pool:
        sums = pool.map(lambda name: _sum_of(folder / name), listed)
        yield from counted(zip(listed, sums, strict=True), len(listed), f"verifying {folder.name}", "file", show)


def _sum_of(path: Path) -> str | OSError:
    try:
        return sha256_of(path)
    except OSError as error:
        return error


def _since(path: Path, manifest: Manifest) -> str:
    """When a file was changed, as far as its times show."""
    sealed = datetime.fromisoformat(manifest.created).astimezone()
    changed = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    times = f"{changed:%Y-%m-%d %H:%M:%S}", f"{sealed:%Y-%m-%d %H:%M:%S}"
    if changed >= sealed + timedelta(seconds=1):  # the seal has whole seconds
        return f"changed on {times[0]}, after it was sealed on {times[1]}"
    return f"its time, {times[0]}, is not after the seal of {times[1]}: a fault of the disk, or a copy that kept times"
