"""`make paper`: what it announces, refuses, and does when a step fails or a signal comes."""

import shutil
import signal

import pytest

from nsmodels.core import artifact, discover, interrupts
from pipeline.publication import execution
from pipeline.publication.__main__ import main
from tests.pipeline.publication.made import made, trained


def test_seeds_of_different_presets_are_refused_before_anything_is_made(data, capsys):
    for part in ("model", "evaluation"):
        trained(data / "nav_replicates" / "0" / part, "base")
    assert main(["--families", "nav"]) == 2
    line = capsys.readouterr().err
    assert (
        "nav_replicates/0: sealed with the preset base, and seed 1 with quick cannot be taken together with it" in line
    )
    assert line.count("\n") == 1


def test_what_stays_of_a_different_preset_is_named(data, capsys):
    trained(data / "nav_model", "base")
    assert main(["--families", "nav", "--dry-run"]) == 0
    text = capsys.readouterr().out
    assert "nav_model: kept as it is, of the preset base" in text
    assert "nav_evaluation, nav_training_curves" in text


def test_what_no_time_is_known_of_is_named(data, capsys):
    assert main(["--families", "natural", "--dry-run", "--preset", "base"]) == 0
    *steps, last = capsys.readouterr().out.splitlines()
    unmeasured = "gqa_mini_baselines, vqa_mini_baselines, visual_baselines"
    assert steps[-1].endswith(f"gqa_consistency: {unmeasured} not measured")
    assert f"{unmeasured}; " in last
    assert main(["--families", "natural", "--dry-run"]) == 0
    assert "not measured" not in capsys.readouterr().out
    assert main(["--families", "graph", "--dry-run", "--preset", "small"]) == 2
    assert main(["--families", "nav", "--dry-run", "--preset", "debug"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("3 steps to do")
    assert ": what was not measured: nav_replicates, nav_ablations; " in last


def test_systems_are_made_in_their_order_and_once(data, capsys):
    assert main(["--families", "natural,nav,visual,nav", "--dry-run"]) == 0
    steps = [line.split()[0].rstrip(",") for line in capsys.readouterr().out.splitlines()[1:-1]]
    assert steps.count("nav_replicates") == 1
    assert steps.index("clevr_mini_model") < steps.index("gqa_mini_model") < steps.index("nav_model")


def test_a_dry_run_lists_steps_and_writes_nothing(data, capsys):
    assert main(["--dry-run", "--families", "world,graph"]) == 0
    text = capsys.readouterr().out
    assert "world_replicates, seeds 0 1 2: about 54 min of CPU" in text
    assert "world_vision_model, world_audio_model, world_fusion_model, world_dynamics_model, world_model" in text
    assert "the same command goes on with what is missing" in text
    assert not any(data.iterdir()) if data.exists() else True


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("preset", "debg"),
        ("preset", "small"),
        ("seeds", "2...0"),
        ("seeds", "0...99"),
        ("families", "chess"),
        ("jobs", "two"),
    ],
)
def test_bad_options_are_one_line(data, word, value, capsys):
    assert main([f"--{word}", value, "--dry-run"]) == 2
    line = capsys.readouterr().err
    assert f"--{word}: expected" in line
    assert line.count("\n") == 1


def test_after_a_failed_step_the_others_are_made_and_the_paper_of_what_there_is(data, monkeypatch, capfd, tmp_path):
    with artifact.build(
        data / "things", key="things", maker="nsmodels.datasets.mazes", config={}, code_version="1", source="synthetic"
    ) as part:
        (part.path / "words.txt").write_text("words")
    monkeypatch.setattr(execution.sys, "executable", "false")
    assert main(["--families", "nav", "--jobs", "1", "--out", str(tmp_path / "paper")]) == 1
    text = capfd.readouterr().err
    assert "[3/3]" in text
    assert text.count("failed: nav_") == 3
    assert (tmp_path / "paper" / "dataset_cards" / "things" / "README.md").is_file()


def test_a_signal_between_two_steps_ends_it_with_the_line(data, monkeypatch, capfd, tmp_path):
    program = tmp_path / "signalling"
    program.write_text("#!/bin/sh\ntrap '' TERM\nkill -TERM $PPID\nsleep .3\n")
    program.chmod(0o755)
    monkeypatch.setattr(execution.sys, "executable", str(program))
    signals = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    assert main(["--families", "nav", "--jobs", "1", "--out", str(tmp_path / "paper")]) == 143
    assert {number: signal.getsignal(number) for number in interrupts.SIGNALS} == signals
    text = capfd.readouterr().err
    assert text.splitlines()[-1] == interrupts.LINE
    assert "[2/3]" not in text


@pytest.mark.parametrize("number", [2, 15])
def test_a_step_that_is_stopped_ends_it(data, monkeypatch, capfd, tmp_path, number):
    program = tmp_path / "stopped"
    program.write_text(f"#!/bin/sh\nexit {128 + number}\n")
    program.chmod(0o755)
    monkeypatch.setattr(execution.sys, "executable", str(program))
    assert main(["--families", "nav", "--jobs", "1", "--out", str(tmp_path / "paper")]) == 128 + number
    assert "[2/3]" not in capfd.readouterr().err
    assert not (tmp_path / "paper").exists()


def test_the_disk_that_is_needed_is_told(data, capsys, monkeypatch):
    def told():
        assert main(["--families", "natural", "--dry-run"]) == 0
        return capsys.readouterr().out.splitlines()[0]

    # Data of both, seeds of two trainings with a copy each, and the study of variants.
    assert told().endswith(" free on its disk, at least 3.5 GB needed")
    small = discover.module("datasets", "gqa", "config").PRESETS["debug"]()
    made(data / "gqa_mini", source="synthetic", config=small.relevant())
    assert "3.5 GB needed" in told()  # they are too few, and made again
    shutil.rmtree(data / "gqa_mini")
    mini = discover.module("datasets", "gqa", "config").PRESETS["mini"]()
    made(data / "gqa_mini", source="synthetic", config=mini.relevant())
    assert told().endswith(" free on its disk, at least 2.7 GB needed")
    usage = shutil.disk_usage(data.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage._replace(free=2 * 10**9))
    assert "2.0 GB free" in told()
    assert told().endswith("TOO LITTLE: a step that finds the disk full stops")
