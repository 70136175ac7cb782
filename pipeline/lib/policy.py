"""Settings of the assets by group: owners, kinds, concurrency pool, retry policy.

A pool has one slot (`default_limit` in dagster.yaml), shared by the command line and the UI; further steps wait.
`dagster instance concurrency set gpu 2` sets two slots, as does the UI under Deployment > Concurrency.
"""

from __future__ import annotations

import os
from typing import Any

import dagster as dg

from nsmodels.engine import machine
from pipeline.lib.runs import child

OWNERS = ["team:nsmodels"]
# Of several commands side by side (`runs.child`) each has pools of its own; the GPU is one for all.
LANE = os.environ.get(child.LANE, "1")
OWN = "" if LANE == "1" else f"_{LANE}"
TRAINING = "gpu" if machine.has_driver() else f"training{OWN}"  # shared by models, studies and replicates
DOWNLOADS, GENERATION, EVALUATION = "downloads", f"generation{OWN}", f"evaluation{OWN}"
# Retries after about 2, 6, 14, 30, 62 and 126 s; up to 2 s of jitter so that many steps do not retry at once. Only for
# transient errors (`TryLater`), never for invalid input and never for a training.
RETRIES = dg.RetryPolicy(max_retries=6, delay=2, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.PLUS_MINUS)


def archive(**more: Any) -> dict[str, Any]:
    """Arguments of `@dg.asset` for a published archive; inspected only, so it does not wait for downloads."""
    return _group("archives", {"http"}, {"retry_policy": RETRIES, **more})


def dataset(**more: Any) -> dict[str, Any]:
    """Arguments for data in their released format, downloaded or derived from a download; one download at a time."""
    return _group("datasets", {"image", "json"}, {"pool": DOWNLOADS, "retry_policy": RETRIES, **more})


def generated(**more: Any) -> dict[str, Any]:
    """Arguments for generated data."""
    return _group("datasets", {"image", "json"}, {"pool": GENERATION, **more})


def model(**more: Any) -> dict[str, Any]:
    """Arguments for a trained model; one training at a time uses the GPU, or the cores if there is none."""
    return _group("models", {"pytorch"}, {"pool": TRAINING, **more})


def evaluation(**more: Any) -> dict[str, Any]:
    """Arguments for the score of a model on held-out data; one at a time, in parallel with a training."""
    return _group("evaluations", {"pytorch", "table"}, {"pool": EVALUATION, **more})


def study(**more: Any) -> dict[str, Any]:
    """Arguments for a comparison of many trainings, in the pool of the models."""
    return _group("studies", {"pytorch", "table"}, {"pool": TRAINING, **more})


def replicates(**more: Any) -> dict[str, Any]:
    """Arguments for a training repeated with several seeds."""
    return _group("replicates", {"pytorch", "table"}, {"pool": TRAINING, "backfill_policy": _in_one_run(), **more})


def trials(**more: Any) -> dict[str, Any]:
    """Arguments for a training repeated with several configurations, each in a run of its own."""
    each_alone = dg.BackfillPolicy.multi_run(1)
    return _group("trials", {"pytorch", "table"}, {"pool": TRAINING, "backfill_policy": each_alone, **more})


def report(**more: Any) -> dict[str, Any]:
    """Arguments for a table and a figure of existing artifacts: no training, no GPU."""
    return _group("studies", {"table", "matplotlib"}, more)


def figure(**more: Any) -> dict[str, Any]:
    """Arguments for a figure of the paper, as PDF and PNG."""
    return _group("figures", {"matplotlib", "pdf"}, more)


def paper(**more: Any) -> dict[str, Any]:
    """Arguments for a part of the paper, made from whatever is sealed: no training, no GPU."""
    return _group("paper", {"pdf", "table"}, more)


def _in_one_run() -> dg.BackfillPolicy:
    """One run for all selected partitions, which starts once; on a cluster one run each, in parallel."""
    return dg.BackfillPolicy.multi_run(1) if os.environ.get("RAY_ADDRESS") else dg.BackfillPolicy.single_run()


def _group(name: str, kinds: set[str], more: dict[str, Any]) -> dict[str, Any]:
    return {"group_name": name, "kinds": kinds, "owners": OWNERS, **more}
