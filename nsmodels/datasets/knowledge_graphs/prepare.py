"""Knowledge graphs as a sealed folder: drawn in twins and labelled by the oracle, or read from files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nsmodels.core.errors import InputError
from nsmodels.core.hardware import Estimate
from nsmodels.datasets.knowledge_graphs import twins
from nsmodels.datasets.knowledge_graphs.config import CODE_VERSION, KnowledgeGraphsConfig
from nsmodels.datasets.knowledge_graphs.rules import HEAD, PATHS, TAIL, TYPE_RULE, TYPES, VOCABULARY
from nsmodels.formats.graphs.preparing import GraphDataset, numbers_of
from nsmodels.formats.graphs.tables import Graphs, offsets_of

MAKER = "nsmodels.datasets.knowledge_graphs"
# Rounds beyond the distance between head and tail: the answer has to reach the read-out.
SLACK = 4
BYTES_PER_GRAPH, SECONDS_PER_GRAPH = 1_500, 6e-5  # measured with presets quick and base


def draw(config: KnowledgeGraphsConfig, split: str, num_pairs: int, rng: np.random.Generator) -> Graphs:
    """Pairs of a split: rows 2k and 2k + 1 are twins in random order. Raises InputError when too few can be found."""
    kinds, lengths = _quotas(config, split, num_pairs, rng)
    rules = np.where(kinds == TYPES, TYPE_RULE, rng.integers(0, TYPE_RULE, num_pairs))
    dials = twins.Dials(config.num_decoys + 1, 3 * config.near_misses, config.random_share, config.missing_rate)
    pairs, num_found = twins.draw(rng, rules, lengths, dials)
    if num_found < num_pairs:
        raise InputError(
            f"{split}: no twins with opposite labels in {twins.MOST_TRIES:,} tries; lower random_share or missing_rate"
        )
    return _table(rules.repeat(2), lengths.repeat(2), dials.num_paths, pairs)


def _quotas(
    config: KnowledgeGraphsConfig, split: str, num_pairs: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Kind of query and number of relations of each pair: kinds by their share, swept lengths equally often in each."""
    kinds = np.diff(np.floor(np.arange(num_pairs + 1) * config.type_share)).astype(np.int64)
    if split != "lengths":
        low, high = config.lengths_of_splits[split]
        return kinds, rng.integers(low, high + 1, num_pairs)
    lengths = np.empty(num_pairs, np.int64)
    for kind in (PATHS, TYPES):
        lengths[kinds == kind] = np.resize(config.swept_lengths, int((kinds == kind).sum()))
    return kinds, lengths


def _table(rules: NDArray[np.int64], lengths: NDArray[np.int64], num_paths: int, pairs: twins.Pairs) -> Graphs:
    num_edges, num_bytes, trace_rounds, labels = pairs.sizes.T
    head, tail = (pairs.node_offsets[:-1] + pairs.names[pairs.node_offsets[:-1] + place] for place in (0, lengths))
    marks, features = np.zeros((2, len(pairs.names)), np.int16)
    marks[head], marks[tail] = HEAD, TAIL
    features[head] = features[tail] = rules + 1
    edge_offsets, trace_offsets = offsets_of(num_edges), offsets_of(num_bytes)
    edges = pairs.edges[: edge_offsets[-1]]
    return Graphs(
        VOCABULARY,
        ids=np.full(len(labels), "", object),
        pairs=np.arange(len(labels)) // 2,
        kinds=np.where(rules == TYPE_RULE, TYPES, PATHS).astype(np.int16),
        labels=labels.astype(np.int8),
        rounds=(lengths + SLACK).astype(np.int16),
        lengths=lengths.astype(np.int16),
        node_offsets=pairs.node_offsets,
        node_types=_node_types(rules, lengths, num_paths, pairs),
        features=features,
        marks=marks,
        clusters=np.full(len(marks), -1, np.int16),
        edge_offsets=edge_offsets,
        sources=edges[:, 0].astype(np.int32),
        targets=edges[:, 1].astype(np.int32),
        relations=edges[:, 2].astype(np.int16),
        confidence=np.ones(len(edges), np.float32),
        trace_rounds=trace_rounds.astype(np.int16),
        trace_offsets=trace_offsets,
        trace=pairs.trace[: trace_offsets[-1]],
        # After each round a state is reached or not: nothing in the trace has to be waited for.
        since=np.zeros((len(marks), len(VOCABULARY.channels)), np.int16),
    )


def _node_types(
    rules: NDArray[np.int64], lengths: NDArray[np.int64], num_paths: int, pairs: twins.Pairs
) -> NDArray[np.int16]:
    """Classes but for the first node of each path where types are asked for, else entities."""
    asks_types = rules == TYPE_RULE
    found = np.repeat(asks_types, np.diff(pairs.node_offsets)).astype(np.int16)
    first = pairs.node_offsets[:-1][asks_types, None]
    starts = np.arange(num_paths) * (lengths[asks_types, None] + 1)
    found[first + pairs.names[first + starts]] = 0
    return found


def _numbers(config: KnowledgeGraphsConfig) -> dict[str, int]:
    return numbers_of(config, config.swept_lengths)


def estimate(config: KnowledgeGraphsConfig) -> Estimate:
    """What it takes to draw the graphs, from below."""
    num = 2 * sum(_numbers(config).values())
    return Estimate(
        what=f"{num:,} knowledge graphs",
        memory=num * BYTES_PER_GRAPH,
        disk=num * BYTES_PER_GRAPH / 3,
        cpu_seconds=num * SECONDS_PER_GRAPH,
        remedy="lower num_train or num_short",
    )


DATASET = GraphDataset(
    maker=MAKER,
    code_version=CODE_VERSION,
    vocabulary=VOCABULARY,
    draw=draw,
    caption="synthetic knowledge graphs",
    estimate=estimate,
    numbers=_numbers,
)
prepare = DATASET.prepare
