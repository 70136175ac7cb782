"""Definitions for the tests of the cluster: assets that count slowly and resume where they were interrupted."""

import json
import os
import time
from pathlib import Path

import dagster as dg

from pipeline.lib import policy
from pipeline.lib.cluster import executor

SEEDS = dg.StaticPartitionsDefinition(["0", "1", "2"])


def count(name: str, last: int = 12) -> int:
    """Count to `last`, half a second each; a file contains the numbers and the ids of the processes."""
    path = Path(os.environ["NSMODELS_DATA"]) / f"{name}.jsonl"
    done = len(path.read_text().splitlines()) if path.exists() else 0
    for number in range(done, last):
        with path.open("a") as file:
            gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "")
            file.write(json.dumps({"number": number, "pid": os.getpid(), "gpus": gpus}) + "\n")
        time.sleep(0.5)
    return last - done


@dg.asset(pool=policy.TRAINING)
def first() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"counted": count("first")})


@dg.asset
def second() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"counted": count("second")})


@dg.asset(deps=[first, second])
def third() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"counted": count("third", 1)})


@dg.asset(op_tags={"dagster-ray/config": {"num_cpus": 4, "num_gpus": 4}})
def greedy() -> None: ...


@dg.asset
def endless() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"counted": count("endless", 1000)})


@dg.asset
def instant() -> None: ...


@dg.asset(partitions_def=SEEDS, backfill_policy=dg.BackfillPolicy.multi_run(1))
def by_seed(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"counted": count(f"seed_{context.partition_key}")})


defs = dg.Definitions(assets=[first, second, third, greedy, endless, instant, by_seed], executor=executor.executor())
