"""Several processes: the one that failed is named with its error, and all end with the one that started them."""

import json
import time
from functools import partial

import psutil
import pytest

from nsmodels.core.errors import InputError
from nsmodels.engine import checkpoint
from nsmodels.engine.loop import fit
from nsmodels.engine.processes.launch import launch
from tests.children import ranks
from tests.engine import toy

FAULTY = """
import os, signal, sys, time
from nsmodels.core.errors import InputError
print("output of", os.environ["RANK"], flush=True)
if os.environ["RANK"] == "1":
    if sys.argv[1] == "raises":
        raise InputError("train.json: line 7 is broken")
    if sys.argv[1] == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("error: no such file", file=sys.stderr)
    sys.exit(2)
time.sleep(60)
"""
LINES = {
    "raises": "2 training processes: process 1: train.json: line 7 is broken",
    "is killed": r"2 training processes: process 1 was killed \(SIGKILL; out of memory\?\)",
    "exits": "2 training processes: process 1 exited with status 2: error: no such file",
}


@pytest.mark.parametrize("way", LINES)
def test_a_failing_process_ends_the_others_and_is_named(tmp_path, monkeypatch, capfd, way):
    (tmp_path / "faulty.py").write_text(FAULTY)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(InputError, match=LINES[way]):
        launch([way], 2, module="faulty")
    printed = capfd.readouterr()
    assert printed.out in ("output of 0\n", "")  # never process 1; process 0 may end before it prints
    if way == "raises":
        assert "Traceback" in printed.err  # of process 1, whose output went to a file


def test_killing_the_starter_stops_its_processes_with_a_checkpoint(child, tmp_path):
    process = child(launch, [str(tmp_path), "num_samples=16000", "nap=0.01"], 2, "tests.engine.toy")
    while not (tmp_path / "metrics.jsonl").exists():
        assert process.poll() is None
        time.sleep(0.05)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 3
    process.kill()
    assert not psutil.wait_procs(family, timeout=40)[1]
    assert 0 < checkpoint.load(tmp_path / "last.pt")["progress"]["batch"] < 1000


def test_losses_do_not_depend_on_processes_and_micro_batches(child, tmp_path, one_thread):
    # 7 samples, and 1 in the last batch of an epoch, of which all processes but the first have none.
    values = {"batch_size": 7, "epochs": 2, "checkpoint_minutes": 0.0}
    options = {"dropout": 0.0, "num_samples": 50}
    config = toy.CONFIG.with_values(values)
    alone = fit(toy.Toy(config, **options), config, tmp_path / "alone").history
    given = [f"{name}={json.dumps(value)}" for name, value in {**values, **options}.items()]
    launch([str(tmp_path / "three"), *given, "accumulate_steps=2"], 3, "tests.engine.toy")
    run = partial(child, toy.main, [str(tmp_path / "two"), *given, "accumulate_steps=3"])
    for process in [run(environment=each) for each in ranks(2)]:
        _, err = process.communicate()
        assert process.returncode == 0, err
    for name in ("two", "three"):
        history = json.loads((tmp_path / name / "history.json").read_text())
        for one, other in zip(alone, history, strict=True):
            numbers = [key for key in one if key not in ("seconds", "samples_per_second")]
            assert [other[key] for key in numbers] == pytest.approx([one[key] for key in numbers], rel=1e-5)
        progress = checkpoint.load(tmp_path / name / "last.pt")["progress"]
        assert progress["total_samples"] == 2 * 50
        same = config.with_values({"accumulate_steps": {"two": 3, "three": 2}[name]})
        read = fit(toy.Toy(same, **options), same, tmp_path / name)  # it is over
        assert read.cpu_seconds >= progress["cpu_seconds"] > 0  # more by children of this process that end meanwhile
        assert read.energy_of == progress["energy_of"]
