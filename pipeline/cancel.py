"""Cancel all runs of this machine and the queue, and wait for the checkpoints: `python -m pipeline.cancel`.

For whoever is about to lose the machine, as at the end of a Slurm allocation. Executed again, the runs go on.
"""

from __future__ import annotations

import os
import platform
import sys
import time

import dagster as dg

from nsmodels.core.errors import InputError
from pipeline.lib.cluster import executor
from pipeline.lib.runs import history, liveness
from pipeline.lib.runs.launcher import OPEN

PATIENCE = 200.0  # seconds; Slurm gives 300


def main() -> int:
    """Cancel, wait, and say what is left."""
    end = time.monotonic() + PATIENCE
    try:
        with history.current() as instance:
            asked, left = cancel(instance, end)
            if address := os.environ.get(executor.VARIABLE):
                wait_for_steps(address, asked, end)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{len(asked - left)} runs cancelled" + (f", {len(left)} still open: {' '.join(left)}" if left else ""))
    return 1 if left else 0


def cancel(instance: dg.DagsterInstance, end: float) -> tuple[set[str], set[str]]:
    """Cancel all runs until none is open or the time is over; the ids of those cancelled and of those still open."""
    asked: set[str] = set()
    while (left := unfinished(instance)) and time.monotonic() < end:
        asked |= {run for run in left if run not in asked and instance.run_coordinator.cancel_run(run)}
        time.sleep(1)
    return asked, set(left)


def unfinished(instance: dg.DagsterInstance) -> list[str]:
    """Ids of the runs of this machine that are not over; the queue first, so that nothing starts from it."""
    statuses = ([dg.DagsterRunStatus.QUEUED], OPEN)
    found = [run for chosen in statuses for run in instance.get_runs(dg.RunsFilter(statuses=chosen))]
    return [run.run_id for run in found if not _is_elsewhere(instance, run)]


def wait_for_steps(address: str, runs: set[str], end: float) -> None:
    """Return when no step of the runs is on the cluster: their checkpoints are written."""
    from pipeline.lib.cluster import jobs  # imports Ray

    client = executor.connect(address)
    while time.monotonic() < end and any(
        job.status == "RUNNING" and (job.metadata or {}).get(jobs.RUN) in runs for job in client.list_jobs()
    ):
        time.sleep(1)


def _is_elsewhere(instance: dg.DagsterInstance, run: dg.DagsterRun) -> bool:
    signed = liveness.signature(run)
    return liveness.is_shared(instance) and signed is not None and signed.host != platform.node()


if __name__ == "__main__":
    sys.exit(main())
