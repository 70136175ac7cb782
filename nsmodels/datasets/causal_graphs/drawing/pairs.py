"""Many pairs of twins at once, in compiled code without the interpreter's lock, and as a table of graphs."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.datasets.causal_graphs.config import CausalGraphsConfig
from nsmodels.datasets.causal_graphs.drawing.chance import below
from nsmodels.datasets.causal_graphs.drawing.models import LEAST_ROUNDS, VARIED_PARENTS, draw_edges, draw_query, vary
from nsmodels.datasets.causal_graphs.drawing.swaps import group_edges, walk
from nsmodels.datasets.causal_graphs.labelling import labelled, permuted
from nsmodels.datasets.causal_graphs.oracle import RELATION, SOURCE
from nsmodels.datasets.causal_graphs.vocabulary import BACKDOOR, NUM_CHANNELS, VOCABULARY
from nsmodels.formats.graphs.tables import Graphs, table

MOST_TRIES = 100_000  # graphs drawn for one pair before the dials are taken to be impossible
SWAPS_BEFORE, SWAPS_AFTER = 2, 3  # proposals per edge
NODES_PER_STEP = 4  # nodes of the split lengths per edge of distance


def draw(config: CausalGraphsConfig, split: str, num_pairs: int, rng: np.random.Generator) -> Graphs:
    """So many pairs of a split: rows 2k and 2k + 1 are twins, either one first.

    Raises InputError when no graph that the dials allow has the wanted query.
    """
    kinds = _kinds(config, split, num_pairs)
    wanted = _distances(config, split, kinds, rng)
    sizes = _sizes(config, split, kinds, wanted)
    widest = int(sizes.max())
    most_edges = widest * max(config.max_parents, config.varied_parents)
    nodes = np.zeros((num_pairs, 3, widest), np.int16)
    edges = np.zeros((num_pairs, 4, most_edges), np.int32)
    vector = {name: np.empty(size, np.int64) for name, size in _work(widest, most_edges, config.window).items()}
    scratch = (np.empty((2 * widest + 2, widest, NUM_CHANNELS), np.uint8), np.empty((widest, NUM_CHANNELS), np.int16))
    matched = config.short_wl1_kinds if split == "short" else config.wl1_kinds
    is_matched = np.array([kind in matched for kind in VOCABULARY.kinds])
    state = rng.integers(0, 1 << 63, 1).astype(np.uint64)
    dials = np.array([*config.dials(split), 0.0], np.float64)
    arrays = (nodes, edges, tuple(vector.values()), (*scratch, np.empty(widest, np.int64)))
    found = _fill(state, kinds, wanted, sizes, dials, is_matched, MOST_TRIES, *arrays)
    if found < num_pairs:
        about = f"{VOCABULARY.kinds[kinds[found]]} queries at distance {wanted[found]}"
        raise InputError(
            f"{split}: no twins among {MOST_TRIES:,} graphs drawn for {about}; ask for more nodes, a shorter distance "
            f"or fewer wl1_kinds"
        )
    graphs = []
    for k in range(num_pairs):
        n, e = sizes[k]
        order = rng.permutation(n)
        for side in rng.permutation(2).tolist():
            arcs = edges[k][[0, 2 + side, 1], :e]
            graph = labelled(int(kinds[k]), nodes[k, :, :n], arcs, int(wanted[k]), pair=k)
            graphs.append(permuted(graph, order, rng))
    return table(graphs, VOCABULARY)


def _kinds(config: CausalGraphsConfig, split: str, num_pairs: int) -> NDArray[np.int64]:
    """Kind of each pair, by quota: every prefix has the wanted shares within one pair.

    Training has the shares of the configuration, every other split as many of each kind that occurs.
    """
    weights = np.array(config.weights)
    shares = weights / weights.sum() if split in ("short", "train") else (weights > 0) / (weights > 0).sum()
    given = np.zeros(len(shares))
    kinds = np.empty(num_pairs, np.int64)
    cycle = len(config.lengths) if split == "lengths" else 1
    for k in range(0, num_pairs, cycle):
        kind = int(np.argmax(shares * (given.sum() + 1) - given))
        given[kind] += 1
        kinds[k : k + cycle] = kind
    return kinds


def _distances(
    config: CausalGraphsConfig, split: str, kinds: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Distance of each pair, drawn before its graph: pairs at random would mostly have the smallest."""
    if split == "lengths":
        return np.resize(np.array(config.lengths, np.int64), len(kinds))
    least, most = {"short": config.short_distances, "ood": config.ood_distances}.get(split, config.distances)
    wanted = rng.integers(least, most + 1, len(kinds))
    if split != "short":
        return wanted
    varied = rng.integers(config.varied_distances[0], config.varied_distances[1] + 1, len(kinds))
    return np.where(kinds == BACKDOOR, varied, wanted)


