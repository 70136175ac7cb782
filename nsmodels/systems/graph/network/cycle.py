"""The cycle from level 1 to the levels above it and back: what is lost on the way.

Shapes: N nodes, D channels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from nsmodels.systems.graph.network.encoding import GraphBatch


class Cycle(NamedTuple):
    """What comes back of level 1 from the levels above it.

    lower, restored: (N, D) nodes as they were pooled, and as they come back.
    types: (N, node types) logits of the node types, from `restored`.
    """

    lower: Float[Tensor, "N D"]
    restored: Float[Tensor, "N D"]
    types: Float[Tensor, "N types"]


def cycle_loss(cycle: Cycle, batch: GraphBatch) -> Float[Tensor, ""]:
    """Squared error of the restored nodes and cross-entropy of their types, each a mean over the graphs of their means.

    Nodes are layer-normalised, of variance 1 over their channels: the error is relative to it.
    """
    error = (cycle.restored - cycle.lower).square().mean(1)
    error = error + F.cross_entropy(cycle.types, batch.node_types, reduction="none")
    sizes = torch.bincount(batch.graph, minlength=batch.num_graphs)
    return (error / sizes[batch.graph]).sum() / batch.num_graphs
