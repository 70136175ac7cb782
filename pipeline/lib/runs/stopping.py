"""End of a run in this process by a signal: no step starts after it, and the run is recorded as canceled.

A step may end in any way by a signal: as failed, as interrupted, or in spite of it; Dagster then starts the next one.
Uses private names of Dagster: the version is pinned and tested.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from nsmodels.core import interrupts
from pipeline.internals import ActiveExecution, DagsterExecutionInterruptedError, raise_interrupts_as

if TYPE_CHECKING:
    from pipeline.internals import ExecutionStep, PlanOrchestrationContext

PAUSE = 0.2  # seconds between two looks at a pool


def stoppable(context: PlanOrchestrationContext, events: Iterator[dg.DagsterEvent]) -> Iterator[dg.DagsterEvent]:
    """The events of a run; after SIGINT or SIGTERM no step starts, and the run ends as canceled."""
    with interrupts.watch(), interrupts.at_abandonment(lambda: report_canceled(context.instance, context.run_id)):
        try:
            require_no_stop()
            yield from events
            require_no_stop()  # during the last step
        except (KeyboardInterrupt, DagsterExecutionInterruptedError):
            report_canceling(context.instance, context.run_id)  # otherwise Dagster records the run as failed
            context.instance.event_log_storage.free_concurrency_slots_for_run(context.run_id)
            raise


def require_no_stop() -> None:
    """Raise `DagsterExecutionInterruptedError` after a request to stop."""
    if interrupts.requested():
        raise DagsterExecutionInterruptedError(interrupts.LINE)


def report_canceling(instance: dg.DagsterInstance, run_id: str) -> None:
    """Record that a run was asked to stop, unless it is recorded."""
    run = instance.get_run_by_id(run_id)
    if run and run.status in (dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED):
        instance.report_run_canceling(run, "The process of the run received a signal to stop.")


def report_canceled(instance: dg.DagsterInstance, run_id: str) -> None:
    """Record a run as canceled and free its pool slots: for a process that ends before Dagster records it."""
    run = instance.get_run_by_id(run_id)
    if run and not run.is_finished:
        instance.report_run_canceled(run, "The run was stopped before its step had ended.")
        instance.event_log_storage.free_concurrency_slots_for_run(run_id)


# --- between two steps Dagster only takes note of signals ------------------------------------------------------------

_get_next_step, _sleep_til_ready = ActiveExecution.get_next_step, ActiveExecution.sleep_til_ready


def _next_step(self: ActiveExecution) -> ExecutionStep | None:
    require_no_stop()
    return _get_next_step(self)


def _sleep(self: ActiveExecution) -> None:
    with raise_interrupts_as(DagsterExecutionInterruptedError):
        if self.sleep_interval() > 0:
            _sleep_til_ready(self)
        elif not self._in_flight:
            time.sleep(PAUSE)  # of a step that waits for its pool Dagster's interval is never above 0


ActiveExecution.get_next_step = _next_step  # pyright: ignore[reportAttributeAccessIssue]
ActiveExecution.sleep_til_ready = _sleep  # pyright: ignore[reportAttributeAccessIssue]
