"""Hardware of the machine, and how threads wait for it."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

# What decides how an idle OpenMP thread waits. Runtimes read them once, when torch loads its own: libgomp, the one of
# torch on Linux, the first two; libomp and libiomp5, those on macOS and Windows, the first and the last.
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")

is_waiting_chosen = True  # the package sets it to what `wait_passively` returns for this process


def num_cores() -> int:
    """Number of processor cores this process may use, at least 1; all cores where the affinity is unknown."""
    if hasattr(os, "sched_getaffinity"):  # Linux; macOS and Windows have no such call
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def wait_passively(environment: MutableMapping[str, str]) -> bool:
    """Let idle threads of this process and its children sleep, unless `environment` has a choice of its own.

    By default the threads of a parallel region spin while they wait for its slowest. Beside other programs that slowest
    is often not running, and they burn the time in which it could. Returns whether torch will read the choice: False
    where it was loaded before, so that only children do.
    """
    if any(name in environment for name in WAITING):
        return True
    environment["OMP_WAIT_POLICY"] = "passive"
    return "torch" not in sys.modules
