"""The studies of the navigator: the grid of the source document, and equal steps for unequal data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs, Order
from nsmodels.systems.nav.studies import config as presets
from nsmodels.systems.nav.studies import experiments, grid
from nsmodels.systems.nav.studies.config import DataScalingConfig
from tests.shared import Shared

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(shared: Shared) -> Path:
    return shared.data("mazes")


def order(config, data: Path, folder: Path, **more) -> Order:
    return Order(folder.name, config, Inputs.of(data), folder, **more)


def report_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "report.json").read_text())


# --- the grid --------------------------------------------------------------------------------------------------------


def test_the_grid_is_every_combination_and_the_best_is_sealed(data, tmp_path):
    folder = tmp_path / "grid"
    grid.grid_search(order(grid.debug_grid(), data, folder))
    report = report_of(folder)
    assert [trial["values"]["model.dropout"] for trial in report["trials"]] == [0.0, 0.1]
    assert report["phase"] == "navigator"
    assert report["metric"] == "val/accuracy"
    assert {"best.yaml", "figures/grid.pdf", "figures/slices.png"} <= artifact.verify(folder).files.keys()


@pytest.mark.parametrize(("preset", "number"), [("debug", 2), ("quick", 12), ("base", 27), ("paper", 27)])
def test_the_grid_has_the_trials_of_the_document(preset, number):
    config = grid.GRID_PRESETS[preset]()
    assert grid.GRID_PRESETS[preset].__doc__
    assert grid.TARGET.num_trials(config, grid.TARGET.axes(config)) == number


def test_a_network_that_cannot_be_built_is_reported_before_any_training(data, tmp_path):
    config = grid.debug_grid().with_values({"space": ["model.dim=16,24"]})
    with pytest.raises(InputError, match="divisor of dim 24"):
        grid.grid_search(order(config, data, tmp_path / "grid"))
    assert not list(tmp_path.glob("*grid*"))


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
        (presets.debug_scaling, {"sizes": [0]}, "sizes: expected numbers of maps"),
        (presets.debug_scaling, {"data.fresh_maps": True}, "fresh_maps"),
    ],
)
def test_a_study_that_makes_no_sense_is_refused(preset, values, message):
    with pytest.raises(InputError, match=message):
        preset().with_values(values)


@pytest.mark.parametrize("preset", presets.SCALING_PRESETS.values())
def test_presets_are_valid_and_described(preset):
    assert isinstance(preset(), DataScalingConfig)
    assert preset.__doc__
