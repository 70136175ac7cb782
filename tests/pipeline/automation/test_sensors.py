"""Models are trained again, as they were, once per change of data or code; a regression is told once."""

import shutil

import dagster as dg
import numpy as np
import pytest

from nsmodels.core import artifact
from nsmodels.core.config.conditions import field_of
from nsmodels.evaluation import ledger
from nsmodels.evaluation.outcomes import Outcomes, write_outcomes
from nsmodels.systems.nav import config as nav
from nsmodels.systems.visual.config import VisualConfig
from pipeline.assets.systems import trainings
from pipeline.definitions import defs
from pipeline.lib.automation import regression, retraining
from pipeline.lib.automation.webhook import Webhook
from pipeline.sensors import retrain_changed, tell_regressions
from tests.pipeline.automation.inbox import Inbox

OF_NAV = {"nav_model", "nav_evaluation", "nav_policies", "nav_success", "nav_training_curves"}
MINE = {training.name: training for training in trainings()}


@pytest.fixture(scope="module")
def repository():
    return defs().get_repository_def()


def seal(data, key, config, code_version="1", **more):
    """Seal an empty artifact, as the command line would."""
    with artifact.build(data / key, key=key, maker="tests", config=config, code_version=code_version, **more):
        pass


def seal_model(data, name="nav", code_version=None, **changes):
    """Seal a model of today's data and code: as the debug preset, but for `changes`."""
    training = MINE[name]
    config = training.model.presets["debug"]().with_values(changes).relevant()
    seal(
        data,
        training.model_key,
        config,
        code_version or training.system.code_version,
        inputs={key: data / key for key in training.datasets},
        seed=config["training"]["seed"],
    )


@pytest.fixture
def tick(instance, repository):
    """A tick of the sensor; the cursor is kept between two of them."""
    context = dg.build_sensor_context(instance, repository_def=repository, sensor_name="retrain_changed")

    def look():
        result = retrain_changed(context)
        context._cursor = result.cursor
        return result

    return look


def test_what_nobody_has_trained_is_not_trained(data, tick):
    seal(data, "mazes", {"n": 1})
    assert tick().run_requests == []


def test_a_run_per_change_of_the_data_however_they_came_there(data, tick, repository):
    seal(data, "mazes", {"n": 1})
    seal_model(data)
    assert tick().run_requests == []
    for number in (2, 3, 2):
        seal(data, "mazes", {"n": number})
        (request,) = tick().run_requests
        assert "input mazes has changed" in request.tags["nsmodels/reason"]
        assert {key.to_user_string() for key in request.asset_selection} == OF_NAV
        assert request.run_key is None  # a key that was used before would not start a run
        dg.validate_run_config(repository.get_job("retrain"), request.run_config)
        again = tick()
        assert again.run_requests == []
        assert "requested before" in again.skip_reason.skip_message


def test_data_that_came_back_and_changed_again_are_a_change(data, tick, tmp_path):
    for number in (1, 2):
        seal(data, "mazes", {"n": number})
        (data / "mazes").rename(tmp_path / str(number))
    for number, num_runs in ((1, 0), (2, 1), (1, 0), (2, 1)):
        shutil.rmtree(data / "mazes", ignore_errors=True)
        shutil.copytree(tmp_path / str(number), data / "mazes")
        if not (data / "nav_model").exists():
            seal_model(data)
        assert len(tick().run_requests) == num_runs


def test_a_model_that_was_trained_again_is_left_alone(data, tick):
    seal(data, "mazes", {"n": 1})
    seal_model(data, code_version="0")
    (request,) = tick().run_requests
    assert f"code version 0 -> {nav.CODE_VERSION}" in request.tags["nsmodels/reason"]
    seal_model(data)
    assert tick().skip_reason.skip_message == "every model is up to date with its data and code"


