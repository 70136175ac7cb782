"""The example: a dataset and a chain of two models in the registry are known everywhere without a line elsewhere."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import dagster as dg
import pytest
import torch

import nsmodels
from nsmodels.__main__ import main
from nsmodels.core import artifact, discover
from nsmodels.core.artifact import read_manifest, verify
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.evaluation import leaderboard, ledger
from tests.pipeline.jobs import job_of

EXAMPLE = Path(__file__).parent / "example"
DEBUG = {"config": {"preset": "debug", "training": {"device": "cpu"}}}
MODELS = ["toy_encoder_model", "toy_model"]
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture(scope="module")
def project() -> Iterator[Any]:
    """The pipeline, imported with the example in the registry; afterwards all is as before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(discover.VARIABLE, str(EXAMPLE))
        for name in modules_of("pipeline"):
            patch.delitem(sys.modules, name)
        for package in ("nsmodels.systems", "nsmodels.datasets"):
            module: ModuleType = sys.modules.get(package) or __import__(package, fromlist=["__path__"])
            patch.setattr(module, "__path__", discover.extended(module.__path__, package))
        from pipeline import jobs, schedules, search, sensors, sweep
        from pipeline.assets.systems import trainings
        from pipeline.definitions import defs
        from pipeline.lib import store

        found = defs()
        yield SimpleNamespace(
            defs=found,
            graph=found.get_repository_def().asset_graph,
            trainings={each.name: each for each in trainings()},
            jobs=jobs,
            schedules=schedules,
            sensors=sensors,
            search=search,
            sweep=sweep,
            store=store,
        )
        # Not by `patch`, which would bring back what was not there before; it brings back what was.
        for package in ("nsmodels.systems.toy", "nsmodels.datasets.dots", "pipeline"):
            for name in modules_of(package):
                del sys.modules[name]


def modules_of(package: str) -> list[str]:
    return [name for name in sys.modules if name == package or name.startswith(f"{package}.")]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A history in memory: on the disk each of the events of a run takes milliseconds."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def run(
    project: Any, instance: dg.DagsterInstance, *keys: str, tags: dict[str, str] | None = None, **config: Any
) -> Any:
    """One run of these assets, models and partitioned ones with the preset `debug`."""
    known = {key: DEBUG for key in keys if not key.endswith("_evaluation")}
    job = job_of(project.defs, keys)
    how = {"run_config": {"ops": known | config}, "instance": instance, "tags": tags, "raise_on_error": False}
    return job.execute_in_process(asset_selection=[dg.AssetKey(key) for key in keys], **how)


def seals(root: Path) -> dict[str, int]:
    return {str(path.parent.relative_to(root)): path.stat().st_mtime_ns for path in root.rglob("manifest.json")}


def weights(folder: Path, phase: str) -> dict[str, torch.Tensor]:
    return torch.load(folder / phase / "best.pt", weights_only=True)["model_state_dict"]


# --- the registry ----------------------------------------------------------------------------------------------------


def test_assets_replicates_trials_checks_job_and_report_know_it(project: Any) -> None:
    keys = {key.to_user_string() for key in project.graph.get_all_asset_keys()}
    repeated = {f"{name}_{word}" for name in ("toy", "toy_encoder") for word in ("replicates", "trials")}
    assert keys >= {"dots", *MODELS, "toy_evaluation", "toy_search", "toy_encoder_search", *repeated}
    assert "toy_encoder_evaluation" not in keys
    checked = {(check.asset_key.to_user_string(), check.name) for check in project.graph.asset_check_keys}
    assert checked >= {("dots", "labels_follow_the_oracle"), ("toy_evaluation", "no_regression")}
    assert checked >= {(key, name) for key in MODELS for name in ("losses_are_finite", "reproduces_its_score")}
    retrained = {key.to_user_string() for key in project.jobs.retrain.selection.resolve(project.graph)}
    assert retrained >= {*MODELS, "toy_evaluation", "leaderboard"}
    assert not retrained & {"toy_search", "toy_encoder_search"}
    parents = {key.to_user_string() for key in project.graph.get(dg.AssetKey("replication_report")).parent_keys}
    assert "toy_replicates" in parents
    assert "toy_encoder_replicates" not in parents  # it has no evaluation


def test_the_schedule_and_the_sweep_know_it(
    project: Any, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = project.defs.get_repository_def()
    monkeypatch.setenv("NSMODELS_UNATTENDED", "first-models")
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:  # a schedule finds its instance by reference
        request = project.schedules.SCHEDULES[0](dg.build_schedule_context(instance, repository_def=repository))
    assert {key.to_user_string() for key in request.asset_selection} >= {*MODELS, "toy_evaluation"}
    sweep = project.sweep.plan("toy_model", "debug", ["dim=4,8"], [0, 1])
    assert sweep.partitioned.key == "toy_trials"
    assert len(sweep.trials) == 4


def test_the_command_line_trains_both_stages_and_evaluates(project: Any, tmp_path: Path, capsys: Any) -> None:
    dots, parent, child, report = (tmp_path / name for name in ("dots", "parent", "child", "report.json"))
    assert main(["dots", "generate", "--preset", "debug", "--out", str(dots)]) == 0
    common = ["--preset", "debug", "--data", str(dots), "--device", "cpu"]
    assert main(["toy", "train", "encoder", *common, "--out", str(parent), "--num-processes", "2"]) == 0
    assert main(["toy", "train", "classifier", *common, "--parent", str(parent), "--out", str(child)]) == 0
    assert main(["toy", "evaluate", "--checkpoint", str(child), "--data", str(dots), "--json", str(report)]) == 0
    assert json.loads(report.read_text())["headline"] == "accuracy"
    assert {key: record.role for key, record in read_manifest(child).inputs.items()} == {
        "parent": "parent",
        "data": "data",
    }
    before, after = weights(parent, "encoder"), weights(child, "classifier")
    frozen = {name for name in after if not name.startswith("head")}
    assert all(torch.equal(before[name], after[name]) for name in frozen)  # and so the child needs no parent
    assert not torch.equal(after["head.weight"], torch.zeros_like(after["head.weight"]))


# --- the chain as assets ---------------------------------------------------------------------------------------------


def test_two_metrics_of_the_chain_are_ranked_each_in_its_direction(
    project: Any, data: Path, instance: dg.DagsterInstance
) -> None:
    assert run(project, instance, *MODELS, "toy_evaluation").success
    first = {entry.metric: entry for entry in ledger.entries()}
    assert {name: (e.unit, e.direction, e.is_headline) for name, e in first.items()} == {
        "accuracy": ("share", "higher", True),
        "nll": ("nats", "lower", False),
    }
    assert first["nll"].baselines.keys() == {"chance"}
    longer = {"config": {"preset": "debug", "training": {"device": "cpu", "epochs": 40, "lr": 0.05}}}
    assert run(project, instance, "toy_model", "toy_evaluation", toy_model=longer).success
    latest = {entry.metric: entry for entry in ledger.entries()}
    assert latest["nll"].score < first["nll"].score
    ranks = {(row["metric"], row["id"]): row["rank"] for row in leaderboard.rows(ledger.entries())}
    assert ranks["nll", latest["nll"].id] == 1
    assert ranks["nll", first["nll"].id] == 2
    assert ledger.compare(latest["nll"], first["nll"]).difference < 0
    with pytest.raises(InputError, match=r"of different metrics \(nll, accuracy\)"):
        ledger.compare(latest["nll"], latest["accuracy"])
    assert type(nsmodels.load("toy_model", device="cpu")).__name__ == "Network"
    assert nsmodels.report("toy_evaluation")["headline"] == "accuracy"


def test_the_search_of_a_child_starts_from_its_parent_and_takes_fields_of_the_launchpad(
    project: Any, data: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    chosen = {"preset": "debug", "num_trials": 3, "confirmation_seeds": [], "space": ["training.lr=1e-3...1e-1:log"]}
    config = {"config": {**chosen, "model": {"training": {"device": "cpu", "epochs": 3}}}}
    assert run(project, instance, *MODELS).success
    done = run(project, instance, "toy_search", toy_search=config)
    assert done.success
    report = json.loads((data / "toy_search" / "report.json").read_text())
    assert [trial["epochs"] for trial in report["trials"]] == [3, 3, 3]
    assert {key: record.role for key, record in read_manifest(data / "toy_search").inputs.items()} == {
        "toy_encoder_model": "parent",
        "dots": "data",
    }
    shown = done.asset_materializations_for_node("toy_search")[0].metadata
    assert {"table", "toy_search", "slices", "best/value"} <= shown.keys()
    words = [
        "toy",
        "--preset",
        "debug",
        "training.lr=1e-3...1e-1:log",
        "--num-trials",
        "3",
        "--model.training.epochs",
        "3",
    ]
    before = (data / "toy_search" / "manifest.json").stat().st_mtime_ns
    for more, line in ((["--dry-run"], "nothing was written"), ([], "train with the best: --config ")):
        monkeypatch.setattr(sys, "argv", ["nsmodels", "search"])
        words += ["--model.training.device", "cpu"] if not more else []
        assert project.search.main([*words, *more]) == 0
        assert line in capsys.readouterr().out.splitlines()[-1]
    assert (data / "toy_search" / "manifest.json").stat().st_mtime_ns != before, "confirmed, this time"


def test_a_changed_parent_retrains_its_child(project: Any, data: Path, instance: dg.DagsterInstance) -> None:
    assert run(project, instance, *MODELS, "toy_evaluation").success
    before = seals(data)
    assert run(project, instance, *MODELS, "toy_evaluation").success
    assert seals(data) == before, "nothing changed, so all is reused"
    other = {"config": {"preset": "debug", "training": {"device": "cpu", "seed": 7}}}
    assert run(project, instance, "toy_encoder_model", toy_encoder_model=other).success
    # reuse, and the sensor, say the same
    context = dg.build_sensor_context(instance, repository_def=project.defs.get_repository_def())
    (request,) = project.sensors.retrain_changed(context).run_requests
    assert request.tags["nsmodels/reason"].startswith("input toy_encoder_model has changed")
    assert {key.to_user_string() for key in request.asset_selection} == {"toy_model", "toy_evaluation"}
    done = run(project, instance, "toy_model", "toy_evaluation")
    reason = done.asset_materializations_for_node("toy_model")[0].metadata["reason"].value
    assert reason == "built: input toy_encoder_model has changed"
    parent = read_manifest(data / "toy_encoder_model").fingerprint
    assert read_manifest(data / "toy_model").inputs["toy_encoder_model"].fingerprint == parent
    context = dg.build_sensor_context(instance, repository_def=project.defs.get_repository_def())
    assert not project.sensors.retrain_changed(context).run_requests


def test_where_the_data_change_one_run_trains_the_chain(project: Any, data: Path, instance: dg.DagsterInstance) -> None:
    assert run(project, instance, *MODELS).success
    presets = discover.module("datasets", "dots", "config")
    prepare = discover.module("datasets", "dots", "prepare").prepare
    prepare(presets.debug().with_values({"seed": 5}), "dots", data / "dots")
    context = dg.build_sensor_context(instance, repository_def=project.defs.get_repository_def())
    (request,) = project.sensors.retrain_changed(context).run_requests
    assert {key.to_user_string() for key in request.asset_selection} >= set(MODELS)
    assert set(request.run_config["ops"]) == set(MODELS)  # each with the configuration that it has


def test_a_child_without_its_parent_is_one_line(project: Any, data: Path, instance: dg.DagsterInstance) -> None:
    done = run(project, instance, "toy_model")
    line = done.failure_data_for_node("toy_model").user_failure_data.description
    assert line.endswith("make it with: dagster asset materialize --select toy_encoder_model")


def test_a_partition_runs_the_chain_and_a_failing_phase_fails_alone(
    project: Any, data: Path, instance: dg.DagsterInstance
) -> None:
    obstacle = data / "toy_replicates" / "1" / "model"
    obstacle.parent.mkdir(parents=True)
    obstacle.write_text("not a folder")
    done = run(project, instance, "toy_replicates", tags={START: "0", END: "2"})
    line = done.failure_data_for_node("toy_replicates").user_failure_data.description
    assert line.startswith("toy_replicates: 1 of 3 failed (2 others finished and kept): 1: ")
    assert "is a file; give the name of a folder" in line
    parts = {f"toy_replicates/{seed}/{part}" for seed in "02" for part in ("toy_encoder_model", "model", "evaluation")}
    assert set(seals(data)) - {"dots"} == parts | {"toy_replicates/1/toy_encoder_model"}
    for seed in "02":
        chain = [read_manifest(data / "toy_replicates" / seed / part) for part in ("toy_encoder_model", "model")]
        assert [manifest.seed for manifest in chain] == [int(seed)] * 2
        assert chain[1].inputs[f"toy_replicates/{seed}/toy_encoder_model"].fingerprint == chain[0].fingerprint
    before = seals(data)
    obstacle.unlink()
    assert run(project, instance, "toy_replicates", tags={START: "0", END: "2"}).success
    after = seals(data)
    assert {path: time for path, time in after.items() if path in before} == before, "finished work was not kept"
    assert set(after) - set(before) == {"toy_replicates/1/model", "toy_replicates/1/evaluation"}


def test_a_partition_gives_the_parent_the_width_of_its_child(
    project: Any, data: Path, instance: dg.DagsterInstance
) -> None:
    sweep = project.sweep.plan("toy_model", "debug", ["dim=4,8", "device=cpu"])
    assert project.sweep.execute(sweep, list(sweep.trials), instance) == {}
    widths = [
        read_manifest(path.parent).config["model"]["dim"] for path in data.rglob("toy_encoder_model/manifest.json")
    ]
    assert sorted(widths) == [4, 8]
    assert {entry.parent["model"]["dim"] for entry in ledger.entries()} == {4, 8}


def test_a_child_of_a_changed_configuration_does_not_stop_its_parent(
    project: Any, data: Path, instance: dg.DagsterInstance
) -> None:
    assert run(project, instance, *MODELS).success
    path = data / "toy_model" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["config"]["training"]["epochs"] = -1  # no longer valid
    path.write_text(json.dumps(manifest))
    config, prepare = (discover.module("datasets", "dots", name) for name in ("config", "prepare"))
    prepare.prepare(config.debug().with_values({"seed": 5}), "dots", data / "dots")
    context = dg.build_sensor_context(instance, repository_def=project.defs.get_repository_def())
    (request,) = project.sensors.retrain_changed(context).run_requests
    assert {key.to_user_string() for key in request.asset_selection} == {"toy_encoder_model"}


def test_unfinished_work_of_a_different_parent_is_not_resumed(project: Any, tmp_path: Path) -> None:
    dots, parent, child = (tmp_path / name for name in ("dots", "parent", "child"))
    assert main(["dots", "generate", "--preset", "debug", "--out", str(dots)]) == 0
    common = ["--preset", "debug", "--data", str(dots), "--device", "cpu"]
    assert main(["toy", "train", "encoder", *common, "--out", str(parent), "--num-processes", "2"]) == 0
    inputs = Inputs.of(dots, parent=("parent", parent))
    recipe = {"config": {}, "code_version": "1", "inputs": inputs, "key": "child", "maker": "tests"}

    def unfinished() -> list[str]:
        """What a training finds of earlier work, before it fails too."""
        with suppress(InputError), artifact.build(child, **recipe) as part:
            found = [path.name for path in part.path.iterdir() if path.name != artifact.NOTE]
            (part.path / "half").touch()
            raise InputError("stopped")
        return found

    assert unfinished() == []
    assert unfinished() == ["half"]
    assert main(["toy", "train", "encoder", *common, "--out", str(parent), "--force"]) == 0
    assert unfinished() == []  # the same recipe, but sealed anew: a GPU would give other bits


def test_a_wrong_checkpoint_is_one_line(project: Any, tmp_path: Path, capsys: Any) -> None:
    dots = tmp_path / "dots"
    assert main(["dots", "generate", "--preset", "debug", "--out", str(dots)]) == 0
    capsys.readouterr()
    common = ["--data", str(dots), "--device", "cpu"]
    for words in (
        ["evaluate", "--checkpoint", str(dots), *common],
        ["train", "classifier", "--preset", "debug", "--parent", str(dots), "--out", str(tmp_path / "out"), *common],
    ):
        assert main(["toy", *words]) == 2
        err = capsys.readouterr().err
        assert err.startswith("error: ")
        assert err.count("\n") == 1


# --- two processes ---------------------------------------------------------------------------------------------------


def test_two_processes_start_from_the_same_weights_as_one(project: Any, tmp_path: Path, one_thread: None) -> None:
    dots, parent, one, two = (tmp_path / name for name in ("dots", "parent", "one", "two"))
    assert main(["dots", "generate", "--preset", "debug", "--out", str(dots)]) == 0
    common = ["--preset", "debug", "--data", str(dots), "--device", "cpu"]
    assert main(["toy", "train", "encoder", *common, "--out", str(parent), "--num-processes", "2"]) == 0
    child = ["toy", "train", "classifier", *common, "--parent", str(parent)]
    assert main([*child, "--out", str(one)]) == 0
    assert main([*child, "--out", str(two), "--num-processes", "2"]) == 0
    assert read_manifest(one).fingerprint == read_manifest(two).fingerprint
    histories = [json.loads((folder / "history.json").read_text())["classifier"] for folder in (one, two)]
    losses = [[epoch["train/loss"] for epoch in history] for history in histories]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    states = [weights(folder, "classifier") for folder in (one, two)]
    for name, value in weights(parent, "encoder").items():
        assert all(torch.equal(state[name], value) for state in states), name
    assert torch.allclose(states[0]["head.weight"], states[1]["head.weight"], atol=1e-6)
    for folder in (parent, two):
        assert not [name for name in verify(folder).files if Path(name).name.startswith(".")]
    made = {"dots", "parent", "one", "two"}
    assert {path.name for path in tmp_path.iterdir()} <= made | {f".{name}.lock" for name in made}


# --- size ------------------------------------------------------------------------------------------------------------


def test_the_example_stays_small() -> None:
    files = list(EXAMPLE.rglob("*.py"))
    assert sum(len(path.read_text().splitlines()) for path in files) <= 300
