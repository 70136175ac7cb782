"""Replicates by a real backfill and the real command: what each seed shows in the UI, and that one fails alone."""

import json
import shutil

import pytest

from tests.pipeline.live.services import live, until
from tests.pipeline.partitions.test_replicates import DIMES, PENNIES, sealed_at

pytestmark = pytest.mark.live

PARTITIONS = """query ($key: [String!]!) { assetNodes(assetKeys: [{path: $key}]) { assetPartitionStatuses {
  ... on DefaultPartitionStatuses { materializedPartitions failedPartitions } } } }"""


@pytest.fixture(scope="module")
def ui(tmp_path_factory):
    """A running Dagster with the coins."""
    with live(tmp_path_factory.mktemp("live"), "tests.pipeline.coins") as started:
        yield started


def partitions(ui, key):
    """What the UI shows as made and as failed."""
    found = ui.graphql(PARTITIONS, key=[key])["assetNodes"][0]["assetPartitionStatuses"]
    return found["materializedPartitions"], found["failedPartitions"]


def test_a_backfill_of_two_data_sets_and_three_seeds_with_one_that_fails(ui):
    data = ui.root / "data"
    foreign = data / PENNIES / "1" / "model"
    foreign.mkdir(parents=True)
    (foreign / "mine.txt").write_text("somebody's own")
    config = {key: {"preset": "debug"} for key in (PENNIES, DIMES)}
    ui.backfill(list(config), ["0", "1", "2"], config)
    (run,) = until(ui.runs, 120)  # one for all; the daemon looks for backfills every 30 s
    ui.wait(run["id"], "FAILURE")
    assert partitions(ui, PENNIES) == (["0", "2"], ["1"])
    assert partitions(ui, DIMES) == (["0", "1", "2"], [])
    before = sealed_at(data, "*_replicates")
    assert len(before) == 10
    shutil.rmtree(foreign)
    ui.wait(ui.launch([PENNIES], config, partition="1"))
    assert partitions(ui, PENNIES) == (["0", "1", "2"], [])
    after = sealed_at(data, "*_replicates")
    assert {path: after[path] for path in before} == before
    assert len(after) == 12


def test_the_command_makes_a_range_of_two_data_sets(ui):
    config = {"ops": {key: {"config": {"preset": "debug"}} for key in (PENNIES, DIMES)}}
    select = ["--select", f"{PENNIES},{DIMES}", "--partition-range", "3...4"]
    ui.command("asset", "materialize", "-m", "tests.pipeline.coins", *select, "--config-json", json.dumps(config))
    made = {seed for seed in ("3", "4") for key in (PENNIES, DIMES) if (ui.root / "data" / key / seed).is_dir()}
    assert made == {"3", "4"}
    assert partitions(ui, DIMES)[0][-2:] == ["3", "4"]
