"""Places to write: tested before the work, and reported in one line when they fail; disk space; atomic writes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_MEMORY = re.compile(r"can't allocate memory|out of memory")  # how torch words it, of CPU and CUDA
REMEDIES = {
    errno.EACCES: "check the permissions of it and of the folder around it, or give a different place",
    errno.EPERM: "check the permissions of it and of the folder around it, or give a different place",
    errno.EROFS: "choose a folder on a disk that can be written, with --out or NSMODELS_DATA",
    errno.ENOTDIR: "a part of this path is a file; give a different place",
    errno.EISDIR: "give the name of a file",
    errno.ELOOP: "its links lead in a circle; remove one of them, or give a different place",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EMFILE: "raise the limit of open files with ulimit -n, or lower num_workers",
    errno.ENFILE: "too many files are open on this machine; close some",
    errno.ENOMEM: "free some memory, or lower the sizes that were asked for",
    errno.EIO: "check the disk; what was sealed before is unchanged",
}


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raise `InputError` unless the file system of `folder` (which need not exist yet) has `needed` bytes free."""
    free = shutil.disk_usage(_existing(folder)).free
    if needed > free:
        raise InputError(
            f"{folder}: not enough disk space for {what}: {readable(needed)} are still needed and {readable(free)} are "
            f"free; free {readable(needed - free)} or choose another data folder"
        )


def full_disk(error: OSError, path: Path) -> BaseException:
    """An `InputError` naming `path` when `error` means a full disk, else `error` itself."""
    if error.errno not in FULL:
        return error
    return InputError(
        f"{error.filename or path}: no space left on the disk; free some, or put the data elsewhere "
        "with NSMODELS_DATA=/other/folder, and run again (finished work is kept)"
    )


def one_line(error: BaseException, path: Path | None = None) -> InputError | None:
    """An `InputError` for what the operating system refused, naming the file (else `path`); None without a reason."""
    if isinstance(error, RuntimeError) and isinstance(error.__context__, OSError):
        error = error.__context__ if error.__context__.errno == errno.ELOOP else error  # of `Path.resolve`
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and NO_MEMORY.search(str(error))):
        return InputError(f"not enough memory; {REMEDIES[errno.ENOMEM]}, such as batch_size")
    if not isinstance(error, OSError) or error.errno is None:
        return None
    place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else path
    if error.errno in FULL:
        return InputError(str(full_disk(error, path or Path())))
    is_relative = place is None or not Path(place).is_absolute()
    if is_relative and error.errno == errno.ENOENT and not _has_current_folder():
        return InputError("the current folder was removed; change to one that exists, with cd")
    remedy = REMEDIES.get(error.errno, "check it, and run again (finished work is kept)")
    return InputError(f"{'' if place is None else f'{place}: '}{error.strerror or error}; {remedy}")


def _has_current_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True


def require_folder(folder: Path) -> None:
    """Raise `InputError` unless an artifact can be built as `folder`, which need not exist: nothing stays written.

    The current folder and those around it are refused, since an artifact replaces its folder as a whole.
    """
    place = resolved(folder)
    if Path.cwd().is_relative_to(place):
        raise InputError(f"{folder}: is the current folder or around it; give the name of a folder in it")
    if place.exists() and not place.is_dir():
        raise InputError(f"{folder}: is a file; give the name of a folder")
    _require_writable(place, folder)


def require_files(
    targets: Mapping[str, Path | None], inputs: Sequence[Path | None] = (), makes_folders: bool = False
) -> None:
    """Raise `InputError` unless all files of `targets`, by option, can be written without replacing one of `inputs`.

    `inputs` are files, and folders, in which no file may be replaced. Nothing stays written. `makes_folders`: the
    folder around a file may be missing.
    """
    given = {option: path for option, path in targets.items() if path is not None}
    taken = {resolved(path): str(path) for path in inputs if path is not None}
    for option, path in given.items():
        place = resolved(path)
        if place.is_dir():
            raise InputError(f"{option} {path}: is a folder; give the name of a file")
        if place.exists() and not place.is_file():
            raise InputError(f"{option} {path}: is a device or a pipe; give the name of a file")
        if place in taken:
            raise InputError(f"{option} {path}: would replace {taken[place]}; give a different file")
        around = next((taken[outer] for outer in place.parents if outer in taken), None)
        if around and place.exists():
            raise InputError(f"{option} {path}: would replace a file of {around}; give a different file")
        if not place.parent.is_dir() and not makes_folders:
            raise InputError(
                f"{path}: the folder {path.parent} does not exist; make it first or give a different place"
            )
        _require_writable(place, path)
        taken[place] = option


def resolved(path: Path) -> Path:
    """The path without links; raises `InputError` where there can be none."""
    try:
        place = path.resolve()
        place.exists()
    except RuntimeError:
        raise InputError(f"{path}: {REMEDIES[errno.ELOOP]}") from None
    except ValueError:
        raise InputError(f"{str(path)!r}: contains a character that no path can have; give a different place") from None
    except OSError as error:
        raise one_line(error, path) or error from None
    return place


def _require_writable(place: Path, shown: Path) -> None:
    """Raise `InputError` unless `place`, and what is missing around it, can be made: tried with empty files."""
    around = place.parent
    try:
        around = _existing(around)
        if not around.is_dir():
            raise InputError(f"{shown}: cannot be written, {around} is not a folder; give a different place")
        for part in place.relative_to(around).parts:
            trial = around / f".{part}.{os.getpid()}.partial"
            trial.touch()
            trial.unlink()
    except OSError as error:
        remedy = REMEDIES.get(error.errno or 0, "give a different place")
        raise InputError(f"{shown}: cannot be written in {around} ({error.strerror}); {remedy}") from None


@contextmanager
def atomically(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`: renamed to `path` when the block succeeds, else deleted."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Convert a full disk or a denied write inside the block into an `InputError` naming `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise full_disk(error, path) from None
        if isinstance(error, PermissionError | NotADirectoryError | IsADirectoryError):
            raise InputError(f"{path}: cannot be written ({error.strerror}); choose another folder") from None
        raise


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file atomically: readers see either the old or the complete new content."""
    content = content.encode() if isinstance(content, str) else content
    with atomically(path) as beside, beside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_atomic(path, json.dumps(value, indent=1, default=str) + "\n")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, as hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
