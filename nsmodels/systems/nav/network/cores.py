"""The exchangeable cores: networks that mix cells, the same weights at every step of the recursion.

Shapes: b maps, d channels, h rows, w columns, l = h·w cells.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from nsmodels.core.errors import InputError
from nsmodels.systems.nav.config import ModelConfig

Latent = Float[Tensor, "b d h w"]
Free = Float[Tensor, "b 1 h w"]


class Core(nn.Module, ABC):
    """One update of a latent. Walls are zero before and after, so that nothing is carried through them."""

    reach: int  # cells by which one update carries a signal at most; 0: everywhere

    @abstractmethod
    def forward(self, v: Latent, free: Free, keep: Float[Tensor, "b d 1 1"] | None) -> Latent:
        """The updated latent; `keep` scales channels within the layers (dropout)."""


def make_core(config: ModelConfig) -> Core:
    """The core that a configuration names."""
    return {"conv": ConvCore, "attention": AttentionCore, "mixer": MixerCore}[config.core](config)


class Norm(nn.Module):
    """Root-mean-square norm over channels (Zhang & Sennrich 2019)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim, 1, 1))

    def forward(self, v: Latent) -> Latent:
        """Each cell with unit mean square, times the learnt scale."""
        return v * torch.rsqrt(v.square().mean(1, keepdim=True) + 1e-6) * self.scale


@final
class ConvCore(Core):
    """Local mixing: 3x3 convolutions within groups of channels, then 1x1 across all; any map size."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim, width = config.dim, min(config.group_width, config.dim)
        if dim % width:
            raise InputError(f"model.group_width: expected a divisor of dim {dim}, got {width}")
        self.local = nn.ModuleList(nn.Conv2d(dim, dim, 3, padding=1, groups=dim // width) for _ in range(config.depth))
        self.across = nn.ModuleList(nn.Conv2d(dim, dim, 1) for _ in range(config.depth))
        self.norm = Norm(dim)
        self.reach = config.depth

    def forward(self, v: Latent, free: Free, keep: Float[Tensor, "b d 1 1"] | None) -> Latent:
        """Each layer sees one cell further."""
        for local, across in zip(self.local, self.across, strict=True):
            v = (v + across(_scaled(gelu(local(v)), keep))) * free
        return self.norm(v)


@final
class AttentionCore(Core):
    """Global mixing: free cells attend to free cells, with rotary embeddings of row and column (RoPE); any map size."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        dim, self.heads = config.dim, config.num_heads
        if dim % (4 * self.heads):
            raise InputError(f"model.num_heads: expected dim {dim} to be a multiple of 4 channels per head")
        self.attend = nn.ModuleList(nn.Conv2d(dim, 3 * dim, 1, bias=False) for _ in range(config.depth))
        self.gather = nn.ModuleList(nn.Conv2d(dim, dim, 1) for _ in range(config.depth))
        self.think = nn.ModuleList(_pointwise(dim) for _ in range(config.depth))
        self.norms = nn.ModuleList(Norm(dim) for _ in range(2 * config.depth))
        self.reach = 0

    def forward(self, v: Latent, free: Free, keep: Float[Tensor, "b d 1 1"] | None) -> Latent:
        """Attention, then a network per cell, in each layer."""
        turn = _rotation(v.shape[2], v.shape[3], v.shape[1] // self.heads, v.device)
        is_key = free.flatten(1)[:, None, None, :] > 0
        for k in range(len(self.attend)):
            v = self.norms[2 * k](v + _scaled(self.gather[k](self._attention(k, v, is_key, turn)), keep)) * free
            v = self.norms[2 * k + 1](v + _scaled(self.think[k](v), keep)) * free
        return v

    def _attention(self, k: int, v: Latent, is_key: Tensor, turn: Tensor) -> Latent:
        b, d, h, w = v.shape
        parts = self.attend[k](v).view(b, 3, self.heads, d // self.heads, h * w).transpose(-1, -2)
        query, key, value = parts.unbind(1)
        mixed = scaled_dot_product_attention(_rotated(query, turn), _rotated(key, turn), value, attn_mask=is_key)
        return mixed.transpose(-1, -2).reshape(b, d, h, w)


@final
class MixerCore(Core):
    """MLP-Mixer (Tolstikhin et al. 2021): an MLP across the cells of one map size, then one across channels."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.shape = (config.height, config.width)
        cells = config.height * config.width
        self.across = nn.ModuleList(
            nn.Sequential(nn.Linear(cells, cells), nn.GELU(), nn.Linear(cells, cells)) for _ in range(config.depth)
        )
        self.think = nn.ModuleList(_pointwise(config.dim) for _ in range(config.depth))
        self.norms = nn.ModuleList(Norm(config.dim) for _ in range(2 * config.depth))
        self.reach = 0

    def forward(self, v: Latent, free: Free, keep: Float[Tensor, "b d 1 1"] | None) -> Latent:
        """Cells, then channels, in each layer; raise `InputError` for another map size."""
        if v.shape[2:] != self.shape:
            raise InputError(
                f"core=mixer takes maps of {self.shape[0]}x{self.shape[1]} only, got {v.shape[2]}x{v.shape[3]}; "
                "train with core=conv for any size, or set model.height and model.width"
            )
        for k in range(len(self.across)):
            mixed = self.across[k](v.flatten(2)).view_as(v)
            v = self.norms[2 * k](v + _scaled(mixed, keep)) * free
            v = self.norms[2 * k + 1](v + _scaled(self.think[k](v), keep)) * free
        return v


def _pointwise(dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(dim, 2 * dim, 1), nn.GELU(), nn.Conv2d(2 * dim, dim, 1))


def _scaled(v: Latent, keep: Tensor | None) -> Latent:
    return v if keep is None else v * keep


def _rotation(h: int, w: int, channels: int, device: torch.device) -> Float[Tensor, "2 l half"]:
    """Cosine and sine by cell: the first half of the pairs turns with the row, the second with the column."""
    quarter = channels // 4
    speed = 1.0 / (100.0 ** (torch.arange(quarter, device=device) / quarter))
    rows = torch.arange(h, device=device).repeat_interleave(w)[:, None] * speed
    columns = torch.arange(w, device=device).repeat(h)[:, None] * speed
    angle = torch.cat([rows, columns], 1)
    return torch.stack([angle.cos(), angle.sin()])


def _rotated(v: Float[Tensor, "b k l c"], turn: Float[Tensor, "2 l half"]) -> Float[Tensor, "b k l c"]:
    one, other = v.chunk(2, -1)
    cosine, sine = turn[0], turn[1]
    return torch.cat([one * cosine - other * sine, one * sine + other * cosine], -1)
