"""The feature pyramid over the maps of a backbone, and reads of its levels around points.

Shapes: b images, n points per image, c channels.
"""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.layers.vision.crops import convolution


@final
class Pyramid(nn.Module):
    """Top-down fusion of the backbone's levels (Lin et al. 2017).

    At the level with most cells it is half as wide and not smoothed: that halves the cost of the network.
    """

    def __init__(self, channels: list[int], width: int) -> None:
        super().__init__()
        self.fine_channels = max(16, width // 2)
        self.level_channels = [self.fine_channels, *[width] * (len(channels) - 1)]
        self.lateral = nn.ModuleList(nn.Conv2d(c, w, 1) for c, w in zip(channels, self.level_channels, strict=True))
        self.smooth = nn.ModuleList(
            [nn.Identity(), *(nn.Sequential(*convolution(w, w, 3)) for w in self.level_channels[1:-1])]
        )
        self.narrow = nn.Conv2d(width, self.fine_channels, 1)

    def forward(self, features: list[Float[Tensor, "b c _ _"]]) -> list[Float[Tensor, "b c _ _"]]:
        """Fused maps, fine to coarse."""
        fused = [self.lateral[-1](features[-1])]
        for level in range(len(features) - 2, -1, -1):
            above = fused[0] if level else self.narrow(fused[0])
            above = F.interpolate(above, size=features[level].shape[-2:], mode="nearest")
            fused.insert(0, self.smooth[level](self.lateral[level](features[level]) + above))
        return fused


def sample(level: Float[Tensor, "b c h w"], points: Float[Tensor, "b n 2"], grid: int) -> Float[Tensor, "b n d"]:
    """Bilinear reads of `level` on a grid × grid neighbourhood (two cells apart) of each point, d = c·grid²."""
    height, width = level.shape[-2:]
    # Cell offsets of the neighbourhood, −2, 0, 2 for grid = 3; over width and height they are fractions of the image.
    steps = (torch.arange(grid, device=points.device, dtype=points.dtype) - (grid - 1) / 2) * 2
    dy, dx = torch.meshgrid(steps, steps, indexing="ij")
    shifts = torch.stack([dx.flatten() / width, dy.flatten() / height], dim=-1)
    where = (points[:, :, None] + shifts) * 2 - 1  # `grid_sample` takes the image as [−1, 1]
    read = F.grid_sample(level, where, align_corners=False, padding_mode="border")
    return read.permute(0, 2, 3, 1).flatten(2)
