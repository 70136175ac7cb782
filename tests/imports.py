"""What programs have in their environment at the moment when they import torch."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from nsmodels.core.hardware import WAITING

FOLDER = "RECORDED_IMPORTS"
# Python imports a module of this name when it starts.
RECORDER = f"""
import json, os, sys

class Recorder:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            sys.meta_path.remove(self)
            row = {{"command": sys.orig_argv, "environment": dict(os.environ)}}
            with open(os.path.join(os.environ["{FOLDER}"], f"{{os.getpid()}}.json"), "w") as file:
                json.dump(row, file)

sys.meta_path.insert(0, Recorder())
"""


def recorded(folder: Path, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """An environment in which every program records in `folder` when it imports torch, without a choice of waiting."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(RECORDER)
    kept = {name: value for name, value in environment.items() if name not in WAITING}
    path = os.pathsep.join([str(folder), *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {FOLDER: str(folder), "PYTHONPATH": path}


def policies(folder: Path) -> dict[str, str | None]:
    """How the threads wait, by the command of each program that imported torch."""
    rows = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    return {" ".join(row["command"]): row["environment"].get("OMP_WAIT_POLICY") for row in rows}
