"""Phase 1: vision learns from pairs of views of frames.

Shapes: b clips, two views of each, h x w pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from nsmodels.engine.batching import Batches
from nsmodels.engine.task import Shard, Task
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.config import VisionConfig, VisionViewsConfig
from nsmodels.systems.world.network.audio import AudioModule
from nsmodels.systems.world.network.vision import VisionModule
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training import contrastive
from nsmodels.systems.world.training.source import Drawn, Source, classes_of
from nsmodels.systems.world.training.views import PictureViews, draw_picture_views, view_pictures


@dataclass(frozen=True)
class FramePairs:
    """Two frames of each clip, and how they are viewed: `place` (b, 2, 2, 3) and `colour` (b, 2, 3, 4)."""

    frames: UInt8[Tensor, "b 2 h w 3"]
    place: Float[Tensor, "b 2 2 3"]
    colour: Float[Tensor, "b 2 3 4"]


@final
class VisionTask(Task):
    """NT-Xent between two views of a frame, and the hinge on the variance of the latents."""

    compares_samples = True  # the negatives of a sample are the others of its micro-batch

    def __init__(self, config: VisionConfig, settings: Mapping[str, Any], data: Path) -> None:
        self.config, self.network_settings = config, dict(settings)
        self.source = Source(data, "vision", config.training)

    def build(self) -> WorldNetwork:
        """The network with random weights."""
        network = WorldNetwork(**self.network_settings)
        network.use(self.config.compute)
        return network

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Pairs of frames and their views."""
        return self.source.batches(split, epoch, shard, lambda drawn: pairs_of(drawn, self.config.views))

    def loss(self, model: nn.Module, batch: FramePairs) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum, its terms, and the variance of the latents."""
        assert isinstance(model, WorldNetwork)
        views = PictureViews(batch.place.flatten(0, 1), batch.colour.flatten(0, 1))
        images = view_pictures(model.vision.prepare(batch.frames.flatten(0, 1)), views)
        latents = model.vision(images).latents
        terms = contrast(model.vision, latents, self.config.objective.temperature)
        loss = terms["contrastive"] + self.config.objective.variance_weight * terms["variance"]
        return loss, terms

    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Separation of the classes by the latents of first frames. Raises InputError for a collapse."""
        assert isinstance(model, WorldNetwork)
        clips, rows = self.source.probed()
        latents = latents_of(model.vision, clips, rows)
        objective, batch_size = self.config.objective, self.config.training.batch_size
        variance = float(contrastive.representation_variance(latents))
        contrastive.require_variance(variance, objective, "frames", epoch, batch_size)
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


def pairs_of(drawn: Drawn, config: VisionViewsConfig) -> FramePairs:
    """Two frames of each clip, at most `max_distance` steps apart, and their views."""
    video, part, random = drawn.clips.video, drawn.part, drawn.random
    assert video is not None
    steps, most = video.shape[1], min(config.max_distance, video.shape[1] - 1)
    first = random.integers(0, steps, len(part.whole))
    second = np.clip(first + random.integers(-most, most + 1, len(first)), 0, steps - 1)
    views = draw_picture_views(part, random, config)
    frames = np.stack([video[part.rows, part.of(each)] for each in (first, second)], axis=1)
    return FramePairs(torch.from_numpy(frames), views.place, views.colour)


def latents_of(vision: VisionModule, clips: Clips, rows: np.ndarray, batch_size: int = 128) -> Float[Tensor, "k d"]:
    """Latents of the first frames of the clips in these rows."""
    assert clips.video is not None
    device, found = vision.head.weight.device, []
    for start in range(0, len(rows), batch_size):
        frames = torch.from_numpy(clips.video[rows[start : start + batch_size], 0]).to(device)
        found.append(vision(vision.prepare(frames)).latents.float())
    return torch.cat(found)
