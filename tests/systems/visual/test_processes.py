"""`nsmodels visual train` in two data-parallel processes that torchrun starts, up to the sealed model."""

from __future__ import annotations

import json
import math
from pathlib import Path

from nsmodels.__main__ import main
from nsmodels.core import artifact
from tests.shared import Shared


def test_two_processes_finish_a_training_and_leave_nothing_beside_it(shared: Shared, tmp_path: Path) -> None:
    words = ["visual", "train", "--preset", "debug", "--device", "cpu"]
    places = ["--data", str(shared.data("clevr")), "--out", str(tmp_path / "model")]
    # The baseline goes the same way as the parser: two phases in several processes show it.
    flags = ["--training.num-processes", "2", "--no-baseline.is-enabled"]
    assert main([*words, *places, *flags]) == 0
    manifest = artifact.verify(tmp_path / "model")
    assert manifest.source == "synthetic CLEVR"
    history = json.loads((tmp_path / "model" / "history.json").read_text())
    assert {name: [epoch["epoch"] for epoch in epochs] for name, epochs in history.items()} == {
        "perception": [1, 2],
        "parser": [1, 2],
    }
    assert all(math.isfinite(epoch["train/loss"]) for epochs in history.values() for epoch in epochs)
    assert not [name for name in manifest.files if Path(name).name.startswith(".")]
    assert {path.name for path in tmp_path.iterdir()} <= {"model", ".model.lock"}
