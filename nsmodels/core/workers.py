"""Worker processes: one function over many jobs in new Python processes that import nothing of the caller's.

The standard pools either fork, which may hang in a process with threads, or import the caller's main module again,
which costs seconds when it is heavy and fails for a script read from a pipe.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Any

from nsmodels.core.errors import InputError

_CHILD = f"from {__name__} import serve; serve()"


def run(function: Callable[..., Any], jobs: Iterable[tuple], count: int) -> Iterator[Any]:
    """Results of `function(*job)` for each job, in order, in `count` processes; in this one when `count` is below 2.

    The function must be importable by name. Raises `InputError` when a job does, and when a process dies; its own
    message is then on stderr.
    """
    if count < 2:
        yield from (function(*job) for job in jobs)
        return
    idle: SimpleQueue[subprocess.Popen] = SimpleQueue()

    def call(job: tuple) -> Any:
        child = idle.get()
        try:
            return _exchange(child, function, job)
        finally:
            idle.put(child)

    with ExitStack() as stack:
        for _ in range(count):
            idle.put(stack.enter_context(_start()))
        pool = stack.enter_context(ThreadPoolExecutor(count))
        stack.callback(pool.shutdown, cancel_futures=True)
        yield from pool.map(call, jobs)


def serve() -> None:
    """Execute pickled (function, job) from standard input until it ends; results go to standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the caller handles it, and closes the pipe
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output of a job must not mix with the results
    while True:
        try:
            function, job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(_outcome(function, job), answers)
        answers.flush()


def _outcome(function: Callable[..., Any], job: tuple) -> tuple[bool, Any]:
    """Whether the job succeeded, and its result or the message of its `InputError`."""
    try:
        return True, function(*job)
    except InputError as error:
        return False, str(error)


def _start() -> subprocess.Popen:
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": paths},
    )


def _exchange(child: subprocess.Popen, function: Callable[..., Any], job: tuple) -> Any:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        pickle.dump((function, job), child.stdin)
        child.stdin.flush()
        has_succeeded, answer = pickle.load(child.stdout)
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        status = child.wait()
        raise InputError(
            f"a worker process for {function.__name__} ended before its work was done (exit status {status}); "
            "its message is above; if there is none, memory may have run out: use fewer workers"
        ) from None
    if not has_succeeded:
        raise InputError(answer)
    return answer
