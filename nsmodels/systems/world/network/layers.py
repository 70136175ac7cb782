"""Layers of the fusion, the dynamics and the heads.

Shapes: b samples, t tokens or steps of width d, h heads.
"""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Standard(nn.Module):
    """Values in units of their deviation from their mean over the training data, where they have any."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def forward(self, values: Float[Tensor, "*b size"]) -> Float[Tensor, "*b size"]:
        """Standardised values."""
        return (values - self.mean) / self.deviation

    def undo(self, values: Float[Tensor, "*b size"]) -> Float[Tensor, "*b size"]:
        """Values in their units."""
        return values * self.deviation + self.mean

    @torch.no_grad()
    def fit(self, values: Tensor, smallest: float = 1e-6) -> None:
        """Take mean and deviation from `values` (n, size), NaN where there is none."""
        there = values.isfinite()
        count = there.sum(0).clamp(min=1)
        mean = values.nan_to_num(0.0, 0.0, 0.0).double().sum(0) / count
        square = ((values.double() - mean) ** 2).nan_to_num(0.0, 0.0, 0.0).sum(0) / count
        deviation = square.sqrt()
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > smallest, deviation, torch.ones_like(deviation)))


def perceptron(inputs: int, hidden: int, outputs: int, num_layers: int = 1) -> nn.Sequential:
    """`num_layers` hidden layers with GELU, then a linear one."""
    widths = [inputs, *[hidden] * num_layers]
    layers = [part for a, b in itertools.pairwise(widths) for part in (nn.Linear(a, b), nn.GELU())]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))


class Attention(nn.Module):
    """Multi-head attention of queries to tokens, with the weights that it gives."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query, self.pair = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)

    def forward(
        self, queries: Float[Tensor, "b q d"], tokens: Float[Tensor, "b t d"], seen: Bool[Tensor, "b t"]
    ) -> tuple[Float[Tensor, "b q d"], Float[Tensor, "b h q t"]]:
        """What the queries read from the tokens that are `seen`, at least one of each sample, and the weights."""
        query = self._heads(self.query(queries))
        key, value = map(self._heads, self.pair(tokens).chunk(2, -1))
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        weights = scores.masked_fill(~seen[:, None, None], float("-inf")).softmax(-1)
        return self.output((weights @ value).transpose(1, 2).flatten(2)), weights

    def _heads(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)


class CausalLayer(nn.Module):
    """A layer of a transformer over time: a step attends to itself and to those before."""

    def __init__(self, width: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads, self.dropout, self.use_checkpointing = num_heads, nn.Dropout(dropout), False
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.triple, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = perceptron(width, 4 * width, width)

    def forward(self, steps: Float[Tensor, "b t d"]) -> Float[Tensor, "b t d"]:
        """The steps after the layer."""
        if self.use_checkpointing and torch.is_grad_enabled():
            return checkpoint(self._forward, steps, use_reentrant=False)
        return self._forward(steps)

    def _forward(self, steps: Tensor) -> Tensor:
        triple = self.triple(self.norms[0](steps)).unflatten(-1, (3, self.num_heads, -1))
        query, key, value = triple.permute(2, 0, 3, 1, 4)
        read = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        steps = steps + self.dropout(self.output(read.transpose(1, 2).flatten(2)))
        return steps + self.dropout(self.perceptron(self.norms[1](steps)))
