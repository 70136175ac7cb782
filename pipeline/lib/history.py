"""The run history under `.dagster/`, created once: SQLite stores made by two processes at the same time break."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(".dagster")
READY = FOLDER / "ready"


def is_missing() -> bool:
    """Whether the current directory keeps its own history and has none yet."""
    return not os.environ.get("DAGSTER_HOME") and Path("dagster.yaml").exists() and not READY.exists()


def ensure() -> None:
    """Create the stores in a process of their own, one such process at a time; do nothing when they exist."""
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        if not READY.exists():
            subprocess.run([sys.executable, "-m", "pipeline.lib.history"], check=False)


def create() -> None:
    """Open every store of the instance that `dagster.yaml` describes, which creates its tables."""
    from dagster import DagsterInstance
    from dagster._core.instance import InstanceRef  # what `dagster dev` itself opens; there is no public name for it

    with (
        tempfile.TemporaryDirectory() as folder,
        DagsterInstance.from_ref(InstanceRef.from_dir(folder, config_dir=str(Path.cwd()))) as instance,
    ):
        instance.get_runs_count()
        instance.get_asset_keys()
        instance.all_instigator_state()
    READY.touch()


if __name__ == "__main__":
    create()
