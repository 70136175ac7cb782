"""Runs under a real daemon: pools, queue, retries, cancelling, killed processes, backfills of partitions."""

import json
import shutil
import signal

import psutil
import pytest

from nsmodels.core import discover
from tests.core.server import FileServer, Traps
from tests.imports import policies, recorded
from tests.pipeline.live.services import ROOT, live, until
from tests.pipeline.partitions.test_replicates import DIMES, PENNIES, sealed_at

pytestmark = [pytest.mark.live, pytest.mark.timeout(900)]  # includes several starts of Dagster
ROOMS = "tests.pipeline.live.waiting_rooms"
LONG = {"preset": "debug", "training": {"epochs": 100_000, "checkpoint_minutes": 0.01}}

PARTITIONS = """query ($key: [String!]!) { assetNodes(assetKeys: [{path: $key}]) { assetPartitionStatuses {
  ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } } } }"""


@pytest.fixture(scope="module")
def dagster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shared")
    (folder / "data").mkdir()
    given = {discover.VARIABLE: str(ROOT / "tests/example"), "PYTHONPATH": str(ROOT)}
    watched = recorded(folder / "imports", given)
    with live(folder, ROOMS, environment=watched) as running:
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


def test_after_a_power_cut_dead_runs_are_failed_and_the_queue_resumes_while_a_run_that_lives_can_be_cancelled(
    dagster, room
):
    dead = dagster.launch(["first"])
    lives = dagster.launch(["beside"])
    until(lambda: sorted(guests(room)) == ["beside", "first"])
    queued = dagster.launch(["second"])
    worker = worker_of(dagster, lives)
    dagster.kill(but=worker.pid)
    assert [process.pid for process in dagster.processes()] == [worker.pid]
    dagster.start()
    dagster.wait(dead, "FAILURE")
    assert "The run was interrupted: its process" in dagster.story(dead)
    until(lambda: guests(room)[2:] == ["second"])
    assert worker.is_running()
    assert dagster.run(lives)["status"] == "STARTED"
    dagster.terminate(lives)
    dagster.wait(lives, "CANCELED")
    psutil.wait_procs([worker], 30)
    assert not worker.is_running()
    (room / "open").touch()
    dagster.wait(queued)


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
    part = dagster.root / "data/.toy_encoder_model.partial/encoder"
    run = dagster.launch(["toy_encoder_model"], {"toy_encoder_model": LONG})
    until(lambda: len(epochs(part)) > 3)
    dagster.terminate(run)
    dagster.wait(run, "CANCELED")
    before = epochs(part)
    config = json.dumps({"ops": {"toy_encoder_model": {"config": LONG}}})
    words = ("asset", "materialize", "-m", ROOMS, "--select", "toy_encoder_model", "--config-json", config)
    typed = dagster.begin(*words)
    until(lambda: len(epochs(part)) > len(before))
    typed.send_signal(signal.SIGINT)
    _, err = typed.communicate(timeout=280)
    assert typed.returncode == 130
    assert err.splitlines()[-1] == "stopped; run the same command again, finished work is kept"
    assert "stopped in epoch" in err
    assert "Traceback" not in err
    assert epochs(part)[: len(before)] == before  # with the seconds that each took: none was trained again
    assert len(policies(dagster.root / "imports")) >= 2  # the worker of the UI's run, and the command
    assert set(policies(dagster.root / "imports").values()) == {"passive"}


def epochs(folder):
    lines = folder / "metrics.jsonl"
    return [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []


# --- partitions -----------------------------------------------------------------------------------------------------


def partitions(dagster, key):
    """What the UI shows as made and as failed."""
    found = dagster.graphql(PARTITIONS, key=[key])["assetNodes"][0]["assetPartitionStatuses"]
    return found["materializedPartitions"], found["failedPartitions"]


def test_a_backfill_of_two_data_sets_and_three_seeds_with_one_that_fails(dagster):
    data = dagster.root / "data"
    foreign = data / PENNIES / "1" / "model"
    foreign.mkdir(parents=True)
    (foreign / "mine.txt").write_text("somebody's own")
    config = {key: {"preset": "debug"} for key in (PENNIES, DIMES)}
    dagster.backfill(list(config), ["0", "1", "2"], config)
    (run,) = until(lambda: [run for run in dagster.runs() if "dagster/backfill" in run["tags"]], 120)  # one for all
    dagster.wait(run["id"], "FAILURE")
    assert partitions(dagster, PENNIES) == (["0", "2"], ["1"])
    assert partitions(dagster, DIMES) == (["0", "1", "2"], [])
    before = sealed_at(data, "*_replicates")
    assert len(before) == 10
    shutil.rmtree(foreign)
    dagster.wait(dagster.launch([PENNIES], config, partition="1"))
    assert partitions(dagster, PENNIES) == (["0", "1", "2"], [])
    after = sealed_at(data, "*_replicates")
    assert {path: after[path] for path in before} == before
    assert len(after) == 12


def test_the_command_makes_a_range_of_two_data_sets(dagster):
    config = {"ops": {key: {"config": {"preset": "debug"}} for key in (PENNIES, DIMES)}}
    select = ["--select", f"{PENNIES},{DIMES}", "--partition-range", "3...4"]
    dagster.command("asset", "materialize", "-m", "tests.pipeline.coins", *select, "--config-json", json.dumps(config))
    made = {seed for seed in ("3", "4") for key in (PENNIES, DIMES) if (dagster.root / "data" / key / seed).is_dir()}
    assert made == {"3", "4"}
    assert partitions(dagster, DIMES)[0][-2:] == ["3", "4"]