def test_nothing_is_asked_while_a_run_of_the_model_is_under_way(data, tick, instance, repository):
    seal(data, "mazes", {"n": 1})
    seal_model(data, code_version="0")
    key, job = dg.AssetKey("nav_model"), repository.get_implicit_global_asset_job_def()
    run = instance.create_run_for_job(job, asset_selection=frozenset([key]))
    whole = instance.create_run_for_job(repository.get_job("retrain"), status=dg.DagsterRunStatus.STARTED)
    for under_way in (run, whole):
        assert tick().skip_reason.skip_message == "nav_model: a run of it, or of a model it starts from, is under way"
        instance.report_run_canceled(under_way)
    assert len(tick().run_requests) == 1


def test_each_changed_model_has_a_run_with_its_own_configuration(data, tick):
    for name in ("mazes", "clevr_mini"):
        seal(data, name, {"n": 1})
    seal_model(data, "nav", code_version="0", **{"training.lr": 0.004})
    seal_model(data, "clevr_mini", code_version="0")
    requests = tick().run_requests
    ops = [request.run_config["ops"] for request in requests]
    assert {"clevr_mini_model": {"config": {"preset": "debug"}}} in ops
    assert {"nav_model": {"config": {"preset": "debug", "training": {"lr": 0.004}}}} in ops


@pytest.mark.parametrize(("name", "preset"), [(t.name, preset) for t in trainings() for preset in t.model.presets])
def test_the_values_for_the_launchpad_give_the_configuration_of_a_model_again(data, name, preset):
    training = MINE[name]
    config = training.model.presets[preset]().with_values({"training.seed": 41}).relevant()
    seal(data, training.model_key, {**config, "of_old": 3}, "0")
    values = retraining.values_of(training.model, artifact.read_manifest(data / training.model_key))
    assert training.model.resolve(values).config.relevant() == config
    assert set(values) <= {"preset", "training"}


@pytest.mark.parametrize("field", ["has_export", "perception.crop_size", "perception.min_stride"])
def test_a_field_that_came_later_and_is_left_out_keeps_its_default(data, field):
    training = MINE["clevr_mini"]
    default = field_of(VisualConfig(), field).default
    config = training.model.presets["quick"]().with_values({field: default}).relevant()
    seal(data, training.model_key, config, "0")
    values = retraining.values_of(training.model, artifact.read_manifest(data / training.model_key))
    assert training.model.resolve(values).config.relevant() == config


def test_a_configuration_that_is_not_valid_any_more_is_said_and_not_trained(data, tick):
    seal(data, "mazes", {"n": 1})
    config = nav.debug().relevant()
    config["training"]["epochs"] = -1
    seal(data, "nav_model", config, "0", inputs={"mazes": data / "mazes"})
    result = tick()
    assert result.run_requests == []
    assert "its configuration is not valid any more" in result.skip_reason.skip_message


# --- regressions ------------------------------------------------------------------------------------------------------


def evaluate(data, num_right, mazes=1, n=200, cluster=""):
    """Enter an evaluation of `nav_model` that is right on the first items, each a cluster of its own by default."""
    seal(data, "mazes", {"n": mazes})
    seal_model(data, code_version=str(num_right))
    inputs = {"nav_model": data / "nav_model", "mazes": data / "mazes"}
    recipe = {"key": "nav_evaluation", "maker": "nsmodels.systems.nav", "config": {"split": "test"}}
    names, scores = [str(number) for number in range(n)], np.arange(n) < num_right
    with artifact.build(data / "nav_evaluation", code_version="1", inputs=inputs, **recipe) as part:
        clusters = [cluster or name for name in names]
        write_outcomes(
            part.path, Outcomes("success", "test", names, clusters, scores.astype(float)), data / "nav_model"
        )
    ledger.enter(data / "nav_evaluation")


