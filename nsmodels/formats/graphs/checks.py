"""Checks of graph data: each function returns the faults in a folder, one line each; an empty list is a pass.

The checks of twins pass over graphs that have none, as graphs of one's own may.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nsmodels.formats.graphs import files
from nsmodels.formats.graphs.colours import certificates, counts, histograms, summed
from nsmodels.formats.graphs.tables import NEVER, PER_EDGE, PER_GRAPH, PER_NODE, Graphs

Check = Callable[[Path], list[str]]
NUM_SIGMAS = 4
MOST_TOLD = 0.07  # beyond chance, as of a classifier; see `shortcuts.LIMIT`


def every(folder: Path) -> Iterator[tuple[str, Graphs]]:
    """Name and graphs of each split of a folder."""
    return ((split, files.read_split(folder, split)) for split in files.splits(folder))


def twins(graphs: Graphs) -> NDArray[np.int64]:
    """Rows (m, 2) of the twins: two graphs that share a pair, in the order of the table."""
    return twin_rows(graphs.pairs)


def twin_rows(pairs: NDArray[np.integer]) -> NDArray[np.int64]:
    """Rows (m, 2) of the numbers (g,) that occur twice."""
    order = np.argsort(pairs, kind="stable")
    _, first, number = np.unique(pairs[order], return_index=True, return_counts=True)
    starts = first[number == 2]
    return np.stack([order[starts], order[starts + 1]], axis=1) if len(starts) else np.zeros((0, 2), np.int64)


def schema(folder: Path) -> list[str]:
    """Every id has a name, every edge ends in its graph, labels are 0 or 1, traces are as long as their rounds."""
    return [line for split, graphs in every(folder) for line in faults(split, graphs)]


def faults(where: str, graphs: Graphs) -> list[str]:
    """The faults of a table's schema, each line beginning with `where`."""
    return _broken_offsets(where, graphs) or _bad(where, graphs)


def twins_are_equal(folder: Path) -> list[str]:
    """Twins agree in kind, length and every pooled count, and have opposite labels; no pair has more than two.

    Pooled counts: the multisets of (type, feature, mark, typed in-degree, typed out-degree) of the nodes, of (relation,
    confidence) of the edges, and of the sizes of clusters.
    """
    found = []
    for split, graphs in every(folder):
        _, sizes = np.unique(graphs.pairs, return_counts=True)
        found += [f"{split}: {size} graphs share one pair; expected two" for size in sizes[sizes > 2].tolist()]
        columns = {"kinds": graphs.kinds, "lengths": graphs.lengths, "pooled counts": counts(graphs)}
        columns |= {"confidences of edges": _edge_weights(graphs), "sizes of clusters": _cluster_sizes(graphs)}
        for name, values in columns.items():
            found += _differing(split, graphs, f"the twins have different {name}", values)
        one, other = graphs.labels[twins(graphs)].T
        found += _lines(split, graphs, twins(graphs)[one == other, 0], "has the label of its twin")
    return found


def twins_are_told_apart(folder: Path) -> list[str]:
    """Stable 1-WL colours differ between twins: message passing can find the answer to every pair."""
    found = []
    for split, graphs in every(folder):
        one, other = certificates(graphs)[twins(graphs)].T
        found += _lines(split, graphs, twins(graphs)[one == other, 0], "message passing cannot tell it from its twin")
    return found


def wl1_matched(kinds: Collection[str]) -> Check:
    """The check that twins of these kinds also agree in their colours after one round of Weisfeiler-Leman."""

    def check(folder: Path) -> list[str]:
        found = []
        for split, graphs in every(folder):
            ids = [number for number, name in enumerate(graphs.vocabulary.kinds) if name in kinds]
            some = graphs.take(np.flatnonzero(np.isin(graphs.kinds, ids)))
            if len(some):
                found += _differing(split, some, "the twins have different WL-1 colours", histograms(some, 1))
        return found

    return check


