"""Locks: exclusive between processes and threads, with earlier versions too, and gone with the process."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from nsmodels.core import locks
from nsmodels.core.errors import Busy

HOLD = """
import os, sys, time
from pathlib import Path
from nsmodels.core import locks
with locks.exclusive(Path(sys.argv[1]), "busy"):
    child = os.fork() if sys.argv[2:] == ["fork"] else 0
    if child or not sys.argv[2:]:
        print(child, flush=True)
    time.sleep(600)
"""
FLOCK = """
import fcntl, sys, time
with open(sys.argv[1], "w") as stream:
    fcntl.flock(stream, fcntl.LOCK_EX)
    print(0, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".model.lock"


@contextmanager
def holder(code: str, path: Path, *words: str):
    """A process that holds the lock, and the number of its forked child (0: none)."""
    process = subprocess.Popen([sys.executable, "-c", code, str(path), *words], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def is_free(path: Path) -> bool:
    try:
        with locks.exclusive(path, "busy"):
            return True
    except Busy:
        return False


@pytest.mark.parametrize("code", [HOLD, FLOCK], ids=["this version", "plain flock"])
def test_a_lock_excludes_other_processes_until_its_own_is_killed(path: Path, code: str) -> None:
    with holder(code, path) as (process, _):
        with pytest.raises(Busy, match=r"^model: being built$"), locks.exclusive(path, "model: being built"):
            pass
        assert locks.is_held(path)
        process.kill()
        process.wait()
        assert is_free(path)
    assert not locks.is_held(path)
    assert path.exists()


def test_a_plain_flock_is_excluded_by_a_lock(path: Path) -> None:
    with locks.exclusive(path, "busy"), path.open("w") as stream, pytest.raises(BlockingIOError):
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_threads_and_nested_uses_exclude_each_other(path: Path) -> None:
    found = []
    with locks.exclusive(path, "busy"):
        found.append(is_free(path))
        thread = threading.Thread(target=lambda: found.append(is_free(path)))
        thread.start()
        thread.join()
    assert found == [False, False]
    assert is_free(path)


def test_a_forked_child_does_not_keep_the_lock_of_a_killed_process(path: Path) -> None:
    with holder(HOLD, path, "fork") as (process, child):
        assert not is_free(path)
        process.kill()
        process.wait()
        try:
            os.kill(child, 0)
            # The child drops its copy in its first moments, which may come after the end of its parent.
            assert any(is_free(path) or time.sleep(0.02) for _ in range(500))
            os.kill(child, 0)
        finally:
            os.kill(child, signal.SIGKILL)


def test_waiting_ends_when_the_lock_becomes_free(path: Path) -> None:
    with holder(HOLD, path) as (process, _):
        threading.Timer(0.3, process.kill).start()
        began = time.monotonic()
        with locks.waiting(path):
            assert time.monotonic() - began > 0.2
            assert locks.is_held(path)


def test_an_error_inside_releases_the_lock(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locks.exclusive(path, "busy"):
        raise ZeroDivisionError
    assert is_free(path)


def test_an_open_file_is_locked_until_it_is_closed(path: Path) -> None:
    with path.open("ab") as file:
        assert locks.try_lock(file)
        with path.open("ab") as other:
            assert not locks.try_lock(other)
    with path.open("ab") as file:
        assert locks.try_lock(file)


def test_a_test_of_a_lock_creates_nothing_and_does_not_disturb(path: Path) -> None:
    assert not locks.is_held(path)
    assert not path.exists()
    path.touch()
    with path.open() as observer:
        fcntl.flock(observer, fcntl.LOCK_SH)
        assert not locks.is_held(path)


def test_a_file_system_without_flock_is_an_error(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(file, operation: int) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", missing)
    with pytest.raises(OSError, match="not implemented"), locks.exclusive(path, "busy"):
        pass
