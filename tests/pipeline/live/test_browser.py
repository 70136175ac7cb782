"""The web UI as used by a person, in a real browser: the graph, a launch, a run, plots and pictures, a backfill."""

import dagster as dg
import pytest
import yaml

from nsmodels.datasets.mazes.config import MazesConfig
from tests.pipeline.live.browser import opened
from tests.pipeline.live.services import history, live, until

pytestmark = pytest.mark.live
CONFIG = "ops: {mazes: {config: {preset: debug, num_train: 32}}}"
SHOWN = """query ($selector: PipelineSelector!, $run: ID!) {
  runConfigSchemaOrError(selector: $selector) { ... on RunConfigSchema { rootDefaultYaml } }
  runOrError(runId: $run) { ... on Run { repositoryOrigin { repositoryName repositoryLocationName } } }
  assetNodes(assetKeys: [{path: ["nav_trials"]}, {path: ["nav_replicates"]}]) {
    assetKey { path } partitionStats { numPartitions numMaterialized } } }"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A running Dagster with the real definitions."""
    with live(tmp_path_factory.mktemp("project")) as place:
        yield place


@pytest.fixture(scope="module")
def page(place):
    """The one page of the browser."""
    with opened(place.url) as page:
        yield page


@pytest.fixture(scope="module")
def expect():
    from playwright.sync_api import expect

    return expect


@pytest.fixture(scope="module")
def made(place, page):
    """The run launched by clicking: the asset's menu, the launchpad, a configuration, the button."""
    page.goto("/assets/mazes")
    page.get_by_role("button", name="Materialize").locator("xpath=following::button[1]").click()
    page.get_by_text("Open launchpad").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("num_train").first.wait_for()  # it opens with every field, those that the preset decides too
    dialog.locator(".CodeMirror").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(CONFIG)
    dialog.get_by_text("No errors").wait_for()
    dialog.get_by_role("button", name="Materialize").click()
    (run,) = until(place.runs, 60)
    return run["id"]


def test_the_graph_opens_by_groups_down_to_an_asset(page, expect):
    page.goto("/asset-groups")
    for group in ("archives", "datasets", "models", "evaluations", "figures", "studies", "replicates"):
        expect(page.get_by_role("button", name=group)).to_be_visible()
    page.get_by_role("button", name="models").locator("xpath=preceding::button[1]").click()
    expect(page.get_by_role("button", name="nav_model")).to_be_visible()


def test_the_server_shows_every_field_no_green_without_partitions_and_runs_of_the_command_line(place):
    with history(place.root) as instance:  # as `dagster asset materialize` records it
        run = instance.add_run(dg.DagsterRun(job_name="__ASSET_JOB", status=dg.DagsterRunStatus.SUCCESS))
    job = {**place.repository(), "pipelineName": "__ASSET_JOB", "assetSelection": [{"path": ["mazes"]}]}
    found = place.graphql(SHOWN, selector=job, run=run.run_id)
    with history(place.root) as instance:  # the run that is launched by clicking is the only one
        instance.delete_run(run.run_id)
    fields = yaml.safe_load(found["runConfigSchemaOrError"]["rootDefaultYaml"])["ops"]["mazes"]["config"]
    assert list(fields)[:2] == ["preset", "force"]
    assert fields.keys() == {"preset", "force", *MazesConfig.model_fields}
    assert fields["num_train"] is None
    assert found["runOrError"]["repositoryOrigin"] == place.repository()
    stats = {node["assetKey"]["path"][0]: node["partitionStats"] for node in found["assetNodes"]}
    assert stats == {"nav_trials": None, "nav_replicates": {"numPartitions": 10, "numMaterialized": 0}}


def test_an_asset_is_built_by_clicking_and_its_run_is_shown_to_the_end(place, page, expect, made):
    page.goto(f"/runs/{made}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    expect(page.get_by_text("preset debug (as requested), num_train=32").first).to_be_visible()
    assert place.run(made)["status"] == "SUCCESS"


def test_the_page_of_an_asset_describes_it(place, page, expect, made):
    place.wait(made)
    page.goto("/assets/mazes")
    for text in ("Row count", "Obstacle fields, mazes, rooms, caves and corridors", "How it was made"):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_role("row").nth(1)).to_contain_text("summary")  # after the head, before everything else
    source = page.get_by_role("link", name="mazes.py")
    assert "pipeline/assets/datasets/mazes.py:" in source.get_attribute("href")
    page.get_by_text("[Show Table Schema]").click()
    expect(page.get_by_role("dialog").get_by_text("split of the data")).to_be_visible()
    page.keyboard.press("Escape")


def test_its_pictures_open_and_its_numbers_are_plotted(place, page, expect, made):
    place.wait(made)
    page.goto("/assets/mazes")
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.get_by_role("dialog").locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 300
    expect(page.get_by_role("dialog").get_by_text("Green: start; red: goal")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Plots").click()
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_text("num_states").first).to_be_visible()


def test_a_backfill_is_launched_from_its_dialog_and_has_the_preset_of_its_tag(place, page, expect, made):
    place.wait(made)
    page.goto("/assets/nav_replicates")
    page.get_by_role("button", name="Materialize").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Select a partition").click()
    for seed in ("0", "1"):
        page.get_by_role("menuitem").get_by_text(seed, exact=True).first.click()
    page.keyboard.press("Escape")
    dialog.get_by_text("Tags", exact=True).click()
    dialog.get_by_role("button", name="Add tags").click()
    page.get_by_placeholder("Tag Key").fill("nsmodels/preset")
    page.get_by_placeholder("Tag Value").fill("debug")
    page.get_by_role("button", name="Apply").click()
    dialog.get_by_role("button", name="Launch backfill").click()
    run = until(lambda: [run for run in place.runs() if "dagster/backfill" in run["tags"]], 120)[0]
    assert run["tags"]["nsmodels/preset"] == "debug"
    until(lambda: "nav_replicates 0: preset debug (as requested)" in place.story(run["id"]), 120)
    page.goto(f"/runs/b/{run['tags']['dagster/backfill']}")
    expect(page.get_by_text("nav_replicates").first).to_be_visible()
    place.terminate(run["id"])
