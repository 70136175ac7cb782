"""One machine shared by many runs: pools, queue, retries, cancelling, and processes killed under a real daemon."""

import json
import signal

import psutil
import pytest

from tests.core.server import FileServer, Traps
from tests.pipeline.live.services import live, until

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]  # includes several starts of Dagster
ROOMS = "tests.pipeline.live.waiting_rooms"
LONG = {"preset": "debug", "training": {"epochs": 100_000, "checkpoint_minutes": 0.01}}


@pytest.fixture(scope="module")
def dagster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    (folder / "data").mkdir()
    with live(folder, ROOMS) as running:
        yield running


@pytest.fixture(autouse=True)
def room(dagster):
    """A closed door and an empty guest book; the door is opened afterwards, so that no step is left waiting."""
    folder = dagster.root / "data"
    (folder / "open").unlink(missing_ok=True)
    (folder / "book").write_text("")
    yield folder
    (folder / "open").touch()


def guests(room):
    return (room / "book").read_text().split()


def worker_of(dagster, run_id):
    """The process whose id is in the log of a run."""
    (line, *_) = [e["message"] for e in dagster.events(run_id) if "Started process for run (pid: " in e["message"]]
    return psutil.Process(int(line.partition("(pid: ")[2].partition(")")[0]))


def waits_for_its_pool(dagster, run_id):
    return any("blocked" in event["message"] for event in dagster.events(run_id))


def test_trainings_of_ui_and_command_line_take_turns(dagster, room):
    first = dagster.launch(["first"])
    until(lambda: guests(room))
    queued = dagster.launch(["second"])
    typed = dagster.begin("asset", "materialize", "-m", ROOMS, "--select", "second")
    (typed_run,) = until(lambda: [r["id"] for r in dagster.runs("STARTED") if r["id"] != first])
    until(lambda: waits_for_its_pool(dagster, typed_run))
    assert dagster.run(queued)["status"] == "QUEUED"
    assert guests(room) == ["first"]
    (room / "open").touch()
    for run in (first, queued, typed_run):
        dagster.wait(run)
    err = typed.communicate(timeout=280)[1]
    assert typed.returncode == 0, err
    assert guests(room) == ["first", "second", "second"]


def test_the_slot_of_a_killed_run_is_freed_for_the_next(dagster, room):
    killed = dagster.launch(["first"])
    until(lambda: guests(room))
    following = dagster.launch(["second"])
    worker_of(dagster, killed).kill()
    dagster.wait(killed, "FAILURE")
    until(lambda: guests(room) == ["first", "second"])
    (room / "open").touch()
    dagster.wait(following)


def test_after_a_power_cut_the_dead_run_is_failed_and_the_queue_resumes(dagster, room):
    dead = dagster.launch(["first"])
    until(lambda: guests(room))
    queued = dagster.launch(["second"])
    dagster.kill()
    assert dagster.processes() == []
    dagster.start()
    dagster.wait(dead, "FAILURE")
    assert "The run was interrupted: its process" in dagster.story(dead)
    until(lambda: guests(room) == ["first", "second"])
    (room / "open").touch()
    dagster.wait(queued)


def test_a_run_without_its_code_server_continues_and_can_be_cancelled(dagster, room):
    run = dagster.launch(["first"])
    until(lambda: guests(room))
    worker = worker_of(dagster, run)
    for process in dagster.processes():
        if process.pid != worker.pid:
            process.kill()
    dagster.kill(0)
    dagster.process.wait()
    dagster.start()
    assert worker.is_running()
    assert dagster.run(run)["status"] == "STARTED"
    dagster.terminate(run)
    dagster.wait(run, "CANCELED")
    psutil.wait_procs([worker], 30)
    assert not worker.is_running()


def test_only_downloads_with_a_transient_error_are_retried(dagster):
    with FileServer({"/file": b"x" * 100}, Traps(statuses=[503, 503])) as server:
        dagster.wait(run := dagster.launch(["fetched"], {"fetched": {"url": server.url("/file")}}))
        assert len(server.requests) == 3
        types = [event["eventType"] for event in dagster.events(run)]
        assert types.count("STEP_UP_FOR_RETRY") == 2
        (dagster.root / "data/fetched").unlink()
        dagster.wait(run := dagster.launch(["fetched"], {"fetched": {"url": server.url("/other")}}), "FAILURE")
        assert "STEP_UP_FOR_RETRY" not in [event["eventType"] for event in dagster.events(run)]


def test_a_cancelled_training_resumes(dagster):
    dagster.wait(dagster.launch(["mazes"], {"mazes": {"preset": "debug"}}))
    part = dagster.root / "data/.nav_model.partial/navigator"
    run = dagster.launch(["nav_model"], {"nav_model": LONG})
    until(lambda: len(epochs(part)) > 3)
    dagster.terminate(run)
    dagster.wait(run, "CANCELED")
    before = epochs(part)
    config = json.dumps({"ops": {"nav_model": {"config": LONG}}})
    typed = dagster.begin("asset", "materialize", "-m", ROOMS, "--select", "nav_model", "--config-json", config)
    until(lambda: len(epochs(part)) > len(before))
    typed.send_signal(signal.SIGINT)
    _, err = typed.communicate(timeout=280)
    assert typed.returncode != 0
    assert "run the same command again to resume" in err.splitlines()[-1]
    assert epochs(part)[: len(before)] == before  # with the seconds that each took: none was trained again


def epochs(folder):
    lines = folder / "metrics.jsonl"
    return [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
