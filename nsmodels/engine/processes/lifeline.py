"""Watchdog that ends a process when its parent has ended, in whatever way."""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT = "NSMODELS_PARENT"  # process id of the parent, which may end before the child's first line runs
INTERVAL = 0.5  # seconds between two checks
GRACE = 60.0  # seconds to write a checkpoint


def end_with_parent(grace: float = GRACE) -> None:
    """Watch the parent from a thread; when it has ended, send this process SIGTERM, and end it after `grace` seconds.

    PR_SET_PDEATHSIG is no alternative: it watches the thread that started the child instead of its process, and
    exists on Linux only.
    """
    parent = int(os.environ.pop(PARENT, 0)) or os.getppid()  # children of this process have a different one
    threading.Thread(target=_watch, args=(parent, grace), name="lifeline", daemon=True).start()


def end_with_named_parent() -> None:
    """`end_with_parent` where the environment names a parent: for programs that are started by hand as well."""
    if PARENT in os.environ:
        end_with_parent()


def _watch(parent: int, grace: float) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)
