"""The networks of a checkpoint: the trial of each on the shared loop, and the network in a file of the checkpoint."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from nsmodels.engine import checkpoint
from nsmodels.engine.phases import sharing
from nsmodels.engine.runtime import resolve_device
from nsmodels.engine.trial import Trial
from nsmodels.systems.nav.config import NAVIGATOR, NavConfig
from nsmodels.systems.nav.network.construction import make_navigator, navigator_from
from nsmodels.systems.nav.training.maps import TrainingMaps
from nsmodels.systems.nav.training.plain import PlainTask, from_checkpoint
from nsmodels.systems.nav.training.task import NavigationTask

LEAST_PARAMETERS = 20_000  # of the plain CNN


def make_trial(phase: str, config: NavConfig, data: Path) -> Trial:
    """The task of a phase on the maps in `data`, and how it is trained. Raises InputError for bad data."""
    training = config.training if phase == NAVIGATOR else sharing(config.baseline_training, config.training)
    maps = TrainingMaps(data, config.data, training)
    if phase == NAVIGATOR:
        return Trial(NavigationTask(maps, config.model, config.objective, training), training)
    beside = make_navigator(config.model.with_values({"connectivity": maps.connectivity})).num_parameters
    # A network that counts has a few hundred parameters; a CNN of so few would be no rival.
    return Trial(PlainTask(phase, maps, config.baselines, training, max(beside, LEAST_PARAMETERS)), training)


def load_network(path: Path, device: str = "auto") -> nn.Module:
    """The network in one checkpoint file, whose folder is named after its phase, in evaluation mode."""
    kind = navigator_from if path.parent.name == NAVIGATOR else from_checkpoint
    return kind(checkpoint.load(path), str(path)).to(resolve_device(device))