def _sizes(
    config: CausalGraphsConfig, split: str, kinds: NDArray[np.int64], wanted: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Smallest and largest number of nodes of each pair, int64 (k, 2)."""
    if split == "lengths":
        return np.stack([NODES_PER_STEP * wanted + 2, NODES_PER_STEP * wanted + 6], 1)
    span = {"short": config.short_nodes, "ood": config.ood_nodes}.get(split, config.nodes)
    sizes = np.tile(np.array(span, np.int64), (len(wanted), 1))
    if split == "short":
        sizes[kinds == BACKDOOR] = config.varied_nodes
    return sizes


def _work(num_nodes: int, num_edges: int, window: int) -> dict[str, tuple[int, ...]]:
    """Shapes of the vectors that the compiled code works in."""
    shapes = {"nodes": (3, num_nodes), "edges": (3, num_edges), "twins": (2, num_edges)}
    return shapes | {"partners": (num_edges,), "starts": (2, num_edges), "order": (max(num_nodes, window),)}


@njit(cache=True, nogil=True)
def _fill(state, kinds, wanted, sizes, dials, is_matched, most_tries, nodes, edges, work, scratch):
    """Draw a pair of each of `kinds` (k,) at the distances `wanted` (k,); returns the number of those found.

    Args:
        sizes: int64 (k, 2), smallest and largest number of nodes; numbers of nodes and edges are written here.
        nodes: int16 (k, 3, n): types, features and marks are written here.
        edges: int32 (k, 4, e): sources, relations, targets of the first and of the second twin are written here.
    """
    values, arcs, twins, partners, starts, order = work
    own = dials.copy()
    for k in range(len(kinds)):
        is_found = False
        for _ in range(most_tries):
            n = sizes[k, 0] + below(state, sizes[k, 1] - sizes[k, 0] + 1)
            for i in range(len(order)):
                order[i] = i
            if kinds[k] == BACKDOOR and dials[VARIED_PARENTS] > 0:
                vary(state, n, dials, own)
            else:
                own[:] = dials
            e = draw_edges(state, n, own, arcs, order)
            ends = draw_query(state, kinds[k], n, e, values, arcs, wanted[k], own, order)
            if ends[0] < 0:
                continue
            group_edges(e, values, arcs, is_matched[kinds[k]], partners, starts)
            steps = (SWAPS_BEFORE * e, SWAPS_AFTER * e)
            groups = (partners, starts)
            least = int(dials[LEAST_ROUNDS])
            is_found = walk(state, kinds[k], n, e, values, arcs, ends, wanted[k], groups, steps, least, twins, scratch)
            if is_found:
                sizes[k, 0], sizes[k, 1] = n, e
                break
        if not is_found:
            return k
        for i in range(n):
            for row in range(3):
                nodes[k, row, i] = values[row, i]
        for i in range(e):
            edges[k, 0, i], edges[k, 1, i] = arcs[SOURCE, i], arcs[RELATION, i]
            edges[k, 2, i], edges[k, 3, i] = twins[0, i], twins[1, i]
    return len(kinds)
