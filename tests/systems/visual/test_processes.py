"""`nsmodels visual train` in two data-parallel processes on one machine."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

from nsmodels.core import artifact
from tests.shared import Shared

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def test_two_processes_finish_a_training_and_leave_nothing_beside_it(shared: Shared, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "nsmodels", "visual", "train", "--preset", "debug", "--device", "cpu"]
    places = ["--data", str(shared.data("clevr")), "--out", str(tmp_path / "model")]
    # The baseline goes the same way as the parser: two phases in several processes show it.
    flags = ["--training.num-processes", "2", "--no-baseline.is-enabled"]
    done = subprocess.run([*command, *places, *flags], capture_output=True, text=True, env=ENVIRONMENT, timeout=280)
    assert done.returncode == 0, done.stderr
    manifest = artifact.verify(tmp_path / "model")
    assert manifest.source == "synthetic CLEVR"
    history = json.loads((tmp_path / "model" / "history.json").read_text())
    assert {name: [epoch["epoch"] for epoch in epochs] for name, epochs in history.items()} == {
        "perception": [1, 2],
        "parser": [1, 2],
    }
    assert all(math.isfinite(epoch["train/loss"]) for epochs in history.values() for epoch in epochs)
    assert not [name for name in manifest.files if Path(name).name.startswith(".")]
    names = {path.name for path in tmp_path.iterdir()}
    assert names <= {"model", ".model.lock"}
