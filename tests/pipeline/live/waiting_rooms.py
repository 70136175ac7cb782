"""The project's definitions and three assets for tests: two hold their pool slot until a door opens, one downloads."""

import os
import time
from pathlib import Path

import dagster as dg

from nsmodels.core.transfer.download import download
from pipeline import definitions
from pipeline.lib import policy, step

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


@dg.asset(**policy.dataset(), config_schema={"url": str})
def fetched(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    with step.one_line_errors():
        download(context.op_execution_context.op_config["url"], ROOM / "fetched", attempts=1)
    return dg.MaterializeResult()


@dg.definitions
def defs() -> dg.Definitions:
    return dg.Definitions.merge(definitions.defs(), dg.Definitions(assets=[first, second, fetched]))
