"""Compile what is compiled at first use, for every dataset and system: `python -m nsmodels.commands.compilation`.

numba keeps the machine code beside the source; without this the first run of each command takes seconds longer, and
processes that begin at the same time each compile the same functions.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from nsmodels.core import cli, discover, hardware
from nsmodels.core.orders import Inputs
from nsmodels.engine.processes import lifeline
from nsmodels.engine.system import Stage, System

log = logging.getLogger(__name__)


def main() -> int:
    """Make and check the debug data of every dataset, take one step of every network, in a folder that is removed."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place, _processes() as pool:
        made = {name: pool.submit(_prepare, name, Path(place) / name) for name in discover.datasets()}
        pairs = [(name, dataset) for name in discover.systems() for dataset in discover.system(name).datasets]
        steps = [pool.submit(take_steps, name, dataset, made[dataset].result()) for name, dataset in pairs]
        for each in (*made.values(), *steps):
            each.result()
    log.info("compiled what is compiled at first use, in %.0f s", time.perf_counter() - began)
    return 0


def take_steps(system: str, dataset: str, data: Path) -> None:
    """One step of each network of a system that starts from data alone, and what no step calls."""
    found = discover.system(system)
    _step(found, dataset, Inputs.of(data))
    found.call_compiled(data)


def _processes() -> ProcessPoolExecutor:
    """A process per core, up to the number of datasets: functions of different datasets have little in common."""
    num = min(hardware.num_cores(), len(discover.datasets()))
    return ProcessPoolExecutor(num, get_context("spawn"), _begin)


def _begin() -> None:
    hardware.collect_rarely()
    lifeline.end_with_parent()


def _prepare(dataset: str, folder: Path) -> Path:
    """The debug data of a dataset, and its checks, which solve samples of them in a different way."""
    config = discover.module("datasets", dataset, "config").debug()
    discover.module("datasets", dataset, "prepare").prepare(config, dataset, folder)
    for check in discover.checks(dataset).values():
        check(folder)
    return folder


def _step(system: System, dataset: str, inputs: Inputs) -> None:
    """One forward and backward pass of each network that starts from data alone."""
    from nsmodels.engine.task import Shard

    stages: list[Stage] = [stage for stage in system.stages if stage.starts_from is None]
    for stage in stages:
        config = stage.presets["debug"]().with_values(dict(system.settings.get(dataset, {})))
        for phase in [each for each in system.enabled(stage, config) if each not in system.later_phases]:
            task = system.make_trial(phase, config, inputs).task
            batch = next(iter(task.batches("train", 0, Shard())))
            task.loss(task.build(), batch)[0].backward()


if __name__ == "__main__":
    sys.exit(cli.run(partial(main)))
