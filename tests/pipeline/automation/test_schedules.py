"""The clock trains again what is there as it is, in a stated time zone; systems to come need no line in the table."""

import shutil
from datetime import UTC, datetime

import dagster as dg
import pytest

from nsmodels.core import artifact
from nsmodels.core.errors import InputError
from nsmodels.core.orders import Inputs
from nsmodels.systems.nav import config as nav
from pipeline.assets.systems import trainings
from pipeline.definitions import defs
from pipeline.lib import store
from pipeline.lib.automation import unattended
from pipeline.schedules import SCHEDULES, TABLE, Row, schedule

NIGHTLY, WEEKLY = SCHEDULES
NAV = next(training for training in trainings() if training.name == "nav")


@pytest.fixture(scope="module")
def repository():
    return defs().get_repository_def()


@pytest.fixture
def instance(tmp_path):
    """On the disk: a schedule finds its instance by reference."""
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def tick(instance, repository):
    """What a schedule asks for."""
    night = datetime(2026, 11, 22, 4, tzinfo=UTC)
    with dg.build_schedule_context(instance, night, repository_def=repository) as context:
        yield lambda chosen: chosen(context)


def models(request):
    """The models that a request asks for."""
    return {key.to_user_string() for key in request.asset_selection if key.to_user_string().endswith("_model")}


def seal(data, key, config, **more):
    with artifact.build(data / key, key=key, maker="tests", config=config, code_version="1", **more):
        pass


def seal_all(data, *those, **changes):
    """Models of the debug preset, but for `changes`, and their data; of all trainings where none are given."""
    for training in those or trainings():
        for key in training.datasets:
            if not (data / key).exists():
                seal(data, key, {})
        config = training.model.presets["debug"]().with_values(changes).relevant()
        inputs = Inputs({key: data / key for key in training.model_inputs}, training.model_inputs)
        seal(data, training.model_key, config, inputs=inputs, seed=config["training"]["seed"])


def test_the_schedules_are_the_lines_of_the_table(repository):
    assert sorted(each.name for each in repository.schedule_defs) == sorted(
        [*(row.name for row in TABLE), "nightly_seals"]
    )
    for row, made in zip(TABLE, SCHEDULES, strict=True):
        assert (made.name, made.cron_schedule, made.execution_timezone) == (row.name, row.cron, row.timezone)


# Whatever else is in the registry takes part without a line here.
@pytest.fixture
def small(repository):
    """Models of data that are built on demand."""
    return {each.model_key for each in trainings() if all(store.is_made_on_demand(key) for key in each.all_datasets)}


def test_what_nobody_has_trained_is_not_trained(data, tick, small):
    for chosen in (NIGHTLY, WEEKLY):
        line = tick(chosen).skip_message
        assert "nav_model: not trained yet; train it once with: dagster asset materialize --select nav_model" in line
        # Of a chain the first model that is missing: the next ones cannot be trained before it.
        first = {each.chain[0].model_key for each in trainings() if each.model_key in small}
        assert all(f"{key}: not trained yet" in line for key in first)
    assert not data.exists()


def test_every_night_the_models_of_data_that_are_made_on_the_spot_and_every_week_all(data, tick, small):
    assert {"clevr_mini_model", "nav_model"} <= small
    assert "clevr_model" not in small
    seal_all(data)
    assert models(tick(NIGHTLY)) == small
    assert models(tick(WEEKLY)) == {training.model_key for training in trainings()}


def test_a_model_without_its_data_is_left_alone(data, tick, small):
    seal_all(data)
    shutil.rmtree(data / "mazes")
    assert models(tick(NIGHTLY)) == small - {"nav_model"}
    seal_all(data, NAV)
    (data / "mazes" / "manifest.json").unlink()
    assert models(tick(NIGHTLY)) == small - {"nav_model"}


def test_a_model_of_other_data_is_left_alone(data, tick, tmp_path):
    for key, folder in (("maps", data / "maps"), ("mazes", tmp_path / "mazes")):
        seal_all(data, NAV)
        seal(folder.parent, folder.name, {"mine": 1})
        seal(data, "nav_model", nav.debug().relevant(), inputs={key: folder})
        line = tick(NIGHTLY).skip_message
        assert f"nav_model: was trained on {folder}, not on mazes; train it again by hand" in line


def test_a_moved_data_root_holds_the_data_of_its_models(data, tick, tmp_path, monkeypatch):
    seal_all(data, NAV)
    data.rename(tmp_path / "moved")
    monkeypatch.setenv("NSMODELS_DATA", str(tmp_path / "moved"))
    seal(tmp_path / "moved", "mazes", {"changed": True})
    assert models(tick(NIGHTLY)) == {"nav_model"}


