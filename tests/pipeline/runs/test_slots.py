"""Two steps that were granted the same pool slot at the same time: one of them waits."""

import threading
import time

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.execution.plan import active

from pipeline.lib.runs import slots, supervision


@dg.op(pool="training")
def enter() -> None:
    """Takes a slot."""


@dg.job(executor_def=supervision.in_process)
def door() -> None:
    """A job of one step in the pool."""
    enter()


@pytest.fixture
def instance(tmp_path):
    settings = {"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=settings) as instance:
        yield instance


def test_a_step_whose_slot_is_held_by_a_different_run_waits_until_it_is_free(instance):
    log, events = instance.event_log_storage, []

    def leave(run_id):
        until_lines(instance, run_id, 1)
        events.append("slot freed")
        log.free_concurrency_slots_for_run("other")

    @dg.asset(pool="training")
    def late(context: dg.AssetExecutionContext) -> None:
        assert slots.has_slot(context, "training")
        log.free_concurrency_slots_for_run(context.run.run_id)
        assert log.claim_concurrency_slot("training", "other", "step").is_claimed
        assert not slots.has_slot(context, "training")
        leaving = threading.Thread(target=leave, args=[context.run.run_id])
        leaving.start()
        slots.acquire(context)
        leaving.join()
        events.append("late starts")
        assert slots.has_slot(context, "training")

    ended = dg.materialize([late], instance=instance)
    assert ended.success
    (line,) = lines_of(instance, ended.run_id)
    assert line.startswith("late: waiting for the pool training, held by step of run other; it starts by itself")
    assert events == ["slot freed", "late starts"]
    assert log.get_concurrency_info("training").active_run_ids == set()


def test_a_step_that_waits_to_start_reports_for_whom_again_and_again(instance, monkeypatch):
    monkeypatch.setattr(active, "CONCURRENCY_CLAIM_MESSAGE_INTERVAL", 0.3)
    log = instance.event_log_storage
    log.initialize_concurrency_limit_to_default("training")
    holder = instance.create_run_for_job(door, status=dg.DagsterRunStatus.STARTED)
    assert log.claim_concurrency_slot("training", holder.run_id, "nav_model").is_claimed
    waiting = instance.create_run_for_job(door)

    def leave():
        until_lines(instance, waiting.run_id, 3)
        log.free_concurrency_slots_for_run(holder.run_id)

    leaving = threading.Thread(target=leave)
    leaving.start()
    spent = time.thread_time()
    assert execute_run(InMemoryJob(door), waiting, instance).success
    assert time.thread_time() - spent < 2  # of one that turns a core while it waits
    leaving.join()
    lines = lines_of(instance, waiting.run_id)
    expected = f"enter: waiting for the pool training, held by nav_model of run {holder.run_id[:8]}"
    assert all(line.startswith(expected) for line in lines[:3])
    assert "before it" not in "".join(lines)


def lines_of(instance, run_id):
    return [entry.message for entry in instance.all_logs(run_id) if "waiting for the pool" in entry.message]


def until_lines(instance, run_id, number):
    while len(lines_of(instance, run_id)) < number:
        time.sleep(0.05)


def test_a_step_does_not_wait_in_a_pool_without_limit():
    @dg.asset(pool="training")
    def free(context: dg.AssetExecutionContext) -> None:
        slots.acquire(context)

    assert dg.materialize([free]).success


def test_a_step_of_a_cluster_acquires_no_slot(instance, monkeypatch):
    instance.event_log_storage.initialize_concurrency_limit_to_default("training")
    assert instance.event_log_storage.claim_concurrency_slot("training", "other", "step").is_claimed

    @dg.asset
    def step(context: dg.AssetExecutionContext) -> None:
        monkeypatch.setattr(context.op_execution_context.op_def, "_pool", "training")
        monkeypatch.setenv(slots.ARGUMENTS, "given by its run")
        slots.acquire(context)

    assert dg.materialize([step], instance=instance).success
    assert instance.event_log_storage.get_concurrency_info("training").active_run_ids == {"other"}
