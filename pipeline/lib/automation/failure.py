"""Report of a failed run."""

from __future__ import annotations

from typing import Any

import dagster as dg

MAX_LENGTH = 300  # characters of an error


def fields(context: dg.RunFailureSensorContext) -> dict[str, Any]:
    """Fields of the report: run, job, assets, partition, and the error as one line."""
    run = context.dagster_run
    return {
        "run_id": run.run_id,
        "job": run.job_name,
        "assets": sorted(key.to_user_string() for key in run.asset_selection or ()),
        "partition": context.partition_key,
        "error": error(context),
    }


def error(context: dg.RunFailureSensorContext) -> str:
    """Error of the first failed step as one line; of the run if no step failed, as when its process was killed."""
    steps = context.get_step_failure_events()
    message = _step_error(steps[0]) if steps else context.failure_event.message
    line = " ".join((message or "no message").split())
    return line if len(line) <= MAX_LENGTH else f"{line[: MAX_LENGTH - 1]}…"


def _step_error(event: dg.DagsterEvent) -> str:
    found = event.step_failure_data
    if found.user_failure_data and found.user_failure_data.description:
        return f"{event.step_key}: {found.user_failure_data.description}"
    # Dagster wraps the error of the step in one of its own.
    inner = found.error and (found.error.cause or found.error)
    return f"{event.step_key}: {inner.message if inner else event.message}"
