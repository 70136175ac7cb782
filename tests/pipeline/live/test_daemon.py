"""Schedules and sensors fire under a real daemon once they are switched on, and tell a real web server."""

import pytest

from pipeline.lib.automation import regression
from pipeline.schedules import TABLE
from tests.pipeline.automation.inbox import Inbox
from tests.pipeline.automation.test_sensors import evaluate, seal
from tests.pipeline.live.services import live, until

pytestmark = pytest.mark.live
START = {
    "schedule": "mutation ($s: ScheduleSelector!) { startSchedule(scheduleSelector: $s) { __typename } }",
    "sensor": "mutation ($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }",
}
TICKS = """query ($s: InstigationSelector!) { instigationStateOrError(instigationSelector: $s) {
  ... on InstigationState { status ticks(limit: 20) {
    status timestamp skipReason runIds cursor error { message } } } } }"""
FRESH = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  freshnessStatusInfo { freshnessStatus } } } }"""
CHECKED = """query ($key: AssetKeyInput!, $name: String!) {
  assetCheckExecutions(assetKey: $key, checkName: $name, limit: 20) { evaluation { success severity description } } }"""


def switch_on(dagster, kind, *names):
    """As the switches in the UI do."""
    for name in names:
        found = dagster.graphql(START[kind], s=dagster.repository() | {f"{kind}Name": name})
        assert "Error" not in str(found), found


def ticks(dagster, name):
    """The finished ticks of a schedule or sensor, newest first; one that broke is nothing to wait behind."""
    found = dagster.graphql(TICKS, s=dagster.repository() | {"name": name})["instigationStateOrError"]["ticks"]
    assert not [tick["error"]["message"] for tick in found if tick["error"]]
    return [tick for tick in found if tick["status"] != "STARTED"]


def run_of(dagster, name):
    """The first run that a schedule or sensor asks for."""
    (tick, *_) = until(lambda: [each for each in reversed(ticks(dagster, name)) if each["runIds"]], 240)
    return dagster.run(tick["runIds"][0])


def freshness(dagster, key):
    """How fresh the page of an asset calls it."""
    found = dagster.graphql(FRESH, key={"path": [key]})
    return found["assetNodeOrError"]["freshnessStatusInfo"]["freshnessStatus"]


def outcomes(dagster, key, name):
    """What a check of it has said, the latest first; runs that were to check it and failed before said nothing."""
    found = dagster.graphql(CHECKED, key={"path": [key]}, name=name)["assetCheckExecutions"]
    return [each["evaluation"] for each in found if each["evaluation"]]


@pytest.fixture(scope="module")
def inbox():
    with Inbox() as inbox:
        yield inbox


@pytest.fixture(scope="module")
def dagster(tmp_path_factory, inbox):
    """A live Dagster with everything switched on; its `nav_model` was made by other code from data of no use."""
    root = tmp_path_factory.mktemp("live")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NSMODELS_DATA", str(root / "data"))
        environment = {"NSMODELS_WEBHOOK_URL": inbox.url(), "NSMODELS_UI_URL": "http://box:3000"}
        evaluate(root / "data", 150)
        with live(root, "tests.pipeline.live.soon", environment=environment) as dagster:
            switch_on(dagster, "sensor", "tell_failures", "tell_regressions")
            until(lambda: ticks(dagster, "tell_failures") and ticks(dagster, "tell_regressions"), 60)
            evaluate(root / "data", 100)
            seal(root / "data", "mazes", {"n": 2})
            switch_on(dagster, "sensor", "retrain_changed")
            switch_on(dagster, "schedule", *(row.name for row in TABLE))
            yield dagster


def test_changed_data_start_a_run_and_its_failure_is_told(dagster, inbox):
    run = run_of(dagster, "retrain_changed")
    assert "input mazes has changed" in run["tags"]["nsmodels/reason"]
    dagster.wait(run["id"], "FAILURE")
    (told,) = until(lambda: [found for found in inbox.documents if found.get("run_id") == run["id"]], 120)
    assert told["error"].startswith("nav_model: ")
    assert told["link"] == f"http://box:3000/runs/{run['id']}"
    assert "secret" not in str(ticks(dagster, "tell_failures"))


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_every_line_of_the_table_starts_a_run_by_the_clock(dagster, row):
    run = run_of(dagster, row.name)
    assert run["tags"]["dagster/schedule_name"] == row.name
    assert {"path": ["nav_model"]} in run["assetSelection"]
    assert {"path": ["mazes"]} not in run["assetSelection"]


def test_a_worse_evaluation_is_told_and_stands_among_the_checks_of_its_asset(dagster, inbox):
    (told,) = until(lambda: [found for found in inbox.documents if found.get("assets") == ["nav_evaluation"]], 120)
    assert told["text"].startswith("Regression. nav_evaluation: worse, success 75.00% -> 50.00%")
    found = until(lambda: outcomes(dagster, "nav_evaluation", regression.NAME), 60)  # entered after the tick
    assert [(each["success"], each["severity"]) for each in found] == [(False, "WARN")]


def test_freshness_is_judged(dagster):
    until(lambda: freshness(dagster, "mazes") == "HEALTHY", 90)
    assert freshness(dagster, "clevr") == "UNKNOWN"
