"""A process that ends when the one that started it is gone, however that died."""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT = "NSMODELS_PARENT"  # who that is: it may be dead before the child's first line runs
INTERVAL = 0.5  # seconds between two looks
GRACE = 60.0  # seconds for a checkpoint


def end_with_parent(grace: float = GRACE) -> None:
    """Watch the parent from a thread; once it is gone, ask this process to stop, and end it after `grace` seconds.

    The kernel's own PR_SET_PDEATHSIG watches the thread that started the child instead of its process, and is
    Linux only.
    """
    parent = int(os.environ.get(PARENT) or os.getppid())
    threading.Thread(target=_watch, args=(parent, grace), name="lifeline", daemon=True).start()


def _watch(parent: int, grace: float) -> None:
    while os.getppid() == parent:
        time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)
