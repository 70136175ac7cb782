"""Searches: resumed after a kill, shared by processes, pruned, confirmed, refused in a line, and what they seal."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
import pytest
import yaml

from nsmodels.__main__ import main
from nsmodels.core import artifact, discover
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.studies.search import job, report, worker
from nsmodels.studies.search.config import presets_of, search_of
from nsmodels.studies.search.sampling import next_values, pruner_of
from nsmodels.studies.search.storage import COMPLETE, JOURNAL, PRUNED, Journal
from nsmodels.studies.search.target import Target
from tests.studies.searching import (
    DIM,
    LR,
    UNUSED,
    config_of,
    found,
    make_dots,
    report_of,
    started,
    timeless,
    toy_in_registry,
)

pytestmark = pytest.mark.usefixtures("one_thread", "toy")
LONG = {"values": {"training": {"epochs": 30, "device": "cpu", "lr": 1e-3}}, "num_trials": 5}

HYPERBAND = {"pruner": "hyperband", "prune_after": 0.1, "num_trials": 40}


@pytest.fixture(scope="module")
def toy() -> Iterator[None]:
    with toy_in_registry():
        yield


@pytest.fixture(scope="module")
def data(toy: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_dots(tmp_path_factory.mktemp("data") / "dots")


class Recorder:
    """A tracker that keeps its records."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def epoch(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def close(self) -> None:
        """Nothing to close."""


@pytest.fixture(scope="module")
def searched(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorder]:
    """A search that nothing has interrupted, and what its tracker received."""
    folder, recorder = tmp_path_factory.mktemp("search") / "toy_search", Recorder()
    found(data, folder, trackers=(recorder,), **LONG)
    return folder, recorder


# --- what is sealed --------------------------------------------------------------------------------------------------


def test_the_first_trial_is_the_configuration_as_it_is_and_the_best_is_confirmed_with_fresh_seeds(searched) -> None:
    report = report_of(searched[0])
    assert report["trials"][0]["values"] == {"training.lr": 1e-3, "model.dim": 8}
    assert [trial["number"] for trial in report["trials"]] == list(range(5))
    assert all(trial["outcome"] == "finished" and trial["epochs"] == 30 for trial in report["trials"])
    best = min(report["trials"], key=lambda trial: trial["value"])
    assert report["best"] == best["number"] != 0
    confirmed = report["confirmation"]
    assert confirmed["seeds"] == [101, 102]
    gains = [before - after for before, after in zip(confirmed["unchanged"], confirmed["best"], strict=True)]
    assert confirmed["gains"] == pytest.approx(gains)
    assert confirmed["low"] < confirmed["gain"] < confirmed["high"]
    assert set(confirmed["unchanged"]).isdisjoint({report["trials"][0]["value"]}), "the seeds are not fresh"
    table = (searched[0] / "table.txt").read_text()
    assert "the best of 5 is optimistic" in table
    assert "fresh seeds (101, 102)" in table


def test_everything_is_sealed_and_no_checkpoint_stays(searched) -> None:
    folder, recorder = searched
    manifest = artifact.verify(folder)
    assert {"report.json", "table.txt", "trials.parquet", "best.yaml", JOURNAL} <= manifest.files.keys()
    for name in ("toy_search", "parallel_coordinates", "importance", "slices"):
        assert {f"figures/{name}.pdf", f"figures/{name}.png"} <= manifest.files.keys()
    assert not [name for name in manifest.files if name.endswith((".pt", ".part", "search.json"))]
    frame = pd.read_parquet(folder / "trials.parquet")
    report = report_of(folder)
    assert frame["training.lr"].tolist() == [trial["values"]["training.lr"] for trial in report["trials"]]
    assert [len(json.loads(curve)) for curve in frame["curve"]] == [30] * 5
    assert manifest.metrics["best/value"] == report["trials"][report["best"]]["value"]
    assert manifest.metrics["num_finished"] == 5
    assert [record["epoch"] for record in recorder.records] == [1, 2, 3, 4, 5]


def test_an_equal_search_is_reused_and_the_number_of_processes_makes_no_other(searched, data: Path) -> None:
    folder, _ = searched
    before = (folder / "manifest.json").stat().st_mtime_ns
    found(data, folder, **LONG, num_workers=2)
    assert (folder / "manifest.json").stat().st_mtime_ns == before


