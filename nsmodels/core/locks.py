"""Exclusive locks between processes, each held on a file and dropped by the kernel when the process ends."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from nsmodels.core.errors import Busy

# filelock is imported where a lock is taken: the import costs 20 to 50 ms, and most commands take no lock.
# preserve_lock_file: lock files stay, since deleting one separates those who wait on it from those who come later; and
# a file system without flock is an error, never replaced by a lock that outlives a killed process.


@contextmanager
def exclusive(path: Path, message: str) -> Iterator[None]:
    """Hold the lock on the file `path`, created where it is missing.

    Raises `Busy` with `message` at once when it is held elsewhere, in this process or another one; `OSError` where the
    file cannot be opened for writing.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, blocking=False, thread_local=False, preserve_lock_file=True)
    try:
        lock.acquire()
    except Timeout:
        raise Busy(message) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def waiting(path: Path) -> Iterator[None]:
    """Hold the lock on the file `path`, created where it is missing; wait for it without limit.

    Raises `OSError` where the file cannot be opened for writing.
    """
    from filelock import FileLock

    with FileLock(path, thread_local=False, preserve_lock_file=True):
        yield


def try_lock(file: IO) -> bool:
    """Lock an open, writable file until it is closed; False at once when the lock is held elsewhere."""
    from filelock import lock_descriptor

    return lock_descriptor(file.fileno(), blocking=False)


def is_held(path: Path) -> bool:
    """Whether the lock on the file `path` is held; False where there is no such file or it cannot be read."""
    # A shared lock on a file opened for reading: it creates nothing, works on a read-only disk and on files of other
    # users, and two observers do not block each other. filelock has exclusive locks only.
    try:
        with path.open(encoding="utf-8") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
