"""The networks of a checkpoint, each a task on the shared loop; run as a module by the processes of one phase."""

from __future__ import annotations

import sys
from pathlib import Path

from nsmodels.core.cli import run
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.phases import run_launched, sharing
from nsmodels.engine.task import Task
from nsmodels.systems.nav.config import NavConfig
from nsmodels.systems.nav.network.navigator import Navigator
from nsmodels.systems.nav.training.maps import TrainingMaps
from nsmodels.systems.nav.training.plain import PlainTask
from nsmodels.systems.nav.training.task import NavigationTask

NAVIGATOR = "navigator"


def make_task(phase: str, config: NavConfig, data: Path) -> tuple[Task, TrainingConfig]:
    """The task of a phase and how it is trained."""
    training = config.training if phase == NAVIGATOR else sharing(config.baseline_training, config.training)
    maps = TrainingMaps(data, config.data, training)
    if phase == NAVIGATOR:
        return NavigationTask(maps, config.model, config.objective, training), training
    beside = Navigator(config.model.with_values({"connectivity": maps.connectivity})).num_parameters
    return PlainTask(phase, maps, config.baselines, training, beside), training


if __name__ == "__main__":
    sys.exit(run(lambda: run_launched(sys.argv[1:], NavConfig, make_task)))
