"""Supervision of a run: its process is registered, and dead runs are closed while it waits for a pool slot."""

import os
import subprocess
import sys

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.events import EngineEventData
from dagster._core.execution.api import execute_run

from pipeline.lib.runs import launcher, liveness, supervision


@dg.op(pool="training")
def train(context: dg.OpExecutionContext) -> None:
    """Holds its slot for a moment."""


@dg.job(executor_def=supervision.in_process)
def alone() -> None:
    """A job of one step in the pool."""
    train()


@dg.asset
def made() -> None:
    """An asset of the run."""


@dg.asset
def other() -> None:
    """An asset outside of it."""


@pytest.fixture
def instance(tmp_path):
    settings = {"concurrency": {"pools": {"default_limit": 1, "granularity": "op"}}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=settings) as instance:
        yield instance


def test_the_process_of_a_run_is_registered(instance):
    run = instance.create_run_for_job(alone)
    assert execute_run(InMemoryJob(alone), run, instance).success
    identity = liveness.registered(instance.get_run_by_id(run.run_id))
    assert identity is not None
    assert (identity.pid, identity.birth) == (os.getpid(), liveness.birth(os.getpid()))


@pytest.mark.timeout(60)
def test_a_waiting_run_gets_the_slot_of_a_run_that_dies_meanwhile(instance, monkeypatch):
    monkeypatch.setattr(supervision, "INTERVAL", 0.2)
    log = instance.event_log_storage
    log.set_concurrency_slots("training", 1)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        holder = instance.create_run_for_job(alone, status=dg.DagsterRunStatus.STARTED)
        instance.report_engine_event("works", holder, EngineEventData.in_process(process.pid))
        assert log.claim_concurrency_slot("training", holder.run_id, "train").is_claimed
        assert launcher.close_dead_runs(instance) == []
        run, is_killed = instance.create_run_for_job(alone), []

        def kill(event):
            """Kill the holder once Dagster logs that the run waits."""
            if "blocked by limit" in str(event) and not is_killed:
                is_killed.append(True)
                process.kill()

        instance.add_event_listener(run.run_id, kill)
        assert execute_run(InMemoryJob(alone), run, instance).success
    assert is_killed
    assert instance.get_run_by_id(holder.run_id).status == dg.DagsterRunStatus.FAILURE


def test_a_run_with_a_configuration_of_nothing_ends_before_its_first_step(instance):
    definitions = dg.Definitions([made, other], executor=supervision.in_process)
    chosen = definitions.resolve_implicit_global_asset_job_def().get_subset(asset_selection=frozenset([made.key]))
    for name, is_success in (("other", True), ("otter", False)):
        run = instance.create_run_for_job(
            chosen, asset_selection=frozenset([made.key]), run_config={"ops": {name: {"config": {}}}}
        )
        done = execute_run(InMemoryJob(chosen), run, instance)
        assert done.success is is_success
        assert any(event.is_step_start for event in done.all_events) is is_success
