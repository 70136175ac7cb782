"""Replicates: a partition per seed, recorded as it ends; what fails fails alone, what is finished is kept."""

import dagster as dg
import pytest

from nsmodels.core.artifact import read_manifest
from nsmodels.core.sealed import renamed
from pipeline.lib import policy
from pipeline.lib.partitions import replicates
from tests.pipeline import coins

START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
PENNIES, DIMES = "pennies_replicates", "dimes_replicates"


def run(instance, first, last, *keys, config=None):
    """One run of a range of seeds, as the command line and a backfill of `single_run` start it."""
    keys = keys or (PENNIES,)
    ops = {key: {"config": config or {"preset": "debug"}} for key in keys}
    tags = {START: first, END: last}
    return dg.materialize(
        coins.ASSETS, selection=keys, instance=instance, run_config={"ops": ops}, tags=tags, raise_on_error=False
    )


def recorded(instance, done, key=PENNIES):
    """Metadata by seed of what the history holds of a run, also of one that failed."""
    events = [
        e.dagster_event for e in instance.all_logs(done.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    ]
    those = [e.step_materialization_data.materialization for e in events if e.asset_key == dg.AssetKey(key)]
    return {m.partition: {k: v.value for k, v in m.metadata.items()} for m in those}


def line(done, key=PENNIES):
    """The one line with which a step failed."""
    return done.failure_data_for_node(key).user_failure_data.description


def sealed_at(data, key=PENNIES):
    """When each manifest was written."""
    return {str(p.relative_to(data)): p.stat().st_mtime_ns for p in data.glob(f"{key}/*/*/manifest.json")}


def unlucky(data, fate):
    """What is to happen to a seed; nothing any more when empty."""
    data.mkdir(exist_ok=True)
    (data / coins.UNLUCKY).write_text(fate)


def test_each_seed_of_a_range_has_a_model_an_evaluation_and_a_record(data, instance):
    done = run(instance, "0", "2")
    assert done.success
    seen = recorded(instance, done)
    assert {seed: shown["seed"] for seed, shown in seen.items()} == {"0": 0, "1": 1, "2": 2}
    assert [seen[seed]["accuracy"] for seed in "012"] == [0.0, 0.1, 0.2]
    assert "2 of 10" in seen["2"]["table"]
    model = read_manifest(data / PENNIES / "2" / "model")
    assert (model.seed, model.config["model"]["dim"]) == (2, 2)
    evaluation = read_manifest(data / PENNIES / "2" / "evaluation")
    assert list(evaluation.inputs) == [f"{PENNIES}/2/model", "pennies"]
    assert evaluation.inputs[f"{PENNIES}/2/model"].fingerprint == model.fingerprint


def test_epochs_and_versions_belong_to_their_partition(data, instance):
    done = run(instance, "3", "4")
    seen = instance.fetch_observations(dg.AssetKey(PENNIES), limit=9).records
    assert sorted(record.partition_key for record in seen) == ["3", "4"]
    assert seen[0].asset_observation.metadata["1.3 toss: training loss"].value == 0.5
    for event in done.get_asset_materialization_events():
        if event.partition:
            sealed = read_manifest(data / PENNIES / event.partition / "evaluation")
            assert event.materialization.tags["dagster/data_version"] == sealed.fingerprint
            bag = read_manifest(data / "pennies")
            assert event.materialization.tags["dagster/input_data_version/pennies"] == bag.fingerprint


@pytest.mark.parametrize(
    ("fate", "reason"),
    [("1 stops", "1: the coin fell on its edge"), ("1 breaks", "1: ZeroDivisionError: no such number")],
)
def test_a_seed_that_fails_does_so_alone_and_is_made_alone(data, instance, fate, reason):
    unlucky(data, fate)
    done = run(instance, "0", "2")
    assert line(done) == f"{PENNIES}: 1 of 3 failed (2 others finished and kept): {reason}"
    assert recorded(instance, done).keys() == {"0", "2"}
    before = sealed_at(data)
    unlucky(data, "")
    again = run(instance, "1", "1")
    assert again.success
    assert recorded(instance, again)["1"]["reason"].startswith("model built: no artifact yet")
    assert {path: time for path, time in sealed_at(data).items() if path in before} == before
    assert len(sealed_at(data)) == 6


def test_a_finished_range_costs_nothing_until_something_changes(data, instance):
    run(instance, "0", "1")
    before = sealed_at(data)
    again = run(instance, "0", "1")
    assert all(shown["is_reused"] for shown in recorded(instance, again).values())
    assert sealed_at(data) == before
    changed = run(instance, "1", "1", config={"preset": "debug", "model": {"dim": 3}})
    assert "config model.dim 2 -> 3" in recorded(instance, changed)["1"]["reason"]


def test_finished_seeds_under_the_old_key_are_taken_over_and_not_trained_again(data, instance, monkeypatch):
    run(instance, "0", "1")
    before = sealed_at(data)
    (data / PENNIES).rename(data / "bag_replicates")
    monkeypatch.setattr(renamed, "KEYS", {"bag_replicates": PENNIES})
    again = run(instance, "0", "1")
    assert all(shown["is_reused"] for shown in recorded(instance, again).values())
    assert sealed_at(data) == before
    assert not (data / "bag_replicates").exists()


@pytest.mark.parametrize("fate", ["1 is cancelled", "1 is killed"])
def test_a_cancel_ends_the_run_and_keeps_the_finished_seeds(data, instance, fate):
    unlucky(data, fate)
    assert not run(instance, "0", "2").success
    kept = instance.fetch_materializations(dg.AssetKey(PENNIES), limit=9).records
    assert [record.partition_key for record in kept] == ["0"]
    assert not (data / PENNIES / "2").exists()


def test_what_is_finished_is_recorded_before_anything_is_begun(data, instance):
    run(instance, "2", "2")
    unlucky(data, "0 is cancelled")
    done = run(instance, "0", "2")
    assert recorded(instance, done).keys() == {"2"}


@pytest.mark.parametrize(
    ("first", "last", "config", "said"),
    [
        ("0", "1", {"training": {"seed": 7}}, "launchpad: field 'training.seed': the seed is the partition; "),
        ("0", "1", {"model": {"dim": 0}}, "launchpad: field 'model.dim': Input should be greater than or equal to 1"),
        ("4", "0", {}, "partition range 4...0: it is empty; give the smaller one first"),
    ],
    ids=["seed", "out of bounds", "reversed"],
)
def test_bad_input_is_one_line_and_makes_nothing(data, instance, first, last, config, said):
    done = run(instance, first, last, config=config)
    assert line(done).startswith(said)
    assert not (data / PENNIES).exists()


def test_a_second_training_on_the_same_data_goes_by_its_own_name():
    both = replicates.replicates([*coins.TRAININGS, coins.training("pennies", "farthing")])
    assert [each.key for each in both] == [PENNIES, DIMES, "farthing_replicates"]


def test_a_cluster_gets_a_run_for_each_seed(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert policy.replicates()["backfill_policy"].policy_type.name == "SINGLE_RUN"
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    assert policy.replicates()["backfill_policy"].max_partitions_per_run == 1


def test_a_trial_that_nobody_queued_is_refused(data, instance):
    instance.add_dynamic_partitions("pennies_trials", ["x"])
    done = dg.materialize(
        coins.ASSETS, selection=["pennies_trials"], instance=instance, partition_key="x", raise_on_error=False
    )
    assert line(done, "pennies_trials").endswith("trial.json: missing or broken; queue the trial with: nsmodels sweep")
