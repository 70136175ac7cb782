"""Second look: the part of an image below each box, scaled to one size and read again.

Feature maps tell objects apart and place them; which of hundreds of names an object has is a matter of its outline and
its inner drawing, at whatever size it is shown. There are few objects in an image: to read each again costs less than
finer maps of all of it.
"""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from nsmodels.layers.vision.crops import convolution

MARGIN = 1.25  # side of the part that is read, in sides of the box
NUM_SCALES = 4  # of the image: whole, halved, ...


def read_regions(
    images: Float[Tensor, "b c h w"], boxes: Float[Tensor, "m 4"], rows: Int[Tensor, " m"], size: int
) -> Float[Tensor, "m c {size} {size}"]:
    """Parts of the images numbered `rows` below `boxes`, centre, width and height in 0..1, scaled to `size` pixels.

    Each is read between the pixels of the image halved so often that at most two of its pixels make one that is read.
    Outside of an image its border is repeated.
    """
    scales = [images]
    while len(scales) < NUM_SCALES and min(scales[-1].shape[-2:]) >= 2:
        scales.append(F.avg_pool2d(scales[-1], 2))
    channels = images.shape[1]
    pixels = torch.cat([scale.permute(0, 2, 3, 1).reshape(-1, channels) for scale in scales])
    widths, heights = (torch.tensor([scale.shape[k] for scale in scales], device=boxes.device) for k in (-1, -2))
    firsts = torch.cumsum(widths * heights * len(images), 0) - widths * heights * len(images)
    # The number of halvings: the side in pixels of the image over that of what is read, as a power of two.
    side = (boxes[:, 2:] * boxes.new_tensor([images.shape[-1], images.shape[-2]])).amax(1) * MARGIN
    scale = torch.log2(side / size).floor().clamp(0, len(scales) - 1).long()
    width, height, first = widths[scale], heights[scale], firsts[scale] + rows * widths[scale] * heights[scale]
    steps = (torch.arange(size, device=boxes.device) + 0.5) / size - 0.5
    x = (boxes[:, :1] + steps * boxes[:, 2:3] * MARGIN) * width[:, None] - 0.5
    y = (boxes[:, 1:2] + steps * boxes[:, 3:] * MARGIN) * height[:, None] - 0.5
    (left, right, across), (top, bottom, down) = _neighbours(x, width), _neighbours(y, height)

    def at(column: Tensor, row: Tensor) -> Tensor:
        return pixels[first[:, None, None] + row[:, :, None] * width[:, None, None] + column[:, None, :]]

    across, down = across[:, None, :, None], down[:, :, None, None]
    upper = torch.lerp(at(left, top), at(right, top), across)
    return torch.lerp(upper, torch.lerp(at(left, bottom), at(right, bottom), across), down).permute(0, 3, 1, 2)


def _neighbours(place: Float[Tensor, "m s"], sides: Int[Tensor, " m"]) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels before and after each place, and how far it is from the first to the second."""
    last = sides[:, None] - 1
    place = torch.minimum(place.clamp(min=0), last.to(place.dtype))
    before = place.floor().long()
    return before, torch.minimum(before + 1, last), place - before


@final
class RegionEncoder(nn.Module):
    """Features of objects from the pixels below their boxes: convolutions from `size` down to `size` / 8."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.size, self.num_features = size, 2 * width * (size // 8) ** 2
        self.layers = nn.Sequential(
            *convolution(3, max(4, width // 2), 4, stride=2),
            *convolution(max(4, width // 2), width, 4, stride=2),
            Residual(width),
            *convolution(width, 2 * width, 4, stride=2),
            Residual(2 * width),
        )

    def forward(
        self, images: Float[Tensor, "b 3 h w"], boxes: Float[Tensor, "m 4"], rows: Int[Tensor, " m"]
    ) -> Float[Tensor, "m d"]:
        """Features below `boxes` of the normalised images numbered `rows`."""
        read = read_regions(images, boxes, rows, self.size)
        return self.layers(read.contiguous(memory_format=torch.channels_last)).float().flatten(1)


@final
class Residual(nn.Module):
    """Two convolutions whose output is added to their input (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        first = convolution(width, width, 3)
        self.layers = nn.Sequential(*first, nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, maps: Float[Tensor, "m c h w"]) -> Float[Tensor, "m c h w"]:
        """Maps of the same shape."""
        return F.relu(maps + self.layers(maps))


def sample_boxes(level: Float[Tensor, "b c h w"], boxes: Float[Tensor, "b n 4"], grid: int) -> Float[Tensor, "b n d"]:
    """Bilinear reads of a feature map on grid × grid places spread over each box, in 0..1 of the map; d = c·grid²."""
    steps = ((torch.arange(grid, device=boxes.device, dtype=boxes.dtype) + 0.5) / grid) - 0.5
    dy, dx = torch.meshgrid(steps, steps, indexing="ij")
    shifts = torch.stack([dx.flatten(), dy.flatten()], dim=-1)
    where = (boxes[:, :, None, :2] + shifts * boxes[:, :, None, 2:]) * 2 - 1  # `grid_sample` takes the map as [−1, 1]
    read = F.grid_sample(level, where, align_corners=False, padding_mode="border")
    return read.permute(0, 2, 3, 1).flatten(2)
