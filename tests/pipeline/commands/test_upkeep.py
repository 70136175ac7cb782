"""`nsmodels upkeep`: old runs are removed with all their files, and nothing that the UI shows of assets is lost."""

import os
import shutil
import sys
import time
from pathlib import Path
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from pipeline.lib import store
from pipeline.lib.runs import pruning
from pipeline.lib.runs.history import current
from pipeline.upkeep import main
from tests.pipeline.live.services import create_history

REPOSITORY = Path(__file__).parents[3]
SEEDS = dg.StaticPartitionsDefinition(["0", "1"])


@dg.asset
def plain() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"accuracy": 0.5}, data_version=dg.DataVersion("one"))


@dg.asset(partitions_def=SEEDS)
def by_seed(context: dg.AssetExecutionContext) -> None:
    print("printed by seed", context.partition_key)


@dg.asset
def failing() -> None:
    raise ValueError("on purpose")


@dg.asset_check(asset=plain)
def is_good() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A folder with the project's own dagster.yaml, in which the commands store their history."""
    shutil.copy(REPOSITORY / "dagster.yaml", tmp_path)
    create_history(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    return tmp_path


def run(instance, *assets, partition: str | None = None, **options) -> str:
    done = dg.materialize(assets, instance=instance, partition_key=partition, raise_on_error=False, **options)
    return done.run_id


def ids(instance) -> set[str]:
    return {found.run_id for found in instance.get_runs()}


def test_old_runs_are_removed_completely_and_what_assets_show_is_kept(project, capsys):
    with current() as instance:
        checked = run(instance, plain, is_good)
        oldest = run(instance, plain)
        latest = run(instance, plain)
        seeds = {
            "0": [run(instance, by_seed, partition="0") for _ in range(2)],
            "1": [run(instance, by_seed, partition="1")],
        }
        failed = run(instance, failing)
        under_way = instance.run_storage.add_run(dg.DagsterRun(job_name="any", status=dg.DagsterRunStatus.STARTED))
        for run_id in (oldest, seeds["0"][0]):
            assert pruning.files_of_run(instance, run_id)
        everything = ids(instance)

    assert main(["--older-than", "0h", "--dry-run"]) == 0
    assert "1  to remove, with events and logs" in capsys.readouterr().out
    with pytest.raises(InputError, match="no terminal for the confirmation; add --yes"):
        main(["--older-than", "0h"])
    assert main(["--yes"]) == 0
    with current() as instance:
        assert ids(instance) == everything, "all are young"

    assert main(["--older-than", "0h", "--yes"]) == 0
    with current() as instance:
        assert ids(instance) == everything - {failed}, "the others are points of the plots"

    shard = project / ".dagster" / "history" / "history" / "runs" / f"{uuid4()}.db"
    shutil.copy(shard.with_name(f"{oldest}.db"), shard)
    capsys.readouterr()
    assert main(["--older-than", "0h", "--keep", "1", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "removed 2 runs" in out
    assert "1  logs of deleted runs" in out
    with current() as instance:
        assert ids(instance) == everything - {failed, oldest, seeds["0"][0]}
        last = instance.get_latest_materialization_event(dg.AssetKey("plain"))
        assert last.run_id == latest
        points = [record.run_id for record in instance.fetch_materializations(dg.AssetKey("plain"), limit=9).records]
        assert points == [latest, checked]
        assert instance.get_materialized_partitions(dg.AssetKey("by_seed")) == {"0", "1"}
        checks = instance.event_log_storage.get_latest_asset_check_execution_by_key([is_good.check_key])
        assert checks[is_good.check_key].run_id == checked
        assert instance.get_run_by_id(under_way.run_id)
        for run_id in (oldest, failed, seeds["0"][0], shard.stem):
            assert not pruning.files_of_run(instance, run_id)
        assert pruning.files_of_run(instance, latest)
    assert main(["--older-than", "0h", "--keep", "1", "--yes"]) == 0
    assert "nothing to remove" in capsys.readouterr().out


def test_runs_that_are_still_referenced_are_kept(project):
    with current() as instance:
        parent = run(instance, failing)
        lineage = {"dagster/parent_run_id": parent, "dagster/root_run_id": parent}
        child = dg.DagsterRun(
            job_name="any", status=dg.DagsterRunStatus.STARTED, tags=lineage, parent_run_id=parent, root_run_id=parent
        )
        instance.run_storage.add_run(child)
        requested = run(instance, failing, tags={"dagster/run_key": "of a sensor"})
        run(instance, failing)
    assert main(["--older-than", "0h", "--yes"]) == 0
    with current() as instance:
        assert ids(instance) == {parent, child.run_id, requested}


@pytest.mark.parametrize(
    "wrong", [["--older-than", "soon"], ["--older-than", "99999999999d"], ["--older-than", "9999w"], ["--keep", "0"]]
)
def test_invalid_input_is_an_error(project, wrong, monkeypatch):
    with pytest.raises(InputError, match="expected"):
        main(wrong)
    monkeypatch.chdir(project.parent)
    with pytest.raises(InputError, match=r"no dagster\.yaml"):
        main([])
    for place in ("missing", "."):
        monkeypatch.setenv("DAGSTER_HOME", place)
        with pytest.raises(InputError, match="give the absolute path"):
            main([])


def test_ticks_of_a_stopped_sensor_are_removed_after_their_retention(project, capsys):
    target = LoadableTargetOrigin(executable_path=sys.executable, module_name="any", attribute="any")
    repository = RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target), "any")
    origin = RemoteInstigatorOrigin(repository, "nightly")
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.STOPPED, SensorInstigatorData())
    with current() as instance:
        instance.add_instigator_state(state)
        for days in (8, 6):
            about = (state.instigator_origin_id, "nightly", state.instigator_type, TickStatus.SKIPPED)
            instance.create_tick(TickData(*about, time.time() - days * pruning.DAY, selector_id=state.selector_id))
    assert main(["--yes"]) == 0
    assert "1 ticks" in capsys.readouterr().out
    with current() as instance:
        assert len(instance.get_ticks(state.instigator_origin_id, state.selector_id)) == 1


def test_it_uses_the_history_of_dagster_home(project, tmp_path, monkeypatch, capsys):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    with dg.DagsterInstance.get() as instance:
        run(instance, failing)
    monkeypatch.chdir(REPOSITORY)
    assert main(["--older-than", "0h", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "removed 1 runs" in out
    assert str(home / "history") in out
    assert not list((home / "history" / "runs").glob("????????-*"))


def test_assets_of_a_data_root_that_moved_are_reused_and_shown_where_they_are(data, instance, tmp_path, monkeypatch):
    from pipeline.assets.datasets.mazes import mazes

    config = dg.RunConfig({"mazes": {"config": {"preset": "debug"}}}).to_config_dict()
    assert dg.materialize([mazes], run_config=config, instance=instance).success
    sealed = artifact.read_manifest(store.folder("mazes"))
    moved = Path(shutil.move(data, tmp_path / "elsewhere"))
    monkeypatch.setenv("NSMODELS_DATA", str(moved))
    assert dg.materialize([mazes], run_config=config, instance=instance).success
    shown = instance.get_latest_materialization_event(dg.AssetKey("mazes")).asset_materialization.metadata
    assert shown["is_reused"].value is True
    assert shown["path"].value == os.fspath(moved / "mazes")
    assert artifact.read_manifest(moved / "mazes") == sealed
