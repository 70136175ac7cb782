"""The run history under `.dagster/`: created once, and rid of runs whose process died, before Dagster opens it.

Two processes that create SQLite stores at the same time break them, and a dead run keeps its place in the pool; no
daemon cares for either when only the command line is used.
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
OURS = "pipeline.lib.runs.launcher"  # what a dagster.yaml of this project names
RELATIVE = re.compile(r"""base_dir:\s*["']?[\w.]""")


def astray(home: str | None) -> str | None:
    """Why a command here would begin a second history; None when it would not.

    Dagster takes the relative folders of a dagster.yaml from where a command is typed, whatever DAGSTER_HOME is.
    """
    place = Path(home or ".").expanduser()
    if place.resolve() == Path.cwd():
        return None
    try:
        text = (place / "dagster.yaml").read_text()
    except OSError:
        return None
    if OURS not in text or not RELATIVE.search(text):
        return None
    return (
        f"this is {Path.cwd()}, but DAGSTER_HOME={home}: its history is found from there only; cd {home}, or unset it"
    )


def prepare(will_run: bool) -> None:
    """See to the history of the current directory, in a process of its own and only when there is something to do."""
    is_elsewhere = Path(os.environ.get("DAGSTER_HOME") or ".").resolve() != Path.cwd()
    if is_elsewhere or not Path("dagster.yaml").exists():
        return
    if not READY.exists():
        _once("create", READY)
    elif will_run and has_open_runs():
        _process("close")


def has_open_runs() -> bool:
    """Whether any run is marked as started, or has a place in a pool, alive or dead."""
    return _finds(RUNS, IS_OPEN) or _finds(POOLS, IS_TAKEN)


def _finds(store: Path, query: str) -> bool:
    try:
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as rows:
            return rows.execute(query).fetchone() is not None
    except sqlite3.Error:
        return False


def create() -> None:
    """Open every store of the instance that `dagster.yaml` describes, which creates its tables."""
    with opened() as instance:
        instance.get_runs_count()
        instance.get_asset_keys()
        instance.all_instigator_state()
    READY.touch()


def close() -> None:
    """Mark runs of the current directory whose process is gone as failed, which lets the next one into the pool."""
    with opened() as instance:
        close_dead(instance)


def close_dead(instance: DagsterInstance) -> None:
    """Mark runs whose process is gone as failed, and say which."""
    from pipeline.lib.runs.launcher import close_dead_runs

    for run in close_dead_runs(instance):
        print(f"run {run[:8]} was interrupted earlier; marked as failed", file=sys.stderr)


@contextlib.contextmanager
def current() -> Iterator[DagsterInstance]:
    """The instance of DAGSTER_HOME, else of the `dagster.yaml` here; `InputError` where there is neither."""
    from dagster import DagsterInstance

    home = os.environ.get("DAGSTER_HOME")
    _require_project(home)
    prepare(will_run=False)
    with DagsterInstance.get() if home else opened() as instance:
        yield instance


def _require_project(home: str | None) -> None:
    from nsmodels.core.errors import InputError

    place = Path(home or ".").expanduser()
    if home and not (place.is_absolute() and place.is_dir()):
        raise InputError(f"DAGSTER_HOME={home}: no such folder; give the absolute path of one, or unset it")
    if line := astray(home):
        raise InputError(line)
    if not home and not Path("dagster.yaml").exists():
        raise InputError(f"{Path.cwd()}: no dagster.yaml here; go to the project's folder or set DAGSTER_HOME")


@contextlib.contextmanager
def opened() -> Iterator[DagsterInstance]:
    """The instance that the commands use in the current directory."""
    from dagster import DagsterInstance
    from dagster._core.instance import InstanceRef  # what `dagster dev` itself opens; there is no public name for it

    with tempfile.TemporaryDirectory() as folder:
        reference = InstanceRef.from_dir(folder, config_dir=str(Path.cwd()))
        with DagsterInstance.from_ref(reference) as instance:
            yield instance


def _once(task: str, mark: Path) -> None:
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        if not mark.exists():
            _process(task)


def _process(task: str) -> None:
    subprocess.run([sys.executable, "-m", "pipeline.lib.runs.history", task], check=False)


if __name__ == "__main__":
    {"create": create, "close": close}[sys.argv[1]]()
