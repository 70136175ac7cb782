"""Labelled graphs in flat arrays: g graphs with N nodes and E edges together, C channels of the oracle's trace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.formats.graphs.vocabulary import Vocabulary

NEVER = -1  # in `Graphs.since`: this truth is not decidable for this node
PER_GRAPH = ("ids", "pairs", "kinds", "labels", "rounds", "lengths", "trace_rounds")
PER_NODE = ("node_types", "features", "marks", "clusters", "since")
PER_EDGE = ("sources", "targets", "relations", "confidence")


@dataclass(frozen=True, eq=False)
class Graphs:
    """Labelled graphs. Graph k has the nodes `node_offsets[k]` to `node_offsets[k + 1]`, and likewise edges and trace.

    Attributes:
        vocabulary: names of all ids.
        ids: names (g,), all different within a dataset.
        pairs: int64 (g,); twins, which have equal counts and opposite labels, share a number.
        kinds: int16 (g,) kind of the query.
        labels: int8 (g,) 0 or 1, computed by the oracle.
        rounds: int16 (g,) rounds of message passing that the structure demands; never taken from the oracle's run.
        lengths: int16 (g,) the difficulty that `Vocabulary.length` names.
        node_offsets, edge_offsets: int64 (g + 1,).
        node_types, features, marks: int16 (N,).
        clusters: int16 (N,) declared cluster of a node within its graph; -1 for none.
        sources, targets: int32 (E,) numbers of nodes within their graph.
        relations: int16 (E,).
        confidence: float32 (E,) in [0, 1], by which messages are weighted.
        trace_rounds: int16 (g,) rounds that the trace records; its last state holds afterwards.
        trace_offsets: int64 (g + 1,) into `trace`.
        trace: uint8, per graph `np.packbits` of bool (trace_rounds, nodes, C): the truth after each round.
        since: int16 (N, C) first round (from 0) at which a truth is decidable from the messages so far; `NEVER`.
    """

    vocabulary: Vocabulary
    ids: NDArray[Any]
    pairs: NDArray[np.int64]
    kinds: NDArray[np.int16]
    labels: NDArray[np.int8]
    rounds: NDArray[np.int16]
    lengths: NDArray[np.int16]
    node_offsets: NDArray[np.int64]
    node_types: NDArray[np.int16]
    features: NDArray[np.int16]
    marks: NDArray[np.int16]
    clusters: NDArray[np.int16]
    edge_offsets: NDArray[np.int64]
    sources: NDArray[np.int32]
    targets: NDArray[np.int32]
    relations: NDArray[np.int16]
    confidence: NDArray[np.float32]
    trace_rounds: NDArray[np.int16]
    trace_offsets: NDArray[np.int64]
    trace: NDArray[np.uint8]
    since: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def num_nodes(self) -> NDArray[np.int64]:
        """Nodes of each graph, int64 (g,)."""
        return np.diff(self.node_offsets)

    @property
    def num_edges(self) -> NDArray[np.int64]:
        """Edges of each graph, int64 (g,)."""
        return np.diff(self.edge_offsets)

    def nodes(self, number: int) -> slice:
        """The nodes of a graph as a slice of the arrays per node."""
        return slice(int(self.node_offsets[number]), int(self.node_offsets[number + 1]))

    def edges(self, number: int) -> slice:
        """The edges of a graph as a slice of the arrays per edge."""
        return slice(int(self.edge_offsets[number]), int(self.edge_offsets[number + 1]))

    def truth(self, number: int) -> NDArray[np.bool_]:
        """The oracle's trace of a graph, bool (trace_rounds, nodes, C)."""
        nodes = int(self.node_offsets[number + 1] - self.node_offsets[number])
        shape = (int(self.trace_rounds[number]), nodes, len(self.vocabulary.channels))
        packed = self.trace[self.trace_offsets[number] : self.trace_offsets[number + 1]]
        return np.unpackbits(packed, count=int(np.prod(shape))).reshape(shape).astype(bool)

    def take(self, rows: NDArray[np.integer] | Sequence[int]) -> Self:
        """The graphs `rows`, int (m,), in that order; a row may occur more than once."""
        chosen = np.asarray(rows, np.int64)
        values: dict[str, Any] = {name: getattr(self, name)[chosen] for name in PER_GRAPH}
        for names, offsets in ((PER_NODE, "node_offsets"), (PER_EDGE, "edge_offsets"), (("trace",), "trace_offsets")):
            places, values[offsets] = _ragged(getattr(self, offsets), chosen)
            values |= {name: getattr(self, name)[places] for name in names}
        return replace(self, **values)

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """All graphs of several tables with one vocabulary; raises InputError for none and for different ones."""
        if not parts or any(part.vocabulary != parts[0].vocabulary for part in parts):
            raise InputError("graphs: expected one or more tables with the same vocabulary")
        values: dict[str, Any] = {}
        for name in (*PER_GRAPH, *PER_NODE, *PER_EDGE, "trace"):
            values[name] = np.concatenate([getattr(part, name) for part in parts])
        for name in ("node_offsets", "edge_offsets", "trace_offsets"):
            sizes = np.concatenate([np.diff(getattr(part, name)) for part in parts])
            values[name] = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return replace(parts[0], **values)

    def replaced(self, **changes: Any) -> Self:
        """A copy with other arrays."""
        return replace(self, **changes)


