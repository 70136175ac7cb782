"""The networks of a checkpoint: the trial of each one on the shared loop, and the network in a file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from nsmodels.engine import checkpoint
from nsmodels.engine.phases import sharing
from nsmodels.engine.trial import Trial
from nsmodels.systems.links.config import SECTIONS, LinksConfig
from nsmodels.systems.links.network.links import LinkNetwork
from nsmodels.systems.links.training.base import TrainingBase
from nsmodels.systems.links.training.task import LinksTask


def make_trial(phase: str, config: LinksConfig, data: Path) -> Trial:
    """The task of a phase on a base in `data`, and how it is trained. Raises InputError for an unknown base."""
    training = sharing(getattr(config, SECTIONS.get(phase, "training")), config.training)
    base = TrainingBase.load(data, config.base, training.seed, config.relational.asked_share)
    return Trial(LinksTask(phase, base, config, training), training)


def load_network(path: Path, device: str = "auto") -> LinkNetwork:
    """The network in one checkpoint file, whose folder is named after its phase, in evaluation mode."""
    network = checkpoint.restore(path, "network", partial(LinkNetwork, path.parent.name), device)
    assert isinstance(network, LinkNetwork)
    return network
