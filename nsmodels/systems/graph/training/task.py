"""Training of a network on labelled graphs: the label, and the oracle's trace after every round."""

from __future__ import annotations

from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from nsmodels.engine.batching import Batches, to_device
from nsmodels.engine.config import TrainingConfig
from nsmodels.engine.task import Shard, Task
from nsmodels.systems.graph.config import GraphConfig, Kind
from nsmodels.systems.graph.network import kinds
from nsmodels.systems.graph.network.encoding import GraphBatch, Output
from nsmodels.systems.graph.network.supervision import Supervision
from nsmodels.systems.graph.training.graphs import TrainingGraphs
from nsmodels.systems.graph.training.pairs import paired


@final
class GraphTask(Task):
    """Binary cross-entropy of the label, plus the weighted one of the trace.

    Args:
        kind: of the network.
        graphs: training and validation graphs.
        config: of the whole system.
        training: of this network.
        has_trace: whether the oracle's trace is used; without it the network learns from labels alone.
    """

    num_threads = 1

    def __init__(
        self, kind: Kind, graphs: TrainingGraphs, config: GraphConfig, training: TrainingConfig, has_trace: bool = True
    ) -> None:
        self.kind: Kind = kind
        self.graphs, self.config, self.training = graphs, config, training
        self.trace_weight = config.objective.trace_weight if has_trace else 0.0
        self.vocabulary = graphs.val.vocabulary
        with torch.device("meta"):
            self.shape = self._network()  # without weights: what it is asked for
        self.supervision: Supervision = self.shape.supervision if self.trace_weight else "none"

    def build(self) -> nn.Module:
        """A network with random weights."""
        return self._network()

    def batches(self, split: str, epoch: int, shard: Shard) -> Batches:
        """Batches of whole graphs, twins together."""
        extra = (self.config.model.max_extra_rounds, self.config.model.slack_rounds)
        return self.graphs.batches(split, epoch, shard, self.shape, self.supervision, extra)

    def loss(self, model: nn.Module, batch: GraphBatch) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
        """The weighted sum of its terms; `accuracy`: share of right labels."""
        return weighted_losses(model(batch, with_trace=batch.trace is not None), batch, self.trace_weight)

    @torch.no_grad()
    def validate(self, model: nn.Module, epoch: int) -> dict[str, float]:
        """Share of the validation pairs of which both twins are right."""
        device = next(model.parameters()).device
        is_right = np.zeros(len(self.graphs.val), bool)
        for batch, rows in self.graphs.validation(self.shape, self.config.model.slack_rounds):
            found = (model(to_device(batch, device), with_trace=False).logits.cpu() > 0) == (batch.labels > 0.5)
            is_right[rows] = found.numpy()
        return {"val/paired_accuracy": float(paired(is_right, self.graphs.val.pairs).mean())}

    def settings(self) -> dict[str, Any]:
        """Kind of the network, its configuration and the vocabulary."""
        return kinds.settings(self.kind, self.config, self.vocabulary)

    def _network(self) -> Any:
        network: Any = kinds.build(self.kind, self.config, self.vocabulary)
        network.use_checkpointing = self.config.schedule.use_checkpointing
        return network


def weighted_losses(
    found: Output, batch: GraphBatch, trace_weight: float
) -> tuple[Float[Tensor, ""], dict[str, Tensor]]:
    """The loss of a batch, and its terms."""
    terms = {"label": F.binary_cross_entropy_with_logits(found.logits.float(), batch.labels)}
    total = terms["label"]
    if batch.trace is not None and found.trace is not None:
        each = F.binary_cross_entropy_with_logits(found.trace.float(), batch.trace.target, reduction="none")
        terms["trace"] = (batch.trace.weight * each).sum()
        total = total + trace_weight * terms["trace"]
    for name, value in found.losses.items():
        terms[name], total = value, total + value
    terms["accuracy"] = ((found.logits > 0) == (batch.labels > 0.5)).float().mean()
    return total, terms
