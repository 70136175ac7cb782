"""Cancellation of all runs of this machine and of the queue, waiting for checkpoints: `python -m pipeline.cancel`.

For use before the machine is lost, as at the end of a Slurm allocation. Runs that are executed again resume.
"""

from __future__ import annotations

import os
import platform
import sys
import time

import dagster as dg

from nsmodels.core.cli import run
from pipeline.lib.cluster import executor
from pipeline.lib.runs import history, liveness
from pipeline.lib.runs.launcher import OPEN

TIMEOUT = 200.0  # seconds; Slurm's grace time is 300


def main() -> int:
    """Cancel, wait, and print the result; returns 0, 1 if runs are still open, 2 for invalid input."""
    return run(_cancel)


def _cancel() -> int:
    end = time.monotonic() + TIMEOUT
    with history.current() as instance:
        cancelled, left = cancel(instance, end)
        if address := os.environ.get(executor.VARIABLE):
            wait_for_steps(address, cancelled, end)
    print(f"{len(cancelled - left)} runs cancelled" + (f", {len(left)} still open: {' '.join(left)}" if left else ""))
    return 1 if left else 0


def cancel(instance: dg.DagsterInstance, end: float) -> tuple[set[str], set[str]]:
    """Cancel all runs until none is open or `time.monotonic()` reaches `end`.

    Returns the ids of the runs that were cancelled and of those that are still open.
    """
    cancelled: set[str] = set()
    while (left := unfinished(instance)) and time.monotonic() < end:
        cancelled |= {id for id in left if id not in cancelled and instance.run_coordinator.cancel_run(id)}
        time.sleep(1)
    return cancelled, set(left)


def unfinished(instance: dg.DagsterInstance) -> list[str]:
    """Ids of the unfinished runs of this machine; queued ones first, so that none of them starts."""
    statuses = ([dg.DagsterRunStatus.QUEUED], OPEN)
    found = [run for chosen in statuses for run in instance.get_runs(dg.RunsFilter(statuses=chosen))]
    return [run.run_id for run in found if not _is_elsewhere(instance, run)]


def wait_for_steps(address: str, runs: set[str], end: float) -> None:
    """Wait until no step of the runs is running on the cluster (checkpoints are written), or until `end`.

    Raises `InputError` if the cluster is unavailable.
    """
    from pipeline.lib.cluster import jobs  # imports Ray

    client = executor.connect(address)
    while time.monotonic() < end and any(
        job.status == "RUNNING" and (job.metadata or {}).get(jobs.RUN) in runs for job in client.list_jobs()
    ):
        time.sleep(1)


def _is_elsewhere(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    identity = liveness.registered(run)
    return liveness.is_shared(instance) and identity is not None and identity.host != platform.node()


if __name__ == "__main__":
    sys.exit(main())
