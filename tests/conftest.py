"""What every test may rely on."""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
from absl import logging as absl_logging

from nsmodels.core import hardware
from tests import distribution
from tests.children import Child
from tests.shared import Shared

# A suite that is started in the background of a script inherits an ignored SIGINT; tests of Ctrl-C need Python's own.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The logger of absl, which mlcroissant brings, writes to what is stderr when it is imported, here a file of pytest, and
# closes it when Dagster configures logging while a test has another one: all later tests of the process would fail.
absl_logging.get_absl_handler().python_handler.setStream(sys.__stderr__)

# Modules and tests are collected once and stay: looking for garbage among them took a quarter of the time.
gc.disable()


def pytest_collection_finish() -> None:
    """From here on garbage is collected, among what the tests make."""
    gc.freeze()
    gc.enable()
    hardware.collect_rarely()
    # Libraries report what is never collected. Not before pytest has looked for garbage of the tests, three times.
    atexit.register(gc.unfreeze)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first."""
    items[:] = distribution.ordered(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> distribution.ByFileOrSystem | None:
    """How tests are distributed to processes where they are distributed by file."""
    return distribution.ByFileOrSystem(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture
def child() -> Iterator[Callable[..., Child]]:
    """Starts a function in a process of its own, see `Child`; what still runs when the test is over is killed."""
    with ExitStack() as running:
        yield lambda *given, **options: running.enter_context(closing(Child(*given, **options)))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Debug data and models, made once for all processes of the run."""
    base = tmp_path_factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    root.mkdir(exist_ok=True)
    artifacts = Shared(root)
    yield artifacts
    artifacts.verify()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """One torch thread while the tests of a module run: the last digit of a loss depends on their number."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
