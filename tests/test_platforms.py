"""Linux and macOS: what only Linux has is taken away, and there is a way without it."""

from __future__ import annotations

import math
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from nsmodels.core import hardware
from nsmodels.engine import batching, runtime
from pipeline.lib.runs import liveness

ROOT = Path(__file__).parents[1]
# Calls and files of Linux, with the only modules that may name them, each with a way without, tested below.
OF_LINUX = {
    r"sched_getaffinity": {"nsmodels/core/hardware.py"},
    r"/proc/": {"pipeline/lib/runs/liveness.py"},
    r"/sys/fs": {"nsmodels/core/hardware.py"},
    r'"fork"': {"nsmodels/engine/batching.py"},
    r"/dev/shm|posix_fadvise|memfd_create|pidfd_|copy_file_range|os\.sendfile|eventfd|prctl|sched_set": set(),
}


@pytest.mark.parametrize(("pattern", "allowed"), OF_LINUX.items(), ids=lambda each: str(each)[:12])
def test_what_only_linux_has_is_named_where_there_is_a_way_without(pattern: str, allowed: set[str]) -> None:
    files = [path for name in ("nsmodels", "pipeline") for path in (ROOT / name).rglob("*.py")]
    found = {str(path.relative_to(ROOT)) for path in files if re.search(pattern, path.read_text())}
    assert found == allowed


def test_cores_without_affinity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert hardware.num_cores() == os.cpu_count()


def test_memory_without_control_groups_and_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "GROUPS", Path("/nowhere"))
    monkeypatch.setattr(hardware, "resource", None)
    assert 0 < hardware.available_memory() < 2**50


def test_memory_of_a_machine_that_does_not_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_name: str) -> int:
        raise ValueError("unrecognized configuration name")

    monkeypatch.setattr(os, "sysconf", unknown)
    assert runtime.memory_of(torch.device("cpu")) == math.inf


def test_peak_memory_is_counted_in_bytes_on_a_mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert before <= runtime.peak_memory(torch.device("cpu")) < 2 * before


def test_without_fork_batches_are_decoded_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "START", None)
    seen: list[int] = []  # of this process: a worker would append to a copy
    found = batching.Batches([np.arange(3)] * 4, lambda rows: seen.append(os.getpid()) or rows, num_workers=2)
    assert [len(rows) for rows in found] == [3] * 4
    assert seen == [os.getpid()] * 4


def test_the_start_of_a_process_without_proc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "BOOT", Path("/nowhere/boot_id"))
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = liveness.birth(child.pid)
    assert born is not None
    assert born == liveness.birth(child.pid) != liveness.birth(os.getpid())
    child.communicate(b"\n")
    assert liveness.birth(child.pid) is None
