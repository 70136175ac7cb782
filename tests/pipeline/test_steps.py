"""Make or reuse, inputs on the spot, failures in one line: on tiny real artifacts and real Dagster runs."""

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import dagster as dg
import pytest
from pydantic import Field

from nsmodels.core import artifact
from nsmodels.core.config import Config, runtime_field
from nsmodels.core.errors import InputError, TryLater
from nsmodels.core.orders import Inputs, Order
from pipeline.lib import reuse, step, store
from pipeline.lib.launchpad import Launchpad


class Size(Config):
    """How much of it."""

    number: int = Field(3, ge=1, description="how many")
    seed: int = Field(0, description="random seed")
    workers: int = runtime_field(1, description="processes")


PAD = Launchpad({"debug": lambda: Size(number=1), "base": Size}, "base")


def build(order: Order[Size]) -> artifact.Manifest:
    """Seals a folder with one text file, unless one of this recipe is there."""
    recipe = {"config": order.config.relevant(), "code_version": "1", "inputs": order.inputs, "seed": order.config.seed}
    found = artifact.current(order.folder, artifact.make_fingerprint(**recipe))
    if found and not order.force:  # as the library's own functions do
        return found
    with artifact.build(
        order.folder,
        key=order.key,
        maker="tests.pipeline",
        source="synthetic",
        **recipe,
    ) as part:
        (part.path / "count.txt").write_text(str(order.config.number))
        part.metrics["clock"] = time.perf_counter()  # no two manifests are alike, though sealed within a second
        part.metrics["val"] = {"accuracy": order.config.number / 10}
        for tracker in order.trackers:
            tracker.epoch({"epoch": 1, "train/loss": 0.5})
            tracker.close()
            tracker.epoch({"epoch": 1, "train/loss": 0.2})
    return artifact.read_manifest(order.folder)


def make_numbers(preset) -> artifact.Manifest:
    return build(Order("numbers", PAD.presets[preset](), Inputs({}), store.folder("numbers")))


def is_for_debugging(manifest: artifact.Manifest, preset: str) -> bool:
    return preset != "debug" and manifest.config["number"] == 1


@dg.asset(config_schema=PAD.schema, code_version="1")
def numbers(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Generated data."""
    return step.materialise(context, PAD, "1", (), build, phases=("first", "second"))


@dg.asset(deps=["numbers"], config_schema=PAD.schema, code_version="1")
def numbers_model(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Something trained on it."""
    return step.materialise(context, PAD, "1", ("numbers",), build, phases=("first", "second"))


@dg.asset(deps=["numbers_model"], config_schema=PAD.schema, code_version="1")
def numbers_evaluation(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Its score."""
    return step.materialise(context, PAD, "1", ("numbers_model",), build)


ASSETS = [numbers, numbers_model, numbers_evaluation]


@pytest.fixture
def on_the_spot(monkeypatch):
    """`numbers` is made when a later step misses it; of debug's size only for debug."""
    monkeypatch.setattr(store, "_makers", {})
    store.on_demand("numbers", is_for_debugging)(make_numbers)


def run(instance, name, config=None, **more):
    """One run of one asset; the metadata of its result."""
    ops = {name: {"config": config}} if config else {}
    done = dg.materialize(ASSETS, selection=[name], instance=instance, run_config={"ops": ops}, **more)
    assert done.success or not more.get("raise_on_error", True)
    events = done.asset_materializations_for_node(name)
    return {key: value.value for key, value in events[0].metadata.items()} if events else done


def latest(instance, name):
    event = instance.get_latest_materialization_event(dg.AssetKey(name))
    return event.asset_materialization if event else None


def test_an_input_that_another_run_is_making_is_waited_for(data, instance, on_the_spot):
    data.mkdir(parents=True)
    with ThreadPoolExecutor(1) as pool:
        with artifact.locked(data / "numbers"):
            waiting = pool.submit(run, instance, "numbers_model")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=3 * store.PAUSE)
            assert not (data / "numbers").exists()
        assert waiting.result()
    assert artifact.read_manifest(data / "numbers").key == "numbers"


def test_an_unchanged_asset_is_reused_and_says_why(data, instance):
    first = run(instance, "numbers")
    second = run(instance, "numbers", {"workers": 4})
    assert not first["is_reused"]
    assert first["reason"] == "built: no artifact yet"
    assert second["is_reused"]
    assert second["reason"].startswith("reused, built ")
    assert second["fingerprint"] == first["fingerprint"]
    assert second["val/accuracy"] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"force": True}, "force"),
        ({"number": 5}, "config number 3 -> 5"),
        ({"seed": 1}, "seed seed 0 -> 1"),
    ],
)
def test_a_changed_asset_is_made_again_and_says_what_changed(data, instance, config, reason):
    run(instance, "numbers")
    again = run(instance, "numbers", config)
    assert not again["is_reused"]
    assert again["reason"] == f"built: {reason}"


