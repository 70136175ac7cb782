"""The cycle of a network with levels: what comes back of level 1 from the levels above it, measured in three ways.

1. `centred_error`: ‖x̂ − x‖² / ‖x − mean‖² over all nodes; 1 is what the mean of all nodes reaches. Beside it
   `plain_error`, ‖x̂ − x‖² / ‖x‖², which is small for any x̂ as soon as all nodes have a large vector in common.
2. `semantic`: share of the truths about nodes that are recovered; those are left out that a node's own messages decide
   at once, among them all that its input already says.
3. `node_types`: share of the nodes whose type is decoded from x̂.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from nsmodels.engine.batching import to_device
from nsmodels.formats.graphs.coarsening import with_clusters
from nsmodels.formats.graphs.tables import Graphs
from nsmodels.systems.graph.network.encoding import collate
from nsmodels.systems.graph.reasoner import Reasoner

BATCH = 256


@torch.inference_mode()
def measures(reasoner: Reasoner, graphs: Graphs) -> dict[str, float | None]:
    """The measures by name on some graphs; empty for a network without levels."""
    network: Any = reasoner.network
    if not hasattr(network, "cycle"):
        return {}
    graphs = with_clusters(graphs) if reasoner.kind == "levels" else graphs
    device = next(network.parameters()).device
    parts, right, types = [], [], []
    for first in range(0, len(graphs), BATCH):
        some = graphs.take(np.arange(first, min(first + BATCH, len(graphs))))
        batch = to_device(collate(some, network.rounds_of(some, reasoner.config.model.slack_rounds), "end"), device)
        cycle, truths = network.cycle(batch)
        parts.append((cycle.lower, cycle.restored))
        types.append(cycle.types.argmax(1) == batch.node_types)
        if truths is not None and batch.trace is not None:
            asked = (batch.trace.weight > 0) & torch.from_numpy(some.take(batch.rows).since > 0).to(device)
            right.append(((truths > 0) == (batch.trace.target > 0.5))[asked])
    lower, restored = (torch.cat(each) for each in zip(*parts, strict=True))
    return {
        "centred_error": centred_error(lower, restored),
        "plain_error": plain_error(lower, restored),
        "semantic": _share(right),
        "node_types": _share(types),
    }


def centred_error(lower: Float[Tensor, "N D"], restored: Float[Tensor, "N D"]) -> float:
    """‖x̂ − x‖² / ‖x − mean‖²: 0 for a perfect reconstruction, 1 for the mean of all nodes."""
    spread = (lower - lower.mean(0)).square().sum()
    return float((restored - lower).square().sum() / spread.clamp(min=1e-12))


def plain_error(lower: Float[Tensor, "N D"], restored: Float[Tensor, "N D"]) -> float:
    """‖x̂ − x‖² / ‖x‖², the measure of the source document."""
    return float((restored - lower).square().sum() / lower.square().sum().clamp(min=1e-12))


def _share(found: list[Tensor]) -> float | None:
    return float(torch.cat(found).float().mean()) if found and sum(map(len, found)) else None
