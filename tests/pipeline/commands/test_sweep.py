"""A sweep: invalid input, names of trials, what is queued, what is finished and kept."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.execution.backfill import BulkActionStatus

from nsmodels.core.artifact import read_manifest
from pipeline import definitions, sweep
from pipeline.definitions import defs
from pipeline.lib.partitions.trials import Trial
from pipeline.lib.runs import history
from tests.pipeline import coins
from tests.pipeline.jobs import job_of
from tests.pipeline.live.services import ROOT, create_history

KEY = "nav_trials"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("moon lr=1", "error: sweep: no model or data set 'moon'; give one of: "),
        ("nav_model --preset debgu", "error: sweep: no preset 'debgu'; did you mean debug? (there are: debug, "),
        ("nav_modle lr=1", "error: sweep: no model or data set 'nav_modle'; did you mean nav_model"),
        (
            "nav_model --preset debug --seeds 0...999999999",
            "error: --seeds 0...999999999: expected at most 10,000 seeds",
        ),
        (
            "nav_model --preset debug --seeds 0...9999 lr=1e-3,1e-4",
            "error: sweep: 20,000 combinations; expected at most",
        ),
        ("nav_model --preset debug lerning=3", "error: sweep: unknown field 'lerning' "),
        ("nav_model --preset debug lr=1e-3,x", "error: sweep: field 'training.lr': Input should be a valid number"),
        ("nav_model --preset debug model.dim=0,32", "error: sweep: field 'model.dim': Input should be greater"),
        ("nav_model --preset debug training.curriculum=true", "error: sweep: training.curriculum: the navigator has "),
        ("nav_model --preset debug lr", "error: sweep: expected field=value,value "),
        ("nav_model --preset debug lr=", "error: sweep: expected field=value,value "),
        ("nav_model --preset debug lr=1 training.lr=2", "error: sweep: expected each field once"),
        ("nav_model --preset debug --seeds 4...0", "error: --seeds: expected whole numbers as in 0...4 or 0,3,5"),
        ("nav_model --preset debug --seeds x", "error: --seeds: expected whole numbers"),
    ],
)
def test_invalid_input_is_one_line_and_queues_nothing(data, tmp_path, monkeypatch, capsys, words, line):
    monkeypatch.chdir(tmp_path)
    assert sweep.main(words.split()) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(line)
    assert not list(tmp_path.iterdir())


def test_without_a_project_there_is_no_queue(data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    assert sweep.main(["nav_model", "--preset", "debug"]) == 2
    assert "no dagster.yaml here" in capsys.readouterr().err
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "missing"))
    assert sweep.main(["nav_model", "--preset", "debug"]) == 2
    assert "missing: no such folder" in capsys.readouterr().err


def test_every_combination_is_a_trial_with_a_readable_name():
    found = sweep.plan("mazes", "debug", ["lr=1e-3,3e-3", "baseline_training.lr=0.1"], [0, 1])
    assert list(found.trials) == [
        "debug_baseline_training.lr=0.1_lr=0.001_seed=0",
        "debug_baseline_training.lr=0.1_lr=0.001_seed=1",
        "debug_baseline_training.lr=0.1_lr=0.003_seed=0",
        "debug_baseline_training.lr=0.1_lr=0.003_seed=1",
    ]
    assert found.trials["debug_baseline_training.lr=0.1_lr=0.001_seed=1"].values["training.seed"] == 1


def test_names_that_are_long_or_no_valid_folder_names_remain_distinct():
    words = ["perception.backbone=a/b,a-b", "baseline.channels=[1, 2],[3]", "device=cpu"]
    names = list(sweep.plan("clevr_mini_model", "debug", words).trials)
    assert len(set(names)) == 4
    assert all("/" not in name and len(name) < 120 for name in names)
    assert names[0].startswith("debug_channels=1-2_backbone=a-b_device=cpu_")


def test_what_is_queued_is_not_queued_again_and_what_was_cancelled_is(data, instance):
    planned = sweep.plan("nav_model", "debug", ["lr=1e-3,3e-3"])
    assert set(sweep.states(planned, instance).values()) == {"to do: no artifact yet"}
    mark = sweep.queue(planned, list(planned.trials), instance)
    assert set(instance.get_dynamic_partitions(KEY)) == set(planned.trials)
    backfill = instance.get_backfill(mark)
    assert backfill.asset_selection == [dg.AssetKey(KEY)]
    assert json.loads((data / KEY / "debug_lr=0.001" / "trial.json").read_text())["values"] == {"training.lr": 0.001}
    more = sweep.plan("nav_model", "debug", ["lr=1e-3,3e-3,5e-3"])
    found = sweep.states(more, instance)
    assert [name for name, state in found.items() if state == sweep.RUNNING] == list(planned.trials)
    instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELED))
    assert all(state.startswith(sweep.TO_DO) for state in sweep.states(more, instance).values())


def test_a_run_under_way_counts_as_running(data, instance):
    planned = sweep.plan("nav_model", "debug", ["lr=1e-3"])
    (name,) = planned.trials
    job = job_of(defs(), [KEY])
    keys = frozenset({dg.AssetKey(KEY)})
    status, tags = dg.DagsterRunStatus.STARTED, {"dagster/partition": name}
    instance.create_run_for_job(job, status=status, tags=tags, asset_selection=keys)
    assert sweep.states(planned, instance) == {name: sweep.RUNNING}


def test_trials_run_here_too_and_a_second_time_only_unfinished_ones(data, instance):
    (repeated, _), names = coins.TRIALS, ["good", "bad"]
    of_seed = {name: Trial("debug", {"training.seed": seed}) for name, seed in zip(names, (3, 4), strict=True)}
    planned = sweep.Sweep(repeated, of_seed, lambda: coins.defs)
    data.mkdir()
    (data / coins.UNLUCKY).write_text("4 stops")
    failed = sweep.execute(planned, names, instance)
    assert failed == {"bad": "pennies_trials: 1 of 1 failed: bad: the coin fell on its edge"}
    assert read_manifest(data / "pennies_trials" / "good" / "model").seed == 3
    assert sweep.states(planned, instance) == {"good": sweep.FINISHED, "bad": "to do: no artifact yet"}
    (record,) = instance.fetch_materializations(dg.AssetKey("pennies_trials"), limit=9).records
    assert record.partition_key == "good"
    (data / coins.UNLUCKY).write_text("")
    assert sweep.execute(planned, ["bad"], instance) == {}
    assert set(sweep.states(planned, instance).values()) == {sweep.FINISHED}


@pytest.fixture
def project(data, tmp_path, monkeypatch) -> Path:
    """A working directory for the command, with trainings that take no time; returns the data root."""
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    create_history(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    monkeypatch.setattr(sweep, "trainings", lambda: coins.TRAININGS)
    monkeypatch.setattr("pipeline.definitions.defs", lambda: coins.defs)
    data.mkdir()
    return data


def typed(words: str) -> int:
    return sweep.main(["--preset", "debug", *words.split()])


def swept(folder: str, words: str) -> int:
    """The command in a process of its own: what Dagster does to the streams of a process, pytest's may not survive."""
    os.chdir(folder)
    sweep.trainings = lambda: coins.TRAININGS
    definitions.defs = lambda: coins.defs
    return typed(words)


