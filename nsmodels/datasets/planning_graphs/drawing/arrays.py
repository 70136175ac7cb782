"""Drawn plans as labelled graphs, all at once. Compiled; the encoding is that of `encoding.py`, which checks it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.datasets.planning_graphs import vocabulary as v
from nsmodels.datasets.planning_graphs.domains import Compiled
from nsmodels.datasets.planning_graphs.drawing.orders import Orders
from nsmodels.formats.graphs.tables import NEVER, Graphs, offsets_of

PLAIN = (v.PRE, v.ADD, v.DELETE, v.NEXT)
NUM_CHANNELS = len(v.VOCABULARY.channels)


def graphs_of(
    seed: int, orders: Orders, lengths: NDArray[np.int64], domains: NDArray[np.int64], ops: Compiled, distractors: int
) -> Graphs:
    """The graphs (2 p) of p pairs of plans, twins in random order, `distractors` atoms that no step touches in each."""
    pairs, agents = domains.shape
    most_nodes = int(lengths.max()) + agents * ops.init.shape[1]
    most_edges = int(lengths.max()) * (1 + 3 * ops.pre.shape[2])
    most_bytes = -(-(int(lengths.max()) + 1) * most_nodes * NUM_CHANNELS // 8)
    nodes = np.zeros((2 * pairs, 3, most_nodes), np.int16)
    edges = np.zeros((2 * pairs, 3, most_edges), np.int32)
    trace = np.zeros((2 * pairs, most_bytes), np.uint8)
    since = np.full((2 * pairs, most_nodes, NUM_CHANNELS), NEVER, np.int16)
    sizes = np.zeros((2 * pairs, 4), np.int64)
    _encode(
        seed, orders.agents, orders.actions, orders.init, orders.goal, lengths, domains, ops.pre, ops.add, ops.delete,
        ops.num_atoms, distractors, nodes, edges, trace, since, sizes,
    )  # fmt: skip
    return _table(lengths.repeat(2), nodes, edges, trace, since, sizes)


def _table(
    lengths: NDArray[np.int64],
    nodes: NDArray[np.int16],
    edges: NDArray[np.int32],
    trace: NDArray[np.uint8],
    since: NDArray[np.int16],
    sizes: NDArray[np.int64],
) -> Graphs:
    num_nodes, num_edges, num_bytes, labels = sizes.T
    is_node, is_edge = (np.arange(a.shape[2]) < n[:, None] for a, n in ((nodes, num_nodes), (edges, num_edges)))
    is_byte = np.arange(trace.shape[1]) < num_bytes[:, None]
    types, features, marks = (nodes[:, k][is_node] for k in range(3))
    sources, targets, relations = (edges[:, k][is_edge] for k in range(3))
    values: dict[str, Any] = {"node_types": types, "features": features, "marks": marks, "since": since[is_node]}
    values |= {"sources": sources, "targets": targets, "relations": relations.astype(np.int16)}
    return Graphs(
        v.VOCABULARY,
        ids=np.full(len(labels), "", object),
        pairs=np.arange(len(labels)) // 2,
        kinds=np.zeros(len(labels), np.int16),
        labels=labels.astype(np.int8),
        rounds=(lengths + 1).astype(np.int16),
        lengths=lengths.astype(np.int16),
        node_offsets=offsets_of(num_nodes),
        clusters=np.full(len(types), -1, np.int16),
        edge_offsets=offsets_of(num_edges),
        confidence=np.ones(len(sources), np.float32),
        trace_rounds=(lengths + 1).astype(np.int16),
        trace_offsets=offsets_of(num_bytes),
        trace=trace[is_byte],
        **values,
    )


@njit(cache=True, nogil=True)
def _used_atoms(agents, actions, length, domains, goal, pre, add, delete, num_atoms, distractors, places):
    """Numbers of the atoms that occur, in `places` (agents, m), -1 for those left out; returns their count."""
    places[:] = -1
    for i in range(length):
        agent, a = agents[i], actions[i]
        d = domains[agent]
        for k in range(pre.shape[2]):
            for atom in (pre[d, a, k], add[d, a, k], delete[d, a, k]):
                if atom >= 0:
                    places[agent, atom] = 0
    count = 0
    for agent in range(len(domains)):
        for atom in range(num_atoms[domains[agent]]):
            is_extra = places[agent, atom] < 0 and not goal[agent, atom] and distractors > 0
            if is_extra:
                distractors -= 1
            if is_extra or places[agent, atom] == 0 or goal[agent, atom]:
                places[agent, atom] = count
                count += 1
    return count


@njit(cache=True, nogil=True)
def _set(trace, t, node, channel, num_nodes):
    bit = (t * num_nodes + node) * 3 + channel
    trace[bit >> 3] |= np.uint8(1 << (7 - (bit & 7)))


@njit(cache=True, nogil=True)
def _link(agents, actions, length, domains, pre, add, delete, places, node, edges):
    """Edges in random order; returns their number."""
    count = 0
    for i in range(length):
        agent, a = agents[i], actions[i]
        d = domains[agent]
        for k in range(pre.shape[2]):
            if pre[d, a, k] >= 0:
                edges[:, count] = node[length + places[agent, pre[d, a, k]]], node[i], PLAIN[0]
                count += 1
            if add[d, a, k] >= 0:
                edges[:, count] = node[i], node[length + places[agent, add[d, a, k]]], PLAIN[1]
                count += 1
            if delete[d, a, k] >= 0:
                edges[:, count] = node[i], node[length + places[agent, delete[d, a, k]]], PLAIN[2]
                count += 1
        if i + 1 < length:
            edges[:, count] = node[i], node[i + 1], PLAIN[3]
            count += 1
    for i in range(count - 1, 0, -1):
        j = np.random.randint(i + 1)
        for row in range(3):
            edges[row, i], edges[row, j] = edges[row, j], edges[row, i]
    return count


@njit(cache=True, nogil=True)
def _simulate(agents, actions, length, domains, pre, add, delete, init, goal, places, node, num_nodes, trace):
    """Write the trace; returns the label. Effects are applied whether or not a step fails."""
    state, is_right = init.copy(), True
    for t in range(length + 1):
        for agent in range(len(domains)):
            for atom in range(places.shape[1]):
                if places[agent, atom] >= 0 and state[agent, atom]:
                    _set(trace, t, node[length + places[agent, atom]], 0, num_nodes)
        if t == length:
            break
        agent, a = agents[t], actions[t]
        d, fails = domains[agent], False
        for k in range(pre.shape[2]):
            fails = fails or (pre[d, a, k] >= 0 and not state[agent, pre[d, a, k]])
        _set(trace, t, node[t], 2, num_nodes)
        if fails:
            is_right = False
            for later in range(t + 1, length + 1):
                _set(trace, later, node[t], 1, num_nodes)
        for k in range(pre.shape[2]):
            if delete[d, a, k] >= 0:
                state[agent, delete[d, a, k]] = 0
        for k in range(pre.shape[2]):
            if add[d, a, k] >= 0:
                state[agent, add[d, a, k]] = 1
    for agent in range(len(domains)):
        for atom in range(places.shape[1]):
            is_right = is_right and not (goal[agent, atom] and not state[agent, atom])
    return is_right


@njit(cache=True, nogil=True)
def _encode(
    seed, agents, actions, inits, goals, lengths, domains, pre, add, delete, num_atoms, distractors,
    nodes, edges, trace, since, sizes,
):  # fmt: skip
    np.random.seed(seed)
    places = np.zeros((domains.shape[1], inits.shape[2]), np.int64)
    for p in range(len(lengths)):
        length, turn = lengths[p], np.random.randint(2)
        for twin in range(2):
            g, who, what = 2 * p + (twin ^ turn), agents[p, twin], actions[p, twin]
            used = _used_atoms(
                who, what, length, domains[p], goals[p], pre, add, delete, num_atoms, distractors, places
            )
            node = np.random.permutation(length + used)
            for i in range(length):
                nodes[g, 0, node[i]] = 1
                since[g, node[i], 1] = since[g, node[i], 2] = 0
            nodes[g, 2, node[0]], nodes[g, 2, node[length - 1]] = 2, 3
            for agent in range(domains.shape[1]):
                for atom in range(inits.shape[2]):
                    if places[agent, atom] >= 0:
                        at = node[length + places[agent, atom]]
                        nodes[g, 1, at] = 2 if inits[p, agent, atom] else 1
                        nodes[g, 2, at] = 1 if goals[p, agent, atom] else 0
                        since[g, at, 0] = 0
            sizes[g, 0] = length + used
            sizes[g, 1] = _link(who, what, length, domains[p], pre, add, delete, places, node, edges[g])
            sizes[g, 2] = ((length + 1) * (length + used) * 3 + 7) >> 3
            sizes[g, 3] = _simulate(
                who,
                what,
                length,
                domains[p],
                pre,
                add,
                delete,
                inits[p],
                goals[p],
                places,
                node,
                length + used,
                trace[g],
            )
