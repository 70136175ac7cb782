"""The check `seal`: every asset has one, it finds a changed byte in any partition, and the night takes what exists."""

import os

import dagster as dg
import pytest

from nsmodels.core import artifact
from pipeline.definitions import defs
from pipeline.lib.automation import seals


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def repository():
    return defs().get_repository_def()


def seal(root, key):
    with artifact.build(root / key, key=key, maker="tests", config={}, code_version="1") as part:
        (part.path / "words.txt").write_text("words")


def harm(root, key):
    """A changed byte that size and time of the file do not show."""
    path = root / key / "words.txt"
    state = path.stat()
    path.write_text("wordz")
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_every_asset_has_the_check(repository):
    graph = repository.asset_graph
    assert {key.asset_key for key in graph.asset_check_keys if key.name == seals.NAME} == graph.get_all_asset_keys()


def test_the_night_checks_what_exists(repository, root):
    schedule = repository.get_schedule_def("nightly_seals")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED

    def tick():
        with dg.build_schedule_context(repository_def=repository) as context:
            return schedule.evaluate_tick(context)

    assert tick().skip_message == "no artifact exists yet"
    for key in ("mazes", "nav_replicates/3/model", "mine"):
        seal(root, key)
    (request,) = tick().run_requests
    assert not request.asset_selection
    assert request.asset_check_keys == [
        dg.AssetCheckKey(dg.AssetKey(key), seals.NAME) for key in ("mazes", "nav_replicates")
    ]


def test_the_run_of_the_night_names_the_file_that_differs_in_a_partition_too(repository, root):
    for key in ("mazes", "nav_model", "nav_replicates/3/model", "nav_replicates/4/model"):
        seal(root, key)
    harm(root, "nav_replicates/4/model")
    chosen = [dg.AssetCheckKey(dg.AssetKey(key), seals.NAME) for key in ("mazes", "nav_model", "nav_replicates")]
    job = repository.get_job(seals.JOB).get_subset(asset_check_selection=set(chosen))
    done = job.execute_in_process()
    found = {event.asset_key.to_user_string(): event for event in done.get_asset_check_evaluations()}
    assert {name: event.passed for name, event in found.items()} == {
        "mazes": True, "nav_model": True, "nav_replicates": False,
    }  # fmt: skip
    assert str(root / "nav_replicates" / "4" / "model" / "words.txt") in found["nav_replicates"].description
    assert found["nav_replicates"].metadata["num_artifacts"].value == 2
    (root / "mazes" / "extra.bits").write_text("x")
    assert [verdict.state for verdict in seals.verdicts(dg.AssetKey("mazes"), is_quick=True)] == ["foreign"]
