"""A signal during a step ends the whole run: in process, with the executor of the project."""

import os
import signal
import threading
import time

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run

from nsmodels.core import interrupts
from nsmodels.core.errors import InputError, Interrupted, TryLater
from pipeline.lib import step
from pipeline.lib.runs import console, supervision


def by_dagster():
    os.kill(os.getpid(), signal.SIGTERM)


def by_loop():
    with_own_handler()
    raise Interrupted("stopped in epoch 1")


def in_spite_of_it():
    with_own_handler()


def by_child():
    with_own_handler()
    raise InputError("a process was killed")


def by_child_of_a_bug():
    with_own_handler()
    raise RuntimeError("a process was killed")


def with_own_handler():
    handler = signal.signal(signal.SIGTERM, lambda *_: None)
    os.kill(os.getpid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, handler)


RETRY = dg.RetryPolicy(max_retries=3, delay=60)


def execute(instance, ends, retry=None):
    """A run of two assets with a check of the first, which ends as given."""
    console.install()

    @dg.asset(retry_policy=retry)
    def first(context: dg.AssetExecutionContext):
        with step.for_good_when_asked(context), step.one_line_errors():
            ends()

    @dg.asset_check(asset=first)
    def check():
        return dg.AssetCheckResult(passed=True)

    @dg.asset
    def second():
        pass

    parts = {"assets": [first, second], "asset_checks": [check], "executor": supervision.in_process}
    job = dg.Definitions(**parts).resolve_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, asset_selection=frozenset({first.key, second.key}))
    return execute_run(InMemoryJob(job), run, instance)


def types(done):
    return [event.event_type_value for event in done.all_events]


def status(instance, done):
    return instance.get_run_by_id(done.run_id).status.value


@pytest.mark.parametrize("retry", [None, RETRY], ids=["", "with retries"])
@pytest.mark.parametrize("ends", [by_dagster, by_loop, in_spite_of_it, by_child, by_child_of_a_bug])
def test_no_step_starts_after_a_signal_and_the_run_is_canceled(instance, capfd, ends, retry):
    done = execute(instance, ends, retry)
    assert status(instance, done) == "CANCELED"
    assert types(done).count("STEP_START") == 1
    assert "STEP_UP_FOR_RETRY" not in types(done)
    assert not interrupts.is_watched()
    assert "Stack Trace" not in capfd.readouterr().err


def test_a_signal_ends_the_wait_for_a_retry(instance):
    def ends():
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM)).start()
        raise TryLater("the server is busy")

    begin = time.monotonic()
    done = execute(instance, ends, RETRY)
    assert status(instance, done) == "CANCELED"
    assert "STEP_UP_FOR_RETRY" in types(done)
    assert time.monotonic() - begin < interrupts.GRACE


def test_the_console_has_one_line_for_bad_input_and_the_history_its_stack(instance, capfd):
    def ends():
        raise InputError("field 'epochs': expected 1 or more, got 0")

    done = execute(instance, ends)
    assert status(instance, done) == "FAILURE"
    lines = [line for line in capfd.readouterr().err.splitlines() if "got 0" in line or line.startswith(" ")]
    assert len(lines) == 1
    assert lines[0].endswith("Execution of step \"first\" failed. field 'epochs': expected 1 or more, got 0")
    (failure,) = [event for event in done.all_events if event.is_step_failure]
    assert failure.step_failure_data.error.stack


def test_the_console_keeps_the_traceback_of_a_bug_once(instance, capfd):
    def ends():
        return 1 // 0

    execute(instance, ends)
    err = capfd.readouterr().err
    assert err.count("return 1 // 0") == 1
    assert "ZeroDivisionError" in err
