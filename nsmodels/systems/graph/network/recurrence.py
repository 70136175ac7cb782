"""All rounds of the relational core as one node of the autograd graph: a third of the time, on a CPU in float32.

Shapes: N nodes of which n still run, D channels, H channels of the hidden layer, R rows of all rounds together.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.autograd.function import once_differentiable

from nsmodels.layers import message_kernels as kernels
from nsmodels.layers.messages import Adjacency, Aggregation

EPSILON = 1e-5  # of the layer normalisation


class Weights(NamedTuple):
    """Of a gated cell of two layers with normalised, diagonal messages.

    gain, offset: (D,) of the normalisation; send: (D, D); scale, shift: (relations, D); from_state, from_messages:
    (H, D); update: (2 D, H) with bias (2 D,).
    """

    gain: Tensor
    offset: Tensor
    send: Tensor
    scale: Tensor
    shift: Tensor
    from_state: Tensor
    from_messages: Tensor
    update: Tensor
    bias: Tensor


def recur(
    h: Tensor, given: Tensor, sizes: tuple[int, ...], adjacency: Adjacency, aggregation: Aggregation, weights: Weights
) -> Tensor:
    """States (R, D) of the running nodes after each round, one round after the other, from `h` (N, D).

    The same as `Cell` round by round; `given` (N, H): W₀ x₀. Float32 on a CPU.
    """
    found: Any = _Recurrence.apply(h.contiguous(), given.contiguous(), sizes, adjacency, aggregation, *weights)
    return found


class _Round(NamedTuple):
    """What the gradient of a round needs, n rows each."""

    normal: Tensor
    mean: Tensor
    deviation: Tensor
    sent: Tensor
    arriving: Tensor
    winner: Tensor  # with `max`: the edge of each largest message
    hidden: Tensor
    gate: Tensor
    candidate: Tensor


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, h: Tensor, given: Tensor, sizes: tuple[int, ...], adjacency: Adjacency, aggregation: str,
        *tensors: Tensor,
    ) -> Tensor:  # fmt: skip
        weights, dim = Weights(*tensors), h.shape[1]
        states = h.new_empty(sum(sizes), dim)
        rows = [0, *torch.tensor(sizes).cumsum(0).tolist()]
        into = [each.numpy() for each in (adjacency.indptr, adjacency.source, adjacency.relation, adjacency.confidence)]
        scale, shift = weights.scale.detach().numpy(), weights.shift.detach().numpy()
        rounds, before, none = [], h, torch.empty(0, dtype=torch.int32)
        ctx.is_max = aggregation == "max"
        for (first, end), size in zip(pairwise(rows), sizes, strict=True):
            now = before[:size]
            normal, mean, deviation = torch.native_layer_norm(now, (dim,), weights.gain, weights.offset, EPSILON)
            sent = normal @ weights.send.t()
            if ctx.is_max:
                arriving, winner = map(torch.from_numpy, kernels.max_forward(sent.numpy(), scale, shift, *into))
            else:
                arriving, winner = torch.from_numpy(kernels.sum_forward(sent.numpy(), scale, shift, *into)), none
            hidden = torch.addmm(given[:size], now, weights.from_state.t())
            hidden = hidden.addmm_(arriving, weights.from_messages.t()).relu_()
            gate, candidate = torch.addmm(weights.bias, hidden, weights.update.t()).chunk(2, 1)
            gate, candidate = gate.sigmoid(), candidate.tanh()
            before = torch.lerp(now, candidate, gate, out=states[first:end])
            if any(ctx.needs_input_grad):
                rounds.append(_Round(normal, mean, deviation, sent, arriving, winner, hidden, gate, candidate))
        ctx.save_for_backward(h, given, states, *weights, *(each for kept in rounds for each in kept))
        ctx.rows, ctx.sizes, ctx.adjacency = rows, sizes, adjacency
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        # Round t: n = LN(h), s = W n, a = messages(s), u = relu(x + W_h h + W_a a), (z_g, z_c) = W₂ u + b,
        # h' = h + σ(z_g) ∘ (tanh(z_c) − h). The gradient of h' is that of the states as they are read, plus what the
        # next round passes down to the nodes that still run in it; weights sum theirs over the rounds.
        h, given, states, *saved = ctx.saved_tensors
        count = len(Weights._fields)
        weights, kept = Weights(*saved[:count]), saved[count:]
        sums = Weights(*map(torch.zeros_like, weights))
        of_given, passed = torch.zeros_like(given), h.new_zeros(0, h.shape[1])
        edges: Adjacency = ctx.adjacency
        if ctx.is_max:
            fields = (edges.source, edges.relation, edges.confidence)
        else:
            fields = (edges.out_indptr, edges.out_edges, edges.target, edges.relation, edges.confidence)
        along, scale = [each.numpy() for each in fields], weights.scale.detach().numpy()
        for t in reversed(range(len(ctx.sizes))):
            size, one = ctx.sizes[t], _Round(*kept[t * len(_Round._fields) : (t + 1) * len(_Round._fields)])
            now = (states[ctx.rows[t - 1] : ctx.rows[t]] if t else h)[:size]
            of_state = gradients[0][ctx.rows[t] : ctx.rows[t + 1]].clone(memory_format=torch.contiguous_format)
            of_state[: len(passed)] += passed
            arrays = (of_state, now, one.gate, one.candidate)
            of_update, passed = map(torch.from_numpy, gate_backward(*(each.detach().numpy() for each in arrays)))
            of_hidden = torch.ops.aten.threshold_backward(of_update @ weights.update, one.hidden, 0)
            of_given[:size] += of_hidden
            arrived = ((of_hidden @ weights.from_messages).numpy(), one.sent.numpy(), scale)
            if ctx.is_max:
                found = kernels.max_backward(*arrived, one.winner.numpy(), *along)
            else:
                found = kernels.sum_backward(*arrived, *along)
            of_sent, of_scale, of_shift = map(torch.from_numpy, found)
            of_normal, of_gain, of_offset = torch.ops.aten.native_layer_norm_backward(
                of_sent @ weights.send, now, (h.shape[1],), one.mean, one.deviation, weights.gain, weights.offset,
                [True, True, True],
            )  # fmt: skip
            passed.add_(of_normal).addmm_(of_hidden, weights.from_state)
            sums.gain.add_(of_gain)
            sums.offset.add_(of_offset)
            sums.send.addmm_(of_sent.t(), one.normal)
            sums.scale.add_(of_scale)
            sums.shift.add_(of_shift)
            sums.from_state.addmm_(of_hidden.t(), now)
            sums.from_messages.addmm_(of_hidden.t(), one.arriving)
            sums.update.addmm_(of_update.t(), one.hidden)
            sums.bias.add_(of_update.sum(0))
        of_h = torch.zeros_like(h)
        of_h[: len(passed)] = passed
        return of_h, of_given, None, None, None, *sums


@njit(cache=True, nogil=True, fastmath=True)
def gate_backward(gradient, h, gate, candidate):
    """Gradients (n, 2 D) of z_g and z_c, and (n, D) of h, for h + σ(z_g) ∘ (tanh(z_c) − h), in one pass."""
    rows, dim = h.shape
    of_update, of_h = np.empty((rows, 2 * dim), h.dtype), np.empty_like(h)
    one = h.dtype.type(1)
    for i in range(rows):
        for d in range(dim):
            arriving, g, c = gradient[i, d], gate[i, d], candidate[i, d]
            of_update[i, d] = arriving * (c - h[i, d]) * g * (one - g)
            of_update[i, dim + d] = arriving * g * (one - c * c)
            of_h[i, d] = arriving * (one - g)
    return of_update, of_h
