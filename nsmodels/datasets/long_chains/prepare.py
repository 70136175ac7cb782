"""Long chains as a sealed folder of labelled graphs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.hardware import Estimate
from nsmodels.datasets.long_chains import chains as oracle
from nsmodels.datasets.long_chains.chains import Chains
from nsmodels.datasets.long_chains.config import CODE_VERSION, LongChainsConfig
from nsmodels.formats.graphs.preparing import GraphDataset, numbers_of
from nsmodels.formats.graphs.tables import NEVER, Graphs, offsets_of
from nsmodels.formats.graphs.vocabulary import Vocabulary

VOCABULARY = Vocabulary(
    node_types=("xor", "and", "or", "root", "start"),
    features=("unknown", "false", "true"),
    marks=("none", "asked"),
    relations=("next", "bridge", "side", "negated side"),
    kinds=("value",),
    # Truth of level 1, and of level 2: the function of the segment up to this mechanism, as its two values.
    channels=("value", "value if the segment begins with false", "value if the segment begins with true"),
    classes=("false", "true"),
    length="mechanisms of the chain",
)
_ROOT, _START = VOCABULARY.node_types.index("root"), VOCABULARY.node_types.index("start")
Cells = tuple[NDArray[np.int64], NDArray[np.int64]]  # row and place of each mechanism
Nodes = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]  # mechanisms, their roots, starts of the chains


def draw(config: LongChainsConfig, split: str, num_pairs: int, rng: np.random.Generator) -> Graphs:
    """Pairs of a split; rows 2k and 2k + 1 are twins."""
    if split == "lengths":
        lengths = np.resize(np.array(config.lengths), num_pairs)
    else:
        least, most = {"short": config.short_lengths, "ood": config.ood_lengths}.get(split, config.train_lengths)
        lengths = rng.integers(least, most + 1, num_pairs)
    drawn, labels = oracle.draw_twins(lengths, config.xor_share, config.segment, rng)
    return as_graphs(drawn, labels, config.segment, rng)


def as_graphs(chains: Chains, labels: NDArray[np.int64], segment: int, rng: np.random.Generator) -> Graphs:
    """The graphs of chains, nodes and edges in random order.

    Before that, a chain of L mechanisms has the nodes: mechanisms 0 to L - 1, their roots L to 2L - 1, the start 2L;
    and the edges: into each mechanism from its predecessor, then from each root.
    """
    lengths, cells = chains.lengths, _places(chains.lengths)
    num_nodes, num_edges = 2 * lengths + 1, 2 * lengths
    node_offsets, edge_offsets = offsets_of(num_nodes), offsets_of(num_edges)
    number = _shuffled(node_offsets, rng)  # of each node in its graph, by its place above
    mechanism = node_offsets[cells[0]] + cells[1]
    nodes = mechanism, mechanism + lengths[cells[0]], node_offsets[1:] - 1
    columns, edges = _columns(chains, segment, cells, nodes), _edges(chains, segment, cells, nodes, number)
    truth, since = _truth(chains, segment, cells, nodes)
    at = np.repeat(node_offsets[:-1], num_nodes) + number
    order = np.repeat(edge_offsets[:-1], num_edges) + _shuffled(edge_offsets, rng)
    trace, trace_offsets = _packed(_put(truth, at), node_offsets, lengths)
    return Graphs(
        VOCABULARY,
        ids=np.array([str(k) for k in range(len(lengths))], object),
        pairs=np.arange(len(lengths)) // 2,
        kinds=np.zeros(len(lengths), np.int16),
        labels=labels.astype(np.int8),
        rounds=(lengths + 1).astype(np.int16),
        lengths=lengths.astype(np.int16),
        node_offsets=node_offsets,
        **{name: _put(values, at) for name, values in columns.items()},
        edge_offsets=edge_offsets,
        sources=_put(edges["sources"], order),
        targets=_put(edges["targets"], order),
        relations=_put(edges["relations"], order).astype(np.int16),
        confidence=np.ones(edge_offsets[-1], np.float32),
        trace_rounds=lengths.astype(np.int16),
        trace_offsets=trace_offsets,
        trace=trace,
        since=_put(since, at),
    )


def _columns(chains: Chains, segment: int, cells: Cells, nodes: Nodes) -> dict[str, NDArray[np.int16]]:
    """Types, features, marks and clusters of the nodes in the order of `as_graphs`."""
    (rows, place), (mechanism, root, start) = cells, nodes
    names = ("node_types", "features", "marks", "clusters")
    found = {name: np.zeros(2 * len(rows) + len(start), np.int16) for name in names}
    found["node_types"][mechanism] = chains.mechanisms[rows, place]
    found["node_types"][root], found["node_types"][start] = _ROOT, _START
    found["features"][root], found["features"][start] = 1 + chains.sides[rows, place], 1 + chains.starts
    found["marks"][start - chains.lengths - 1] = 1  # the last mechanism
    found["clusters"][mechanism] = found["clusters"][root] = 1 + place // segment
    return found


def _edges(
    chains: Chains, segment: int, cells: Cells, nodes: Nodes, number: NDArray[np.int64]
) -> dict[str, NDArray[np.int32]]:
    """Sources, targets and relations in the order of `as_graphs`; nodes by their `number` in their graph."""
    (rows, place), (mechanism, root, start), offsets = cells, nodes, offsets_of(2 * chains.lengths)
    chain, side = offsets[rows] + place, offsets[rows] + chains.lengths[rows] + place
    found = {name: np.zeros(offsets[-1], np.int32) for name in ("sources", "targets", "relations")}
    found["sources"][chain] = np.where(place > 0, number[mechanism - (place > 0)], number[start[rows]])
    found["sources"][side] = number[root]
    found["targets"][chain] = found["targets"][side] = number[mechanism]
    found["relations"][chain] = place % segment == 0
    found["relations"][side] = 2 + chains.is_negated[rows, place]
    return found


def _truth(chains: Chains, segment: int, places: Cells, nodes: Nodes) -> tuple[NDArray[np.bool_], NDArray[np.int16]]:
    """Truth bool (N, C), and since when it is decidable int16 (N, C), with nodes in the order of `as_graphs`."""
    mechanism, root, start = nodes
    shape = (2 * len(mechanism) + len(start), len(VOCABULARY.channels))
    truth, since = np.zeros(shape, bool), np.full(shape, NEVER, np.int16)
    parts = [oracle.values(chains), oracle.values(chains, False, segment), oracle.values(chains, True, segment)]
    for channel, (found, size) in enumerate(zip(parts, (0, segment, segment), strict=True)):
        truth[mechanism, channel] = found[places]
        since[mechanism, channel] = oracle.since(chains, size)[places]
    truth[root, 0], truth[start, 0] = chains.sides[places], chains.starts
    since[root, 0] = since[start, 0] = 0
    return truth, since


def _places(lengths: NDArray[np.int64]) -> Cells:
    """Chain and place of every mechanism."""
    rows, ends = np.repeat(np.arange(len(lengths)), lengths), offsets_of(lengths)
    return rows, np.arange(ends[-1]) - ends[rows]


def _shuffled(offsets: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """For each entry a number within its group, all of them in random order."""
    group = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return np.argsort(group + rng.random(offsets[-1])) - offsets[group]


def _put(values: np.ndarray, places: NDArray[np.int64]) -> np.ndarray:
    found = np.empty_like(values)
    found[places] = values
    return found


def _packed(
    truth: NDArray[np.bool_], offsets: NDArray[np.int64], rounds: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Traces as `Graphs` keeps them: the truth does not change from round to round, only what is decidable."""
    each = [truth[offsets[k] : offsets[k + 1]].ravel() for k in range(len(rounds))]
    packed = [np.packbits(np.tile(bits, number)) for bits, number in zip(each, rounds.tolist(), strict=True)]
    return np.concatenate(packed), offsets_of(np.array([len(bits) for bits in packed]))


def _numbers(config: LongChainsConfig) -> dict[str, int]:
    return numbers_of(config, config.lengths)


def _estimate(config: LongChainsConfig) -> Estimate:
    means = {"short": config.short_lengths, "ood": config.ood_lengths, "lengths": config.lengths}
    mechanisms = 0.0
    for split, pairs in _numbers(config).items():
        lengths = means.get(split, config.train_lengths)
        mechanisms += 2 * pairs * sum(lengths) / len(lengths)
    return Estimate(
        what=f"chains with {mechanisms:,.0f} mechanisms",
        memory=400 * mechanisms,
        disk=8 * mechanisms,
        cpu_seconds=3e-6 * mechanisms,
        remedy="lower num_train or num_short",
    )


DATASET = GraphDataset(
    maker="nsmodels.datasets.long_chains",
    code_version=CODE_VERSION,
    vocabulary=VOCABULARY,
    draw=draw,
    caption="synthetic long chains",
    estimate=_estimate,
    numbers=_numbers,
)
prepare = DATASET.prepare