@pytest.fixture
def watch(instance, repository, monkeypatch):
    """A tick of the sensor, and what the webhook got by then."""
    with Inbox() as inbox:
        monkeypatch.setenv("NSMODELS_WEBHOOK_URL", inbox.url())
        context = dg.build_sensor_context(
            instance, repository_def=repository, sensor_name="tell", resources={"webhook": Webhook()}
        )

        def look():
            result = tell_regressions(context)
            context._cursor = result.cursor
            for event in result.asset_events:
                instance.report_runless_asset_event(event)
            return result, inbox.documents

        yield look


def test_a_regression_is_told_once_and_stands_among_the_checks(data, watch, instance):
    evaluate(data, 150)
    assert watch()[0].skip_reason.skip_message == "watching from now on"
    evaluate(data, 100)
    result, messages = watch()
    (message,), (event,) = messages, result.asset_events
    assert message["text"].startswith("Regression. nav_evaluation: worse, success 75.00% -> 50.00% on ")
    assert message["difference"] == pytest.approx(-0.25)
    assert (event.check_name, event.passed, event.severity) == (regression.NAME, False, dg.AssetCheckSeverity.WARN)
    result, messages = watch()
    assert (len(messages), result.asset_events) == (1, [])
    assert result.skip_reason.skip_message == "no evaluation since"


def test_what_a_run_has_checked_is_not_entered_again(data, watch, instance):
    evaluate(data, 150)
    watch()
    evaluate(data, 100)
    verdict = regression.verdict(MINE["nav"])
    assert not verdict.passed
    key = dg.AssetKey("nav_evaluation")
    instance.report_runless_asset_event(dg.AssetCheckEvaluation(key, regression.NAME, False, verdict.numbers))
    result, messages = watch()
    assert (len(messages), result.asset_events) == (1, [])


@pytest.mark.parametrize(("num_right", "word"), [(199, "better"), (149, "not shown to differ")])
def test_what_is_better_or_hardly_worse_is_said_in_the_tick_only(data, watch, num_right, word):
    evaluate(data, 150)
    watch()
    evaluate(data, num_right)
    result, messages = watch()
    assert f"nav_evaluation: {word}" in result.skip_reason.skip_message
    assert messages == []
    assert all(event.passed for event in result.asset_events)


def test_other_data_are_never_compared_and_the_last_on_the_same_is_found_behind_them(data, watch):
    evaluate(data, 150)
    watch()
    evaluate(data, 10, mazes=2)
    assert watch()[0].skip_reason.skip_message == "no evaluation since"
    evaluate(data, 100)
    assert "75.00% -> 50.00%" in watch()[1][0]["text"]


def test_every_evaluation_since_the_last_tick_is_compared(data, watch):
    evaluate(data, 150)
    watch()
    evaluate(data, 100)
    evaluate(data, 180)
    result, messages = watch()
    assert [message["score"] for message in messages] == [0.5]
    assert result.skip_reason.skip_message.count("nav_evaluation: ") == 2


@pytest.mark.parametrize("num_right", [0, 100])
def test_a_single_cluster_shows_nothing(data, watch, num_right):
    evaluate(data, 200, cluster="one")
    watch()
    evaluate(data, num_right, cluster="one")
    result, messages = watch()
    assert "nav_evaluation: not shown to differ" in result.skip_reason.skip_message
    assert messages == []


def test_a_message_that_cannot_be_delivered_repeats_no_other(data, watch, monkeypatch):
    evaluate(data, 200)
    watch()
    with Inbox(404) as refusing:
        monkeypatch.setenv("NSMODELS_WEBHOOK_URL", refusing.url())
        evaluate(data, 150)
        evaluate(data, 100)
        result, _ = watch()
        assert "worse, success 100.00% -> 75.00%" in result.skip_reason.skip_message
        assert "(not sent: the webhook in NSMODELS_WEBHOOK_URL does not accept messages" in (
            result.skip_reason.skip_message
        )
        assert [message["score"] for message in refusing.documents] == [0.5]
        assert watch()[0].skip_reason.skip_message == "no evaluation since"
        assert refusing.num_requests == 2
