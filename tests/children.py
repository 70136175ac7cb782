"""Child processes that begin in milliseconds: forked from a server that has imported torch.

A test of what happens to a training from outside starts several; as programs each of them would import for seconds.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nsmodels.core import discover
from tests.core.server import free_port

CONTEXT = multiprocessing.get_context("forkserver")
# What costs time to import; the server tries each and goes on without the ones that are missing.
LIBRARIES = ["torch._dynamo", "pandas", "pyarrow.dataset", "scipy.stats", "tests.preloaded"]
LIBRARIES += ["matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf"]
PARTS = ["train", "phases", "evaluate", "__main__"]  # of a system
MODULES = [*LIBRARIES, *(f"nsmodels.systems.{name}.{part}" for name in discover.systems() for part in PARTS)]


class Child:
    """`function(*arguments)` in a process of its own, with the interface of `subprocess.Popen`.

    What it returns is the exit status. `setup` runs first; it is picklable, as is `function`.
    """

    def __init__(
        self,
        function: Callable[..., int | None],
        *arguments: Any,
        environment: Mapping[str, str] | None = None,
        setup: Callable[[], None] | None = None,
    ) -> None:
        CONTEXT.set_forkserver_preload(MODULES)
        self._outputs = tempfile.TemporaryDirectory()
        given = os.environ | {"CUDA_VISIBLE_DEVICES": ""} | (environment or {})
        self._process = CONTEXT.Process(target=_run, args=(self._outputs.name, given, setup, function, arguments))
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def communicate(self, timeout: float | None = 120) -> tuple[str, str]:
        """Standard output and error, once it has ended."""
        self._process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0.0)
        return self._printed("out"), self._printed("err")

    def close(self) -> None:
        """Kill it, if it is still there, and forget what it printed."""
        self.kill()
        self._process.join()
        self._outputs.cleanup()

    def _printed(self, name: str) -> str:
        path = Path(self._outputs.name) / name
        return path.read_text() if path.exists() else ""


def _run(
    outputs: str,
    environment: Mapping[str, str],
    setup: Callable[[], None] | None,
    function: Callable[..., int | None],
    arguments: tuple[Any, ...],
) -> None:
    import torch

    gc.freeze()  # what the server has imported stays
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{outputs}/{name}", os.O_WRONLY | os.O_CREAT), number)
    os.environ.update(environment)
    torch.set_num_threads(1)
    if setup:
        setup()
    sys.exit(function(*arguments))


def ranks(size: int) -> list[dict[str, str]]:
    """For `environment`: what torchrun sets in each of `size` processes."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(size)}
    return [place | {"RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(size)]


def allow_files_up_to(num_bytes: int) -> None:
    """For `setup`: a disk on which nothing larger fits."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, num_bytes))


def signal_at_save(number: int, name: str, count: int) -> None:
    """For `setup`: this process gets a signal when it is about to rename a file to `name` for the `count`th time."""
    seen = []

    def look(event: str, details: tuple[Any, ...]) -> None:
        if event == "os.rename" and Path(os.fsdecode(details[1])).name == name:
            seen.append(event)
            if len(seen) == count:
                os.kill(os.getpid(), number)

    sys.addaudithook(look)
