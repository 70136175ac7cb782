"""The asset `mazes`: made, shown and checked; and when a step that needs larger data makes it again."""

import dagster as dg
import pytest

from nsmodels.core.artifact import read_manifest
from nsmodels.datasets.mazes.config import PRESETS
from nsmodels.datasets.mazes.prepare import prepare
from pipeline.assets.datasets.mazes import mazes, mazes_checks
from pipeline.lib import store

MAKER = store.maker("mazes")
CHECKS = {"disjoint", "solvable", "labels_agree", "detours"}


def test_it_is_made_shown_checked_and_then_kept(data, instance):
    config = {"ops": {"mazes": {"config": {"preset": "debug", "sides": [8, 9]}}}}
    first = dg.materialize([mazes, *mazes_checks], run_config=config, instance=instance)
    shown = first.asset_materializations_for_node("mazes")[0].metadata
    assert {"contact_sheet", "distributions", "num_train", "detour_share/train", "dagster/row_count"} <= shown.keys()
    columns = shown["columns"].schema.columns
    assert all(column.description for column in columns)
    assert {"path", "cost"} <= {column.name for column in columns}
    assert {event.check_name for event in first.get_asset_check_evaluations() if event.passed} == CHECKS
    again = dg.materialize([mazes], run_config=config, instance=instance)
    assert again.asset_materializations_for_node("mazes")[0].metadata["is_reused"].value
    assert read_manifest(data / "mazes").config["sides"] == [8, 9]


def test_a_step_that_misses_it_gets_the_data_of_its_preset(data):
    manifest = MAKER.make("debug")
    assert manifest.metrics["num_maps"]["train"] == 64
    assert [MAKER.is_too_small(manifest, preset) for preset in PRESETS] == [False, True, True, True]


@pytest.mark.parametrize("field", [{"num_train": 65}, {"seed": 1}])
def test_data_that_somebody_configured_are_kept(data, field):
    manifest = prepare(PRESETS["debug"]().with_values(field), "mazes", data / "mazes")
    assert not MAKER.is_too_small(manifest, "paper")


def test_data_for_tests_are_too_small_for_a_preset_that_only_a_training_has(data):
    manifest = prepare(PRESETS["debug"](), "mazes", data / "mazes")
    assert MAKER.is_too_small(manifest, "latent")
    assert MAKER.config_for("latent") == PRESETS["quick"]()
