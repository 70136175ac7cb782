"""Pool slots of steps: a second check of a slot before its step starts, and who holds it while a step waits.

Dagster claims a slot with `SELECT ... FOR UPDATE`, which SQLite ignores: of several steps that start at the same time
each may be granted the last slot. The store records only one of them; the others wait here.

Of a step that waits Dagster reports the name of the pool, on no terminal, every five minutes. Here the line names who
holds the slot, at once and every minute, in the terminal and in the event log. Uses private names of Dagster: the
version is pinned and tested.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from nsmodels.core.progress import readable_seconds
from pipeline.internals import ActiveExecution, active

if TYPE_CHECKING:
    from pipeline.internals import PlanExecutionContext, PlanOrchestrationContext

ARGUMENTS = "DAGSTER_COMPRESSED_EXECUTE_STEP_ARGS"  # set where a step runs for a run in another process
PAUSE = 0.5  # seconds within which a simultaneous claim has reached the store
BETWEEN_LINES = 60.0  # seconds


def acquire(context: dg.AssetExecutionContext) -> None:
    """Return once this step holds a slot of its pool; immediately on a cluster, which schedules without pools."""
    if is_delegated():
        return
    pool = context.op_execution_context.op_def.pool
    if pool is None:
        return
    if _has_competitors(context, pool):
        time.sleep(PAUSE)
    if has_slot(context, pool):
        return
    step = context.op_execution_context.get_step_execution_context().step.key
    due = time.monotonic()
    while True:
        if time.monotonic() >= due:
            due = time.monotonic() + BETWEEN_LINES
            context.log.info(waiting_line(context.instance, pool, context.run.run_id, step))
        if _claim(context, pool):
            return
        time.sleep(PAUSE + random.random())


def is_delegated() -> bool:
    """Whether this process executes a step of a run in a different process, possibly on a different machine."""
    return ARGUMENTS in os.environ


def has_slot(context: dg.AssetExecutionContext, pool: str) -> bool:
    """Whether the store records a slot of the pool for this step; True for a pool without limit."""
    found = context.instance.event_log_storage.get_concurrency_info(pool)
    mine = (context.run.run_id, context.op_execution_context.get_step_execution_context().step.key)
    return found.slot_count == 0 or mine in {(slot.run_id, slot.step_key) for slot in found.claimed_slots}


def _has_competitors(context: dg.AssetExecutionContext, pool: str) -> bool:
    found = context.instance.event_log_storage.get_concurrency_info(pool)
    return not found.active_run_ids | found.pending_run_ids | found.assigned_run_ids <= {context.run.run_id}


def _claim(context: dg.AssetExecutionContext, pool: str) -> bool:
    step = context.op_execution_context.get_step_execution_context().step.key
    context.instance.event_log_storage.claim_concurrency_slot(pool, context.run.run_id, step)
    time.sleep(PAUSE)
    return has_slot(context, pool)


def waiting_line(instance: dg.DagsterInstance, pool: str, run_id: str, step: str) -> str:
    """A line for the step of a run that waits for a slot of a pool: who holds it, since when, who is before it."""
    found = instance.event_log_storage.get_concurrency_info(pool)
    holders = [_holder(instance, slot.run_id, slot.step_key) for slot in found.claimed_slots]
    held_by = {(slot.run_id, slot.step_key) for slot in found.claimed_slots}
    waiting = sorted(found.pending_steps, key=lambda each: (-(each.priority or 0), each.enqueued_timestamp))
    keys = [key for each in waiting if (key := (each.run_id, each.step_key)) not in held_by]
    before = keys.index((run_id, step)) if (run_id, step) in keys else len(keys)
    held = f"held by {' and '.join(holders)}" if holders else "being freed"
    ahead = f"; {before} before it" if before else ""
    return f"{step}: waiting for the pool {pool}, {held}{ahead}; it starts by itself, Ctrl-C or Terminate ends the wait"


def _holder(instance: dg.DagsterInstance, run_id: str, step: str) -> str:
    record = instance.get_run_record_by_id(run_id)
    since = f", for {readable_seconds(time.time() - record.start_time)}" if record and record.start_time else ""
    return f"{step} of run {run_id[:8]}{since}"


_concurrency_events = ActiveExecution.concurrency_event_iterator


def _named_events(
    self: ActiveExecution, context: PlanExecutionContext | PlanOrchestrationContext
) -> Iterator[dg.DagsterEvent]:
    """Dagster's events of steps that wait, each with a line in the log of the run."""
    for event in _concurrency_events(self, context):
        yield event
        step = self.get_step_by_key(event.step_key) if event.step_key else None
        if step and step.pool:
            context.for_step(step).log.info(waiting_line(context.instance, step.pool, context.run_id, step.key))


ActiveExecution.concurrency_event_iterator = _named_events  # pyright: ignore[reportAttributeAccessIssue]
active.CONCURRENCY_CLAIM_MESSAGE_INTERVAL = BETWEEN_LINES  # pyright: ignore[reportAttributeAccessIssue]
