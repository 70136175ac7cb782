"""Dagster's default launcher, which also knows when a run's process has died (a crash, `kill -9`, a reboot).

Without this a dead run stays "started" for ever and keeps its place on the GPU. Uses names that Dagster does not
promise to keep: the version is pinned and the tests kill a run.
"""

from __future__ import annotations

import psutil
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, DefaultRunLauncher, RunsFilter
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

TOLERANCE = 2.0  # seconds between the clocks of the kernel and of the event log


class WatchfulRunLauncher(DefaultRunLauncher):
    """The default launcher with a health check, used by the daemon's run monitoring."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It does."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process that last reported for the run still lives."""
        return health(self._instance, run)


def health(instance: DagsterInstance, run: DagsterRun) -> CheckRunHealthResult:
    """Alive when the run's process id exists and belongs to a process that is older than its report."""
    place = _last_process(instance, run)
    if place is None:
        return CheckRunHealthResult(WorkerStatus.UNKNOWN, "no process has reported yet")
    pid, reported = place
    try:
        is_alive = psutil.Process(pid).create_time() <= reported + TOLERANCE
    except psutil.NoSuchProcess:
        is_alive = False
    if is_alive:
        return CheckRunHealthResult(WorkerStatus.RUNNING)
    return CheckRunHealthResult(WorkerStatus.FAILED, f"its process {pid} is gone")


def close_dead_runs(instance: DagsterInstance) -> list[str]:
    """Mark runs whose process is gone as failed and give back their places; returns their ids."""
    closed = []
    for run in instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING])):
        found = health(instance, run)
        if found.status == WorkerStatus.FAILED:
            instance.report_run_failed(run, f"The run was interrupted: {found.msg}.")
            instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
            closed.append(run.run_id)
    return closed


def _last_process(instance: DagsterInstance, run: DagsterRun) -> tuple[int, float] | None:
    """Process id and time of the last engine event that names a process."""
    for entry in reversed(instance.all_logs(run.run_id, of_type=DagsterEventType.ENGINE_EVENT)):
        data = entry.dagster_event.engine_event_data if entry.dagster_event else None
        pid = data.metadata.get("pid") if data else None
        if pid is not None:
            return int(str(pid.value)), entry.timestamp
    return None
