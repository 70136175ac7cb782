"""The turn of a step: its place in the pool is looked at a second time.

Dagster takes a place with `SELECT ... FOR UPDATE`, which SQLite ignores: of steps that begin in the same moment each
believes that the last place is its own. The store names only one of them; the others wait here.
"""

from __future__ import annotations

import os
import random
import time

import dagster as dg

ARGUMENTS = "DAGSTER_COMPRESSED_EXECUTE_STEP_ARGS"  # set where a step runs for a run in another process
PAUSE = 0.5  # seconds in which a claim of the same moment has reached the store


def begin(context: dg.AssetExecutionContext) -> None:
    """Return when it is really this step's turn; at once on a cluster, which shares without pools."""
    if is_delegated():
        return
    pool = context.op_execution_context.op_def.pool
    if pool is None:
        return
    if _has_company(context, pool):
        time.sleep(PAUSE)
    if has_place(context, pool):
        return
    context.log.info(f"another step has the place in pool {pool}; waiting for it")
    while not _claims(context, pool):
        time.sleep(PAUSE + random.random())


def is_delegated() -> bool:
    """Whether this process runs a step for a run that is a different process, perhaps on a different machine."""
    return ARGUMENTS in os.environ


def has_place(context: dg.AssetExecutionContext, pool: str) -> bool:
    """Whether the store names this step among those in the pool; a pool without limit has places for all."""
    found = context.instance.event_log_storage.get_concurrency_info(pool)
    mine = (context.run.run_id, context.op_execution_context.get_step_execution_context().step.key)
    return found.slot_count == 0 or mine in {(slot.run_id, slot.step_key) for slot in found.claimed_slots}


def _has_company(context: dg.AssetExecutionContext, pool: str) -> bool:
    found = context.instance.event_log_storage.get_concurrency_info(pool)
    return not found.active_run_ids | found.pending_run_ids | found.assigned_run_ids <= {context.run.run_id}


def _claims(context: dg.AssetExecutionContext, pool: str) -> bool:
    step = context.op_execution_context.get_step_execution_context().step.key
    context.instance.event_log_storage.claim_concurrency_slot(pool, context.run.run_id, step)
    time.sleep(PAUSE)
    return has_place(context, pool)
