"""The exchangeable cores of the recursion: networks that mix cells.

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
    """One update of a latent. Walls are zero before and after each layer, so that no signal passes through them.

    `reach`: largest distance in cells over which one update carries a signal; 0: the whole map.
    """

    reach: int

    @abstractmethod
    def forward(self, v: Latent, free: Free, mask: Float[Tensor, "b d 1 1"] | None) -> Latent:
        """The updated latent of `v`; `free` is 1 on free cells, 0 on walls; `mask` scales channels (dropout)."""


def make_core(config: ModelConfig) -> Core:
    """The core of a configuration; raise `InputError` for a width that it cannot have."""
    return {"conv": ConvCore, "attention": AttentionCore, "mixer": MixerCore}[config.core](config)


class Norm(nn.Module):
    """Root-mean-square norm over channels (Zhang & Sennrich 2019)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(dim, 1, 1))

    def forward(self, v: Latent) -> Latent:
        """Each cell with unit mean square over its channels, times the learnt scale."""
        # v / √(mean v² + ε): keeps the size of the latents constant over any number of steps with the same weights.
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

    def forward(self, v: Latent, free: Free, mask: Float[Tensor, "b d 1 1"] | None) -> Latent:
        """The updated latent; each layer extends the reach by one cell."""
        for local, across in zip(self.local, self.across, strict=True):
            v = (v + across(_masked(gelu(local(v)), mask))) * free
        return self.norm(v)


@final
class AttentionCore(Core):
    """Global mixing: free cells attend to free cells, with rotary embeddings (RoPE) of row and column; any map size."""

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

    def forward(self, v: Latent, free: Free, mask: Float[Tensor, "b d 1 1"] | None) -> Latent:
        """The updated latent; each layer is attention, then an MLP per cell."""
        rotation = _rotation(v.shape[2], v.shape[3], v.shape[1] // self.heads, v.device)
        is_key = free.flatten(1)[:, None, None, :] > 0
        for k in range(len(self.attend)):
            v = self.norms[2 * k](v + _masked(self.gather[k](self._attention(k, v, is_key, rotation)), mask)) * free
            v = self.norms[2 * k + 1](v + _masked(self.think[k](v), mask)) * free
        return v

    def _attention(self, k: int, v: Latent, is_key: Tensor, rotation: Tensor) -> Latent:
        b, d, h, w = v.shape
        # softmax(q · k / √c) over the free cells as keys, with c channels per head. Walls have queries too; the caller
        # sets their results to zero.
        parts = self.attend[k](v).view(b, 3, self.heads, d // self.heads, h * w).transpose(-1, -2)
        query, key, value = parts.unbind(1)
        mixed = scaled_dot_product_attention(_rotate(query, rotation), _rotate(key, rotation), value, attn_mask=is_key)
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

    def forward(self, v: Latent, free: Free, mask: Float[Tensor, "b d 1 1"] | None) -> Latent:
        """The updated latent; each layer mixes cells, then channels. Raises `InputError` for a different map size."""
        if v.shape[2:] != self.shape:
            raise InputError(
                f"core=mixer takes maps of {self.shape[0]}x{self.shape[1]} only, got {v.shape[2]}x{v.shape[3]}; "
                "train with core=conv for any size, or set model.height and model.width"
            )
        for k in range(len(self.across)):
            mixed = self.across[k](v.flatten(2)).view_as(v)
            v = self.norms[2 * k](v + _masked(mixed, mask)) * free
            v = self.norms[2 * k + 1](v + _masked(self.think[k](v), mask)) * free
        return v


def _pointwise(dim: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(dim, 2 * dim, 1), nn.GELU(), nn.Conv2d(2 * dim, dim, 1))


def _masked(v: Latent, mask: Tensor | None) -> Latent:
    return v if mask is None else v * mask


def _rotation(h: int, w: int, channels: int, device: torch.device) -> Float[Tensor, "2 l half"]:
    """Cosine and sine of the rotary angles by cell: half of the pairs rotate with the row, half with the column."""
    # Su et al. 2021 in two dimensions. The channels of a head are channels / 2 pairs. Pair i of the row's half has the
    # frequency ω_i = 100^(−i / quarter) and at row r the angle r · ω_i; those of the column likewise. The base is 100
    # instead of 10,000: the period of the slowest pair is then below 2π · 100 cells, the order of a large map's side.
    quarter = channels // 4
    frequency = 1.0 / (100.0 ** (torch.arange(quarter, device=device) / quarter))
    rows = torch.arange(h, device=device).repeat_interleave(w)[:, None] * frequency
    columns = torch.arange(w, device=device).repeat(h)[:, None] * frequency
    angle = torch.cat([rows, columns], 1)
    return torch.stack([angle.cos(), angle.sin()])


def _rotate(v: Float[Tensor, "b k l c"], rotation: Float[Tensor, "2 l half"]) -> Float[Tensor, "b k l c"]:
    # Each pair (a, b) is rotated by its cell's angle: (a cos θ − b sin θ, a sin θ + b cos θ). With R_p the rotation of
    # cell p, R_p q · R_s k = q · R_(s − p) k: attention depends on positions through their difference alone.
    a, b = v.chunk(2, -1)
    cosine, sine = rotation[0], rotation[1]
    return torch.cat([a * cosine - b * sine, a * sine + b * cosine], -1)
