"""What to tell people of a run that failed."""

from __future__ import annotations

from typing import Any

import dagster as dg

LONGEST = 300  # characters of an error


def fields(context: dg.RunFailureSensorContext) -> dict[str, Any]:
    """Run, job, assets, partition and the error in one line."""
    run = context.dagster_run
    return {
        "run_id": run.run_id,
        "job": run.job_name,
        "assets": sorted(key.to_user_string() for key in run.asset_selection or ()),
        "partition": context.partition_key,
        "error": error(context),
    }


def error(context: dg.RunFailureSensorContext) -> str:
    """The words of the first step that failed; without one those of the run, as when its process was killed."""
    steps = context.get_step_failure_events()
    words = _of_step(steps[0]) if steps else context.failure_event.message
    line = " ".join((words or "no message").split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _of_step(event: dg.DagsterEvent) -> str:
    found = event.step_failure_data
    if found.user_failure_data and found.user_failure_data.description:
        return f"{event.step_key}: {found.user_failure_data.description}"
    # Dagster's own words stand around the error of the step.
    inner = found.error and (found.error.cause or found.error)
    return f"{event.step_key}: {inner.message if inner else event.message}"
