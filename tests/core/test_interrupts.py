"""Requests to stop: one line and a status of its own, in time, whatever the code does with the signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from nsmodels.core import interrupts

PROGRAM = """
import subprocess, sys, time
from nsmodels.core import cli, interrupts
from nsmodels.core.errors import InputError, Interrupted

interrupts.GRACE, interrupts.REPEAT = float(sys.argv[2]), 0.3

def obedient():
    time.sleep(60)

def deaf():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("begun", flush=True)
    while True:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            print("swallowed", flush=True)

def bereft():  # a process of its own has died of the same signal
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        raise InputError("process 1 was killed") from None

def training():
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        raise Interrupted("stopped in epoch 3; " + interrupts.LINE.partition("; ")[2]) from None

print("begun", flush=True) if sys.argv[1] != "deaf" else None
sys.exit(cli.run(globals()[sys.argv[1]]))
"""
LINE = "stopped; run the same command again, finished work is kept\n"


def begun(name: str, grace: float = 1.0) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", PROGRAM, name, str(grace)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.2)  # until the program waits
    return process


@pytest.mark.parametrize(
    ("name", "number", "status", "line"),
    [
        ("obedient", signal.SIGINT, 130, LINE),
        ("obedient", signal.SIGTERM, 143, LINE),
        ("bereft", signal.SIGTERM, 143, LINE),
        ("training", signal.SIGTERM, 143, LINE.replace("stopped", "stopped in epoch 3")),
    ],
)
def test_a_signal_ends_a_command_in_one_line_with_its_status(name, number, status, line) -> None:
    with begun(name) as process:
        process.send_signal(number)
        assert process.communicate() == ("", line)
    assert process.returncode == status


def test_a_command_that_does_not_stop_is_ended_with_its_children_after_the_grace() -> None:
    with begun("deaf") as process:
        (child,) = psutil.Process(process.pid).children()
        for _ in range(2):  # as `timeout` does: one request
            process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=9)
    assert (out, err, process.returncode) == ("swallowed\n", LINE, 143)
    assert not psutil.wait_procs([child], 5)[1]


def test_a_second_request_ends_a_command_at_once() -> None:
    with begun("deaf", grace=600) as process:
        process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[1] == LINE
    assert process.returncode == 143


def test_a_signal_is_detected_whatever_its_handler_but_not_that_of_a_forked_worker() -> None:
    before = [signal.getsignal(number) for number in interrupts.SIGNALS]
    with interrupts.watch():
        end_a_worker()
        assert not interrupts.requested()
        handler = signal.signal(signal.SIGTERM, lambda *_: None)
        signal.raise_signal(signal.SIGTERM)
        signal.signal(signal.SIGTERM, handler)
        assert interrupts.requested() == signal.SIGTERM
        with interrupts.watch():
            assert interrupts.requested() == signal.SIGTERM, "permanently, inside of a further watch too"
    assert [signal.getsignal(number) for number in interrupts.SIGNALS] == before
    with interrupts.watch():
        assert not interrupts.requested()


def end_a_worker() -> None:
    """Fork, and terminate the child as a pool of processes does."""
    reader, writer = os.pipe()
    worker = os.fork()
    if worker == 0:
        try:
            os.write(writer, b"here")
            signal.pause()
        finally:
            os._exit(0)
    os.read(reader, 4)
    os.kill(worker, signal.SIGTERM)
    os.waitpid(worker, 0)
    for end in (reader, writer):
        os.close(end)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_module_has_its_status_also_when_the_signal_met_executed_text(
    tmp_path: Path, number: int, status: int
) -> None:
    (tmp_path / "program.py").write_text(
        "import sys\nfrom nsmodels.core import cli\n"
        f"text = 'import signal; signal.raise_signal({int(number)}); list(range(9))'\n"
        "sys.exit(cli.run(lambda: exec(text)))\n"
    )
    done = subprocess.run([sys.executable, "-m", "program"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("", LINE, status)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_nsmodels_stops_in_one_line_also_while_it_loads(tmp_path: Path, number: int, status: int) -> None:
    os.mkfifo(pipe := tmp_path / "config.yaml")  # nobody writes to it
    words = [sys.executable, "-m", "nsmodels", "mazes", "generate", "--out", "out", "--config", str(pipe)]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(0.6)
        process.send_signal(number)
        assert process.communicate()[1] == LINE
    assert process.returncode == status
    assert [path.name for path in tmp_path.iterdir()] == ["config.yaml"]


ENDING = """
import atexit, gc, weakref
from nsmodels.core import interrupts
gc.disable()
atexit.register(interrupts.leave)
class Knot:
    def __init__(self): self.itself = self
    def __del__(self): print("looked through")
knots = [Knot()]
atexit.register(print, "registered", end="")
weakref.finalize(gc, print, "finalized")
"""


@pytest.mark.parametrize(
    ("last", "status", "rest"), [("interrupts.record_status(3)", 3, ""), ("", 0, "looked through\n")]
)
def test_a_program_whose_status_is_recorded_ends_at_once_with_what_is_registered(last, status, rest):
    done = subprocess.run([sys.executable, "-c", ENDING + last], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, f"finalized\nregistered{rest}")


@pytest.mark.parametrize(("words", "status"), [(["--version"], 0), (["visaul"], 2)])
def test_the_status_of_a_command_is_that_of_its_process(words, status):
    done = subprocess.run([sys.executable, "-m", "nsmodels", *words], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert (done.stdout + done.stderr).endswith("\n")