def splits_are_disjoint(folder: Path) -> list[str]:
    """No graph is in two splits, however its nodes and edges are numbered."""
    found: list[str] = []
    seen, owners = np.zeros(0, np.uint64), np.zeros(0, object)
    for split, graphs in every(folder):
        marks = certificates(graphs)
        place = np.clip(np.searchsorted(seen, marks), 0, max(len(seen) - 1, 0))
        rows = np.flatnonzero(seen[place] == marks).tolist() if len(seen) else []
        found += [f"{split} {graphs.ids[row]}: the same graph as {owners[place[row]]}" for row in rows]
        names = np.array([f"{split} {name}" for name in graphs.ids], object)
        seen, first = np.unique(np.concatenate([seen, marks]), return_index=True)
        owners = np.concatenate([owners, names])[first]
    return found


def labels_are_balanced(folder: Path) -> list[str]:
    """Neither which twin comes first nor which demands more rounds tells the label; per split and kind, and of all.

    Which comes first is a coin: beyond the error of sampling a fault. Rounds follow from the structure, in which twins
    differ; that they tell a little more than chance, as short-range colours may, is allowed.
    """
    found = []
    for split, graphs in every(folder):
        rows, names = twins(graphs), graphs.vocabulary.kinds
        kinds = graphs.kinds[rows[:, 0]]
        for name, chosen in [(f"kind '{each}'", kinds == k) for k, each in enumerate(names)] + [
            ("all kinds", kinds >= 0)
        ]:
            one, other = rows[chosen].T
            error = NUM_SIGMAS * 0.5 / np.sqrt(max(len(one), 1))
            first = graphs.labels[one]
            if len(one) and abs(first.mean() - 0.5) > error:
                found.append(f"{split}: {first.mean():.1%} of the first twins of {name} have label 1")
            more = np.sign(graphs.rounds[one].astype(int) - graphs.rounds[other]) * np.where(first == 1, 1, -1)
            if len(one) and abs(more.mean() / 2) > MOST_TOLD + error:
                found.append(
                    f"{split}: {0.5 + more.mean() / 2:.1%} of the twins of label 1 of {name} demand more rounds"
                )
    return found


def permuted(graphs: Graphs, rng: np.random.Generator) -> Graphs:
    """The same graphs with nodes and edges in a random order, the trace with them."""
    owner = np.repeat(np.arange(len(graphs)), graphs.num_nodes)
    order = np.lexsort([rng.random(len(owner)), owner])
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    edge_owner = np.repeat(np.arange(len(graphs)), graphs.num_edges)
    edges = np.lexsort([rng.random(len(edge_owner)), edge_owner])
    values: dict[str, Any] = {name: getattr(graphs, name)[order] for name in PER_NODE}
    values |= {name: getattr(graphs, name)[edges] for name in ("relations", "confidence")}
    start = graphs.node_offsets[edge_owner]
    for name in ("sources", "targets"):
        values[name] = (place[getattr(graphs, name) + start] - start)[edges].astype(np.int32)
    bits = []
    for k in range(len(graphs)):
        nodes = graphs.nodes(k)
        bits.append(np.packbits(graphs.truth(k)[:, order[nodes] - nodes.start]))
    return graphs.replaced(trace=np.concatenate(bits) if bits else graphs.trace, **values)


def _edge_weights(graphs: Graphs) -> NDArray[np.uint64]:
    """One number (g,) per graph from the multiset of (relation, confidence) of its edges."""
    bits = np.ascontiguousarray(graphs.confidence, np.float32).view(np.uint32).astype(np.uint64)
    return summed(graphs.relations.astype(np.uint64) << np.uint64(32) | bits, graphs.edge_offsets)


def _cluster_sizes(graphs: Graphs) -> NDArray[np.uint64]:
    """One number (g,) per graph from the sizes of its declared clusters; nodes of none count alone."""
    owner = np.repeat(np.arange(len(graphs)), graphs.num_nodes)
    is_in = graphs.clusters >= 0
    keys, sizes = np.unique(owner[is_in] * (1 << 16) + graphs.clusters[is_in], return_counts=True)
    offsets = np.searchsorted(keys >> 16, np.arange(len(graphs) + 1))
    return summed(sizes.astype(np.uint64), offsets)


def _differing(split: str, graphs: Graphs, fault: str, values: NDArray) -> list[str]:
    rows = twins(graphs)
    one, other = values[rows].T
    return _lines(split, graphs, rows[one != other, 0], fault)


