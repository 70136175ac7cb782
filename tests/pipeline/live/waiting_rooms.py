"""Definitions for tests: assets that hold their pool slot until a door opens, one that downloads, the toy, coins.

`NSMODELS_EXTENSIONS` names `tests/example`, where the toy is.
"""

import os
import time
from pathlib import Path

import dagster as dg

from nsmodels.core.transfer.download import download
from pipeline.assets.datasets import dots
from pipeline.assets.systems import toy
from pipeline.lib import policy, step
from pipeline.lib.cluster import executor
from tests.pipeline import coins

ROOM = Path(os.environ.get("NSMODELS_DATA", "data"))


def wait(name: str) -> dg.MaterializeResult:
    """Add a line to the guest book, then wait until the file `open` exists."""
    with (ROOM / "book").open("a") as book:
        book.write(f"{name}\n")
    while not (ROOM / "open").exists():
        time.sleep(0.05)
    return dg.MaterializeResult()


@dg.asset(**policy.model())
def first() -> dg.MaterializeResult:
    return wait("first")


@dg.asset(**policy.study())
def second() -> dg.MaterializeResult:
    return wait("second")


@dg.asset(**policy.evaluation())
def beside() -> dg.MaterializeResult:
    return wait("beside")


@dg.asset(**policy.dataset(), config_schema={"url": str})
def fetched(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    with step.one_line_errors():
        download(context.op_execution_context.op_config["url"], ROOM / "fetched", attempts=1)
    return dg.MaterializeResult()


ASSETS = [first, second, beside, fetched, dots.dots, *toy.assets, *coins.ASSETS]
defs = dg.Definitions(ASSETS, executor=executor.executor())
