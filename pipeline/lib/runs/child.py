"""Commands in processes of their own, to which signals are passed on, and which end with this one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from nsmodels.core import interrupts
from nsmodels.engine.processes import lifeline


def wait(command: Sequence[str], variables: Mapping[str, str] | None = None) -> int:
    """Run a command and return its exit status; a signal is passed on to it, and it ends and prints the line.

    A command of this project ends also when this process is killed (`lifeline`).
    `variables`: of its environment, beside those of this process.
    """
    environment = {**os.environ, **(variables or {}), lifeline.PARENT: str(os.getpid())}
    # A session of its own: Ctrl-C would else reach it twice.
    job = subprocess.Popen(command, env=environment, start_new_session=True)
    handlers = {number: signal.signal(number, lambda got, _: job.send_signal(got)) for number in interrupts.SIGNALS}
    try:
        status = job.wait()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    return status if status >= 0 else 128 - status
