"""Vision: from frames to latents.

Shapes: b frames of h x w pixels, latents of width d, maps of c channels over i x j cells.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from nsmodels.systems.world.config import VisionModelConfig
from nsmodels.systems.world.network.residual import projection, stage

PATCH = 4  # pixels: a side of the squares that the first convolution reads


class Seen(NamedTuple):
    """`latents` (b, d) of frames, and the `maps` (b, c, i, j) that they are read from: where things are."""

    latents: Float[Tensor, "b d"]
    maps: Float[Tensor, "b c i j"]


class VisionModule(nn.Module):
    """A residual network of three resolutions: 1/4, 1/8 and 1/16 of a frame; its latents read every cell.

    Attributes:
        latent_dim: width d of the latents.
        map_shape: (c, i, j) of the maps.
    """

    def __init__(self, config: VisionModelConfig) -> None:
        super().__init__()
        self.image_size, self.latent_dim = config.image_size, config.latent_dim
        widths = [config.base_channels * 2**k for k in range(3)]
        cells = config.image_size // (PATCH * 4)
        self.map_shape = (widths[-1], cells, cells)
        self.stem = nn.Conv2d(3, widths[0], PATCH, PATCH)
        self.stages = nn.Sequential(
            stage(widths[0], widths[0], config.num_blocks, 1),
            stage(widths[0], widths[1], config.num_blocks, 2),
            stage(widths[1], widths[2], config.num_blocks, 2),
        )
        self.head = nn.Linear(widths[2] * cells**2, config.latent_dim)
        self.projection = projection(config.latent_dim, config.projection_dim)
        self.to(memory_format=torch.channels_last)  # convolutions of CPUs and of tensor cores are faster so

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Seen:
        """Latents and maps of pictures with values in [0, 1], as `prepare` makes them."""
        maps = self.stages(self.stem((images - 0.5) * 4))
        return Seen(self.head(maps.flatten(1)), maps)

    def prepare(self, frames: Shaped[Tensor, "b h w 3"]) -> Float[Tensor, "b 3 h w"]:
        """Frames in uint8 RGB as pictures in [0, 1] of the size of this network."""
        images = frames.permute(0, 3, 1, 2).to(torch.float32) / 255
        if images.shape[-2:] == (self.image_size, self.image_size):
            return images
        return F.interpolate(images, (self.image_size, self.image_size), mode="bilinear", antialias=True)
