"""What all assets of a group have in common: owners, kinds, the pool they wait in, whether they are tried again.

A pool lets one step at a time through (`default_limit` in dagster.yaml), from the command line and the UI alike; the
others wait. `dagster instance concurrency set gpu 2` lets two through, as does the UI under Deployment > Concurrency.
"""

from __future__ import annotations

import os
from typing import Any

import dagster as dg

from pipeline.lib import hardware

OWNERS = ["team:nsmodels"]
TRAINING = "gpu" if hardware.has_driver() else "training"  # models, studies and replicates take turns
DOWNLOADS, GENERATION, EVALUATION = "downloads", "generation", "evaluation"
# After about 2, 6, 14, 30, 62 and 126 s, each up to 2 s sooner or later so that many do not come back at once. Only
# what may be better in a minute is tried again (`TryLater`), never bad input and never a training.
PATIENCE = dg.RetryPolicy(max_retries=6, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def archive(**more: Any) -> dict[str, Any]:
    """A published archive: looked at, not downloaded, so it does not wait behind a download."""
    return _group("archives", {"http"}, {"retry_policy": PATIENCE, **more})


def dataset(**more: Any) -> dict[str, Any]:
    """Data in their released format, downloaded or made from a download; one at a time uses the line."""
    return _group("datasets", {"image", "json"}, {"pool": DOWNLOADS, "retry_policy": PATIENCE, **more})


def generated(**more: Any) -> dict[str, Any]:
    """Data that are computed here."""
    return _group("datasets", {"image", "json"}, {"pool": GENERATION, **more})


def model(**more: Any) -> dict[str, Any]:
    """A trained model; one at a time holds the GPU, or the cores where there is none."""
    return _group("models", {"pytorch"}, {"pool": TRAINING, **more})


def evaluation(**more: Any) -> dict[str, Any]:
    """The score of a model on held-out data; one at a time, beside a training and not behind it."""
    return _group("evaluations", {"pytorch", "table"}, {"pool": EVALUATION, **more})


def study(**more: Any) -> dict[str, Any]:
    """Many trainings that are compared; they take turns with the models on the GPU."""
    return _group("studies", {"pytorch", "table"}, {"pool": TRAINING, **more})


def replicates(**more: Any) -> dict[str, Any]:
    """A training repeated with several seeds."""
    return _group("replicates", {"pytorch", "table"}, {"pool": TRAINING, "backfill_policy": _in_one_run(), **more})


def trials(**more: Any) -> dict[str, Any]:
    """A training repeated with several configurations, each in a run of its own."""
    each_alone = dg.BackfillPolicy.multi_run(1)
    return _group("trials", {"pytorch", "table"}, {"pool": TRAINING, "backfill_policy": each_alone, **more})


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
