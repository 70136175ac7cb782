"""A model trained in two processes: its epochs and lines in the history, also after a kill -9 of the run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import psutil

from nsmodels.core.artifact import read_manifest
from tests.imports import policies, recorded
from tests.pipeline.live.services import BIN, ROOT, history

CONFIG = {"preset": "debug", "baselines": {"is_enabled": False}, "training": {"num_processes": 2, "epochs": 4}}


def environment(project: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DAGSTER_", "NSMODELS_", "RAY_"))}
    kept = recorded(project / "imports", kept)
    return kept | {"NSMODELS_DATA": str(project / "data"), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


@contextmanager
def started(project: Path) -> Iterator[subprocess.Popen[str]]:
    """A training in two processes, killed at the end if it is still running."""
    config = json.dumps({"ops": {"nav_model": {"config": CONFIG}}})
    words = [BIN / "dagster", "asset", "materialize", "--select", "nav_model", "--config-json", config]
    run = subprocess.Popen(
        words, cwd=project, env=environment(project), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        yield run
    finally:
        run.kill()
        run.communicate()


def observations(instance: dg.DagsterInstance) -> list[dict[str, Any]]:
    """The values of each epoch in the history, oldest first."""
    found = instance.fetch_observations(dg.AssetKey("nav_model"), limit=100, ascending=True).records
    return [{name: item.value for name, item in row.asset_observation.metadata.items()} for row in found]


def lines_of_epochs(project: Path) -> list[str]:
    """The lines of epochs in the compute logs of all steps."""
    logs = (project / ".dagster/logs").rglob("*.err")
    lines = [line for log in logs for line in log.read_text().splitlines() if "train/loss" in line]
    return [line.removeprefix("navigator  epoch ").split()[0] for line in lines]


def test_every_epoch_of_two_processes_is_logged_once_though_the_run_is_killed(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "dagster.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    with started(tmp_path) as run:
        metrics = tmp_path / "data/.nav_model.partial/navigator/metrics.jsonl"
        while not (metrics.exists() and metrics.read_text().count("\n") >= 1):
            assert run.poll() is None, run.communicate()[1]
            time.sleep(0.05)
        family = psutil.Process(run.pid).children(recursive=True)
    assert len(family) >= 3
    assert not psutil.wait_procs(family, timeout=60)[1]

    with started(tmp_path) as again:
        _, err = again.communicate(timeout=240)
    assert again.returncode == 0, err
    with history(tmp_path) as instance:
        assert sorted(run.status.value for run in instance.get_runs()) == ["FAILURE", "SUCCESS"]
        rows = observations(instance)
    assert [int(row["navigator/epoch"]) for row in rows] == [1, 2, 3, 4]
    assert all(row["1.1 navigator: validation loss"] > 0 for row in rows)
    assert sorted(lines_of_epochs(tmp_path)) == [f"{epoch}/4" for epoch in range(1, 5)]  # plain, of one process
    model = tmp_path / "data/nav_model"
    trained = json.loads((model / "history.json").read_text())["navigator"]
    assert [row["epoch"] for row in trained] == [1, 2, 3, 4]
    assert not [name for name in read_manifest(model).files if Path(name).name.startswith(".")]
    # The command, torchrun and its workers: each of them before it imported torch.
    assert len(policies(tmp_path / "imports")) >= 3
    assert set(policies(tmp_path / "imports").values()) == {"passive"}
