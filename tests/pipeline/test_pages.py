"""What the page of an asset shows first: the answers of its summary, its curves in order, its columns below."""

from typing import Any

from nsmodels.core.artifact import Manifest
from pipeline.lib.display import answers, curves, results

RECORD = ("lr", "train/loss", "train/accuracy", "val/paired_accuracy", "val/loss", "epoch", "num_parameters")


def test_plots_sorted_by_name_begin_with_the_validation_of_the_main_network():
    names = [curves.name(place, phase, each) for place, phase in ((1, "navigator"), (2, "cnn")) for each in RECORD]
    assert sorted(filter(None, names)) == [
        "1.1 navigator: validation loss",
        "1.2 navigator: validation paired accuracy (share)",
        "1.3 navigator: training loss",
        "1.4 navigator: training accuracy (share)",
        "1.5 navigator: learning rate",
        "2.1 cnn: validation loss",
        "2.2 cnn: validation paired accuracy (share)",
        "2.3 cnn: training loss",
        "2.4 cnn: training accuracy (share)",
        "2.5 cnn: learning rate",
    ]
    assert curves.name(1, "", "val/loss") == "1.1 validation loss"


def manifest(**more: Any) -> Manifest:
    """That of a model that was trained on `mazes`."""
    plain: dict[str, Any] = {"key": "nav_model", "maker": "nsmodels.systems.nav", "kind": "training", "seed": 3}
    plain |= {"config": {}, "inputs": {}, "files": {}, "fingerprint": "f", "code_version": "1", "commit": "0123456789"}
    plain |= {
        "versions": {},
        "machine": "m",
        "created": "2026-11-29T10:00:00+00:00",
        "wall_seconds": 90.0,
        "cpu_seconds": 80.0,
    }
    return Manifest.model_validate({**plain, "source": "synthetic mazes", "metrics": {}, **more})


def test_the_summary_is_first_and_short_and_says_what_how_good_how_made_and_how_used():
    shown = {
        "first_look/navigator": 0.975,
        "first_look/greedy": 0.4,
        "first_look_metric": "success",
        "preset": "debug (as requested)",
        "picture": "x" * 5000,
    }
    page = results.page(manifest(), shown)
    assert list(page)[:5] == ["summary", "first_look_metric", "preset", "picture", "first_look/navigator"]
    text = page["summary"].value
    assert len(text) < 1000  # or the web UI hides it behind a click
    for answer in (
        "synthetic mazes",
        "success: **navigator 97.50%**",
        "greedy 40.00%",
        "preset debug (as requested), seed 3, 2 min",
    ):
        assert answer in text
    assert 'nsmodels.load("nav_model")' in text


def test_the_best_validation_value_has_the_name_of_its_metric_and_shares_are_in_percent():
    metrics = {"navigator/value": 1.0, "navigator/metric": "val/success", "decoder/value": 0.25, "cnn/value": 1.5}
    text = answers.summary(manifest(metrics=metrics | {"decoder/metric": "val/loss"}), {}).value
    assert "navigator success 100.00%, decoder loss 0.25, cnn 1.5" in text


def test_a_summary_that_would_be_too_long_loses_its_longest_lines():
    text = answers.summary(manifest(source="s" * 2000), {}).value
    assert len(text) < 1000
    assert "seed 3" in text
    assert "sss" not in text


def test_a_table_first_keeps_its_place_before_the_summary():
    table = results.table([{"score": "1"}], {"score": "of the model", "95 %": "interval"})
    page = results.page(manifest(), {"leaderboard": table, answers.KEY: "", "figure": "y"})
    assert list(page)[:3] == ["leaderboard", "summary", "figure"]
    assert table.records[0].data == {"score": "1", "95 %": "-"}
    assert [column.description for column in table.schema.columns] == ["of the model", "interval"]


def test_wide_text_opens_on_a_click_and_narrow_text_in_place():
    narrow, wide = results.text("success  100.0"), results.text("x" * 70)
    assert len(narrow.value) < 1000 <= len(wide.value)
    assert wide.value.strip() == f"```\n{'x' * 70}\n```"


def test_the_use_of_a_partition_is_a_call_that_reads_it():
    text = answers.summary(manifest(key="nav_replicates/1/model"), {"seed": 1}).value
    assert 'nsmodels.load("nav_replicates", "1")' in text
    assert "seed 1" in text
