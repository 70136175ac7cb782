"""Relation-wise messages over edges with a confidence: a fused kernel on a CPU, equal tensor operations elsewhere.

Shapes: N nodes of which the first n send and receive, E edges, D channels, L relations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from nsmodels.layers import message_kernels as kernels

Aggregation = Literal["sum", "max", "both"]


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

    @classmethod
    def of(
        cls,
        num_nodes: int,
        source: NDArray[np.integer],
        target: NDArray[np.integer],
        relation: NDArray[np.integer],
        confidence: NDArray[np.floating],
        num_relations: int | None = None,
    ) -> Self:
        """Edges in any order; with `num_relations` also the inverse of each one, whose relation is higher by that."""
        first, second = (np.ascontiguousarray(values, np.int64) for values in (source, target))
        types, weight = np.ascontiguousarray(relation, np.int64), np.ascontiguousarray(confidence, np.float32)
        arrays = kernels.adjacency(num_nodes, first, second, types, weight, num_relations or 0)
        return cls(*map(torch.from_numpy, arrays))

    @property
    def num_nodes(self) -> int:
        """Number of nodes."""
        return len(self.indptr) - 1


def messages(
    x: Float[Tensor, "n D"],
    scale: Float[Tensor, "L D"],
    shift: Float[Tensor, "L D"] | None,
    adjacency: Adjacency,
    aggregation: Aggregation = "sum",
) -> Float[Tensor, "n D"]:
    """Messages of all edges u → v of relation r with confidence p: p · (x_u ∘ scale_r + shift_r), combined for each v.

    `sum` adds them, `max` takes the largest in every channel, `both` adds in the first half of the channels and takes
    the largest in the second. A node without an edge has 0. `x`: the first n nodes; no edge of theirs may end at
    another one. The confidence has no gradient.
    """
    if aggregation == "both":
        return _by_halves(messages, x, scale, shift, adjacency)
    if x.device.type == "cpu" and x.dtype == scale.dtype == torch.float32:
        shifted = torch.zeros_like(scale) if shift is None else shift
        return _Fused.apply(x.contiguous(), scale.contiguous(), shifted.contiguous(), adjacency, aggregation)
    return by_index(x, scale, shift, adjacency, aggregation)


def by_index(
    x: Float[Tensor, "n D"],
    scale: Float[Tensor, "L D"],
    shift: Float[Tensor, "L D"] | None,
    adjacency: Adjacency,
    aggregation: Aggregation = "sum",
) -> Float[Tensor, "n D"]:
    """`messages` by tensor operations with a row per edge, on any device and in any precision."""
    if aggregation == "both":
        return _by_halves(by_index, x, scale, shift, adjacency)
    num = int(adjacency.indptr[len(x)])
    source, target, relation = (each[:num] for each in (adjacency.source, adjacency.target, adjacency.relation))
    sent = x[source] * scale.to(x.dtype)[relation]
    if shift is not None:
        sent = sent + shift.to(x.dtype)[relation]
    sent = sent * adjacency.confidence[:num, None].to(x.dtype)
    if aggregation == "sum":
        return torch.zeros_like(x).index_add(0, target, sent)
    # Of equal messages the first edge has the gradient, as in the kernel; `scatter_reduce` would divide it.
    with torch.no_grad():
        into = target[:, None].expand_as(sent)
        largest = torch.full_like(x, -torch.inf).scatter_reduce(0, into, sent, "amax")
        numbers = torch.arange(num, device=x.device)[:, None].expand_as(sent)
        candidates = torch.where(sent == largest[target], numbers, num)
        edge = torch.full(x.shape, num, device=x.device).scatter_reduce(0, into, candidates, "amin")
    padded = torch.cat([sent, sent.new_zeros(1, sent.shape[1])])
    return padded.gather(0, edge)


def _by_halves(
    layer: Callable[..., Tensor], x: Tensor, scale: Tensor, shift: Tensor | None, adjacency: Adjacency
) -> Tensor:
    """Sums in the first half of the channels, maxima in the second."""
    shifts = (None, None) if shift is None else halves(shift)
    parts = zip(halves(x), halves(scale), shifts, ("sum", "max"), strict=True)
    return torch.cat([layer(some, by, plus, adjacency, how) for some, by, plus, how in parts], 1)


def halves(values: Float[Tensor, "n D"]) -> tuple[Float[Tensor, "n F"], Float[Tensor, "n S"]]:
    """The channels that `both` adds, and those of which it takes the largest."""
    middle = values.shape[1] // 2
    return values[:, :middle], values[:, middle:]


class _Fused(torch.autograd.Function):
    """The kernels of `message_kernels` with their gradient, for contiguous float32 tensors on a CPU."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, shift: Tensor, edges: Adjacency, aggregation: str) -> Tensor:
        arrays = [each.detach().numpy() for each in (x, scale, shift)]
        ctx.edges, ctx.is_max = edges, aggregation == "max"
        into = [each.numpy() for each in (edges.indptr, edges.source, edges.relation, edges.confidence)]
        if not ctx.is_max:
            ctx.save_for_backward(x, scale)
            return torch.from_numpy(kernels.sum_forward(*arrays, *into))
        out, winner = kernels.max_forward(*arrays, *into)
        ctx.save_for_backward(x, scale, torch.from_numpy(winner))
        return torch.from_numpy(out)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        edges: Adjacency = ctx.edges
        x, scale, *winner = (each.detach().numpy() for each in ctx.saved_tensors)
        gradient = gradients[0].contiguous().numpy()
        if ctx.is_max:
            along = [each.numpy() for each in (edges.source, edges.relation, edges.confidence)]
            found = kernels.max_backward(gradient, x, scale, winner[0], *along)
        else:
            out = (edges.out_indptr, edges.out_edges, edges.target, edges.relation, edges.confidence)
            found = kernels.sum_backward(gradient, x, scale, *(each.numpy() for each in out))
        return (*map(torch.from_numpy, found), None, None)
