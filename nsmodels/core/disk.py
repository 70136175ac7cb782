"""Room on a disk: asked for before a transfer, and the one clear line when it runs out all the same."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def require_space(folder: Path, needed: int, what: str) -> None:
    """Raise `InputError` unless the file system that will hold `folder` has `needed` bytes free."""
    free = shutil.disk_usage(_existing(folder)).free
    if needed > free:
        raise InputError(
            f"{folder}: not enough disk space for {what}: {readable(needed)} are still needed and {readable(free)} are "
            f"free; free {readable(needed - free)} or choose another data folder"
        )


def full_disk(error: OSError, path: Path) -> BaseException:
    """`error` itself, or the one line about it when the disk holding `path` is full."""
    if error.errno not in FULL:
        return error
    return InputError(
        f"{error.filename or path}: no space left on the disk; free some, or put the data elsewhere "
        "with NSMODELS_DATA=/another/folder, and run again (finished work is kept)"
    )


@contextmanager
def atomically(path: Path) -> Iterator[Path]:
    """A place beside `path` to write to; it becomes `path` when the block ends well, else it vanishes."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a refused write inside the block into an `InputError` naming `path`."""
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
