"""Interruptions of a training process: killed, terminated, out of disk, several at once."""

from __future__ import annotations

import json
import signal
import time
from functools import partial

import psutil
import pytest

from nsmodels.engine import checkpoint
from nsmodels.engine.processes.launch import launch
from tests.children import allow_files_up_to, ranks, signal_at_save
from tests.engine import toy
from tests.engine.toy import losses


@pytest.fixture
def start(child):
    """Begin a training of the toy in a folder."""
    return lambda folder, *values, **options: child(toy.main, [str(folder), *values], **options)


def finish(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def test_kill_9_in_the_middle_of_an_epoch_changes_no_digit(start, tmp_path):
    values = ("epochs=3", "ema_decay=0.9", "checkpoint_minutes=0")
    whole = finish(start(tmp_path / "whole", *values))
    process = start(tmp_path / "cut", *values, setup=partial(signal_at_save, signal.SIGKILL, "last.pt", 14))
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    (tmp_path / "cut" / ".last.pt.part").write_bytes(b"half")  # where the kill fell into a write
    (tmp_path / "cut" / ".best.pt.link").write_bytes(b"half")
    progress = checkpoint.load(tmp_path / "cut" / "last.pt")["progress"]
    assert (progress["epoch"], progress["batch"]) >= (1, 3)
    assert progress["epoch"] < 3
    cut = finish(start(tmp_path / "cut", *values))
    assert losses(cut["history"]) == losses(whole["history"])
    assert json.loads((tmp_path / "cut" / "history.json").read_text()) == cut["history"]
    assert not list((tmp_path / "cut").glob(".*"))


def wait_until_it_listens(process, folder):
    """Until signals are handled: metrics.jsonl is opened after that, and before the first step."""
    while not (folder / "metrics.jsonl").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_stop_leaves_a_checkpoint(start, tmp_path, number):
    process = start(tmp_path, "num_samples=16000", "nap=0.01")
    wait_until_it_listens(process, tmp_path)
    process.send_signal(number)
    assert finish(process)["outcome"] == "interrupted"
    assert 0 < checkpoint.load(tmp_path / "last.pt")["progress"]["batch"] < 1000


def test_a_full_disk_is_one_line_and_leaves_the_previous_checkpoint(start, tmp_path):
    finish(start(tmp_path, "epochs=1", 'scheduler="constant"'))
    before = (tmp_path / "last.pt").read_bytes()

    process = start(tmp_path, "epochs=2", 'scheduler="constant"', setup=partial(allow_files_up_to, len(before) // 2))
    _, err = process.communicate()
    assert process.returncode == 2, err
    message = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(message) == 1
    assert "disk is full" in message[0]
    assert "last.pt" in message[0]
    assert "Traceback" not in err
    assert (tmp_path / "last.pt").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_an_interrupted_launch_leaves_a_checkpoint_and_no_process_and_continues_to_the_losses_of_one(
    child, start, tmp_path
):
    values, folder = ("epochs=2", "dropout=0"), tmp_path / "two"
    process = child(launch, [str(folder), *values, "nap=0.1"], 2, "tests.engine.toy")
    wait_until_it_listens(process, folder)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert "KeyboardInterrupt" in err
    assert 0 < checkpoint.load(folder / "last.pt")["progress"]["step"] < 16
    assert len(family) >= 3
    assert not psutil.wait_procs(family, timeout=10)[1]

    together, _ = (start(folder, *values, environment=each) for each in ranks(2))
    alone = finish(start(tmp_path / "one", *values))
    for one, two in zip(losses(alone["history"]), losses(finish(together)["history"]), strict=True):
        assert one == pytest.approx(two, rel=1e-5)
