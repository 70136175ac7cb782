"""Whether the process of a run lives: what the run's own process signs with, and how others read it.

Clocks are set and process ids are given again: a signature names the boot of the machine and the tick of it in which
the process began, and holds for one run only (tags are copied to runs that are executed again).
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun
from dagster._core.storage.runs.in_memory import InMemoryRunStorage
from dagster._core.storage.runs.sqlite import SqliteRunStorage

TAG = ".dagster/nsmodels_process"  # hidden in the UI by its prefix
TOLERANCE = 2.0  # seconds between the clocks of the kernel and of the event log
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Signature:
    """The process of a run."""

    run: str
    host: str
    pid: int
    birth: str | None

    def process(self) -> psutil.Process | None:
        """The process, unless it is gone or its id belongs to another by now."""
        is_same = self.birth is not None and birth(self.pid) == self.birth
        return psutil.Process(self.pid) if is_same else None


def sign(instance: DagsterInstance, run_id: str) -> None:
    """Note on the run that this process is its own; never to be called in a step that runs in another process."""
    mine = Signature(run_id, platform.node(), os.getpid(), birth(os.getpid()))
    instance.add_run_tags(run_id, {TAG: json.dumps(asdict(mine))})


def signature(run: DagsterRun) -> Signature | None:
    """Who signed this very run, if anybody."""
    found = Signature(**json.loads(run.tags[TAG])) if TAG in run.tags else None
    return found if found and found.run == run.run_id else None


def is_shared(instance: DagsterInstance) -> bool:
    """Whether several machines may write this history; one in files belongs to one machine, whatever its name."""
    return not isinstance(instance.run_storage, SqliteRunStorage | InMemoryRunStorage)


def birth(pid: int) -> str | None:
    """When the process began, in words that no other process has and no clock changes; None when it is gone."""
    if BOOT.exists():
        return _birth_of_kernel(pid)
    try:
        process = psutil.Process(pid)
        is_dead = process.status() == psutil.STATUS_ZOMBIE
        return None if is_dead else str(process.create_time())
    except psutil.NoSuchProcess:
        return None


def _birth_of_kernel(pid: int) -> str | None:
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in "ZX" else f"{BOOT.read_text().strip()} {fields[18]}"


def last_named(instance: DagsterInstance, run: DagsterRun) -> tuple[int, float] | None:
    """Process id and time of the last engine event of the run, not of one of its steps, that names a process."""
    for entry in reversed(instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)):
        event = entry.dagster_event
        data = event.engine_event_data if event and event.step_key is None else None
        pid = data.metadata.get("pid") if data else None
        if pid is not None:
            return int(str(pid.value)), entry.timestamp
    return None


def not_later(pid: int, reported: float) -> psutil.Process | None:
    """The process of that id, unless it is gone or began after the report; by the clock, for want of a signature."""
    try:
        process = psutil.Process(pid)
        is_later = process.create_time() > reported + TOLERANCE
        return None if is_later or process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None
