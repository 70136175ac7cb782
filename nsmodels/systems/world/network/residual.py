"""Residual blocks of the encoders of pictures and spectrograms.

Shapes: b samples, c channels, h x w cells.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

MOST_GROUPS = 8  # of channels that are normalised together


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut, the first with a stride.

    Group normalisation (Wu & He 2018, arXiv:1803.08494): a sample is encoded the same whatever else is in its batch,
    and the level of a sound or the brightness of a frame passes through the shortcut. It learns as fast as batch
    normalisation; without any, a network of the same size is far behind after as many steps.
    """

    def __init__(self, inputs: int, outputs: int, stride: int | tuple[int, int] = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList(nn.GroupNorm(math.gcd(outputs, MOST_GROUPS), outputs) for _ in range(2))
        is_same = inputs == outputs and stride in (1, (1, 1))
        # A mean over the cells of a stride: a 1x1 convolution with a stride would read one of them alone (ResNet-D, He
        # et al. 2019, arXiv:1812.01187).
        mean = nn.AvgPool2d(stride, ceil_mode=True) if stride not in (1, (1, 1)) else nn.Identity()
        self.shortcut = nn.Identity() if is_same else nn.Sequential(mean, nn.Conv2d(inputs, outputs, 1))
        self.use_checkpointing = False

    def forward(self, maps: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        """Maps of the next block; with `use_checkpointing` the inner activations are computed twice and not kept."""
        if self.use_checkpointing and torch.is_grad_enabled():
            return checkpoint(self._forward, maps, use_reentrant=False)
        return self._forward(maps)

    def _forward(self, maps: Tensor) -> Tensor:
        branch = self.norms[1](self.second(F.relu(self.norms[0](self.first(maps)))))
        return F.relu(self.shortcut(maps) + branch)


def stage(inputs: int, outputs: int, num_blocks: int, stride: int | tuple[int, int]) -> nn.Sequential:
    """Blocks of one resolution, the first of which has the stride."""
    blocks = [Block(inputs, outputs, stride), *(Block(outputs, outputs) for _ in range(num_blocks - 1))]
    return nn.Sequential(*blocks)


def projection(inputs: int, outputs: int) -> nn.Sequential:
    """The head between latents and a contrastive loss, which takes the invariance so that the latents need not.

    Batch normalisation removes what all samples have in common: without it the unit vectors begin almost equal, and in
    that state the loss has almost no gradient. Latents themselves stay independent of the batch.
    """
    return nn.Sequential(
        nn.Linear(inputs, inputs, bias=False), nn.BatchNorm1d(inputs), nn.ReLU(),
        nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs, affine=False),
    )  # fmt: skip
