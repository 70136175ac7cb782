"""A command that is killed leaves nothing running: what it has started ends by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
import pytest

from tests import documented
from tests.pipeline.live.services import BIN, ROOT, history

CHILD = "import sys; from pipeline.lib.runs import child; sys.exit(child.wait(sys.argv[1:]))"
MAZES = '{"ops": {"mazes": {"config": {"preset": "debug", "num_train": 1000000}}}}'
SHELL = "import os, pathlib; from tests import documented; documented.run('sleep 600 & sleep 600', pathlib.Path(), {})"


def left_after_kill(
    command: list[str], is_begun: Callable[[list[psutil.Process]], bool], **options: object
) -> list[str]:
    """Names of the processes that still run 40 seconds after the command that has started them was killed."""
    starter = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)  # type: ignore[call-overload]
    family: list[psutil.Process] = []
    try:
        while not is_begun(family):
            assert starter.poll() is None
            time.sleep(0.05)
            family = psutil.Process(starter.pid).children(recursive=True)
        starter.kill()
        starter.wait()
        left = psutil.wait_procs(family, timeout=40)[1]
        return [process.name() for process in left]
    finally:
        starter.kill()
        starter.wait()
        for process in psutil.wait_procs(family, timeout=0)[1]:
            process.kill()


def environment(**variables: str) -> Mapping[str, str]:
    return {"PATH": f"{BIN}:/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | variables


def test_a_run_of_dagster_ends_with_the_command_that_started_it(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    run = [sys.executable, "-m", "dagster", "asset", "materialize", "--select", "mazes", "--config-json", MAZES]
    begun = tmp_path / "data/.mazes.partial"
    options = {"cwd": tmp_path, "env": environment(NSMODELS_DATA=str(tmp_path / "data"))}
    assert left_after_kill([sys.executable, "-c", CHILD, *run], lambda family: begun.exists(), **options) == []
    with history(tmp_path) as instance:
        assert [run.status.value for run in instance.get_runs()] == ["CANCELED"]


def test_the_processes_that_compile_end_with_the_command_that_started_them(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nsmodels.commands.compilation"]
    options = {"cwd": tmp_path, "env": environment(TMPDIR=str(tmp_path))}

    def is_begun(family: list[psutil.Process]) -> bool:
        return any(tmp_path.glob("*/*"))

    assert left_after_kill(command, is_begun, **options) == []


def test_a_shell_command_of_the_documents_ends_with_the_program_that_runs_them() -> None:
    def is_begun(family: list[psutil.Process]) -> bool:
        return sum(process.name() == "sleep" for process in family) == 2

    assert left_after_kill([sys.executable, "-c", SHELL], is_begun, cwd=ROOT, env=environment()) == []


@pytest.mark.parametrize(("command", "status"), [("echo word; exit 3", 3), ("echo word; sleep 600 & sleep 600", 124)])
def test_a_shell_command_of_the_documents_has_a_limit(tmp_path: Path, command: str, status: int) -> None:
    assert documented.run(command, tmp_path, dict(os.environ), 1.0) == (status, "word\n")


@pytest.mark.parametrize("target", ["demo", "paper"])
def test_make_names_itself_to_what_it_starts(tmp_path: Path, target: str) -> None:
    program = tmp_path / "bin/python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho $NSMODELS_PARENT $PPID\n")
    program.chmod(0o755)
    (tmp_path / ".ready").touch()
    words = ["make", "--silent", target, f"VENV={tmp_path}"]
    named, parent = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert named == parent
