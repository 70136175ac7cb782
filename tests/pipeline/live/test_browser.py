"""The web UI as used by a person, in a real browser: the graph, a launch, a run, plots and pictures, a backfill."""

import pytest

from tests.pipeline.live.browser import opened
from tests.pipeline.live.services import live, until

pytestmark = pytest.mark.live
CONFIG = "ops: {mazes: {config: {preset: debug, num_train: 32}}}"


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


def test_an_asset_is_built_by_clicking_and_its_run_is_shown_to_the_end(place, page, expect, made):
    page.goto(f"/runs/{made}")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible()
    expect(page.get_by_text("preset debug (as requested), num_train=32").first).to_be_visible()
    assert place.run(made)["status"] == "SUCCESS"


def test_the_page_of_an_asset_describes_it(place, page, expect, made):
    place.wait(made)
    page.goto("/assets/mazes")
    for text in ("Row count", "split of the data", "Obstacle fields, mazes, rooms, caves and corridors"):
        expect(page.get_by_text(text).first).to_be_visible()
    source = page.get_by_role("link", name="mazes.py")
    assert "pipeline/assets/datasets/mazes.py:" in source.get_attribute("href")


def test_its_pictures_open_and_its_numbers_are_plotted(place, page, expect, made):
    place.wait(made)
    page.goto("/assets/mazes")
    page.get_by_text("[Show Markdown]").first.click()
    picture = page.get_by_role("dialog").locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 300
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
