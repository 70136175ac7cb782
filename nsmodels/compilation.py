"""Compile what is compiled at first use, for every dataset and system: `python -m nsmodels.compilation`.

numba keeps the machine code beside the source; without this the first run of each command takes seconds longer, and
processes that begin at the same time each compile the same functions.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from nsmodels.core import cli, discover
from nsmodels.core.orders import Inputs
from nsmodels.engine.system import Stage, System

log = logging.getLogger(__name__)


def main() -> int:
    """Make the debug data of every dataset and take one step of every network, in a folder that is removed."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folders = {name: Path(place) / name for name in discover.datasets()}
        for name, folder in folders.items():
            config = discover.module("datasets", name, "config").debug()
            discover.module("datasets", name, "prepare").prepare(config, name, folder)
        for name in discover.systems():
            system = discover.system(name)
            for dataset in system.datasets:
                _step(system, Inputs.of(folders[dataset]))
    log.info("compiled what is compiled at first use, in %.0f s", time.perf_counter() - began)
    return 0


def _step(system: System, inputs: Inputs) -> None:
    """One forward and backward pass of each network that starts from data alone."""
    from nsmodels.engine.task import Shard

    stages: list[Stage] = [stage for stage in system.stages if stage.starts_from is None]
    for stage in stages:
        config = stage.presets["debug"]()
        for phase in system.enabled(stage, config):
            task = system.make_trial(phase, config, inputs).task
            batch = next(iter(task.batches("train", 0, Shard())))
            task.loss(task.build(), batch)[0].backward()


if __name__ == "__main__":
    sys.exit(cli.run(partial(main)))
