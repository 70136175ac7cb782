"""Requests to stop: Ctrl-C (SIGINT) or SIGTERM ends a command within ten seconds, with one line and its own status.

Handlers of signals belong to whoever installed the last one (the training loop, Dagster, a library), run in the main
thread only, and raise exceptions that the code may take for something else. The wake-up descriptor of the process
receives every signal in addition, and a thread reads it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

LINE = "stopped; run the same command again, finished work is kept"
SIGNALS = (signal.SIGINT, signal.SIGTERM)
STATUSES = tuple(128 + number for number in SIGNALS)  # exit statuses after them
GRACE = 7.5  # seconds to stop in an orderly way
REPEAT = 1.0  # seconds within which a further signal is the same request: `timeout` sends its signal twice
CLEANUP = 0.75  # seconds for each last note and for the end of the children when the grace has passed
POLL = 0.25  # seconds between two checks of the time
WORKER = "TORCHELASTIC_RUN_ID"  # set by torchrun, which bounds the time of its processes itself
HELPER = "NSMODELS_HELPER"  # set for processes that work for another one


class _Watch:
    """The signals of this process, and the time since the first request to stop."""

    def __init__(self, grace: float) -> None:
        self.grace = grace
        self.reader, self.writer = os.pipe()
        for end in (self.reader, self.writer):
            os.set_blocking(end, False)
        self.number: int | None = None
        self.is_repeated = False
        self.has_raised = False
        self.is_reported = HELPER in os.environ
        self.is_closed = False
        self.notes: list[Callable[[], object]] = []
        self.error_stream = _copy_of_stderr()
        self._since = 0.0
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """Number of the first signal that requested a stop; None without one."""
        with self._lock, contextlib.suppress(BlockingIOError, OSError):
            while numbers := os.read(self.reader, 512):
                for number in numbers:
                    self._count(number)
        return self.number

    def _count(self, number: int) -> None:
        if number not in SIGNALS:
            return
        if self.number is None:
            self.number, self._since = number, time.monotonic()
        elif time.monotonic() - self._since > REPEAT:
            self.is_repeated = True

    @property
    def is_due(self) -> bool:
        """Whether the process is to end now, in an orderly way or not."""
        return self.number is not None and (self.is_repeated or time.monotonic() - self._since > self.grace)

    def run(self) -> None:
        """Wait for signals until the watch is closed; end the process when it is due."""
        while not self.is_closed:
            select.select([self.reader], [], [], POLL)
            self.poll()
            if self.is_due:
                self.abandon()

    def abandon(self) -> None:
        """End the process and its children at once. Files are written atomically: what is finished is kept."""
        for job in (*self.notes, _kill_children):
            thread = threading.Thread(target=job, daemon=True)
            thread.start()
            thread.join(CLEANUP)
        if not self.is_reported:
            with contextlib.suppress(OSError):
                os.write(self.error_stream, f"{LINE}\n".encode())
        os._exit(128 + (self.number or signal.SIGINT))

    def close(self) -> None:
        """Free the descriptors."""
        self.is_closed = True
        for end in {self.reader, self.writer, self.error_stream} - {2}:
            os.close(end)


_status: int | None = None  # of a program whose work is done
_watch: _Watch | None = None
_unclosed: contextlib.ExitStack | None = None


@contextlib.contextmanager
def watch(grace: float | None = None) -> Iterator[None]:
    """Watch for requests to stop: SIGINT and SIGTERM raise KeyboardInterrupt in the main thread, once.

    When the process has not ended `grace` seconds (default: `GRACE`) later, or at a second request, it ends at once
    with the line and 128 + the number of the signal, after its children and with the notes of `at_abandonment`.
    No effect inside a second watch, outside the main thread, and in a process of torchrun.
    """
    global _watch
    if _watch or threading.current_thread() is not threading.main_thread() or WORKER in os.environ:
        yield
        return
    found = _watch = _Watch(GRACE if grace is None else grace)
    descriptor = signal.set_wakeup_fd(found.writer, warn_on_full_buffer=False)
    handlers = {number: _install(number) for number in SIGNALS}
    thread = threading.Thread(target=found.run, name="stop requests", daemon=True)
    thread.start()
    try:
        yield
    finally:
        found.is_closed, _watch = True, None
        signal.set_wakeup_fd(descriptor)
        for number, handler in handlers.items():
            if handler is not None:
                signal.signal(number, handler)
        os.write(found.writer, b"\0")
        thread.join()
        found.close()


def watch_until_exit(grace: float | None = None) -> None:
    """Watch until the process ends, its threads and exit handlers included: for programs, in their first line."""
    global _unclosed
    _unclosed = contextlib.ExitStack()
    _unclosed.enter_context(watch(grace))


def _install(number: int) -> Any:
    """Install the handler unless the signal is ignored (as in the background); returns the previous handler."""
    if signal.getsignal(number) == signal.SIG_IGN:
        return None
    return signal.signal(number, _interrupt)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt at the first signal only: a second one must not break the way out."""
    if _watch and _watch.has_raised:
        return
    if _watch:
        _watch.has_raised = True
    raise KeyboardInterrupt