@dataclass
class Graph:
    """One graph under construction, or taken out of a table, in plain arrays; n nodes, e edges, C channels.

    Attributes as in `Graphs`; `truth`: bool (rounds traced, n, C). Without trace: (0, n, C) and `since` all `NEVER`.
    """

    id: str
    pair: int
    kind: int
    label: int
    rounds: int
    length: int
    node_types: NDArray[np.int16]
    features: NDArray[np.int16]
    marks: NDArray[np.int16]
    sources: NDArray[np.int32]
    targets: NDArray[np.int32]
    relations: NDArray[np.int16]
    truth: NDArray[np.bool_]
    since: NDArray[np.int16]
    clusters: NDArray[np.int16] | None = None
    confidence: NDArray[np.float32] | None = None


TYPES: dict[str, type[np.generic]] = {
    **dict.fromkeys(("kinds", "rounds", "lengths", "trace_rounds", "relations"), np.int16),
    **dict.fromkeys(PER_NODE, np.int16),
    **dict.fromkeys(("sources", "targets"), np.int32),
    "pairs": np.int64,
    "labels": np.int8,
    "confidence": np.float32,
}


def table(graphs: Sequence[Graph], vocabulary: Vocabulary) -> Graphs:
    """Graphs one by one as a table; raises InputError for none of them."""
    if not graphs:
        raise InputError("graphs: expected at least one")
    bits = [np.packbits(graph.truth) for graph in graphs]
    values: dict[str, Any] = {
        "ids": np.array([graph.id for graph in graphs], object),
        "pairs": np.array([graph.pair for graph in graphs], np.int64),
        "trace_rounds": np.array([len(graph.truth) for graph in graphs], np.int16),
        "trace": np.concatenate(bits),
        "trace_offsets": offsets_of([len(each) for each in bits]),
        "node_offsets": offsets_of([len(graph.node_types) for graph in graphs]),
        "edge_offsets": offsets_of([len(graph.sources) for graph in graphs]),
        "clusters": [np.full(len(g.node_types), -1) if g.clusters is None else g.clusters for g in graphs],
        "confidence": [np.ones(len(g.sources)) if g.confidence is None else g.confidence for g in graphs],
    }
    for plural, name in (("kinds", "kind"), ("labels", "label"), ("rounds", "rounds"), ("lengths", "length")):
        values[plural] = np.array([getattr(graph, name) for graph in graphs], TYPES[plural])
    for name in (*PER_NODE, *PER_EDGE):
        parts = values[name] if name in values else [getattr(graph, name) for graph in graphs]
        values[name] = np.concatenate(parts).astype(TYPES[name])
    return Graphs(vocabulary, **values)


def graph(graphs: Graphs, number: int) -> Graph:
    """One graph of a table."""
    nodes, edges = graphs.nodes(number), graphs.edges(number)
    return Graph(
        id=str(graphs.ids[number]),
        pair=int(graphs.pairs[number]),
        kind=int(graphs.kinds[number]),
        label=int(graphs.labels[number]),
        rounds=int(graphs.rounds[number]),
        length=int(graphs.lengths[number]),
        truth=graphs.truth(number),
        **{name: getattr(graphs, name)[nodes] for name in PER_NODE},
        **{name: getattr(graphs, name)[edges] for name in PER_EDGE},
    )


def offsets_of(sizes: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Where each of g groups of so many entries begins in a flat array, and its end, int64 (g + 1,)."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)


def _ragged(offsets: NDArray[np.int64], rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the entries of `rows` one after the other, and the offsets of the result."""
    sizes = offsets[rows + 1] - offsets[rows]
    ends = offsets_of(sizes)
    return np.arange(ends[-1]) + np.repeat(offsets[rows] - ends[:-1], sizes), ends


assert {field.name for field in fields(Graphs)} >= {*PER_GRAPH, *PER_NODE, *PER_EDGE}