def test_a_signal_ends_the_whole_sweep_in_one_line_and_the_same_command_resumes_it(project, child):
    for name, status in (("SIGINT", 130), ("SIGTERM", 143)):
        (project / coins.UNLUCKY).write_text(f"3 gets {name}")
        process = child(swept, str(Path.cwd()), "pennies --seeds 3,4 --local")
        out, err = process.communicate()
        assert process.returncode == status
        assert out.splitlines()[-1] == "[1/2] debug_seed=3"
        assert err == "stopped; run the same command again, finished work is kept\n"
    (project / coins.UNLUCKY).write_text("")
    process = child(swept, str(Path.cwd()), "pennies --seeds 3,4 --local")
    assert "pennies_trials/debug_seed=4" in process.communicate()[0]
    assert process.returncode == 0


def test_what_failed_is_named_without_tracebacks_also_when_nothing_was_scored_on_these_data(project, child):
    shutil.rmtree(".dagster")  # the first command creates the history
    process = child(swept, str(Path.cwd()), "dimes --seeds 1 --local")
    process.communicate()
    assert process.returncode == 0
    (project / coins.UNLUCKY).write_text("3 stops")
    process = child(swept, str(Path.cwd()), "pennies --seeds 3 --local")
    first, second = process.communicate()[1].splitlines()
    assert process.returncode == 1
    assert first.startswith("error: debug_seed=3: ")
    assert first.endswith("the coin fell on its edge")
    assert second == "run the same command again to retry the failed trials only"


def begin(name: str, process: int) -> None:
    """Record a run of a trial in the history, as the process with this id would have."""
    with history.current() as instance:
        asset = dg.AssetKey("pennies_trials")
        job = coins.defs.get_repository_def().get_implicit_job_def_for_assets([asset])
        assert job
        about = {"tags": {"dagster/partition": name}, "asset_selection": frozenset({asset})}
        run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, **about)
        instance.report_engine_event("works", run, EngineEventData.in_process(process))


def test_a_trial_that_runs_elsewhere_is_skipped_and_one_whose_process_died_is_not_waited_for(
    project, capsys, monkeypatch
):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        begin("debug_seed=3", process.pid)
        assert typed("pennies --seeds 3 --local") == 1
        assert "error: debug_seed=3: skipped: queued or running elsewhere" in capsys.readouterr().err
        assert typed("pennies --seeds 3") == 0
        assert capsys.readouterr().err == f"{sweep.NO_DAEMON}\n"

        # It dies while it is waited for.
        monkeypatch.setattr(sweep, "time", SimpleNamespace(sleep=lambda _: (process.kill(), process.wait())))
        assert typed("pennies --seeds 3 --wait") == 1
    errors = capsys.readouterr().err.splitlines()
    assert errors[0] == sweep.NO_DAEMON
    assert errors[1].endswith("was interrupted earlier; marked as failed")
    assert errors[2].startswith("error: debug_seed=3: not finished")
    assert typed("pennies --seeds 3 --dry-run") == 0
    assert "debug_seed=3  to do: no artifact yet" in capsys.readouterr().out