def test_the_training_takes_the_best_configuration_as_it_is(searched, data: Path, tmp_path: Path) -> None:
    report = report_of(searched[0])
    words = ["toy", "train", "encoder", "--data", str(data), "--out", str(tmp_path / "model")]
    assert main([*words, "--preset", "debug", "--config", str(searched[0] / "best.yaml")]) == 0
    manifest = artifact.read_manifest(tmp_path / "model")
    best = report["trials"][report["best"]]
    assert manifest.config["training"]["lr"] == best["values"]["training.lr"]
    assert manifest.config["model"]["dim"] == best["values"]["model.dim"]
    history = json.loads((tmp_path / "model" / "history.json").read_text())["encoder"]
    assert min(row["val/loss"] for row in history) == best["value"], "not the training that was searched"


def test_the_field_that_matters_is_the_most_important(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    few = {"training": {"epochs": 4, "device": "cpu", "lr": 1e-3}}
    found(data, folder, values=few, num_trials=12, space=[LR, UNUSED], sampler="random", confirmation_seeds=[])
    importance = report_of(folder)["importance"]
    assert next(iter(importance)) == "training.lr"
    assert importance["training.lr"] > 0.7  # of 12 trials a field without effect has some of it, too


# --- killed and shared -----------------------------------------------------------------------------------------------


def wait_for(path: Path, process: Any) -> None:
    while not path.exists():
        assert process.poll() is None, process.communicate()[1].decode()
        time.sleep(0.005)


def test_a_killed_search_resumes_to_the_same_trials_and_result(searched, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "toy_search"
    trials = job.folder_of(folder) / "trials"
    process = started(data, folder, **LONG)
    wait_for(trials / "002" / "encoder" / "history.json", process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    study = optuna.load_study(
        study_name="search", storage=Journal(trials.parent, "min", optuna.pruners.NopPruner()).storage
    )
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "COMPLETE", "RUNNING"]
    kept = (trials / "000" / "encoder" / "history.json").stat().st_mtime_ns
    found(data, folder, **LONG)
    assert (folder / "trials" / "000" / "encoder" / "history.json").stat().st_mtime_ns == kept
    assert timeless(report_of(folder)) == timeless(report_of(searched[0]))
    epochs = (folder / "trials" / "002" / "epochs.log").read_text().count("epoch ")
    assert abs(epochs - 30) <= 1  # of both runs; killed between saving an epoch and logging it, or the reverse
    assert (folder / "best.yaml").read_text() == (searched[0] / "best.yaml").read_text()


def test_processes_share_a_study_and_do_no_trial_twice(searched, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "toy_search"
    process = started(data, folder, **LONG, num_workers=2)
    wait_for(job.folder_of(folder) / "trials" / "000" / "encoder" / "history.json", process)
    worker.join(job.folder_of(folder))
    _, err = process.communicate()
    assert process.returncode == 0, err.decode()
    report = report_of(folder)
    assert [trial["outcome"] for trial in report["trials"]] == ["finished"] * 5
    assert report["trials"][0] | {"cpu_seconds": 0} == report_of(searched[0])["trials"][0] | {"cpu_seconds": 0}
    logs = sorted(folder.glob("trials/*/epochs.log"))
    assert [log.read_text().count("epoch ") for log in logs] == [30] * 5
    assert len(report["confirmation"]["gains"]) == 2
    places = [path.parent.relative_to(folder / "confirmation").as_posix() for path in folder.glob("*/*/*/result.json")]
    assert sorted(places) == ["best/101", "best/102", "unchanged/101", "unchanged/102"]


def test_what_a_failed_machine_left_half_written_does_not_spoil_the_study(data: Path, tmp_path: Path) -> None:
    pruner = optuna.pruners.NopPruner()
    target, config = Target.of(discover.system("toy"), "encoder"), config_of()
    axes = target.axes(config)
    Journal(tmp_path, "min", pruner).add(target.unchanged(config, axes), axes)
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write('{"op_code": 5, "wor')
    again = Journal(tmp_path, "min", pruner)
    again.end(0, optuna.trial.TrialState.COMPLETE, 0.5, {})
    assert [trial.value for trial in Journal(tmp_path, "min", pruner).trials] == [0.5]


def test_what_a_full_disk_left_half_written_does_not_spoil_the_study_of_others(data: Path, tmp_path: Path) -> None:
    target, config = Target.of(discover.system("toy"), "encoder"), config_of()
    axes, journal = target.axes(config), Journal(tmp_path, "min", optuna.pruners.NopPruner())
    journal.add(target.unchanged(config, axes), axes)
    with (tmp_path / JOURNAL).open("a") as stream:
        stream.write('{"op_code": 5, "wor')
    journal.end(0, optuna.trial.TrialState.COMPLETE, 0.5, {})
    assert [trial.value for trial in Journal(tmp_path, "min", optuna.pruners.NopPruner()).trials] == [0.5]


def many_trials(folder: Path, num: int) -> tuple[Target, Any, Journal]:
    """A study by Hyperband of so many trials, each of which was reported by one process; rates near .01 are best."""
    target, config = Target.of(discover.system("toy"), "encoder"), config_of(**HYPERBAND)
    journal, axes = Journal(folder, "min", pruner_of(config, 12)), target.axes(config)
    for number in range(num):
        values = next_values(target, config, journal.study, axes)
        assert values
        journal.add(values, target.widened(config, axes))
        curve = [abs(math.log10(values["training.lr"]) + 2) + 1 / epoch for epoch in range(1, 13)]
        is_stopped = any(journal.report(number, epoch, value) for epoch, value in enumerate(curve, 1))
        end = (PRUNED, None) if is_stopped else (COMPLETE, curve[-1])
        journal.end(number, *end, {})
    return target, config, journal


def test_every_process_draws_the_same_next_trial_with_hyperband(tmp_path: Path) -> None:
    """Its brackets, from whose trials is drawn, are counted when a process first asks it."""
    target, config, journal = many_trials(tmp_path, 30)
    again, axes = Journal(tmp_path, "min", pruner_of(config, 12)), target.axes(config)
    assert {trial.state for trial in again.trials} == {PRUNED, COMPLETE}
    found = [next_values(target, config, each.study, axes) for each in (journal, again)]
    assert found[0] == found[1]


def test_a_decision_to_stop_a_trial_stays_when_it_is_killed_before_its_end(tmp_path: Path) -> None:
    target, config, journal = many_trials(tmp_path, 8)
    axes = target.axes(config)
    number = journal.add(target.unchanged(config, axes) | {"training.lr": 1e-4}, target.widened(config, axes))
    epochs = next(epoch for epoch in range(1, 13) if journal.report(number, epoch, 50.0))
    again = Journal(tmp_path, "min", pruner_of(config, 12))
    assert [again.report(number, epoch, 50.0) for epoch in range(1, epochs + 1)][-1]


# --- samplers, pruners, trials that fail -----------------------------------------------------------------------------


@pytest.mark.parametrize(("pruner", "more"), [("median", {"min_finished": 2}), ("hyperband", {"prune_after": 0.1})])
def test_a_trial_without_prospects_is_stopped(data: Path, tmp_path: Path, pruner: str, more: dict[str, Any]) -> None:
    folder = tmp_path / "search"
    words = ["training.lr=1e-3,1e-2,3e-2,5e-2,1e-7,2e-7"]
    found(data, folder, sampler="grid", pruner=pruner, space=words, confirmation_seeds=[], **more)
    trials = report_of(folder)["trials"]
    assert trials[0]["values"] == {"training.lr": 1e-3}
    assert len(trials) == 6, "a combination was trained twice"
    stopped = [trial for trial in trials if trial["outcome"] == "stopped"]
    assert {trial["values"]["training.lr"] for trial in stopped} & {1e-7, 2e-7}
    for trial in stopped:
        assert trial["epochs"] < 12
        assert trial["value"] is None
        assert trial["curve"][-1][0] == trial["epochs"]
    assert artifact.read_manifest(folder).metrics["num_stopped"] == len(stopped)


def test_a_combination_that_cannot_be_is_a_failed_trial_with_its_reason(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "search"
    words = ["training.batch_size=2,16", "training.accumulate_steps=1,4"]
    found(data, folder, space=words, num_trials=4, confirmation_seeds=[])
    trials = report_of(folder)["trials"]
    assert sorted(trial["outcome"] for trial in trials) == ["failed", "finished", "finished", "finished"]
    (failed,) = [trial for trial in trials if trial["outcome"] == "failed"]
    assert failed["values"] == {"training.batch_size": 2, "training.accumulate_steps": 4}
    assert failed["reason"].startswith("search: training: batch_size: 2 samples cannot be split into 4 parts")
    assert f"trial {failed['number']}: {failed['reason']}" in (folder / "table.txt").read_text()


def test_a_training_that_diverges_is_a_failed_trial_with_its_reason(data: Path, tmp_path: Path) -> None:
    words, heavy = ["training.lr=1e-3,10.0"], {"training.weight_decay": 10.0}
    found(data, tmp_path / "search", sampler="grid", space=words, values=heavy, confirmation_seeds=[])
    trials = report_of(tmp_path / "search")["trials"]
    assert [trial["outcome"] for trial in trials] == ["finished", "failed"]
    assert "usual remedies: lower lr" in trials[1]["reason"]
    assert (tmp_path / "search" / "best.yaml").read_text().splitlines()[1].startswith("# no trial of 2 is better")


def test_a_range_in_which_hardly_anything_fits_comes_to_its_end(data: Path, tmp_path: Path) -> None:
    few = {"training": {"epochs": 1, "device": "cpu", "lr": 1e-3}}
    words = ["training.lr=1e-3...1.0000000000000002e-3"]
    found(data, tmp_path / "search", values=few, num_trials=4, space=words, confirmation_seeds=[])
    assert len(report_of(tmp_path / "search")["trials"]) == 4


@pytest.mark.parametrize(("failed", "line"), [("best", "not confirmed"), ("unchanged", "no interval")])
def test_a_configuration_that_fails_with_a_fresh_seed_is_not_confirmed(searched, failed: str, line: str) -> None:
    found = report_of(searched[0])
    confirmed = found["confirmation"] | {"low": None, "high": None}
    values = {"best": [0.1, 0.2], "unchanged": [0.3, 0.6]}
    values[failed] = [values[failed][0], None]
    text = report.table(found | {"confirmation": confirmed | values | {"gain": 0.2, "gains": [0.2]}})
    assert f"{failed}: failed with seed 102" in text
    assert "best 0.1, unchanged 0.3" in text
    assert line in text
    assert ": confirmed" not in text


def test_the_best_configuration_is_sealed_with_what_fresh_seeds_say_of_it(searched) -> None:
    text = (searched[0] / "best.yaml").read_text()
    (line,) = [line for line in (searched[0] / "table.txt").read_text().splitlines() if line.startswith("gain,")]
    assert f"# {line}" in text.splitlines()


def test_a_field_that_decides_by_what_trials_are_compared_is_refused() -> None:
    system = discover.system("nav")
    config = search_of(system.presets["debug"](), space=["model.core=value,conv"])
    target = Target.of(system)
    for each in (target, target.at(config)):
        with pytest.raises(InputError, match=r"model.core: decides by what trials are compared"):
            each.axes(config)


@pytest.mark.parametrize(
    ("name", "core", "field"),
    [
        ("natural", {}, "max_val_images=10,20"),
        ("natural", {}, "val_split=val,testdev"),
        ("nav", {"model.core": "value"}, "objective.cost_weight=0.05,0.5"),
    ],
)
def test_a_field_that_changes_the_measure_and_not_the_model_is_refused(name: str, core: Any, field: str) -> None:
    system = discover.system(name)
    config = search_of(system.presets["debug"]().with_values(core), space=[field])
    with pytest.raises(InputError, match=rf"{field.partition('=')[0]}: changes val/\w+, by which trials are compared"):
        Target.of(system).axes(config)


def test_a_weight_may_be_searched_where_trials_are_compared_by_something_else() -> None:
    system = discover.system("nav")
    config = search_of(system.presets["debug"]().with_values({"model.core": "conv"}), space=["cost_weight=0.05,0.5"])
    assert list(Target.of(system).axes(config)) == ["objective.cost_weight"]


def test_the_combinations_of_a_grid_are_made_once(data: Path, tmp_path: Path) -> None:
    made = []

    class Counting(Target):
        def combinations(self, config: Any, axes: Any) -> list[dict[str, Any]]:
            made.append(axes)
            return super().combinations(config, axes)

    few = {"training": {"epochs": 1, "device": "cpu", "lr": 1e-3}}
    config = config_of(few, sampler="grid", space=["model.dim=4,8,16"], confirmation_seeds=[])
    target = Counting.of(discover.system("toy"), "encoder")
    begun = job.Job(target, config, Inputs.of(data), tmp_path)
    begun.write()
    process = worker.Worker(begun)
    process.run()
    assert [trial.params["model.dim"] for trial in process.journal.trials] == [8, 4, 16]
    assert len(made) == 1


def test_fields_of_a_network_that_is_not_trained_are_refused() -> None:
    system = discover.system("graph")
    config = search_of(system.presets["debug"](), space=["baseline_training.lr=1e-3,1e-2"])
    with pytest.raises(InputError, match=r"baseline_training.lr: is of a different network; the search trains the"):
        Target.of(system).axes(config)


@pytest.mark.parametrize("space", [DIM, "model.dim=6...8"])
def test_a_finite_space_has_no_trial_twice(space: str, data: Path, tmp_path: Path) -> None:
    found(data, tmp_path / "search", space=[space], num_trials=50, confirmation_seeds=[], values={"training.epochs": 1})
    values = [trial["values"]["model.dim"] for trial in report_of(tmp_path / "search")["trials"]]
    assert values[0] == 8
    assert sorted(values) == ([4, 8, 16] if space == DIM else [6, 7, 8])


@pytest.mark.parametrize(
    ("space", "more", "line"),
    [
        (["moon=1,2"], {}, "search: unknown field 'moon' of this training"),
        (["training.lr=fast"], {}, "search: field 'training.lr': Input should be a valid number"),
        (["training.lr=-1,1"], {}, "search: field 'training.lr': Input should be greater than 0"),
        (["training.lr=1e-1...1e-3"], {}, "search: training.lr: expected LOW...HIGH, numbers, the smaller first"),
        (
            ["training.weight_decay=0.0...1.0:log"],
            {},
            "search: training.weight_decay: expected LOW...HIGH, numbers above",
        ),
        (["training.lr="], {}, None),
        (["lr=1e-3,1e-2", "training.lr=1"], {}, "search: expected each field once"),
        (["training.lr=1e-3,1e-3"], {}, "search: training.lr: expected each value once"),
        (["training.gamma=0.1,0.2"], {}, "search: 'training.gamma' has no effect with scheduler=cosine"),
        (["training.epochs=2,3"], {}, "search: training.epochs: trials with unequal epochs are not comparable"),
        (["training.monitor=val/loss,train/loss"], {}, "search: training.monitor: trials with unequal monitor are not"),
        (["training.num_workers=0,1"], {}, "search: training.num_workers: never changes a result"),
        (["training.clip_norm"], {}, "search: training.clip_norm: give its values"),
        (["training.lr=1e-3...1e-1"], {"sampler": "grid"}, "search: training.lr: a grid takes a list of values"),
        (["training.wandb_tags=[a],[b]"], {}, "search: 'training.wandb_tags' has no effect"),
        (
            ["training.weight_decay=1e-4...1e-1:log"],
            {"values": {"training.weight_decay": 0.0}},
            "search: training.weight_decay: is now 0, which a logarithmic scale cannot include",
        ),
    ],
)
def test_a_space_that_makes_no_sense_is_refused_in_a_line(space, more, line, data: Path, tmp_path: Path) -> None:
    if line is None:  # a field alone, and one without values, have those of the system
        assert found(
            data, tmp_path / "s", space=space, num_trials=2, confirmation_seeds=[], values={"training.epochs": 1}
        )
        return
    with pytest.raises(InputError) as caught:
        found(data, tmp_path / "search", space=space, **more)
    assert str(caught.value).startswith(line)
    assert not (tmp_path / "search").exists()
    assert not job.folder_of(tmp_path / "search").exists()


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"confirmation_seeds": [42]}, "42 is the seed of the trials"),
        ({"confirmation_seeds": [1, 1]}, "expected whole numbers from 0 on, each once"),
        ({"values": {"training.num_processes": 2}}, "a trial runs in one process"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(more: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=line):
        config_of(**more)


def test_joining_a_search_that_is_not_under_way_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no search is under way here"):
        worker.join(tmp_path)


# --- the contract ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", discover.systems())
def test_every_space_is_valid_for_every_preset(name: str) -> None:
    system = discover.system(name)
    assert system.spaces.keys() == {stage.name for stage in system.stages}
    for stage in system.stages:
        target = Target.of(system, stage.name)
        assert target.space.phase in stage.phases
        for label, preset in presets_of(stage.presets).items():
            config = preset()
            if label == "debug":
                target.check(config)
            axes = target.axes(config)
            assert axes, label
            for field, axis in target.widened(config, axes).items():
                for value in axis.ends:
                    assert target.trained(config, {field: value})


def test_what_a_search_seals_as_best_is_a_whole_configuration(searched) -> None:
    values = yaml.safe_load((searched[0] / "best.yaml").read_text())
    assert values.keys() == {"model", "training"}
