"""Second check of a step's pool slot before the step starts.

Dagster claims a slot with `SELECT ... FOR UPDATE`, which SQLite ignores: of several steps that start at the same time
each may be granted the last slot. The store records only one of them; the others wait here.
"""

from __future__ import annotations

import os
import random
import time

import dagster as dg

ARGUMENTS = "DAGSTER_COMPRESSED_EXECUTE_STEP_ARGS"  # set where a step runs for a run in another process
PAUSE = 0.5  # seconds within which a simultaneous claim has reached the store


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
    context.log.info(f"pool {pool}: the slot is held by a different step; waiting for a free one")
    while not _claim(context, pool):
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
