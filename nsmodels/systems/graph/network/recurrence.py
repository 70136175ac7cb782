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
from nsmodels.layers.messages import Adjacency, Aggregation, halves

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


class _Kernels:
    """Messages by sum or by maximum, and their gradient, for one adjacency and one set of relations."""

    def __init__(self, adjacency: Adjacency, aggregation: str, scale: Tensor, shift: Tensor) -> None:
        self.is_max = aggregation == "max"
        self.scale, self.shift = scale.detach().numpy(), shift.detach().numpy()
        names = ("source", "relation", "confidence")
        along = names if self.is_max else ("out_indptr", "out_edges", "target", "relation", "confidence")
        self.into = [getattr(adjacency, name).numpy() for name in ("indptr", *names)]
        self.along = [getattr(adjacency, name).numpy() for name in along]

    def forward(self, sent: Tensor) -> tuple[Tensor, Tensor]:
        """What arrives, (n, D); with `max` also the edge that carries it."""
        if self.is_max:
            arriving, winner = kernels.max_forward(sent.numpy(), self.scale, self.shift, *self.into)
            return torch.from_numpy(arriving), torch.from_numpy(winner)
        arriving = kernels.sum_forward(sent.numpy(), self.scale, self.shift, *self.into)
        return torch.from_numpy(arriving), torch.empty(0, dtype=torch.int32)

    def backward(self, gradient: Tensor, sent: Tensor, winner: Tensor) -> tuple[Tensor, ...]:
        """Gradients of `sent`, scale and shift."""
        given = (gradient.numpy(), sent.numpy(), self.scale)
        if self.is_max:
            found = kernels.max_backward(*given, winner.numpy(), *self.along)
        else:
            found = kernels.sum_backward(*given, *self.along)
        return tuple(map(torch.from_numpy, found))


class _Halves:
    """The same for `both`: sums in the first half of the channels, maxima in the second."""

    def __init__(self, adjacency: Adjacency, scale: Tensor, shift: Tensor) -> None:
        relations = zip(("sum", "max"), _halves(scale.detach()), _halves(shift.detach()), strict=True)
        self.parts = [_Kernels(adjacency, how, *some) for how, *some in relations]

    def forward(self, sent: Tensor) -> tuple[Tensor, Tensor]:
        """As `_Kernels.forward`; the edges are those of the maxima."""
        (added, _), (largest, winner) = (part.forward(x) for part, x in zip(self.parts, _halves(sent), strict=True))
        return torch.cat([added, largest], 1), winner

    def backward(self, gradient: Tensor, sent: Tensor, winner: Tensor) -> tuple[Tensor, ...]:
        """As `_Kernels.backward`."""
        given = zip(self.parts, _halves(gradient), _halves(sent), strict=True)
        found = [part.backward(some, x, winner) for part, some, x in given]
        return tuple(torch.cat(each, 1) for each in zip(*found, strict=True))


def _halves(values: Tensor) -> list[Tensor]:
    return [each.contiguous() for each in halves(values)]


