"""Detection of dead runs, in every state that a crash can leave, and release of their pool slots."""

import json
import os
import platform
import socket
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import asdict

import dagster as dg
import pytest
from dagster import DagsterRunStatus as Status
from dagster._core.events import EngineEventData
from dagster._core.storage.tags import GRPC_INFO_TAG

from pipeline.lib.runs import launcher, liveness

JOB = dg.GraphDefinition(name="empty").to_job()


def run_in(instance, status, pid=None, **tags):
    """A run in the history, as the process `pid` would have recorded it."""
    run = instance.create_run_for_job(JOB, status=status, tags=tags)
    if pid:
        instance.report_engine_event("works", run, EngineEventData.in_process(pid))
    return run


def registered_run(instance, pid, birth, host="here", status=Status.STARTED):
    """A run in the history with a registered process."""
    run = instance.create_run_for_job(JOB, status=status)
    identity = liveness.ProcessIdentity(run.run_id, host, pid, birth)
    instance.add_run_tags(run.run_id, {liveness.TAG: json.dumps(asdict(identity))})
    return instance.get_run_by_id(run.run_id)


class OnServer:
    """A storage that is not SQLite, such as PostgreSQL."""

    def __init__(self, storage):
        self._storage = storage

    def __getattr__(self, name):
        return getattr(self._storage, name)


def status(instance, run):
    return instance.get_run_by_id(run.run_id).status


@pytest.fixture(scope="module")
def gone():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.fixture
def later():
    """A process that starts after the reports: the next owner of a dead run's process id."""
    time.sleep(liveness.TOLERANCE + 0.5)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process


def test_a_run_whose_process_lives_is_left_alone(instance):
    runs = [run_in(instance, state, os.getpid()) for state in launcher.OPEN]
    assert launcher.close_dead_runs(instance) == []
    assert [status(instance, run) for run in runs] == launcher.OPEN


def test_a_run_whose_process_is_gone_is_failed_and_one_being_cancelled_is_cancelled(instance, gone):
    runs = [run_in(instance, state, gone) for state in launcher.OPEN]
    assert sorted(launcher.close_dead_runs(instance)) == sorted(run.run_id for run in runs)
    assert [status(instance, run) for run in runs] == [Status.FAILURE, Status.FAILURE, Status.CANCELED]


def test_a_run_that_ends_during_the_check_is_not_failed(instance, gone):
    run = registered_run(instance, gone, "then")
    instance.report_run_failed(run, "its own error")
    assert launcher.close(instance, run) is None
    ends = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert [entry.dagster_event.message for entry in ends] == ["its own error"]


def test_the_health_of_a_registered_run_depends_on_neither_clock_nor_host_name(instance, monkeypatch, later):
    run = registered_run(instance, later.pid, liveness.birth(later.pid), host="name of yesterday")
    an_hour_ago = time.time() - 3600
    with monkeypatch.context() as clock:
        clock.setattr(time, "time", lambda: an_hour_ago)
        instance.report_engine_event("works", run, EngineEventData.in_process(later.pid))
    assert launcher.close_dead_runs(instance) == []


def test_a_process_with_the_registered_id_but_a_different_start_is_not_the_run(instance):
    run = registered_run(instance, os.getpid(), "different boot, same tick")
    instance.report_engine_event("works", run, EngineEventData.in_process(os.getpid()))  # the clock was set back since
    assert launcher.close_dead_runs(instance) == [run.run_id]


def test_a_history_in_files_belongs_to_one_machine_whatever_its_name(instance, gone):
    run = registered_run(instance, gone, "then", host="name of yesterday")
    assert launcher.close_dead_runs(instance) == [run.run_id]
    assert status(instance, run) == Status.FAILURE


def test_in_a_shared_history_runs_of_another_machine_are_left_to_it(instance, monkeypatch, gone):
    monkeypatch.setattr(instance, "_run_storage", OnServer(instance.run_storage))
    here = registered_run(instance, gone, "then", host=platform.node())
    there = registered_run(instance, gone, "then", host="elsewhere")
    unregistered = [run_in(instance, state, gone) for state in (Status.STARTING, Status.STARTED)]
    assert launcher.close_dead_runs(instance) == [here.run_id]
    assert not launcher.stop(instance, there)
    assert [status(instance, run) for run in (there, *unregistered)] == [
        Status.STARTED,
        Status.STARTING,
        Status.STARTED,
    ]


