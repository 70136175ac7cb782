"""Liveness of the process of a run: the identity that it records in a tag of the run, and how the tag is read.

Clocks are changed and process ids are reused: an identity contains the boot id of the machine and the kernel tick at
which the process started, and is valid for one run only (Dagster copies tags to runs that are executed again).
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun

from pipeline.internals import InMemoryRunStorage, SqliteRunStorage

TAG = ".dagster/nsmodels_process"  # hidden in the UI by its prefix
TOLERANCE = 2.0  # seconds between the clocks of the kernel and of the event log
BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessIdentity:
    """Identity of the process of a run; `birth` is that of the function `birth`."""

    run: str
    host: str
    pid: int
    birth: str | None

    def process(self) -> psutil.Process | None:
        """The process; None if it is gone or its id has been reused."""
        is_same = self.birth is not None and birth(self.pid) == self.birth
        return psutil.Process(self.pid) if is_same else None


def register(instance: DagsterInstance, run_id: str) -> None:
    """Record this process as that of the run; not to be called in a step that runs in a separate process."""
    identity = ProcessIdentity(run_id, platform.node(), os.getpid(), birth(os.getpid()))
    instance.add_run_tags(run_id, {TAG: json.dumps(asdict(identity))})


def registered(run: DagsterRun) -> ProcessIdentity | None:
    """Identity of the process that registered for this run; None if there is none."""
    found = ProcessIdentity(**json.loads(run.tags[TAG])) if TAG in run.tags else None
    return found if found and found.run == run.run_id else None


def is_shared(instance: DagsterInstance) -> bool:
    """Whether several machines may write this history; SQLite belongs to one machine, whatever its host name."""
    return not isinstance(instance.run_storage, SqliteRunStorage | InMemoryRunStorage)


def birth(pid: int) -> str | None:
    """Start of a process as a unique string that does not depend on the clock; None if the process is gone."""
    if BOOT.exists():
        return _kernel_birth(pid)
    try:
        process = psutil.Process(pid)
        is_dead = process.status() == psutil.STATUS_ZOMBIE
        return None if is_dead else str(process.create_time())
    except psutil.NoSuchProcess:
        return None


def _kernel_birth(pid: int) -> str | None:
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if state in "ZX" else f"{BOOT.read_text(encoding='utf-8').strip()} {fields[18]}"


def last_reported(instance: DagsterInstance, run: DagsterRun) -> tuple[int, float] | None:
    """Process id and time (seconds since the epoch) of the last engine event that the run itself reported with one."""
    for entry in reversed(instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)):
        event = entry.dagster_event
        data = event.engine_event_data if event and event.step_key is None else None
        pid = data.metadata.get("pid") if data else None
        if pid is not None:
            return int(str(pid.value)), entry.timestamp
    return None


def started_before(pid: int, reported: float) -> psutil.Process | None:
    """The process with this id if it started before `reported` (seconds since the epoch); None if it is gone or newer.

    Compares clocks: only for runs without a registered identity.
    """
    try:
        process = psutil.Process(pid)
        is_later = process.create_time() > reported + TOLERANCE
        return None if is_later or process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None
