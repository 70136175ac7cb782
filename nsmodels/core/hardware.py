"""Hardware of the machine: cores, how threads wait for them, memory, and what a piece of work needs of it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass
from pathlib import Path

from nsmodels.core.disk import require_space
from nsmodels.core.errors import InputError
from nsmodels.core.progress import readable, readable_seconds

try:
    import resource
except ImportError:  # Windows
    resource = None

GROUPS = Path("/sys/fs/cgroup")
LARGE_DISK, LONG = 10e9, 3 * 3600.0  # bytes and seconds to which a person has to agree
NOTABLE = 30.0  # seconds that are reported before they pass

# What decides how an idle OpenMP thread waits. Runtimes read them once, when torch loads its own: libgomp, the one of
# torch on Linux, the first two; libomp and libiomp5, those on macOS and Windows, the first and the last.
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")

THREADS = "OMP_NUM_THREADS"

is_waiting_chosen = True  # the package sets it to what `wait_passively` returns for this process


def num_cores() -> int:
    """Number of processor cores this process may use, at least 1; all cores where the affinity is unknown."""
    if hasattr(os, "sched_getaffinity"):  # Linux; macOS and Windows have no such call
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def num_threads() -> int:
    """Threads of torch that a person has chosen by `OMP_NUM_THREADS`, else one per core."""
    chosen = os.environ.get(THREADS, "")
    return int(chosen) if chosen.isdecimal() else num_cores()


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


def collect_rarely() -> None:
    """Let Python look for unreachable cycles after 10,000 new objects instead of 700; for programs, as they start.

    Importing torch and Dagster makes objects that stay: a fifth of the time it took went into looking through them.
    """
    gc.set_threshold(10_000, 10, 10)


def available_memory() -> int:
    """Bytes that this process may still take: of the machine with its swap, its control group and its own limits."""
    import psutil

    found = [psutil.virtual_memory().available + psutil.swap_memory().free, *_left_in_groups()]
    if resource is not None:
        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            found.append(limit - psutil.Process().memory_info().vms)
    return max(0, min(found))


def _left_in_groups() -> list[int]:
    """Bytes left in the control groups of this process (Linux, versions 2 and 1); its file cache can be taken back."""
    found = []
    for limit, used, stat, cache in (
        ("memory.max", "memory.current", "memory.stat", "inactive_file"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
    ):
        try:
            most, now = ((GROUPS / name).read_text(encoding="utf-8").strip() for name in (limit, used))
            lines = dict(line.split() for line in (GROUPS / stat).read_text(encoding="utf-8").splitlines())
            found.append(int(most) - int(now) + int(lines.get(cache, 0)))
        except (OSError, ValueError):  # no such group, or "max": no limit
            continue
    return found


def require_memory(needed: float, what: str, remedy: str) -> None:
    """Raise `InputError` unless `needed` bytes of memory are available for `what`; `remedy` names what to lower."""
    available = available_memory()
    if needed > available:
        raise InputError(
            f"{what}: about {readable(needed)} of memory are needed and {readable(available)} are available; {remedy}"
        )


@dataclass(frozen=True)
class Estimate:
    """What a piece of work needs, from below: bytes of memory and disk, CPU-seconds; `remedy` names what to lower."""

    what: str
    memory: float
    disk: float
    cpu_seconds: float
    remedy: str

    @property
    def is_large(self) -> bool:
        """Whether a person should agree to it first."""
        return self.disk > LARGE_DISK or self.cpu_seconds / num_cores() > LONG

    @property
    def is_long(self) -> bool:
        """Whether a person should be shown the estimate first."""
        return self.cpu_seconds / num_cores() > NOTABLE

    def require(self, folder: Path) -> None:
        """Raise `InputError` unless memory and the disk of `folder` suffice."""
        require_memory(self.memory, self.what, self.remedy)
        try:
            require_space(folder, int(self.disk), self.what)
        except InputError as error:
            raise InputError(f"{error}, or {self.remedy}") from None

    def __str__(self) -> str:
        time = readable_seconds(self.cpu_seconds / num_cores())
        return f"{self.what}: about {readable(self.disk)} on disk, {readable(self.memory)} of memory, {time}"
