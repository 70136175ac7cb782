"""The clock trains what is there as it is, in a stated time zone; systems to come need no line in the table."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from nsmodels.core import artifact
from nsmodels.systems.nav import config as nav
from pipeline.assets.systems import trainings
from pipeline.definitions import defs
from pipeline.lib import store
from pipeline.schedules import SCHEDULES, TABLE, Row, schedule

NIGHTLY, WEEKLY = SCHEDULES


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


def test_the_schedules_are_the_lines_of_the_table(repository):
    assert sorted(each.name for each in repository.schedule_defs) == sorted(row.name for row in TABLE)
    for row, made in zip(TABLE, SCHEDULES, strict=True):
        assert (made.name, made.cron_schedule, made.execution_timezone) == (row.name, row.cron, row.timezone)


# Whatever else is in the registry takes part without a line here.
@pytest.fixture
def small(repository):
    """Models of data that are built on demand."""
    return {each.model_key for each in trainings() if all(store.is_made_on_demand(key) for key in each.all_datasets)}


def test_every_night_what_can_be_made_on_the_spot(data, tick, small):
    assert {"clevr_mini_model", "nav_model"} <= small
    assert "clevr_model" not in small
    assert models(tick(NIGHTLY)) == small


def test_every_week_the_whole_archives_too_where_they_are_there(data, tick, small):
    assert models(tick(WEEKLY)) == small
    seal(data, "clevr", {})
    assert models(tick(WEEKLY)) == {training.model_key for training in trainings()}


def test_evaluations_and_figures_follow_and_studies_that_train_do_not(data, tick):
    keys = {key.to_user_string() for key in tick(NIGHTLY).asset_selection}
    assert {"nav_evaluation", "nav_success", "training_curves", "reasoning_depth", "leaderboard"} <= keys
    assert not keys & {"nav_grid_search", "nav_replicates", "mazes", "clevr_evaluation"}


def test_a_model_keeps_its_configuration_and_others_are_left_to_the_machine(data, tick, repository):
    seal(data, "mazes", {})
    config = nav.debug().with_values({"training.seed": 7}).relevant()
    seal(data, "nav_model", config, inputs={"mazes": data / "mazes"}, seed=7)
    request = tick(NIGHTLY)
    assert request.run_config == {"ops": {"nav_model": {"config": {"preset": "debug", "training": {"seed": 7}}}}}
    dg.validate_run_config(repository.get_job("retrain"), request.run_config)


def test_a_model_that_cannot_be_made_as_it_is_keeps_no_other_from_its_night(data, tick, repository, small):
    config = nav.debug().relevant()
    config["training"]["epochs"] = -1
    seal(data, "nav_model", config)
    request = tick(NIGHTLY)
    assert models(request) == small - {"nav_model"}
    dg.validate_run_config(repository.get_job("retrain"), request.run_config)
    for key in small - {"nav_model"}:
        seal(data, key, config)
    line = tick(NIGHTLY).skip_message
    assert line.count("its configuration is not valid any more") == len(small)
    assert "nav_model is left out" in line


def test_the_leaderboard_goes_on_with_the_comparison_that_somebody_chose(data, tick, repository):
    seal(data, "leaderboard", {"compare": ["nav_model", "ab12"], "entries": ["ab12cd"]})
    request = tick(NIGHTLY)
    chosen = {"config": {"preset": "default", "compare": ["nav_model", "ab12"]}}
    assert request.run_config == {"ops": {"leaderboard": chosen}}
    dg.validate_run_config(repository.get_job("retrain"), request.run_config)


def test_what_a_run_is_making_already_is_left_to_it(data, tick, instance, repository):
    keys = frozenset(dg.AssetKey(key) for key in ("nav_model", "leaderboard"))
    under_way = instance.create_run_for_job(repository.get_job("retrain"), asset_selection=keys)
    seal(data, "leaderboard", {"compare": []})
    request = tick(NIGHTLY)
    assert dg.AssetKey("clevr_mini_model") in request.asset_selection
    assert not keys & set(request.asset_selection)
    assert request.run_config == {"ops": {}}  # Dagster refuses one for what is not in the run
    instance.report_run_canceled(under_way)
    instance.create_run_for_job(repository.get_job("retrain"))
    assert tick(WEEKLY).skip_message == "runs of every model are under way"


def test_without_anything_to_train_the_tick_says_so(data, tick):
    nothing = schedule(Row("nothing", "0 0 * * *", "UTC", lambda training: False, "Nothing."))
    assert tick(nothing).skip_message == "no data to train on"
