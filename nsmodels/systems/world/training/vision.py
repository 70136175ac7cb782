"""Phase 1: vision learns from pairs of views of frames.

Shapes: b clips, two views of each, h x w pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from nsmodels.engine.batching import Batches
from nsmodels.engine.task import Shard
from nsmodels.formats.clips.tables import Clips
from nsmodels.systems.world.config import VisionConfig, VisionViewsConfig
from nsmodels.systems.world.network.world import WorldNetwork
from nsmodels.systems.world.training.encoder import EncoderTask, contrast
from nsmodels.systems.world.training.source import Drawn
from nsmodels.systems.world.training.views import PictureViews, draw_picture_views, view_pictures


@dataclass(frozen=True)
class FramePairs:
    """Two frames of each clip, and how they are viewed: `place` (b, 2, 2, 3) and `colour` (b, 2, 3, 4)."""

    frames: UInt8[Tensor, "b 2 h w 3"]
    place: Float[Tensor, "b 2 2 3"]
    colour: Float[Tensor, "b 2 3 4"]


@final
class VisionTask(EncoderTask):
    """NT-Xent between two views of a frame, and the hinge on the variance of the latents."""

    modality, samples = "vision", "frames"
    config: VisionConfig

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

    def latents(self, model: WorldNetwork, clips: Clips, rows: np.ndarray) -> Float[Tensor, "k d"]:
        """Latents of the first frames of the clips in these rows."""
        assert clips.video is not None
        frames = torch.from_numpy(clips.video[rows, 0]).to(model.vision.head.weight.device)
        return model.vision(model.vision.prepare(frames)).latents


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
