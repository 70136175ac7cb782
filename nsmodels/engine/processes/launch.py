"""Data-parallel processes of one command under torchrun, all of which end with it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from nsmodels.core.errors import InputError
from nsmodels.core.hardware import num_cores
from nsmodels.engine.processes import lifeline

GRACE = 60.0  # seconds for torchrun to end, which itself waits 30 s for its workers and then kills them
FAILURE = "failure.txt"  # the reason in one line
INTERVAL = 0.5  # seconds between two polls


def is_launched() -> bool:
    """Whether torchrun started this process."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def launch(
    arguments: Sequence[str],
    num_processes: int,
    module: str = "nsmodels",
    on_poll: Callable[[], None] = lambda: None,
) -> None:
    """Run `python -m module arguments...` in `num_processes` processes; `on_poll` is called twice a second meanwhile.

    Process 0 writes to this one's standard output and error, the others only when they fail.
    On any exception during the wait, the processes receive SIGTERM, have 30 seconds (torchrun's own limit) to finish
    their step and write a checkpoint, and are then killed; the exception is raised again. When this process is
    killed, they detect it and stop in the same way.
    Raises `InputError` that names the process that failed, and its error.
    """
    if num_processes < 1:
        raise InputError(f"num_processes: expected at least 1, got {num_processes}")
    with tempfile.TemporaryDirectory(prefix="nsmodels-", ignore_cleanup_errors=True) as place:
        status = _run(_command(place, num_processes, module, arguments), _environment(num_processes), on_poll)
        if status:
            failure = Path(place) / FAILURE
            line = (
                failure.read_text(encoding="utf-8")
                if failure.exists()
                else f"torchrun exited with status {status}; see above"
            )
            raise InputError(f"{num_processes} training processes: {line}")


def _command(place: str, num_processes: int, module: str, arguments: Sequence[str]) -> list[str]:
    silent = ",".join(f"{rank}:3" for rank in range(1, num_processes))  # 3: standard output and error
    logs = ["--log-dir", place, *(["--redirects", silent] if silent else [])]
    flags = ["--standalone", "--nproc-per-node", str(num_processes), *logs, "-m", "nsmodels.engine.processes.worker"]
    return [sys.executable, "-m", "nsmodels.engine.processes.torchrun", place, *flags, module, *arguments]


def _environment(num_processes: int) -> dict[str, str]:
    threads = {"OMP_NUM_THREADS": str(max(1, num_cores() // num_processes))}
    return threads | os.environ | {lifeline.PARENT: str(os.getpid())}


def _run(command: Sequence[str], environment: dict[str, str], on_poll: Callable[[], None]) -> int:
    # A separate session: a Ctrl-C in the terminal reaches the processes once, through this one.
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        while process.poll() is None:
            _wait(process, INTERVAL)
            on_poll()
        return process.returncode
    except BaseException:
        _stop(process)
        raise


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Terminate torchrun, which terminates its workers; kill those left after `GRACE`, or at a second interrupt."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)  # workers are in sessions of their own
    except psutil.NoSuchProcess:
        return
    process.terminate()
    try:
        _wait(process, GRACE)
    finally:
        process.kill()
        process.wait()
        for survivor in psutil.wait_procs(family, timeout=0)[1]:
            survivor.kill()
