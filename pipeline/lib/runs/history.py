"""The run history under `.dagster/`: created once, and dead runs closed, before Dagster opens it.

Two processes that create SQLite stores at the same time corrupt them, and a dead run keeps its slot in the pool; no
daemon handles either when only the command line is used.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

FOLDER = Path(".dagster")
READY = FOLDER / "ready"
RUNS = FOLDER / "history" / "history" / "runs.db"
POOLS = FOLDER / "history" / "history" / "runs" / "index.db"
IS_OPEN = "SELECT 1 FROM runs WHERE status IN ('STARTING', 'STARTED', 'CANCELING') LIMIT 1"
IS_TAKEN = "SELECT 1 FROM concurrency_slots WHERE run_id IS NOT NULL UNION SELECT 1 FROM pending_steps LIMIT 1"
LAUNCHER = "pipeline.lib.runs.launcher"  # contained in every dagster.yaml of this project
RELATIVE = re.compile(r"""base_dir:\s*["']?[\w.]""")


def location_error(home: str | None) -> str | None:
    """Error message if a command in the current directory would create a second history; None otherwise.

    Dagster resolves relative folders in a dagster.yaml against the current directory, whatever DAGSTER_HOME is.
    """
    folder = Path(home or ".").expanduser()
    if folder.resolve() == Path.cwd():
        return None
    try:
        text = (folder / "dagster.yaml").read_text(encoding="utf-8-sig")
    except OSError:
        return None
    if LAUNCHER not in text or not RELATIVE.search(text):
        return None
    return (
        f"DAGSTER_HOME={home}: its dagster.yaml has relative folders, so the current directory must be the same, "
        f"got {Path.cwd()}; cd {home}, or unset DAGSTER_HOME"
    )


def prepare(will_run: bool) -> None:
    """Create the history of the current directory, or close its dead runs, in a separate process and only if needed."""
    is_elsewhere = Path(os.environ.get("DAGSTER_HOME") or ".").resolve() != Path.cwd()
    if is_elsewhere or not Path("dagster.yaml").exists():
        return
    if not READY.exists():
        _run_once("create", READY)
    elif will_run and has_open_runs():
        _run("close")


def has_open_runs() -> bool:
    """Whether any run is marked as started or holds a pool slot, alive or dead."""
    return _has_rows(RUNS, IS_OPEN) or _has_rows(POOLS, IS_TAKEN)


def _has_rows(store: Path, query: str) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as rows:
            return rows.execute(query).fetchone() is not None
    except sqlite3.Error:
        return False


def create() -> None:
    """Open every store of the instance in `dagster.yaml`, which creates its tables."""
    with opened() as instance:
        instance.get_runs_count()
        instance.get_asset_keys()
        instance.all_instigator_state()
    READY.touch()


def close() -> None:
    """Mark runs of the current directory whose process is gone as failed, which frees their pool slots."""
    with opened() as instance:
        close_dead(instance)


def close_dead(instance: DagsterInstance) -> None:
    """Mark runs whose process is gone as failed, and print one line for each."""
    from pipeline.lib.runs.launcher import close_dead_runs

    for run in close_dead_runs(instance):
        print(f"run {run[:8]} was interrupted earlier; marked as failed", file=sys.stderr)


@contextlib.contextmanager
def current() -> Iterator[DagsterInstance]:
    """The instance of DAGSTER_HOME, or else of the `dagster.yaml` in the current directory.

    Raises `InputError` if there is neither, or if DAGSTER_HOME is not an existing absolute path.
    """
    from dagster import DagsterInstance

    home = os.environ.get("DAGSTER_HOME")
    _require_project(home)
    prepare(will_run=False)
    with DagsterInstance.get() if home else opened() as instance:
        yield instance


def _require_project(home: str | None) -> None:
    from nsmodels.core.errors import InputError

    folder = Path(home or ".").expanduser()
    if home and not (folder.is_absolute() and folder.is_dir()):
        raise InputError(f"DAGSTER_HOME={home}: no such folder; give the absolute path of one, or unset it")
    if line := location_error(home):
        raise InputError(line)
    if not home and not Path("dagster.yaml").exists():
        raise InputError(f"{Path.cwd()}: no dagster.yaml here; cd to the project's folder, or set DAGSTER_HOME")


@contextlib.contextmanager
def opened() -> Iterator[DagsterInstance]:
    """The instance of the `dagster.yaml` in the current directory."""
    from dagster import DagsterInstance

    from pipeline.internals import InstanceRef

    with tempfile.TemporaryDirectory() as folder:
        reference = InstanceRef.from_dir(folder, config_dir=str(Path.cwd()))
        with DagsterInstance.from_ref(reference) as instance:
            yield instance


def _run_once(task: str, mark: Path) -> None:
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        if not mark.exists():
            _run(task)


def _run(task: str) -> None:
    # A separate session: Ctrl-C in the terminal reaches this process only, which ends the other one.
    command = [sys.executable, "-m", "pipeline.lib.runs.history", task]
    subprocess.run(command, check=False, start_new_session=True)


if __name__ == "__main__":
    {"create": create, "close": close}[sys.argv[1]]()
