"""Relation-wise messages over edges with a confidence: a fused kernel on a CPU, equal tensor operations elsewhere.

Shapes: N nodes, E edges, D channels, L relations.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Adjacency:
    """Edges sorted by target.

    Attributes:
        indptr: int64 (N + 1,): the edges into node v are `indptr[v]` to `indptr[v + 1]`.
        source, target, relation: int64 (E,); `confidence`: float32 (E,).
        out_indptr: int64 (N + 1,), out_edges: int64 (E,): the edges out of node u, as numbers of edges.
    """

    indptr: Int[Tensor, " N1"]
    source: Int[Tensor, " E"]
    target: Int[Tensor, " E"]
    relation: Int[Tensor, " E"]
    confidence: Float[Tensor, " E"]
    out_indptr: Int[Tensor, " N1"]
    out_edges: Int[Tensor, " E"]

    def to(self, device: torch.device | str, **options: Any) -> Adjacency:
        """The edges on `device`."""
        return replace(self, **{each.name: getattr(self, each.name).to(device, **options) for each in fields(self)})
