"""Number of usable cores, also where the affinity is unknown."""

import os

from nsmodels.core.hardware import num_cores


def test_cores_are_those_the_process_may_use():
    assert num_cores() == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else num_cores() >= 1


def test_cores_are_counted_where_affinity_is_unknown(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert num_cores() == os.cpu_count()