def test_evaluations_and_figures_follow_and_studies_that_train_do_not(data, tick):
    seal_all(data)
    keys = {key.to_user_string() for key in tick(NIGHTLY).asset_selection}
    assert {"nav_evaluation", "nav_success", "training_curves", "reasoning_depth", "leaderboard"} <= keys
    assert not keys & {"nav_grid_search", "nav_replicates", "mazes", "clevr_evaluation"}


def test_a_model_keeps_its_configuration_and_no_data_are_replaced(data, tick, repository):
    seal_all(data, NAV, **{"training.seed": 7})
    request = tick(NIGHTLY)
    assert request.run_config == {"ops": {"nav_model": {"config": {"preset": "debug", "training": {"seed": 7}}}}}
    assert request.tags["nsmodels/data"] == "keep"
    dg.validate_run_config(repository.get_job("retrain"), request.run_config)


def test_first_models_and_other_data_are_made_where_that_is_allowed(data, tick, small, monkeypatch):
    monkeypatch.setenv("NSMODELS_UNATTENDED", "first-models")
    assert models(tick(NIGHTLY)) == small
    assert models(tick(WEEKLY)) == small
    for downloaded in ("clevr", "gqa", "vqa"):
        seal(data, downloaded, {})
    assert models(tick(WEEKLY)) == {training.model_key for training in trainings()}
    assert tick(NIGHTLY).tags["nsmodels/data"] == "keep"
    monkeypatch.setenv("NSMODELS_UNATTENDED", "first-models replace-data")
    assert "nsmodels/data" not in tick(NIGHTLY).tags
    monkeypatch.setenv("NSMODELS_UNATTENDED", "replace-dta")
    assert "unknown word 'replace-dta'; did you mean replace-data?" in tick(NIGHTLY).skip_message


def test_no_run_is_requested_without_assets():
    with pytest.raises(InputError, match="no assets to build"):
        unattended.request([], {})


def test_a_model_that_cannot_be_made_as_it_is_keeps_no_other_from_its_night(data, tick, repository, small):
    seal_all(data)
    config = nav.debug().relevant()
    config["training"]["epochs"] = -1
    seal(data, "nav_model", config, inputs={"mazes": data / "mazes"})
    request = tick(NIGHTLY)
    assert models(request) == small - {"nav_model"}
    dg.validate_run_config(repository.get_job("retrain"), request.run_config)
    for training in (each for each in trainings() if each.model_key in small - {"nav_model"}):
        inputs = Inputs({key: data / key for key in training.model_inputs}, training.model_inputs)
        seal(data, training.model_key, config, inputs=inputs)
    line = tick(NIGHTLY).skip_message
    assert line.count("its configuration is not valid any more") == len(small)
    assert "nav_model is left out" in line


def test_the_leaderboard_goes_on_with_the_comparison_that_somebody_chose(data, tick, repository):
    seal_all(data, NAV)
    seal(data, "leaderboard", {"compare": ["nav_model", "ab12"], "entries": ["ab12cd"]})
    request = tick(NIGHTLY)
    chosen = {"config": {"preset": "default", "compare": ["nav_model", "ab12"]}}
    assert request.run_config["ops"]["leaderboard"] == chosen
    dg.validate_run_config(repository.get_job("retrain"), request.run_config)


def test_what_a_run_is_making_already_is_left_to_it(data, tick, instance, repository):
    keys = frozenset(dg.AssetKey(key) for key in ("nav_model", "leaderboard"))
    under_way = instance.create_run_for_job(repository.get_job("retrain"), asset_selection=keys)
    seal_all(data)
    seal(data, "leaderboard", {"compare": []})
    request = tick(NIGHTLY)
    assert dg.AssetKey("clevr_mini_model") in request.asset_selection
    assert not keys & set(request.asset_selection)
    assert not request.run_config["ops"].keys() & {
        "nav_model",
        "leaderboard",
    }  # Dagster refuses one for what is not in the run
    instance.report_run_canceled(under_way)
    instance.create_run_for_job(repository.get_job("retrain"))
    assert tick(WEEKLY).skip_message == "runs of every model are under way"


def test_without_anything_to_train_the_tick_says_so(data, tick):
    nothing = schedule(Row("nothing", "0 0 * * *", "UTC", lambda training: False, "Nothing."))
    assert tick(nothing).skip_message == "no models"
