"""Room on a disk: asked for before a transfer, and the one clear line when it runs out all the same."""

from __future__ import annotations

import errno
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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn a full disk or a refused write inside the block into an `InputError` naming `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise InputError(
                f"{path}: the disk is full; free some space and run again, what is finished is kept"
            ) from None
        if isinstance(error, PermissionError | NotADirectoryError | IsADirectoryError):
            raise InputError(f"{path}: cannot be written ({error.strerror}); choose another folder") from None
        raise


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder
