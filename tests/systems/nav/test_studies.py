"""The studies of the navigator: the rule that stops, equal steps for unequal data, and going on after a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.datasets.mazes import config as mazes
from nsmodels.engine.config import TrainingConfig
from nsmodels.systems.nav.network.construction import load_navigator
from nsmodels.systems.nav.studies import config as presets
from nsmodels.systems.nav.studies import experiments
from nsmodels.systems.nav.studies.config import DataScalingConfig, GridSearchConfig
from nsmodels.systems.nav.studies.trials import MedianRule
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")

BEST = TrainingConfig(epochs=9, monitor="val/accuracy", monitor_mode="max")
RULE = MedianRule(share=1 / 3, min_finished=3, training=BEST)
FINISHED = [[(1, 0.2), (3, level), (9, 0.9)] for level in (0.4, 0.5, 0.6)]
# Three trials of which the last learns little: nearly everything is dropped.
SEARCH = presets.debug_grid().with_values(
    {
        "dims": [16],
        "depths": [2],
        "dropouts": [0.0, 0.05, 0.95],
        "min_finished": 2,
        "model": {"num_segments": 2, "num_inner": 2},
        "objective.horizon": 0.0,
        "training": {"epochs": 12, "batch_size": 8, "lr": 0.01, "monitor": "val/loss", "monitor_mode": "min"},
    }
)
STUDY = """
import sys
from pathlib import Path
from nsmodels.systems.nav.studies.experiments import grid_search
from nsmodels.systems.nav.studies.config import GridSearchConfig
from nsmodels.core.orders import Inputs, Order
config, folder = GridSearchConfig.model_validate_json(sys.argv[1]), Path(sys.argv[3])
grid_search(Order("grid", config, Inputs.of(Path(sys.argv[2])), folder))
"""


@pytest.fixture(scope="module")
def data(shared: Shared) -> Path:
    return shared.data("mazes")


@pytest.fixture(scope="module")
def searched(data, tmp_path_factory) -> Path:
    """A grid search that nothing has interrupted."""
    folder = tmp_path_factory.mktemp("search") / "grid"
    experiments.grid_search(order(SEARCH, data, folder))
    return folder


def order(config, data: Path, folder: Path, **more) -> Order:
    return Order(folder.name, config, Inputs.of(data), folder, **more)


def report_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


def timeless(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what no two runs share."""
    return report | {"trials": [trial | {"cpu_seconds": None} for trial in report["trials"]]}


# --- the rule ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        ([(1, 0.1), (2, 0.1)], False),  # before a third of the epochs
        ([(1, 0.1), (3, 0.49)], True),
        ([(1, 0.1), (3, 0.5)], False),  # the median itself
        ([(1, 0.7), (3, 0.1)], False),  # it has been better
        ([(1, 0.1), (9, 0.2)], False),  # it is over anyway
        ([], False),
    ],
)
def test_a_training_below_the_median_is_stopped(curve, expected):
    assert RULE.is_hopeless(curve, FINISHED) is expected


def test_too_few_finished_trials_stop_nobody():
    assert not RULE.is_hopeless([(3, 0.0)], FINISHED[:2])


def test_a_loss_is_better_when_smaller():
    rule = MedianRule(0.0, 1, TrainingConfig(epochs=9, monitor="val/loss", monitor_mode="min"))
    assert rule.is_hopeless([(3, 0.7)], [[(1, 0.6)]])
    assert not rule.is_hopeless([(3, 0.5)], [[(1, 0.6)]])


# --- a grid search -----------------------------------------------------------------------------------------------


def test_a_search_reports_every_trial_and_the_best_beside_greedy_and_chance(searched, data):
    report = report_of(searched)
    assert [trial["settings"]["dropout"] for trial in report["trials"]] == [0.0, 0.05, 0.95]
    assert report["baselines"].keys() == {"greedy", "chance"}
    assert report["data"] | {"path": ""} == {
        "source": "synthetic mazes",
        "split": "val",
        "num_maps": mazes.debug().num_val,
        "path": "",
    }
    for trial in report["trials"]:
        assert trial["seed"] == SEARCH.training.seed
        assert trial["num_parameters"] > 0
        assert trial["cpu_seconds"] > 0
        for name in ("success", "any_optimal"):
            low, high = trial[name]["interval"]
            assert 0 <= low <= trial[name]["value"] <= high <= 1
    best = max(report["trials"], key=lambda trial: (trial["success"]["value"], trial["any_optimal"]["value"]))
    assert report["best"] == best["name"]
    manifest = artifact.verify(searched)
    assert manifest.metrics["best/success"] == best["success"]["value"]
    assert manifest.metrics["greedy/success"] == report["baselines"]["greedy"]["success"]["value"]
    assert {"report.json", "table.txt", "figures/grid.pdf", "figures/grid.png"} <= manifest.files.keys()
    assert load_navigator(searched / "trials" / best["name"], "cpu").num_parameters == best["num_parameters"]


def test_the_hopeless_trial_is_stopped_and_marked_in_the_table(searched):
    outcomes = [trial["outcome"] for trial in report_of(searched)["trials"]]
    assert outcomes == ["finished", "finished", "stopped"]
    last = report_of(searched)["trials"][-1]
    assert 4 <= last["epochs"] < 12
    assert last["curve"][-1][0] == last["epochs"]
    table = (searched / "table.txt").read_text()
    assert [line.split()[-2] for line in table.splitlines()[3:6]] == outcomes
    assert "greedy" in table
    assert "chance" in table


def test_a_killed_search_goes_on_and_comes_to_the_same_table(searched, data, tmp_path):
    folder = tmp_path / "grid"
    trials = tmp_path / ".grid.partial" / "trials"
    first, second = (trials / f"dim16_depth2_dropout{value}" for value in ("0", "0.05"))
    command = [sys.executable, "-c", STUDY, SEARCH.model_dump_json(), str(data), str(folder)]
    study = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)
    while not (first / "trial.json").exists() or not (second / "navigator" / "history.json").exists():
        assert study.poll() is None, study.communicate()[1].decode()
        time.sleep(0.005)
    study.send_signal(signal.SIGKILL)
    study.communicate()
    assert not (second / "trial.json").exists(), "the study was too fast to be killed in the middle"
    sealed = [path.stat() for path in (first / "trial.json", first / "navigator" / "best.pt")]
    begun = len(json.loads((second / "navigator" / "history.json").read_text()))
    recorder = Recorder()
    experiments.grid_search(order(SEARCH, data, folder, trackers=[recorder]))
    kept = [(folder / "trials" / first.name / name).stat() for name in ("trial.json", "navigator/best.pt")]
    assert [(s.st_ino, s.st_mtime_ns) for s in kept] == [(s.st_ino, s.st_mtime_ns) for s in sealed]
    epochs = (folder / "trials" / second.name / "epochs.log").read_text().count("epoch ")
    assert abs(epochs - 12) <= 1  # of both runs; killed between saving an epoch and logging it, or the reverse
    assert begun >= 1
    assert timeless(report_of(folder)) == timeless(report_of(searched))
    assert [record["epoch"] for record in recorder.records] == [1, 2, 3]


class Recorder:
    """A tracker that keeps its records."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []

    def epoch(self, record: dict[str, Any]) -> None:
        self.records.append(record)

    def close(self) -> None:
        """Nothing to close."""


def test_an_equal_search_is_reused(searched, data):
    before = (searched / "manifest.json").stat().st_mtime_ns
    experiments.grid_search(order(SEARCH, data, searched))
    assert (searched / "manifest.json").stat().st_mtime_ns == before


def test_a_network_that_cannot_be_built_is_reported_before_any_training(data, tmp_path):
    config = GridSearchConfig(dims=[16, 24], model=SEARCH.model.with_values({"group_width": 16}))
    with pytest.raises(InputError, match="divisor of dim 24"):
        experiments.grid_search(order(config, data, tmp_path / "grid"))
    assert not list((tmp_path).glob("*grid*/trials"))


# --- data scaling ------------------------------------------------------------------------------------------------


def test_every_size_is_trained_for_the_same_number_of_steps(data, tmp_path):
    folder = tmp_path / "scaling"
    config = presets.debug_scaling().with_values({"sizes": [10, 24, 64]})
    experiments.data_scaling(order(config, data, folder))
    report = report_of(folder)
    settings = [(trial["settings"]["maps"], trial["settings"]["augment"]) for trial in report["trials"]]
    assert settings == [(n, a) for n in (10, 24, 64) for a in (False, True)]
    assert {trial["steps"] for trial in report["trials"]} == {config.num_steps}
    assert {len(trial["curve"]) for trial in report["trials"]} == {config.num_looks}
    assert {"table.txt", "figures/scaling.pdf", "figures/scaling.png"} <= artifact.verify(folder).files.keys()


def test_more_maps_than_there_are_is_one_line(data, tmp_path):
    config = presets.debug_scaling().with_values({"sizes": [16, 1_000]})
    with pytest.raises(InputError, match=r"1000 maps requested, but .* has 64 training maps"):
        experiments.data_scaling(order(config, data, tmp_path / "scaling"))


@pytest.mark.parametrize(
    ("preset", "values", "message"),
    [
        (presets.debug_grid, {"dims": [16, 16]}, "dims: expected each value once"),
        (presets.debug_grid, {"dropouts": [1.5]}, "dropout"),
        (presets.debug_grid, {"training.num_processes": 2}, "one process"),
        (presets.debug_scaling, {"sizes": [0]}, "sizes: expected numbers of maps"),
        (presets.debug_scaling, {"data.fresh_maps": True}, "fresh_maps"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(preset, values, message):
    with pytest.raises(InputError, match=message):
        preset().with_values(values)


@pytest.mark.parametrize("preset", [*presets.GRID_PRESETS.values(), *presets.SCALING_PRESETS.values()])
def test_presets_are_valid_and_described(preset):
    assert isinstance(preset(), GridSearchConfig | DataScalingConfig)
    assert preset.__doc__
