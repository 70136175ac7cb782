"""What every test may rely on."""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import zip_longest
from pathlib import Path

import pytest

from nsmodels.core import hardware
from tests.children import Child
from tests.shared import Shared

# A suite that is started in the background of a script inherits an ignored SIGINT; tests of Ctrl-C need Python's own.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Modules and tests are collected once and stay: looking for garbage among them took a quarter of the time.
gc.disable()


def pytest_collection_finish() -> None:
    """From here on garbage is collected, among what the tests make."""
    gc.collect()
    gc.freeze()
    gc.enable()
    hardware.collect_rarely()


def pytest_sessionfinish() -> None:
    """Libraries report what is never collected."""
    gc.unfreeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Live tests and others in turn, file by file, those of the pipeline first.

    Live tests mostly wait: beside each other they leave the processors idle, beside others they cost little time.
    Short tests fill the gaps at the end of a suite in processes.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    live = [path for path, found in files.items() if found[0].get_closest_marker("live")]
    others = sorted((path for path in files if path not in live), key=lambda path: "pipeline" not in path.parts)
    order = [path for pair in zip_longest(live, others) for path in pair if path]
    items[:] = [item for path in order for item in files[path]]


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
