"""From nodes to the answer of a graph."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.systems.graph.network.encoding import GraphBatch


@final
class Readout(nn.Module):
    """The largest value of each channel over all nodes of a graph beside the sum over its marked nodes, to a logit."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU(), nn.Linear(dim, 1))

    def forward(self, h: Float[Tensor, "N D"], batch: GraphBatch) -> Float[Tensor, " g"]:
        """Logits of label 1."""
        empty = h.new_zeros(batch.num_graphs, h.shape[1])
        into = batch.graph[:, None].expand_as(h)
        largest = empty.scatter_reduce(0, into, h, "amax", include_self=False)
        marked = empty.index_add(0, batch.graph, h * (batch.marks > 0)[:, None].to(h.dtype))
        return self.layers(torch.cat([largest, marked], 1))[:, 0]
