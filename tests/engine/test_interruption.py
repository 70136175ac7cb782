"""What happens to a training process from outside: killed, asked to stop, out of disk, several at once."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from nsmodels.engine import checkpoint
from tests.engine import toy
from tests.engine.toy import losses

PROGRAM = [sys.executable, str(Path(toy.__file__))]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def start(folder, *values, command=PROGRAM, **options):
    return subprocess.Popen(
        [*command, str(folder), *values], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=ENVIRONMENT, **options,
    )  # fmt: skip


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[-1])


def wait_for_progress(process, folder, epoch, batch):
    """Until the checkpoint in `folder` stands at least at (epoch, batch)."""
    for _ in range(3000):
        assert process.poll() is None, process.communicate()[1]
        if (folder / "last.pt").exists():
            progress = checkpoint.load(folder / "last.pt")["progress"]
            if (progress["epoch"], progress["batch"]) >= (epoch, batch):
                return
        time.sleep(0.01)
    raise AssertionError("no such checkpoint was ever written")


def test_kill_9_in_the_middle_of_an_epoch_changes_no_digit(tmp_path):
    values = ("epochs=3", "ema_decay=0.9", "checkpoint_minutes=0")
    whole = finish(start(tmp_path / "whole", *values))
    process = start(tmp_path / "cut", *values, "nap=0.03")
    wait_for_progress(process, tmp_path / "cut", 1, 3)
    process.kill()
    process.communicate()
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
def test_a_request_to_stop_leaves_a_checkpoint(tmp_path, number):
    process = start(tmp_path, "num_samples=16000", "nap=0.01")
    wait_until_it_listens(process, tmp_path)
    process.send_signal(number)
    assert finish(process)["outcome"] == "interrupted"
    assert 0 < checkpoint.load(tmp_path / "last.pt")["progress"]["batch"] < 1000


def test_a_full_disk_is_one_line_and_leaves_the_previous_checkpoint(tmp_path):
    finish(start(tmp_path, "epochs=1", 'scheduler="constant"'))
    before = (tmp_path / "last.pt").read_bytes()

    def allow_small_files_only():
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, len(before) // 2))

    process = start(tmp_path, "epochs=2", 'scheduler="constant"', preexec_fn=allow_small_files_only)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    message = [line for line in err.splitlines() if line.startswith("error:")]
    assert len(message) == 1
    assert "disk is full" in message[0]
    assert "last.pt" in message[0]
    assert "Traceback" not in err
    assert (tmp_path / "last.pt").read_bytes() == before
    assert not list(tmp_path.glob(".*"))


def test_two_processes_stop_together_continue_and_give_the_losses_of_one(tmp_path):
    values = ("epochs=2", "dropout=0")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", PROGRAM[1]]
    process = start(tmp_path / "two", *values, "nap=0.1", command=launcher)
    wait_until_it_listens(process, tmp_path / "two")
    process.terminate()
    process.communicate(timeout=60)
    assert checkpoint.load(tmp_path / "two" / "last.pt")["progress"]["step"] < 16
    together = finish(start(tmp_path / "two", *values, command=launcher))
    alone = finish(start(tmp_path / "one", *values))
    for one, two in zip(losses(alone["history"]), losses(together["history"]), strict=True):
        assert one == pytest.approx(two, rel=1e-5)


def test_interrupting_a_launch_leaves_a_checkpoint_and_no_process(tmp_path):
    program = (
        "import sys; from nsmodels.engine.processes.launch import launch; launch(sys.argv[1:], 1, 'tests.engine.toy')"
    )
    process = start(tmp_path, "num_samples=16000", "nap=0.01", command=[sys.executable, "-c", program])
    wait_until_it_listens(process, tmp_path)
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in err
    assert 0 < checkpoint.load(tmp_path / "last.pt")["progress"]["batch"] < 1000
    assert len(family) >= 2
    assert not psutil.wait_procs(family, timeout=10)[1]
