"""Idle threads sleep in every process that trains, whatever started it, unless a person wants it otherwise.

Where Dagster starts the process: tests/pipeline/runs/test_processes.py and tests/pipeline/live/test_runs.py.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from nsmodels.core import hardware
from nsmodels.engine import runtime
from tests.imports import policies, recorded

ROOT = Path(__file__).parents[2]
STARTED = {
    "a program or a notebook": ["-c", "import nsmodels, torch"],
    "the command": ["-m", "nsmodels", "nav", "evaluate", "--checkpoint", "none", "--data", "none"],
    "one of several processes": ["-m", "nsmodels.engine.processes.worker", "torch.version"],
}


def run(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("way", STARTED)
def test_every_way_of_starting_chooses_before_torch_is_imported(tmp_path: Path, way: str) -> None:
    done = run(recorded(tmp_path / "log") | {"OMP_DISPLAY_ENV": "true"}, *STARTED[way])
    assert set(policies(tmp_path / "log").values()) == {"passive"}
    if sys.platform == "linux":  # where torch has libgomp, which shows what it read
        assert "OMP_WAIT_POLICY = 'PASSIVE'" in done.stderr


# The modules with which the commands of Dagster and the demo begin; their steps import torch.
@pytest.mark.parametrize("module", ["pipeline.definitions", "pipeline.demo"])
def test_the_pipeline_chooses_without_importing_torch(tmp_path: Path, module: str) -> None:
    shown = f"import {module}, os, sys; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = run(recorded(tmp_path / "log"), "-c", shown)
    assert done.stdout.splitlines()[-1:] == ["passive False"], done.stderr


@pytest.mark.parametrize("name", hardware.WAITING)
def test_a_choice_of_the_user_stays(name: str) -> None:
    environment = {name: "active"}
    assert hardware.wait_passively(environment)
    assert environment == {name: "active"}


def test_torch_imported_too_early_is_reported_once_it_matters(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert not hardware.wait_passively(environment := {})
    assert environment == {"OMP_WAIT_POLICY": "passive"}  # for children
    monkeypatch.setattr(hardware, "is_waiting_chosen", False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    runtime.tune_device(torch.device("cpu"))
    assert not caplog.records
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    with caplog.at_level(logging.WARNING):
        runtime.tune_device(torch.device("cpu"))
    assert "torch was imported before nsmodels" in caplog.text
