"""Second look: squares of the image around the objects, read again at the resolution of the input.

The feature maps tell objects apart and place them; the outline by which a small cube differs from a small cylinder is a
matter of single pixels. There are few objects in an image, so that reading the pixels around each costs less than finer
maps of all of it.
"""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def read_crops(
    images: Float[Tensor, "b c h w"], points: Float[Tensor, "m 2"], rows: Float[Tensor, " m"], size: int
) -> Float[Tensor, "m c {size} {size}"]:
    """Squares of `size` pixels around `points`, (x, y) in 0..1 of the images numbered `rows`; no pixel is interpolated.

    Outside of an image its border is repeated.
    """
    height, width = images.shape[-2:]
    # The square with its middle nearest to the point: pixel k covers [k, k + 1), so the first is round(x − size / 2).
    first = (points * points.new_tensor([width, height]) - size / 2).round().long()
    steps = torch.arange(size, device=points.device)
    x = (first[:, :1] + steps).clamp(0, width - 1)
    y = (first[:, 1:] + steps).clamp(0, height - 1)
    read = images.permute(0, 2, 3, 1)[rows[:, None, None], y[:, :, None], x[:, None, :]]
    return read.permute(0, 3, 1, 2)  # channels last in memory


@final
class CropEncoder(nn.Module):
    """A feature vector per object from the `size` × `size` pixels around it: convolutions down to a map of size / 8."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.size, self.num_features = size, 2 * width * (size // 8) ** 2
        self.layers = nn.Sequential(
            *convolution(3, width, 4, stride=2),
            *convolution(width, width, 3),
            *convolution(width, 2 * width, 3, stride=2),
            *convolution(2 * width, 2 * width, 3),
            *convolution(2 * width, 2 * width, 3, stride=2),
        )

    def forward(
        self,
        images: Float[Tensor, "b 3 h w"],
        points: Float[Tensor, "b n 2"],
        exists: Bool[Tensor, "b n"] | None = None,
    ) -> Float[Tensor, "b n d"]:
        """Features at `points`, (x, y) in 0..1 of normalised images; zero, not computed, where `exists` is False."""
        num, most = points.shape[:2]
        rows = torch.arange(num, device=points.device)[:, None].expand(num, most)
        if exists is None:
            crops = read_crops(images, points.flatten(0, 1), rows.flatten(), self.size)
            return self.layers(crops).float().flatten(1).view(num, most, -1)
        read = self.layers(read_crops(images, points[exists], rows[exists], self.size)).float().flatten(1)
        return read.new_zeros(num, most, self.num_features).masked_scatter(exists[..., None], read)


def convolution(inner: int, outer: int, kernel: int, stride: int = 1) -> tuple[nn.Module, ...]:
    """Convolution, batch norm, ReLU; at stride 1 the map keeps its size, at stride 2 it halves."""
    return (
        nn.Conv2d(inner, outer, kernel, stride, padding=1, bias=False),
        nn.BatchNorm2d(outer),
        nn.ReLU(inplace=True),
    )
