"""The oracle's trace as targets and weights: what a network is asked after every round, or at its end.

Shapes: g graphs, N nodes, C channels of the trace, R rows: of every round the nodes of the graphs that still run.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numba import njit
from numpy.typing import NDArray
from torch import Tensor

from nsmodels.formats.graphs.tables import Graphs

# Where a network is asked for the trace; a number: after each of its first so many rounds, and once more at its end.
Supervision = Literal["rounds", "end", "none"] | int


class Trace(NamedTuple):
    """The oracle's truth, row by row: of every round the nodes of the graphs that still run, or of the end all nodes.

    target: float (R, C) of 0 and 1.
    weight: float (R, C), 0 where a truth is not decidable yet. Of a whole batch, the weighted sum is the mean over its
        rounds and channels of the class-balanced mean; of a part of a batch it is divided by its share of the graphs.
    """

    target: Float[Tensor, "R C"]
    weight: Float[Tensor, "R C"]


def traced(
    graphs: Graphs,
    rounds: NDArray[np.int64],
    supervision: Supervision,
    whole: tuple[Graphs, NDArray[np.integer]] | None = None,
) -> Trace:
    """The truth of graphs in the order of falling rounds, int64 (g,); `whole` as in `encoding.collate`."""
    # At round t a channel c has P positive and M negative truths that are decidable. Its mean is balanced: the positive
    # ones weigh 1/2P, the negative ones 1/2M, all of them 1/P or 1/M where the other class is missing. The mean over
    # the channels that have any, and then over the rounds that have any, is the loss.
    if isinstance(supervision, int):
        first = np.full(len(graphs), supervision)
        beside = whole and (whole[0], np.full(len(whole[0]), supervision))
        parts = [traced(graphs, first, "rounds", beside), traced(graphs, rounds, "end", whole)]
        return Trace(*(torch.cat(each) for each in zip(*parts, strict=True)))
    is_end = supervision == "end"
    target, count = _truths(*_arrays(graphs, rounds), is_end=is_end)
    share = 1.0
    if whole is not None:
        _, count = _truths(*_arrays(whole[0], np.asarray(whole[1], np.int64)), is_end=is_end)
        share = len(graphs) / len(whole[0])
    has = count > 0
    balanced = 1 / (np.maximum(count, 1) * np.maximum(has.sum(2, keepdims=True), 1))
    channels = has.any(2).sum(1)
    scale = 1 / (np.maximum(channels, 1) * max(int((channels > 0).sum()), 1) * share)
    weight = _weights(target, graphs.node_offsets, rounds, (balanced * scale[:, None, None]).astype(np.float32), is_end)
    return Trace(torch.from_numpy(np.maximum(target, 0).astype(np.float32)), torch.from_numpy(weight))


def _arrays(graphs: Graphs, rounds: NDArray[np.int64]) -> Any:
    traced_rounds = graphs.trace_rounds.astype(np.int64)
    return (graphs.trace, graphs.trace_offsets, traced_rounds, graphs.since, graphs.node_offsets, rounds)


@njit(cache=True, nogil=True)
def _truths(trace, trace_offsets, trace_rounds, since, node_offsets, rounds, is_end):
    """Truths int8 (R, C), -1 where not decidable, round by round; numbers int64 (T, C, 2) of false and true ones."""
    num_channels, most, num_rows = since.shape[1], 0, 0
    for g in range(len(rounds)):
        most = max(most, rounds[g])
        num_rows += (node_offsets[g + 1] - node_offsets[g]) * (1 if is_end else rounds[g])
    truth = np.full((num_rows, num_channels), -1, np.int8)
    count = np.zeros((1 if is_end else most, num_channels, 2), np.int64)
    row = 0
    for t in range(len(count)):
        for g in range(len(rounds)):
            if not is_end and t >= rounds[g]:
                continue
            first, nodes = node_offsets[g], node_offsets[g + 1] - node_offsets[g]
            state = trace_rounds[g] - 1 if is_end else min(t, trace_rounds[g] - 1)
            for i in range(nodes):
                for c in range(num_channels):
                    start = since[first + i, c]
                    if state >= 0 and start >= 0 and (is_end or start <= t):
                        bit = (state * nodes + i) * num_channels + c
                        value = (trace[trace_offsets[g] + bit // 8] >> (7 - bit % 8)) & 1
                        truth[row, c] = value
                        count[t, c, value] += 1
                row += 1
    return truth, count


@njit(cache=True, nogil=True)
def _weights(truth, node_offsets, rounds, by_class, is_end):
    """Weights float32 (R, C) of the truths, from those of the classes, float32 (T, C, 2)."""
    weight = np.zeros(truth.shape, np.float32)
    row = 0
    for t in range(len(by_class)):
        for g in range(len(rounds)):
            if is_end or t < rounds[g]:
                for _ in range(node_offsets[g + 1] - node_offsets[g]):
                    for c in range(truth.shape[1]):
                        if truth[row, c] >= 0:
                            weight[row, c] = by_class[t, c, truth[row, c]]
                    row += 1
    return weight
