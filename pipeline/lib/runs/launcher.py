"""Dagster's default launcher, which also sees to runs whose process or code server died (a crash, `kill -9`, a reboot).

Without this a dead run stays "started" for ever and keeps its place in the pool, and a run that lost its code server
cannot be cancelled. Uses names that Dagster does not promise to keep: the version is pinned and the tests kill runs.
In a history that several machines share the runs of another machine are left to that one.
"""

from __future__ import annotations

import json
import platform
import socket
import time
from typing import Any

import psutil
from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultRunLauncher,
    RunsFilter,
)
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG

from pipeline.lib.runs import liveness

GRACE = 60.0  # seconds in which a run that has started may not have named its process yet
OPEN = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


class WatchfulRunLauncher(DefaultRunLauncher):
    """The default launcher with a health check, used by the daemon's run monitoring, and a longer arm."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process that last reported for the run still lives."""
        return health(self._instance, run)

    def terminate(self, run_id: str) -> bool:
        """Ask a run to stop: by its code server, or directly where that is gone or never was (the command line)."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        if has_server(run) and super().terminate(run_id):
            return True
        return stop(self._instance, run)


def health(instance: DagsterInstance, run: DagsterRun) -> CheckRunHealthResult:
    """Alive when the process that signed the run lives; before that, when the one that its log names does."""
    signed = liveness.signature(run)
    if signed is None:
        return _before_it_signed(instance, run)
    if signed.process():
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    if signed.host != platform.node() and liveness.is_shared(instance):
        return CheckRunHealthResult(WorkerStatus.RUNNING, "another machine knows")
    return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {signed.pid} is gone")


def stop(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Signal the run's process to stop, or close the run where there is none; whether that could be done."""
    if process := _process(instance, run):
        instance.report_run_canceling(run)
        process.terminate()
        return True
    return close(instance, run) is not None


def close(instance: DagsterInstance, run: DagsterRun) -> str | None:
    """End a run whose process is gone and give back its places; returns why, None when it may be alive."""
    found = health(instance, run)
    now = instance.get_run_by_id(run.run_id) if found.status == WorkerStatus.FAILED else None
    if now is None or now.is_finished:  # alive, or ended by itself since `run` was read
        return None
    is_canceled = now.status == DagsterRunStatus.CANCELING
    report = instance.report_run_canceled if is_canceled else instance.report_run_failed
    report(run, f"The run was interrupted: {found.msg}.")
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return found.msg


def close_dead_runs(instance: DagsterInstance) -> list[str]:
    """Close the runs whose process is gone and give back places of runs that are over; returns the closed ones' ids."""
    closed = [run.run_id for run in instance.get_runs(RunsFilter(statuses=OPEN)) if close(instance, run)]
    log = instance.event_log_storage
    for pool in log.get_concurrency_keys():
        found = log.get_concurrency_info(pool)
        for run_id in found.active_run_ids | found.pending_run_ids | found.assigned_run_ids:
            run = instance.get_run_by_id(run_id)
            if run is None or run.is_finished:
                log.free_concurrency_slots_for_run(run_id)
    return closed


def has_server(run: DagsterRun) -> bool:
    """Whether the code server that a run was given to still answers; False for a run of the command line."""
    info = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    if not info:
        return False
    try:
        _connect(info).close()
    except OSError:  # nobody answers, or its machine has no address any more
        return False
    return True


def _connect(info: dict[str, Any]) -> socket.socket:
    if "socket" not in info:
        return socket.create_connection((info["host"], info["port"]), timeout=5)
    line = socket.socket(socket.AF_UNIX)
    line.settimeout(5)
    try:
        line.connect(info["socket"])
    except OSError:
        line.close()
        raise
    return line


def _process(instance: DagsterInstance, run: DagsterRun) -> psutil.Process | None:
    signed = liveness.signature(run)
    if signed or liveness.is_shared(instance):  # a process id without signature may be of another machine
        return signed.process() if signed else None
    place = liveness.last_named(instance, run)
    return liveness.not_later(*place) if place else None


def _before_it_signed(instance: DagsterInstance, run: DagsterRun) -> CheckRunHealthResult:
    is_shared = liveness.is_shared(instance)
    if is_shared and run.status == DagsterRunStatus.STARTING:
        return CheckRunHealthResult(WorkerStatus.RUNNING, "its start is watched by the daemon")
    place = None if is_shared else liveness.last_named(instance, run)
    if place is None:
        return _before_its_report(instance, run)
    if liveness.not_later(*place):
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {place[0]} is gone")


def _before_its_report(instance: DagsterInstance, run: DagsterRun) -> CheckRunHealthResult:
    if run.status == DagsterRunStatus.STARTING and GRPC_INFO_TAG in run.tags and not has_server(run):
        return CheckRunHealthResult(WorkerStatus.FAILED, "its code server is gone")
    record = instance.get_run_record_by_id(run.run_id)
    since = (record.start_time or record.update_timestamp.timestamp()) if record else 0.0
    if time.time() - since < GRACE:
        return CheckRunHealthResult(WorkerStatus.RUNNING, "it has just begun")
    return CheckRunHealthResult(WorkerStatus.FAILED, "it never named a process")
