"""Two steps that were granted the same pool slot at the same time: one of them waits."""

import threading

import dagster as dg
import pytest

from pipeline.lib.runs import slots


@pytest.fixture
def instance(tmp_path):
    settings = {"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=settings) as instance:
        yield instance


def test_a_step_whose_slot_is_held_by_a_different_run_waits_until_it_is_free(instance):
    log, events = instance.event_log_storage, []

    def leave():
        events.append("slot freed")
        log.free_concurrency_slots_for_run("other")

    @dg.asset(pool="training")
    def late(context: dg.AssetExecutionContext) -> None:
        assert slots.has_slot(context, "training")
        log.free_concurrency_slots_for_run(context.run.run_id)
        assert log.claim_concurrency_slot("training", "other", "step").is_claimed
        assert not slots.has_slot(context, "training")
        leaving = threading.Timer(1.0, leave)
        leaving.start()
        slots.acquire(context)
        leaving.join()
        events.append("late starts")
        assert slots.has_slot(context, "training")

    assert dg.materialize([late], instance=instance).success
    assert events == ["slot freed", "late starts"]
    assert log.get_concurrency_info("training").active_run_ids == set()


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
