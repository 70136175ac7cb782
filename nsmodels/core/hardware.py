"""Hardware of the machine."""

from __future__ import annotations

import os


def num_cores() -> int:
    """Number of processor cores this process may use, at least 1; all cores where the affinity is unknown."""
    if hasattr(os, "sched_getaffinity"):  # Linux; macOS and Windows have no such call
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