def test_an_identity_copied_from_a_different_run_is_ignored(instance):
    first = registered_run(instance, os.getpid(), "different boot")
    again = run_in(instance, Status.STARTED, os.getpid(), **first.tags)
    assert liveness.registered(first) is not None
    assert launcher.close_dead_runs(instance) == [first.run_id]
    assert status(instance, again) == Status.STARTED


def test_the_birth_of_a_process_is_unique_and_none_for_a_zombie():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        birth = liveness.birth(process.pid)
        assert birth == liveness.birth(process.pid) != liveness.birth(os.getpid())
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, not yet reaped
        assert liveness.birth(process.pid) is None
    assert liveness.birth(process.pid) is None


def test_a_process_id_taken_by_another_process_is_not_the_run(instance, monkeypatch, later):
    run = run_in(instance, Status.STARTED)
    an_hour_ago = time.time() - 3600
    with monkeypatch.context() as clock:
        clock.setattr(time, "time", lambda: an_hour_ago)
        instance.report_engine_event("works", run, EngineEventData.in_process(later.pid))
    assert launcher.close_dead_runs(instance) == [run.run_id]


def test_the_process_of_a_step_is_not_that_of_the_run(instance, gone):
    run = run_in(instance, Status.STARTED, os.getpid())
    instance.report_engine_event("step", run, EngineEventData.in_process(gone), step_key="train")
    assert launcher.close_dead_runs(instance) == []


def test_a_run_killed_while_it_started_is_detected_by_its_code_server(instance, tmp_path):
    place = str(tmp_path / "server")
    tags = {GRPC_INFO_TAG: json.dumps({"host": "localhost", "socket": place})}
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(place)
        server.listen()
        run = run_in(instance, Status.STARTING, **tags)
        assert launcher.close_dead_runs(instance) == []
    assert launcher.close_dead_runs(instance) == [run.run_id]
    assert status(instance, run) == Status.FAILURE


def test_a_code_server_on_a_machine_without_address_is_gone_and_other_runs_are_closed_all_the_same(instance, gone):
    tags = {GRPC_INFO_TAG: json.dumps({"host": "no-such-machine.invalid", "port": 4000})}
    runs = [run_in(instance, Status.STARTED, gone), run_in(instance, Status.STARTING, **tags)]
    assert sorted(launcher.close_dead_runs(instance)) == sorted(run.run_id for run in runs)


def test_a_run_that_has_just_started_may_report_its_process_later(instance, monkeypatch):
    run = run_in(instance, Status.STARTED)
    assert launcher.close_dead_runs(instance) == []
    monkeypatch.setattr(launcher, "GRACE", 0.0)
    assert launcher.close_dead_runs(instance) == [run.run_id]


def test_slots_of_dead_and_of_finished_runs_are_freed(instance, gone):
    log = instance.event_log_storage
    log.set_concurrency_slots("training", 2)
    dead, over, waiting = (
        run_in(instance, Status.STARTED, gone),
        run_in(instance, Status.FAILURE),
        run_in(instance, Status.STARTED, os.getpid()),
    )
    for run in (dead, over):
        assert log.claim_concurrency_slot("training", run.run_id, "step").is_claimed
    assert not log.claim_concurrency_slot("training", waiting.run_id, "step").is_claimed
    launcher.close_dead_runs(instance)
    assert log.claim_concurrency_slot("training", waiting.run_id, "step").is_claimed
    assert log.get_concurrency_info("training").active_run_ids == {waiting.run_id}


def test_a_run_of_the_command_line_is_stopped_by_a_signal(instance):
    words = [sys.executable, "-c", "import time; print(flush=True); time.sleep(600)"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        run = run_in(instance, Status.STARTED, process.pid)
        assert launcher.stop(instance, run)
        assert process.wait() != 0
    assert status(instance, run) == Status.CANCELING
    assert launcher.stop(instance, instance.get_run_by_id(run.run_id))
    assert status(instance, run) == Status.CANCELED
