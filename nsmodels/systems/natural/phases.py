"""The phases of training: the trial of each on the shared loop, and the network in a file of its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import nn

from nsmodels.engine import checkpoint
from nsmodels.engine.runtime import memory_of, resolve_device
from nsmodels.engine.trial import Trial
from nsmodels.layers.vision.backbone import check_backbone
from nsmodels.systems.natural.config import NaturalConfig
from nsmodels.systems.natural.perception.network import Perception
from nsmodels.systems.natural.perception.task import PerceptionTask

NETWORKS: dict[str, Any] = {"perception": Perception}


def make_trial(phase: str, config: NaturalConfig, data: Path) -> Trial:
    """The task of a phase on a GQA or VQA folder, and how it is trained. Raises InputError for bad data."""
    if phase == "perception":
        return Trial(PerceptionTask(config, data), config.training)
    raise ValueError(f"no phase {phase!r}")


def check_config(config: NaturalConfig) -> None:
    """Raise InputError for a backbone that the device cannot train."""
    training = config.training
    micro_batch = -(-training.batch_size // (training.accumulate_steps * training.num_processes))
    memory = memory_of(resolve_device(training.device))
    check_backbone(config.perception, micro_batch, memory, config.perception.max_objects)


def load_network(path: Path, device: str = "auto") -> nn.Module:
    """The network in one checkpoint file, whose folder is named after its phase, in evaluation mode."""
    network = NETWORKS[path.parent.name].from_checkpoint(checkpoint.load(path), str(path))
    return network.to(resolve_device(device)).eval()
