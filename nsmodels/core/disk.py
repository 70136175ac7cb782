"""Disk space: checked before a transfer, and reported in one line when it runs out; atomic writes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


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
