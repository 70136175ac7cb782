"""A step on a machine of the cluster: `python -m pipeline.lib.cluster.step`, its arguments in the environment.

It ends with its run: if the run is over before the step (its process was killed, or it was cancelled while the cluster
was unavailable), the step receives SIGTERM, which saves a checkpoint.
"""

from __future__ import annotations

import base64
import contextlib
import os
import runpy
import signal
import sys
import threading
import time
import zlib
from typing import TYPE_CHECKING

from pipeline.lib.runs.slots import ARGUMENTS

if TYPE_CHECKING:
    from dagster import DagsterInstance

INTERVAL = 10.0  # seconds between two checks of the run
GRACE = 60.0  # seconds to save a checkpoint


def main() -> None:
    """Execute the step as `dagster api execute_step` does."""
    threading.Thread(target=watch, args=(os.environ[ARGUMENTS],), name="run", daemon=True).start()
    sys.argv = ["dagster", "api", "execute_step"]
    runpy.run_module("dagster", run_name="__main__", alter_sys=True)


def watch(packed: str) -> None:
    """End this process once its run is over; `packed` are the arguments of the step, compressed in base64."""
    from dagster import DagsterInstance, deserialize_value

    from pipeline.internals import ExecuteStepArgs

    arguments = deserialize_value(zlib.decompress(base64.b64decode(packed)).decode(), ExecuteStepArgs)
    if arguments.instance_ref is None:
        return
    with DagsterInstance.from_ref(arguments.instance_ref) as instance:
        while not is_over(instance, arguments.run_id):
            time.sleep(INTERVAL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


def is_over(instance: DagsterInstance, run_id: str) -> bool:
    """Whether the run has ended; False while the history is unavailable."""
    with contextlib.suppress(Exception):
        run = instance.get_run_by_id(run_id)
        return run is None or run.is_finished
    return False


if __name__ == "__main__":
    main()
