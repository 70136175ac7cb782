"""What all assets of a group have in common."""

from __future__ import annotations

import os
from typing import Any

import dagster as dg

OWNERS = ["team:nsmodels"]


def archive(**more: Any) -> dict[str, Any]:
    """A published archive: looked at, not downloaded."""
    return _group("archives", {"http"}, more)


def dataset(**more: Any) -> dict[str, Any]:
    """Data in their released format."""
    return _group("datasets", {"image", "json"}, more)


def model(**more: Any) -> dict[str, Any]:
    """A trained model; one at a time holds the GPU."""
    return _group("models", {"pytorch"}, {"pool": "gpu", **more})


def evaluation(**more: Any) -> dict[str, Any]:
    """The score of a model on held-out data."""
    return _group("evaluations", {"pytorch", "table"}, more)


def study(**more: Any) -> dict[str, Any]:
    """Many trainings that are compared; they take turns with the models on the GPU."""
    return _group("studies", {"pytorch", "table"}, {"pool": "gpu", **more})


def replicates(**more: Any) -> dict[str, Any]:
    """A training repeated with several seeds."""
    return _group("replicates", {"pytorch", "table"}, {"pool": "gpu", "backfill_policy": _in_one_run(), **more})


def trials(**more: Any) -> dict[str, Any]:
    """A training repeated with several configurations, each in a run of its own."""
    each_alone = dg.BackfillPolicy.multi_run(1)
    return _group("trials", {"pytorch", "table"}, {"pool": "gpu", "backfill_policy": each_alone, **more})


def report(**more: Any) -> dict[str, Any]:
    """A table and a figure over what lies on disk: no training, no GPU."""
    return _group("studies", {"table", "matplotlib"}, more)


def figure(**more: Any) -> dict[str, Any]:
    """A figure of the paper, as PDF and PNG."""
    return _group("figures", {"matplotlib", "pdf"}, more)


def _in_one_run() -> dg.BackfillPolicy:
    """One run for all partitions asked for, which starts once; on a cluster a run each, which spread over it."""
    return dg.BackfillPolicy.multi_run(1) if os.environ.get("RAY_ADDRESS") else dg.BackfillPolicy.single_run()


def _group(name: str, kinds: set[str], more: dict[str, Any]) -> dict[str, Any]:
    return {"group_name": name, "kinds": kinds, "owners": OWNERS, **more}