def test_another_input_makes_the_model_again(data, instance):
    run(instance, "numbers")
    run(instance, "numbers_model")
    run(instance, "numbers", {"number": 5})
    assert "input numbers has changed" in run(instance, "numbers_model")["reason"]


def test_an_input_made_again_makes_what_follows_again(data, instance):
    for name in ("numbers", "numbers_model", "numbers_evaluation"):
        run(instance, name)
    run(instance, "numbers_model", {"force": True})
    sealed = artifact.read_manifest(data / "numbers_evaluation").inputs["numbers_model"].manifest_sha256
    again = run(instance, "numbers_evaluation")
    assert again["reason"] == "built: input numbers_model was built again"
    assert artifact.read_manifest(data / "numbers_evaluation").inputs["numbers_model"].manifest_sha256 != sealed
    assert run(instance, "numbers_evaluation")["is_reused"]


def test_the_data_version_is_the_fingerprint(data, instance):
    shown = run(instance, "numbers")
    assert latest(instance, "numbers").tags["dagster/data_version"] == shown["fingerprint"]
    assert shown["fingerprint"] == artifact.read_manifest(data / "numbers").fingerprint


def test_a_missing_generated_input_is_made_and_recorded(data, instance, on_the_spot):
    run(instance, "numbers_model")
    made, model = latest(instance, "numbers"), latest(instance, "numbers_model")
    sealed = artifact.read_manifest(data / "numbers")
    assert made.tags["dagster/data_version"] == sealed.fingerprint
    assert made.metadata["source"].value == "synthetic"
    assert model.tags["dagster/input_data_version/numbers"] == sealed.fingerprint


def test_an_input_made_outside_of_dagster_is_recorded_once(data, instance):
    make_numbers("base")
    run(instance, "numbers_model")
    run(instance, "numbers_model")
    assert len(instance.fetch_materializations(dg.AssetKey("numbers"), limit=9).records) == 1


def test_debug_sized_data_are_not_used_for_more_than_debugging(data, instance, on_the_spot):
    run(instance, "numbers_model", {"preset": "debug"})
    assert artifact.read_manifest(data / "numbers").config["number"] == 1
    run(instance, "numbers_model", {"preset": "base"})
    assert artifact.read_manifest(data / "numbers").config["number"] == 3


def test_a_missing_expensive_input_fails_with_the_command(data, instance):
    done = run(instance, "numbers_evaluation", raise_on_error=False)
    failure = done.failure_data_for_node("numbers_evaluation")
    assert failure.user_failure_data.description.endswith("dagster asset materialize --select numbers_model")
    assert not (data / "numbers_evaluation").exists()


def test_a_value_out_of_bounds_fails_with_one_line(data, instance):
    done = run(instance, "numbers", {"number": 0}, raise_on_error=False)
    line = done.failure_data_for_node("numbers").user_failure_data.description
    assert line == "launchpad: field 'number': Input should be greater than or equal to 1, got 0"


def test_each_epoch_is_an_observation(data, instance):
    run(instance, "numbers")
    records = instance.fetch_observations(dg.AssetKey("numbers"), limit=9).records
    seen = [{name: value.value for name, value in r.asset_observation.metadata.items()} for r in reversed(records)]
    assert seen == [
        {"first/epoch": "1", "1.3 first: training loss": 0.5},
        {"second/epoch": "1", "2.3 second: training loss": 0.2},
    ]


