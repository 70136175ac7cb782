"""Dagster's default launcher, extended to runs whose process or code server died (a crash, `kill -9`, a reboot).

Without it a dead run stays "started" for ever and keeps its pool slot, and a run that lost its code server cannot be
cancelled. Uses private names of Dagster: the version is pinned and the tests kill runs. In a history that several
machines share, each machine handles its own runs only.
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

from nsmodels.core.errors import InputError
from pipeline.internals import GRPC_INFO_TAG, CheckRunHealthResult, LaunchRunContext, WorkerStatus
from pipeline.lib.runs import liveness
from pipeline.lib.runs.requests.run import require_assets

GRACE = 60.0  # seconds that a started run has to report its process id
OPEN = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]


class WatchfulRunLauncher(DefaultRunLauncher):
    """The default launcher with a health check for the daemon's run monitoring, and termination without code server."""

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start the process of a run; one that would build all assets by selecting none fails with the reason."""
        try:
            require_assets(context.dagster_run)
        except InputError as error:
            self._instance.report_run_failed(context.dagster_run, str(error))
        else:
            super().launch_run(context)

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Always true."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process of the run is alive."""
        return health(self._instance, run)

    def terminate(self, run_id: str) -> bool:
        """Stop a run through its code server, or by a signal if it has none (command line, or server gone)."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        if has_server(run) and super().terminate(run_id):
            return True
        return stop(self._instance, run)


def health(instance: DagsterInstance, run: DagsterRun) -> CheckRunHealthResult:
    """Health of the run's registered process; before it has registered, of the process id in the run's log."""
    identity = liveness.registered(run)
    if identity is None:
        return _unregistered_health(instance, run)
    if identity.process():
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    if identity.host != platform.node() and liveness.is_shared(instance):
        return CheckRunHealthResult(WorkerStatus.RUNNING, f"checked on its own machine {identity.host}")
    return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {identity.pid} is gone")


def stop(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Send SIGTERM to the run's process, or close the run if there is none; False if neither was possible."""
    if process := _process(instance, run):
        instance.report_run_canceling(run)
        process.terminate()
        return True
    return close(instance, run) is not None


def close(instance: DagsterInstance, run: DagsterRun) -> str | None:
    """End a run whose process is gone and free its pool slots; returns the reason, None if it may be alive."""
    found = health(instance, run)
    now = instance.get_run_by_id(run.run_id) if found.status == WorkerStatus.FAILED else None
    if now is None or now.is_finished:  # alive, or finished since `run` was read
        return None
    is_canceled = now.status == DagsterRunStatus.CANCELING
    report = instance.report_run_canceled if is_canceled else instance.report_run_failed
    report(run, f"The run was interrupted: {found.msg}.")
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return found.msg


def close_dead_runs(instance: DagsterInstance) -> list[str]:
    """Close the runs whose process is gone and free pool slots of finished runs; returns the ids of the closed runs."""
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
    """Whether the code server of a run accepts connections; False for a run of the command line."""
    info = json.loads(run.tags.get(GRPC_INFO_TAG, "{}"))
    if not info:
        return False
    try:
        _connect(info).close()
    except OSError:  # connection refused, or its host name no longer resolves
        return False
    return True


def _connect(info: dict[str, Any]) -> socket.socket:
    if "socket" not in info:
        return socket.create_connection((info["host"], info["port"]), timeout=5)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(5)
    try:
        connection.connect(info["socket"])
    except OSError:
        connection.close()
        raise
    return connection


def _process(instance: DagsterInstance, run: DagsterRun) -> psutil.Process | None:
    identity = liveness.registered(run)
    if identity or liveness.is_shared(instance):  # an unregistered process id may be that of another machine
        return identity.process() if identity else None
    report = liveness.last_reported(instance, run)
    return liveness.started_before(*report) if report else None


def _unregistered_health(instance: DagsterInstance, run: DagsterRun) -> CheckRunHealthResult:
    is_shared = liveness.is_shared(instance)
    if is_shared and run.status == DagsterRunStatus.STARTING:
        return CheckRunHealthResult(WorkerStatus.RUNNING, "its start is monitored by the daemon")
    report = None if is_shared else liveness.last_reported(instance, run)
    if report is None:
        return _unreported_health(instance, run)
    if liveness.started_before(*report):
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {report[0]} is gone")


def _unreported_health(instance: DagsterInstance, run: DagsterRun) -> CheckRunHealthResult:
    if run.status == DagsterRunStatus.STARTING and GRPC_INFO_TAG in run.tags and not has_server(run):
        return CheckRunHealthResult(WorkerStatus.FAILED, "its code server is gone")
    record = instance.get_run_record_by_id(run.run_id)
    since = (record.start_time or record.update_timestamp.timestamp()) if record else 0.0
    if time.time() - since < GRACE:
        return CheckRunHealthResult(WorkerStatus.RUNNING, "it has just started")
    return CheckRunHealthResult(WorkerStatus.FAILED, f"it reported no process id within {GRACE:g} s")
