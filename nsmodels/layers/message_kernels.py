"""The loops behind `messages`, compiled: no temporary has a row per edge, and the rows of a node stay in the cache."""

# `fastmath` lets the compiler vectorise the sums over channels; each channel is summed in the order of the edges.

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def adjacency(num_nodes, sources, targets, relations, confidence, num_relations):
    """Edges sorted by target and, as numbers of these, by source: the fields of `Adjacency`, by counting sort.

    With `num_relations` > 0 each edge is followed by its inverse of relation r + num_relations.
    """
    copies = 2 if num_relations else 1
    total = copies * len(sources)
    indptr = np.zeros(num_nodes + 1, np.int64)
    out_indptr = np.zeros(num_nodes + 1, np.int64)
    for e in range(len(sources)):
        indptr[targets[e] + 1] += 1
        out_indptr[sources[e] + 1] += 1
        if copies == 2:
            indptr[sources[e] + 1] += 1
            out_indptr[targets[e] + 1] += 1
    for v in range(num_nodes):
        indptr[v + 1] += indptr[v]
        out_indptr[v + 1] += out_indptr[v]
    source, target, relation = np.empty(total, np.int64), np.empty(total, np.int64), np.empty(total, np.int64)
    weight, out_edges = np.empty(total, np.float32), np.empty(total, np.int64)
    place, out_place = indptr[:-1].copy(), out_indptr[:-1].copy()
    for e in range(len(sources)):
        for side in range(copies):
            u, v = (sources[e], targets[e]) if side == 0 else (targets[e], sources[e])
            k = place[v]
            source[k], target[k], relation[k], weight[k] = u, v, relations[e] + side * num_relations, confidence[e]
            out_edges[out_place[u]] = k
            place[v] += 1
            out_place[u] += 1
    return indptr, source, target, relation, weight, out_indptr, out_edges


@njit(cache=True, nogil=True, fastmath=True, boundscheck=False)
def sum_forward(x, scale, shift, indptr, source, relation, confidence):
    """Sums (n, D) of the messages into each node."""
    out = np.zeros_like(x)
    for v in range(x.shape[0]):
        for e in range(indptr[v], indptr[v + 1]):
            u, r, p = source[e], relation[e], confidence[e]
            for d in range(x.shape[1]):
                out[v, d] += p * (x[u, d] * scale[r, d] + shift[r, d])
    return out


@njit(cache=True, nogil=True, fastmath=True, boundscheck=False)
def sum_backward(gradient, x, scale, out_indptr, out_edges, target, relation, confidence):
    """Gradients of x, scale and shift, by the sender, so that each row of the first is written in one go."""
    # y_v = Σ p (x_u ∘ s_r + c_r):  ∂x_u = Σ p s_r ∘ ∂y_v,  ∂s_r = Σ p x_u ∘ ∂y_v,  ∂c_r = Σ p ∂y_v
    of_x, of_scale, of_shift = np.zeros_like(x), np.zeros_like(scale), np.zeros_like(scale)
    for u in range(x.shape[0]):
        for k in range(out_indptr[u], out_indptr[u + 1]):
            e = out_edges[k]
            v, r, p = target[e], relation[e], confidence[e]
            for d in range(x.shape[1]):
                arriving = p * gradient[v, d]
                of_x[u, d] += arriving * scale[r, d]
                of_scale[r, d] += arriving * x[u, d]
                of_shift[r, d] += arriving
    return of_x, of_scale, of_shift


@njit(cache=True, nogil=True, boundscheck=False)
def max_forward(x, scale, shift, indptr, source, relation, confidence):
    """Largest messages (n, D) into each node and, int32 (n, D), the first edge that carries each one; -1 for none."""
    out, winner = np.zeros_like(x), np.full(x.shape, -1, np.int32)
    for v in range(x.shape[0]):
        for e in range(indptr[v], indptr[v + 1]):
            u, r, p = source[e], relation[e], confidence[e]
            is_first = e == indptr[v]
            for d in range(x.shape[1]):
                sent = p * (x[u, d] * scale[r, d] + shift[r, d])
                is_larger = is_first or sent > out[v, d]
                out[v, d] = sent if is_larger else out[v, d]
                winner[v, d] = np.int32(e) if is_larger else winner[v, d]
    return out, winner


@njit(cache=True, nogil=True, boundscheck=False)
def max_backward(gradient, x, scale, winner, source, relation, confidence):
    """Gradients of x, scale and shift, along the edge that carried the largest message of each channel."""
    of_x, of_scale, of_shift = np.zeros_like(x), np.zeros_like(scale), np.zeros_like(scale)
    for v in range(x.shape[0]):
        for d in range(x.shape[1]):
            e = winner[v, d]
            if e >= 0:
                u, r = source[e], relation[e]
                arriving = confidence[e] * gradient[v, d]
                of_x[u, d] += arriving * scale[r, d]
                of_scale[r, d] += arriving * x[u, d]
                of_shift[r, d] += arriving
    return of_x, of_scale, of_shift
