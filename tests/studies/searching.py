"""Searches over the toy of the example: its registry entry, its data, and searches in this process or another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from nsmodels.core import discover
from nsmodels.core.artifact import Manifest
from nsmodels.core.orders import Inputs, Order
from nsmodels.studies.search.config import search_of
from nsmodels.studies.search.run import search
from nsmodels.studies.search.target import Target

EXAMPLE = Path(__file__).parents[1] / "example"
LR, DIM, UNUSED = "training.lr=1e-4...1e-1:log", "model.dim=4,8,16", "training.min_lr_ratio=0.0...1e-3"
SCRIPT = """
import json, sys
from pathlib import Path
from nsmodels.core.cli import run
from tests.studies.searching import found
sys.exit(run(lambda: found(Path(sys.argv[1]), Path(sys.argv[2]), **json.loads(sys.argv[3])) and None))
"""


@contextmanager
def toy_in_registry() -> Iterator[None]:
    """The toy is found by name, here and in child processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(discover.VARIABLE, str(EXAMPLE))
        for package in ("nsmodels.systems", "nsmodels.datasets"):
            module = sys.modules.get(package) or __import__(package, fromlist=["__path__"])
            patch.setattr(module, "__path__", discover.extended(module.__path__, package))
        yield
        for package in ("nsmodels.systems.toy", "nsmodels.datasets.dots"):
            for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
                del sys.modules[name]


def make_dots(folder: Path) -> Path:
    """Debug data of the toy."""
    config = discover.module("datasets", "dots", "config").debug()
    discover.module("datasets", "dots", "prepare").prepare(config, "dots", folder)
    return folder


def config_of(values: dict[str, Any] | None = None, **search_values: Any) -> Any:
    """A search of six trials of the toy's encoder, 12 epochs each, as the arguments change it."""
    presets = discover.module("systems", "toy", "config")
    small = {"training": {"epochs": 12, "device": "cpu", "lr": 1e-3}, **(values or {})}
    chosen = {"num_trials": 6, "space": [LR, DIM], "pruner": "none", "confirmation_seeds": [101, 102]}
    return search_of(presets.debug().with_values(small), **{**chosen, **search_values})


def found(data: Path, folder: Path, trackers: tuple[Any, ...] = (), **values: Any) -> Manifest:
    """The sealed search of the toy's encoder with `config_of(**values)`."""
    target = Target.of(discover.system("toy"), "encoder")
    order: Order[Any] = Order(folder.name, config_of(**values), Inputs.of(data), folder, trackers=trackers)
    return search(order, target)


def started(data: Path, folder: Path, **values: Any) -> subprocess.Popen[bytes]:
    """The same in a process of its own."""
    command = [sys.executable, "-c", SCRIPT, str(data), str(folder), json.dumps(values)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)


def report_of(folder: Path) -> dict[str, Any]:
    """The report of a sealed search."""
    return json.loads((folder / "report.json").read_text())


def timeless(report: dict[str, Any]) -> dict[str, Any]:
    """A report without what no two runs share."""
    trials = [trial | {"cpu_seconds": None} for trial in report["trials"]]
    confirmation = report["confirmation"] | {"cpu_seconds": None}
    return report | {"trials": trials, "confirmation": confirmation, "cpu_seconds": None}
