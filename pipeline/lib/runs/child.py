"""Commands in processes of their own, to which signals are passed on, and which end with this one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from nsmodels.core import interrupts
from nsmodels.engine.processes import lifeline

LANE = "NSMODELS_LANE"
POLL = 0.2  # seconds


@dataclass(frozen=True)
class Job:
    """A command among several.

    Attributes:
        name: stands before its lines where others run beside it.
        command: program and arguments.
        after: names of jobs that have to end first, with whatever status; those that are not among the jobs do not
            count.
    """

    name: str
    command: Sequence[str]
    after: Collection[str] = ()


def wait(command: Sequence[str], variables: Mapping[str, str] | None = None) -> int:
    """Run a command and return its exit status; a signal is passed on to it, and it ends and prints the line.

    A command of this project ends also when this process is killed (`lifeline`).
    `variables`: of its environment, beside those of this process.
    """
    ended = wait_all([Job("", command)], 1, variables)
    return ended[""] if ended else interrupts.report()  # a signal came before it had begun


def wait_all(
    jobs: Sequence[Job],
    num: int,
    variables: Mapping[str, str] | None = None,
    on_start: Callable[[Job], None] = lambda job: None,
) -> dict[str, int]:
    """Run commands, at most `num` at the same time, and return their exit statuses by name, in the order of their ends.

    The first one that can begin does, in the order of `jobs`. After a signal, or when one of them ends as after a
    signal, all are stopped and no other one begins. Lines of several come to stderr, each behind the name of its job.
    Each has a lane of its own, a number from 1 to `num`, in its variable `LANE`. Raises `ValueError` for equal names.
    """
    lanes, waiting = _Lanes(num, variables or {}), list(jobs)
    if len({job.name for job in jobs}) < len(jobs):
        raise ValueError(f"jobs: expected different names, got {', '.join(job.name for job in jobs)}")
    with _passed_on(lanes.stop):
        while (waiting and not lanes.number) or lanes.running:
            left = {job.name for job in waiting} | lanes.running.keys()
            ready = [job for job in waiting if not left & {*job.after}]
            if ready and not lanes.number and len(lanes.running) < num:
                waiting.remove(ready[0])
                on_start(ready[0])
                lanes.start(ready[0])
            elif lanes.running:
                lanes.poll()
            else:
                raise ValueError(f"jobs: {', '.join(sorted(left))} follow each other in a circle")
    return lanes.ended


@dataclass
class _Lanes:
    """Jobs that run at the same time."""

    num: int
    variables: Mapping[str, str]
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    number: int = 0  # of the signal that has stopped them
    readers: dict[str, threading.Thread] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    def start(self, job: Job) -> None:
        place = min(set(range(1, self.num + 1)) - {self.places[name] for name in self.running})
        environment = {**os.environ, **self.variables, LANE: str(place), lifeline.PARENT: str(os.getpid())}
        # A session of its own: Ctrl-C would else reach it twice.
        process = subprocess.Popen(
            job.command,
            env=environment,
            start_new_session=True,
            encoding="utf-8",
            errors="replace",
            stdout=subprocess.PIPE if self.num > 1 else None,
            stderr=subprocess.STDOUT if self.num > 1 else None,
        )
        self.running[job.name], self.places[job.name] = process, place
        if self.number:  # while it was started
            process.send_signal(self.number)
        if process.stdout:
            reader = threading.Thread(target=_repeat, args=(process.stdout, f"{job.name}: "), daemon=True)
            self.readers[job.name] = reader
            reader.start()

    def stop(self, number: int) -> None:
        self.number = number
        for process in self.running.values():
            process.send_signal(number)

    def poll(self) -> None:
        """Wait a moment and take those that have ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            next(iter(self.running.values())).wait(POLL)
        for name, process in list(self.running.items()):
            if (status := process.poll()) is not None:
                del self.running[name]
                if name in self.readers:
                    # What it has started may still hold the other end.
                    self.readers.pop(name).join(1.0)
                self.ended[name] = interrupts.status_of(status)
                if self.ended[name] in interrupts.STATUSES and not self.number:
                    self.stop(signal.SIGTERM)


def _repeat(stream: IO[str], start: str) -> None:
    with stream:
        for line in stream:
            print(f"{start}{line}", end="" if line.endswith("\n") else "\n", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _passed_on(stop: Callable[[int], None]) -> Iterator[None]:
    handlers = {number: signal.signal(number, lambda got, _: stop(got)) for number in interrupts.SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
