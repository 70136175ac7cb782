"""What the machine offers."""

from __future__ import annotations

import os


def num_cores() -> int:
    """The number of processor cores this process may use, at least 1; all of the machine's where it cannot be asked."""
    if hasattr(os, "sched_getaffinity"):  # Linux; macOS and Windows have no such call
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