def _lines(split: str, graphs: Graphs, rows: NDArray[np.integer], fault: str) -> list[str]:
    return [f"{split} {graphs.ids[row]}: {fault}" for row in rows.tolist()]


def _broken_offsets(split: str, graphs: Graphs) -> list[str]:
    """Faults of the offsets and sizes; where there are some, single graphs cannot be looked at."""
    found, g = [], len(graphs)
    num, channels = int(graphs.node_offsets[-1]), len(graphs.vocabulary.channels)
    for name in ("node_offsets", "edge_offsets", "trace_offsets"):
        offsets = getattr(graphs, name)
        if len(offsets) != g + 1 or offsets[0] != 0 or (np.diff(offsets) < 0).any():
            found.append(f"{split}: {name} do not ascend from 0, one more than graphs")
    wanted = dict.fromkeys(PER_GRAPH, g) | dict.fromkeys(PER_NODE, num)
    wanted |= dict.fromkeys(PER_EDGE, int(graphs.edge_offsets[-1])) | {"trace": int(graphs.trace_offsets[-1])}
    for name, size in wanted.items():
        if len(getattr(graphs, name)) != size:
            found.append(f"{split}: {len(getattr(graphs, name)):,} {name}; expected {size:,}")
    if graphs.since.shape[1:] != (channels,):
        found.append(
            f"{split}: 'since' has shape {graphs.since.shape}; expected a column for each of {channels} channels"
        )
    return found


def _bad(split: str, graphs: Graphs) -> list[str]:
    words, found = graphs.vocabulary, []
    node, edge = (np.repeat(np.arange(len(graphs)), sizes) for sizes in (graphs.num_nodes, graphs.num_edges))
    # Column by column: which entries are wrong, the graph of each entry, what was expected.
    per_node = {"node_types": words.node_types, "features": words.features, "marks": words.marks}
    tests: list[tuple[str, NDArray[np.bool_], NDArray | None, str]] = [
        (name, _is_outside(getattr(graphs, name), 0, len(names)), node, f"ids below {len(names)}")
        for name, names in per_node.items()
    ]
    most, last = graphs.num_nodes[edge], graphs.trace_rounds[node][:, None]
    size = -(-graphs.trace_rounds.astype(np.int64) * graphs.num_nodes * len(words.channels) // 8)
    tests += [
        ("kinds", _is_outside(graphs.kinds, 0, len(words.kinds)), None, f"ids below {len(words.kinds)}"),
        ("labels", _is_outside(graphs.labels, 0, 2), None, "0 or 1"),
        ("rounds", graphs.rounds < 1, None, "1 or more"),
        ("node_types", graphs.num_nodes < 1, None, "one node or more"),
        (
            "relations",
            _is_outside(graphs.relations, 0, len(words.relations)),
            edge,
            f"ids below {len(words.relations)}",
        ),
        ("sources", _is_outside(graphs.sources, 0, most), edge, "nodes of the graph"),
        ("targets", _is_outside(graphs.targets, 0, most), edge, "nodes of the graph"),
        ("confidence", ~((graphs.confidence >= 0) & (graphs.confidence <= 1)), edge, "numbers in [0, 1]"),
        ("clusters", _is_outside(graphs.clusters, -1, graphs.num_nodes[node]), node, "-1, or less than nodes"),
        ("since", _is_outside(graphs.since, NEVER, last).any(axis=1), node, "-1, or a round of the trace"),
        ("trace", np.diff(graphs.trace_offsets) != size, None, "a bit per round, node and channel"),
        ("ids", ~_is_first(graphs.ids), None, "names that differ"),
    ]
    for name, is_wrong, owner, expected in tests:
        rows = np.flatnonzero(is_wrong) if owner is None else np.unique(owner[is_wrong])
        found += _lines(split, graphs, rows, f"{name}: expected {expected}")
    return found


def _is_outside(values: NDArray, low: int, end: NDArray | int) -> NDArray[np.bool_]:
    return (values < low) | (values >= end)


def _is_first(names: NDArray) -> NDArray[np.bool_]:
    found = np.zeros(len(names), bool)
    found[np.unique(names.astype(str), return_index=True)[1]] = True
    return found
