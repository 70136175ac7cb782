"""Cancellation before a machine is lost: of queued and of started runs, not of those of a different machine."""

import json
import time

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from pipeline import cancel
from pipeline.lib.runs import liveness

OVERRIDES = {
    "run_launcher": {"module": "pipeline.lib.runs.launcher", "class": "WatchfulRunLauncher"},
    "run_coordinator": {"module": "dagster", "class": "QueuedRunCoordinator"},
}


@dg.job
def empty() -> None: ...


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides=OVERRIDES) as instance:
        yield instance


def started(instance: dg.DagsterInstance, host: str) -> str:
    run = instance.create_run_for_job(empty, status=dg.DagsterRunStatus.STARTED)
    gone = {"run": run.run_id, "host": host, "pid": 1, "birth": "long ago"}
    instance.add_run_tags(run.run_id, {liveness.TAG: json.dumps(gone)})
    return run.run_id


def test_the_queue_and_open_runs_are_cancelled(instance):
    place = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "__repository__")
    waiting = instance.create_run_for_job(
        empty, status=dg.DagsterRunStatus.QUEUED, remote_job_origin=RemoteJobOrigin(place, empty.name)
    ).run_id
    begun = started(instance, "elsewhere")  # a history in files belongs to one machine, whatever its host name
    assert cancel.cancel(instance, time.monotonic() + 30) == ({waiting, begun}, set())
    assert instance.get_run_by_id(waiting).status == dg.DagsterRunStatus.CANCELED
    assert instance.get_run_by_id(begun).is_finished


def test_runs_of_a_different_machine_are_not_cancelled(instance, monkeypatch):
    monkeypatch.setattr(liveness, "is_shared", lambda _: True)
    theirs = started(instance, "elsewhere")
    assert cancel.cancel(instance, time.monotonic() + 30) == (set(), set())
    assert not instance.get_run_by_id(theirs).is_finished
