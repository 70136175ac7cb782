"""Processes that work for one study at the same time: begun, given their share of the cores, and ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from nsmodels.core import hardware, interrupts
from nsmodels.engine.processes import lifeline

POLL = 0.5  # seconds between two looks for something to do
PATIENCE = 5.0  # seconds in which a helper sees that there is nothing left to do
GRACE = 2 * interrupts.GRACE  # seconds for it to write its checkpoint; it ends by itself after half of them


@contextlib.contextmanager
def helpers(module: str, folder: Path, num: int) -> Iterator[None]:
    """`num` further processes, `python -m module folder`; on the way out they save their work and end.

    They and this one share the cores that this one may use. Those that find nothing to do any more end by themselves.
    """
    from nsmodels.engine import runtime  # torch, which takes seconds

    share = max(1, hardware.num_threads() // (num + 1))
    environment = os.environ | {hardware.THREADS: str(share), lifeline.PARENT: str(os.getpid()), interrupts.HELPER: "1"}
    command = [sys.executable, "-m", module, str(folder)]
    # Sessions of their own: a Ctrl-C in the terminal reaches them once, through this process.
    started = [subprocess.Popen(command, env=environment, start_new_session=True) for _ in range(num)]
    patience = 0.0
    try:
        with runtime.threads(share if num else 0):
            yield
        patience = PATIENCE
    finally:
        _end(started, patience)


def _end(processes: Sequence[subprocess.Popen[bytes]], patience: float) -> None:
    """Wait `patience` seconds for each, ask the others to stop, and kill those that do not."""
    for seconds, end in ((patience, subprocess.Popen.terminate), (GRACE, subprocess.Popen.kill)):  # no-op once ended
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
        for process in processes:
            end(process)
    for process in processes:
        status = interrupts.status_of(process.wait())
        if status not in (0, *interrupts.STATUSES):
            print(f"a process that helped ended with status {status}", file=sys.stderr, flush=True)
