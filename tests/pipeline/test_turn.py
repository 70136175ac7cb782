"""Two steps that took the same place in the same moment: one of them waits."""

import threading

import dagster as dg
import pytest

from pipeline.lib.runs import turn


@pytest.fixture
def instance(tmp_path):
    settings = {"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=settings) as instance:
        yield instance


def test_a_step_whose_place_went_to_another_waits_until_that_one_leaves(instance):
    log, seen = instance.event_log_storage, []

    def leave():
        seen.append("the other leaves")
        log.free_concurrency_slots_for_run("other")

    @dg.asset(pool="training")
    def late(context: dg.AssetExecutionContext) -> None:
        assert turn.has_place(context, "training")
        log.free_concurrency_slots_for_run(context.run.run_id)
        assert log.claim_concurrency_slot("training", "other", "step").is_claimed
        assert not turn.has_place(context, "training")
        leaving = threading.Timer(1.0, leave)
        leaving.start()
        turn.begin(context)
        leaving.join()
        seen.append("late begins")
        assert turn.has_place(context, "training")

    assert dg.materialize([late], instance=instance).success
    assert seen == ["the other leaves", "late begins"]
    assert log.get_concurrency_info("training").active_run_ids == set()


def test_a_pool_without_limit_keeps_nobody_waiting():
    @dg.asset(pool="training")
    def free(context: dg.AssetExecutionContext) -> None:
        turn.begin(context)

    assert dg.materialize([free]).success


def test_a_step_of_a_cluster_takes_no_turn_whatever_pool_its_machine_would_take(instance, monkeypatch):
    instance.event_log_storage.initialize_concurrency_limit_to_default("training")
    assert instance.event_log_storage.claim_concurrency_slot("training", "other", "step").is_claimed

    @dg.asset
    def step(context: dg.AssetExecutionContext) -> None:
        monkeypatch.setattr(context.op_execution_context.op_def, "_pool", "training")
        monkeypatch.setenv(turn.ARGUMENTS, "given by its run")
        turn.begin(context)

    assert dg.materialize([step], instance=instance).success
    assert instance.event_log_storage.get_concurrency_info("training").active_run_ids == {"other"}