def test_an_error_line_keeps_its_words():
    with pytest.raises(dg.Failure) as failure, step.one_line_errors():
        raise InputError("file: field x\n  is wrong")
    assert failure.value.description == "file: field x is wrong"
    assert not failure.value.allow_retries


@pytest.mark.parametrize(
    ("error", "tries", "line"),
    [
        (KeyError("split"), 1, "KeyError: 'split'"),
        (InputError("file: bad"), 1, "file: bad"),
        (TryLater("server: busy"), 3, "server: busy"),
        (KeyboardInterrupt(), 1, "stopped; run the same command again, finished work is kept"),
    ],
    ids=["mistake", "bad input", "busy line", "Ctrl-C"],
)
def test_only_what_may_be_better_in_a_minute_is_tried_again(data, instance, error, tries, line):
    tried = []

    def fail(order: Order[Size]) -> artifact.Manifest:
        tried.append(order.key)
        raise error

    @dg.asset(config_schema=PAD.schema, retry_policy=dg.RetryPolicy(max_retries=2))
    def fetched(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        return step.materialise(context, PAD, "1", (), fail)

    done = dg.materialize([fetched], instance=instance, raise_on_error=False)
    failure = done.failure_data_for_node("fetched")
    assert failure is not None
    assert len(tried) == tries
    if tries == 1:
        assert failure.user_failure_data.description == line
    if isinstance(error, KeyError):
        assert "test_steps.py" in failure.error.cause.to_string()  # where it happened


def test_an_input_that_is_no_longer_used_is_a_change_unless_the_library_chooses_inputs(data):
    for key, number in (("numbers", 3), ("letters", 7)):
        build(Order(key, Size(number=number), Inputs({}), store.folder(key)))
    both = Inputs({key: store.folder(key) for key in ("numbers", "letters")})
    made = build(Order("numbers_model", Size(seed=3), both, store.folder("numbers_model")))
    assert reuse.changes(made, reuse.Recipe(None, "1", both)) == []
    assert reuse.changes(made, reuse.Recipe(None, "1", {})) == []
    one = {"numbers": store.folder("numbers")}
    assert reuse.changes(made, reuse.Recipe(None, "1", one)) == ["input letters is no longer used"]


def pictures(*names):
    """Assets of one group, each with an input of its own, `<name>_input`."""

    def made(name):
        @dg.asset(name=name, deps=[f"{name}_input"], group_name="pictures", output_required=False)
        def picture(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
            if not step.is_left_out(context, [f"{name}_input"]):
                store.require([f"{name}_input"])
                yield dg.MaterializeResult()

        return picture

    return [made(name) for name in names]


def test_an_asset_whose_input_is_missing_is_left_out_of_a_run_of_several(data, instance):
    artifact.made(
        data / "one_input", False, lambda part: None, key="one_input", maker="tests", config={}, code_version="1"
    )
    done = dg.materialize(pictures("one", "two"), instance=instance)
    assert done.success
    assert [event.asset_key.to_user_string() for event in done.get_asset_materialization_events()] == ["one"]
    (line,) = [entry.message for entry in instance.all_logs(done.run_id) if "left out" in entry.message]
    assert line.startswith(f"left out: {data / 'two_input'}: artifact 'two_input' does not exist")


def test_what_a_selection_only_leads_to_is_left_out_where_its_input_is_missing(data, instance, monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["python", "dagster", "asset", "materialize", "--select", "one*"])
    done = dg.materialize(pictures("two"), instance=instance)
    assert done.success
    assert done.get_asset_materialization_events() == []
    monkeypatch.setattr(sys, "orig_argv", ["python", "dagster", "asset", "materialize", "--select", "two*"])
    assert not dg.materialize(pictures("two"), instance=instance, raise_on_error=False).success


def test_a_run_whose_inputs_are_all_missing_fails(data, instance):
    done = dg.materialize(pictures("one", "two"), instance=instance, raise_on_error=False)
    assert {event.node_name for event in done.get_step_failure_events()} == {"one", "two"}
