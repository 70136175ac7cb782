"""Start a command in several data-parallel processes with torchrun, and leave none behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import psutil

from nsmodels.core.errors import InputError
from nsmodels.core.hardware import num_cores

GRACE = 60.0  # seconds for torchrun to end, which itself gives its workers 30 s and then kills them


def is_launched() -> bool:
    """Whether this process is one of those that torchrun has started."""
    return "TORCHELASTIC_RUN_ID" in os.environ


def launch(
    arguments: Sequence[str], num_processes: int, module: str = "nsmodels", nodes: Sequence[str] = ("--standalone",)
) -> int:
    """Run `python -m module arguments...` in `num_processes` processes; returns torchrun's exit status.

    `nodes`: torchrun's own flags that say how machines meet (`--nnodes 2 --rdzv-endpoint host:port ...`).
    Whatever exception interrupts the wait, the processes are asked to stop, have 30 seconds (torchrun's own
    limit) to finish their step and write a checkpoint, and are then killed; the exception goes on.
    """
    if num_processes < 1:
        raise InputError(f"num_processes: expected at least 1, got {num_processes}")
    command = [sys.executable, "-m", "torch.distributed.run", *nodes, "--nproc-per-node", str(num_processes)]
    environment = {"OMP_NUM_THREADS": str(max(1, num_cores() // num_processes))} | os.environ
    # a session of its own: a Ctrl-C of the terminal reaches the processes once, through us
    process = subprocess.Popen([*command, "-m", module, *arguments], env=environment, start_new_session=True)
    try:
        return process.wait()
    except BaseException:
        _stop(process)
        raise


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask torchrun to stop, which asks its workers; kill what is left after the grace, each by its own id."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)  # workers sit in sessions of their own
    except psutil.NoSuchProcess:
        return
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(family, timeout=5)
    for survivor in alive:
        survivor.kill()
