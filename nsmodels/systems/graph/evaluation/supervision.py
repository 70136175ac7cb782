"""What a network was taught beside labels: the oracle's execution traces, said wherever its scores are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.config import GraphConfig

SHORT = "the reasoner was taught with the oracle's execution traces"
LABELS_ALONE = "the reasoner was taught with labels alone"


def supervision(config: GraphConfig, graphs: Mapping[str, Graphs], has_labels_only: bool) -> dict[str, Any]:
    """Channels and decidable bits of the traces in the training graphs by split, and the sentence about them.

    Without training graphs `bits_per_graph` is None.
    """
    known = [(bits(each), len(each)) for each in graphs.values()]
    total, num = sum(each for each, _ in known), sum(each for _, each in known)
    if config.objective.trace_weight == 0 or (num and not total):
        why = "" if config.objective.trace_weight == 0 else "; the data have no traces"
        return {
            "uses_trace": False,
            "text": f"Training: {LABELS_ALONE}, one bit a graph{why}.",
            "caption": LABELS_ALONE,
        }
    channels = list(next(iter(graphs.values())).vocabulary.channels) if graphs else []
    named = f" in {len(channels)} channels ({', '.join(channels)})" if channels else ""
    amount = f", {total / num:,.0f} bits a graph beside the one of its label" if num else ""
    beside = "; the row 'labels alone' is the same network without them" if has_labels_only else ""
    text = f"Training: {SHORT}{named}{amount}{beside}. Traces are not read when it answers."
    found = {"uses_trace": True, "text": text, "caption": SHORT}
    return {**found, "channels": channels, "bits_per_graph": total / num if num else None}


def bits(graphs: Graphs) -> int:
    """Number of decidable truths of all nodes, channels and rounds of the traces."""
    last = np.repeat(graphs.trace_rounds.astype(np.int64), graphs.num_nodes)[:, None]
    return int(np.where(graphs.since >= 0, np.maximum(last - graphs.since, 0), 0).sum())
