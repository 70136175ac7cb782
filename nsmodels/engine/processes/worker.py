"""Worker process of torchrun: `python -m nsmodels.engine.processes.worker module arguments...`."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Sequence

from nsmodels.core import hardware
from nsmodels.engine.processes import lifeline


def main(argv: Sequence[str]) -> None:
    """Run a module as `python -m` does, record its error for torchrun, and end when torchrun does."""
    lifeline.end_with_parent()
    hardware.collect_rarely()
    sys.argv = list(argv)
    try:
        runpy.run_module(argv[0], run_name="__main__", alter_sys=True)
    except Exception as error:
        record_error(error)
        raise


def record_error(error: Exception) -> None:
    """Write an error to the file from which torchrun reads the reason of a failure."""
    from torch.distributed.elastic.multiprocessing.errors import get_error_handler

    get_error_handler().record_exception(error)


if __name__ == "__main__":
    main(sys.argv[1:])