class _Recurrence(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, h: Tensor, given: Tensor, sizes: tuple[int, ...], adjacency: Adjacency, aggregation: str,
        *tensors: Tensor,
    ) -> Tensor:  # fmt: skip
        weights = Weights._make(tensors)
        relations = (weights.scale, weights.shift)
        is_both = aggregation == "both"
        ctx.kernels = _Halves(adjacency, *relations) if is_both else _Kernels(adjacency, aggregation, *relations)
        ctx.sizes, ctx.starts = sizes, np.cumsum([0, *sizes]).tolist()
        states, before, rounds = h.new_empty(sum(sizes), h.shape[1]), h, []
        for size, (first, end) in zip(sizes, pairwise(ctx.starts), strict=True):
            kept, gate, candidate = _advance(before[:size], given[:size], weights, ctx.kernels)
            before = torch.lerp(before[:size], candidate, gate, out=states[first:end])
            if any(ctx.needs_input_grad):
                rounds.append((*kept, gate, candidate))
        ctx.save_for_backward(h, given, states, *weights, *(each for kept in rounds for each in kept))
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        h, given, states, *saved = ctx.saved_tensors
        count, width = len(Weights._fields), len(_Round._fields)
        weights, kept = Weights._make(saved[:count]), saved[count:]
        sums = Weights._make(map(torch.zeros_like, weights))
        of_given, passed = torch.zeros_like(given), h.new_zeros(0, h.shape[1])
        for t in reversed(range(len(ctx.sizes))):
            size, (first, end) = ctx.sizes[t], ctx.starts[t : t + 2]
            now = states[ctx.starts[t - 1] : first][:size] if t else h[:size]
            # The gradient of a state is that of what reads it, and what the next round passes to nodes still running.
            of_state = gradients[0][first:end].clone(memory_format=torch.contiguous_format)
            of_state[: len(passed)] += passed
            one = _Round._make(kept[t * width : (t + 1) * width])
            of_hidden, passed = _retreat(of_state, now, one, weights, sums, ctx.kernels)
            of_given[:size] += of_hidden
        of_h = torch.zeros_like(h)
        of_h[: len(passed)] = passed
        return of_h, of_given, None, None, None, *sums


# A round: n = LN(h), s = W n, a = messages(s), u = relu(x + W_h h + W_a a), (z_g, z_c) = W₂ u + b,
# h' = h + σ(z_g) ∘ (tanh(z_c) − h). Weights have the sum of their gradients over the rounds.


def _advance(
    now: Tensor, given: Tensor, weights: Weights, relations: _Kernels | _Halves
) -> tuple[tuple[Tensor, ...], Tensor, Tensor]:
    """All of a `_Round` before the gate; gate and candidate."""
    normal, mean, deviation = torch.native_layer_norm(now, now.shape[1:], weights.gain, weights.offset, EPSILON)
    sent = normal @ weights.send.t()
    arriving, winner = relations.forward(sent)
    hidden = torch.addmm(given, now, weights.from_state.t()).addmm_(arriving, weights.from_messages.t()).relu_()
    gate, candidate = torch.addmm(weights.bias, hidden, weights.update.t()).chunk(2, 1)
    return (normal, mean, deviation, sent, arriving, winner, hidden), gate.sigmoid(), candidate.tanh()


def _retreat(
    of_state: Tensor, now: Tensor, one: _Round, weights: Weights, sums: Weights, relations: _Kernels | _Halves
) -> tuple[Tensor, Tensor]:
    """Gradients of x and of h from that of h'; those of the weights are added to `sums`."""
    arrays = (of_state, now, one.gate, one.candidate)
    of_update, of_now = map(torch.from_numpy, gate_backward(*(each.detach().numpy() for each in arrays)))
    of_hidden = torch.ops.aten.threshold_backward(of_update @ weights.update, one.hidden, 0)
    of_sent, of_scale, of_shift = relations.backward(of_hidden @ weights.from_messages, one.sent, one.winner)
    of_normal, of_gain, of_offset = torch.ops.aten.native_layer_norm_backward(
        of_sent @ weights.send, now, now.shape[1:], one.mean, one.deviation, weights.gain, weights.offset, [True] * 3
    )
    parts = {"gain": of_gain, "offset": of_offset, "scale": of_scale, "shift": of_shift, "bias": of_update.sum(0)}
    for name, part in parts.items():
        getattr(sums, name).add_(part)
    sums.send.addmm_(of_sent.t(), one.normal)
    sums.from_state.addmm_(of_hidden.t(), now)
    sums.from_messages.addmm_(of_hidden.t(), one.arriving)
    sums.update.addmm_(of_update.t(), one.hidden)
    return of_hidden, of_now.add_(of_normal).addmm_(of_hidden, weights.from_state)


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