def is_watched() -> bool:
    """Whether requests to stop are watched in this process."""
    return _watch is not None


def requested() -> int | None:
    """Number of the signal that requested a stop since the watch began; None without one."""
    return _watch.poll() if _watch else None


@contextlib.contextmanager
def at_abandonment(note: Callable[[], object]) -> Iterator[None]:
    """`note` is called, in a thread and for less than a second, before a process ends that did not stop in time."""
    notes = _watch.notes if _watch else []
    notes.append(note)
    try:
        yield
    finally:
        notes.remove(note)


def guarded(main: Callable[[], int]) -> int:
    """Status of `main`; after a request to stop one line on stderr and 128 + the number of the signal.

    Whatever exception ends `main` then is a consequence of the signal: a child died of it, a file was left unfinished.
    """
    with watch():
        try:
            return main()
        except KeyboardInterrupt:
            return report()
        except Exception:
            if requested():
                return report()
            raise


def status_of(returncode: int) -> int:
    """Exit status of a process by its `returncode`, which is negative after a signal that it did not handle."""
    return returncode if returncode >= 0 else 128 - returncode


def report(line: str = LINE) -> int:
    """Print the line of a stop on stderr; returns the status of the process."""
    if _watch:
        _watch.is_reported = True
    if not {WORKER, HELPER} & os.environ.keys():  # the command that started the processes prints it once
        print(line, file=sys.stderr, flush=True)
    # An interrupt that passes through `exec` of a string (a dataclass is made by one, so it happens while modules are
    # loaded) leaves a mark in CPython, and `python -m` would then end by SIGINT whatever its status. The next takes it.
    exec("")
    return 128 + (requested() or signal.SIGINT)


def _copy_of_stderr() -> int:
    """A descriptor of the terminal's stderr, also after the stream was redirected (as Dagster does for its logs)."""
    try:
        return os.dup(2)
    except OSError:
        return 2


def _kill_children() -> None:
    import psutil

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            child.kill()


def _detach() -> None:
    """Keep signals to a forked worker (a pool ends its workers with SIGTERM) out of this process's pipe."""
    global _watch
    if _watch:
        signal.set_wakeup_fd(-1)
        _watch = None


os.register_at_fork(after_in_child=_detach)


def record_status(status: int) -> None:
    """The status with which `leave` ends the program: its work is done, and nothing is left to fail."""
    global _status
    _status = status


def leave() -> None:
    """End the program at once if its status is recorded; registered at its start, it is called after the rest.

    Python would look through all objects once more: with torch and Dagster seconds, in which the user waits.
    """
    if _status is None:
        return
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(_status)
