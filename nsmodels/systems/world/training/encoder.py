"""What the phases of single encoders share: their network, contrastive terms, and the measure of their latents.

Shapes: v views, k clips, latents of width d.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.engine.task import Task
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.config import AudioConfig, VisionConfig
from nsmodels.systems.world.network.audio import AudioModule
from nsmodels.systems.world.network.vision import VisionModule
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import contrastive
from nsmodels.systems.world.training.source import Source, classes_of

BATCH = 128  # clips that are encoded at a time, to measure latents


class EncoderTask(Task):
    """Two views of each sample; the latents of a modality are measured on validation clips."""

    compares_samples = True  # the negatives of a sample are the others of its micro-batch
    modality: str
    samples: str  # what the modality has, for messages

    def __init__(self, config: VisionConfig | AudioConfig, settings: Mapping[str, Any], data: Path) -> None:
        self.config, self.network_settings = config, dict(settings)
        self.source = Source(data, self.modality, config.training)

    def build(self) -> WorldNetwork:
        """The network with random weights."""
        network = WorldNetwork(**self.network_settings)
        network.use(self.config.compute)
        return network

    def latents(self, model: WorldNetwork, clips: Clips, rows: np.ndarray) -> Float[Tensor, "k d"]:
        """Latents of the clips in these rows."""
        raise NotImplementedError

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Separation of the classes by the latents. Raises InputError for a collapse."""
        assert isinstance(model, WorldNetwork)
        clips, rows = self.source.probed()
        batches = [rows[first : first + BATCH] for first in range(0, len(rows), BATCH)]
        latents = torch.cat([self.latents(model, clips, batch).float() for batch in batches])
        objective, batch_size = self.config.objective, self.config.training.batch_size
        variance = float(contrastive.representation_variance(latents))
        contrastive.require_variance(variance, objective, self.samples, epoch, batch_size)
        return {"val/cluster_separation": contrastive.cluster_separation(latents, classes_of(clips, rows))}

    def settings(self) -> dict[str, Any]:
        """What rebuilds the network."""
        return {"network": self.network_settings}


def contrast(
    module: VisionModule | AudioModule, latents: Float[Tensor, "v d"], temperature: float
) -> dict[str, Tensor]:
    """NT-Xent of the projected latents, views of one sample after each other; hinge and variance of the latents."""
    projected = module.projection(latents).unflatten(0, (-1, 2))
    return {
        "contrastive": contrastive.nt_xent(projected[:, 0], projected[:, 1], temperature),
        "variance": contrastive.variance_hinge(latents),
        "representation_variance": contrastive.representation_variance(latents),
    }
