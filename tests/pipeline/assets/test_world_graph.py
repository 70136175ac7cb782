"""The chain of the world model in the pipeline: five models, a changed parent, and a backfill over seeds."""

import shutil
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest

from nsmodels.core.artifact import read_manifest
from nsmodels.systems.world import SYSTEM
from pipeline.assets.systems import world, world_checks
from pipeline.definitions import defs
from pipeline.lib.training import Training
from pipeline.sensors import retrain_changed
from tests.pipeline.jobs import job_of

pytestmark = pytest.mark.usefixtures("one_thread")

DEBUG, SEED_0 = ({"config": {"preset": "debug", "training": {"device": "cpu"} | more}} for more in ({}, {"seed": 0}))
MODELS = [each.model_key for each in world.TRAININGS]
START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@pytest.fixture(scope="module")
def root(tmp_path_factory, shared):
    """A data root with the debug data, in which the whole chain is made once."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(shared.data("impacts"), folder / "impacts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NSMODELS_DATA", str(folder))
        yield folder


@pytest.fixture(scope="module")
def instance():
    """A history in memory: on the disk each of the events of a run takes milliseconds."""
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def run(instance, *keys, tags=None, **config):
    """One run of these assets, models with the preset `debug`."""
    ops = {key: DEBUG for key in keys if key.endswith(("_model", "_replicates"))} | config
    job = job_of(defs(), keys)
    how = {"run_config": {"ops": ops}, "instance": instance, "tags": tags, "raise_on_error": False}
    return job.execute_in_process(asset_selection=[dg.AssetKey(key) for key in keys], **how)


@pytest.fixture(scope="module")
def made(root, instance):
    """The run that made it."""
    return run(instance, *MODELS, **dict.fromkeys(MODELS, SEED_0))


@pytest.fixture(scope="module")
def first_seed(made, root):
    """The models of seed 0 where its replicate has them: they are the chain, and only scored."""
    assert made.success
    folder = root / "world_replicates" / "0"
    for model, part in zip(MODELS, [*MODELS[:-1], "model"], strict=True):
        shutil.copytree(root / model, folder / part)
    return folder


def seals(root: Path) -> dict[str, int]:
    return {str(path.parent.relative_to(root)): path.stat().st_mtime_ns for path in root.rglob("manifest.json")}


def metadata(done, key):
    return done.asset_materializations_for_node(key)[0].metadata


def test_the_chain_is_made_and_each_model_starts_from_the_one_before(made, root):
    assert made.success
    for parent, child in pairwise(MODELS):
        record = read_manifest(root / child).inputs[parent]
        assert (record.role, record.fingerprint) == ("parent", read_manifest(root / parent).fingerprint)
    assert "data:image/png;base64" in metadata(made, "world_model")["imagined"].value
    assert "hardness" in metadata(made, "world_model")["first_look"].value
    assert world_checks.beats_persistence(root / "world_model").numbers["nmse"] > 0


def test_a_changed_parent_makes_its_child_stale_and_is_retrained(first_seed, root, instance):
    before = seals(root)
    parent, child = MODELS[-2:]
    other = {"config": {"preset": "debug", "training": {"device": "cpu", "seed": 7}}}
    assert run(instance, parent, **{parent: other}).success
    assert {key for key, time in seals(root).items() if before[key] != time} == {parent}  # each is run alone
    context = dg.build_sensor_context(instance, repository_def=defs().get_repository_def())
    (request,) = retrain_changed(context).run_requests
    assert request.tags["nsmodels/reason"].startswith(f"input {parent} has changed")
    requested = {key.to_user_string() for key in request.asset_selection}
    assert requested >= {child, "world_evaluation"}
    assert not requested & set(MODELS[:-1])
    done = run(instance, child, **{child: SEED_0})
    assert metadata(done, child)["reason"].value == f"built: input {parent} has changed"


def test_a_backfill_of_two_seeds_runs_the_chain_and_a_failed_phase_is_run_alone(first_seed, root, instance):
    key = "world_replicates"
    finished = seals(first_seed)
    obstacle = root / key / "1" / "world_fusion_model"
    obstacle.parent.mkdir(parents=True)
    obstacle.write_text("not a folder", encoding="utf-8")
    done = run(instance, key, tags={START: "0", END: "1"})
    line = done.failure_data_for_node(key).user_failure_data.description
    assert line.startswith(f"{key}: 1 of 2 failed (1 other finished and kept): 1: ")
    parts = [*MODELS[:-1], "model", "evaluation"]
    now = seals(first_seed)
    assert {part: now[part] for part in parts[:-1]} == finished, "finished models were trained again"
    before = {path: time for path, time in seals(root).items() if path.startswith(key)}
    assert set(before) == {f"{key}/0/{part}" for part in parts} | {f"{key}/1/{part}" for part in parts[:2]}
    obstacle.unlink()
    assert run(instance, key, tags={START: "0", END: "1"}).success
    after = seals(root)
    assert {path: after[path] for path in before} == before, "finished phases were not kept"
    assert {path for path in after if path.startswith(f"{key}/1/")} == {f"{key}/1/{part}" for part in parts}
    assert [read_manifest(root / key / "1" / part).seed for part in parts[:-1]] == [1] * len(MODELS)
    for judge in (world_checks.beats_baselines, world_checks.colour_changes_nothing, world_checks.intervals_cover):
        assert judge(root / key / "0" / "evaluation").message


def test_a_partition_trains_the_parents_as_they_are_trained_alone(root):
    stages = {stage.name: stage.presets["base"]() for stage in SYSTEM.stages}
    (replicates,) = [each for each in _partitioned() if each.key == "world_replicates"]
    chosen = replicates.choose("3", {"preset": "base"})
    links = replicates.links("3", chosen, {"impacts": root / "impacts"})
    for link, stage in zip(links, SYSTEM.stages, strict=False):
        assert link.config == stages[stage.name].with_values({"training.seed": 3})


def _partitioned():
    from pipeline.lib.partitions.replicates import replicates

    trainings: list[Training] = world.TRAININGS
    return replicates(trainings)


def test_a_metric_is_behind_in_its_own_direction():
    won = {
        "direction": "lower",
        "ceiling": "top",
        "rows": {n: {"score": s} for n, s in (("world", 1), ("rule", 2), ("top", 0))},
    }
    assert world_checks._is_behind("error", won) == ""
    assert world_checks._is_behind("share", won | {"direction": "higher"}) == "share: 1, rule 2"
