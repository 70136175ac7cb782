"""Two levels: WHY finds what each cluster does, the upper level composes the clusters, WHAT makes it concrete again.

Shapes: N nodes, K clusters, R rows of all rounds together, D channels, S slots of a cluster, B channels of a slot, C
channels of the trace, g graphs.
"""

from __future__ import annotations

from typing import NamedTuple, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.layers.messages import Adjacency
from nsmodels.systems.graph.config import ModelConfig
from nsmodels.systems.graph.network.clusters import Clusters, num_clusters
from nsmodels.systems.graph.network.cycle import Cycle, cycle_loss
from nsmodels.systems.graph.network.encoding import GraphBatch, Output
from nsmodels.systems.graph.network.readout import Readout
from nsmodels.systems.graph.network.recurrent import Cell, NodeEmbedding


class Pass(NamedTuple):
    """A whole pass: nodes after each round of WHY, one round after the other, nodes after WHAT, and the cycle."""

    why: Float[Tensor, "R D"]
    what: Float[Tensor, "N D"]
    cycle: Cycle


@final
class SlotMap(nn.Module):
    """Nodes into the slots of their cluster, x̃ = A x at the node's slot, and back, x̂ = Aᵀ x̃ + m."""

    # Un-pooling that hands every member the vector of its cluster, by whatever weight, cannot tell members apart: the
    # error relative to the variance stays near 1. Here a cluster has S·B channels, B for each slot, and members with
    # different places in the cluster have different slots. In matrix form P_s = e_s ⊗ A, with P_sᵀ on the way back,
    # so that P_sᵀ P_t = 0 for s ≠ t, and P_sᵀ P_s = Aᵀ A is the identity on the rows of A once these are orthonormal.
    # What is lost is what A drops: as in principal components, the variance outside of B directions.

    def __init__(self, dim: int, num_slots: int, slot_dim: int) -> None:
        super().__init__()
        self.num_slots = num_slots
        self.directions = nn.Parameter(torch.empty(slot_dim, dim))
        self.mean = nn.Parameter(torch.zeros(dim))
        nn.init.orthogonal_(self.directions)

    def forward(self, x: Float[Tensor, "N D"], clusters: Clusters) -> Float[Tensor, "K SB"]:
        """Codes of the clusters."""
        coded = F.linear(x - self.mean, self.directions)
        empty = coded.new_zeros(clusters.number * self.num_slots, coded.shape[1])
        return empty.index_add(0, self._places(clusters), coded).view(clusters.number, -1)

    def restore(self, codes: Float[Tensor, "K SB"], clusters: Clusters) -> Float[Tensor, "N D"]:
        """Nodes from the codes of their clusters."""
        own = codes.view(clusters.number * self.num_slots, -1)[self._places(clusters)]
        return own @ self.directions + self.mean

    def _places(self, clusters: Clusters) -> Int[Tensor, " N"]:
        return clusters.of_node * self.num_slots + clusters.slots.clamp(max=self.num_slots - 1)


@final
class Levels(nn.Module):
    """A level of nodes and one of declared clusters.

    WHY runs a fixed number of rounds, whose trace is what is decidable so close by: the function of a cluster's part up
    to each node. Level 2 repeats an update over the graph of the clusters as often as a graph has clusters, which no
    path exceeds, and some slack. WHAT starts from nodes restored from their clusters, gives them the clusters' states
    as input, and needs a fixed number of rounds again. Of level 1 it has the static input and nothing else.
    """

    has_rounds = True

    def __init__(self, config: ModelConfig, vocabulary: Vocabulary, cycle_weight: float = 0.0) -> None:
        super().__init__()
        dim = config.dim
        self.supervision = self.fine_rounds = config.fine_rounds
        self.cycle_weight, self.use_checkpointing = cycle_weight, False
        self.num_relations = len(vocabulary.relations)
        self.embed = NodeEmbedding(vocabulary, dim)
        self.why, self.coarse, self.what = (Cell(config, vocabulary, dim) for _ in range(3))
        self.gate, self.value = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.slots = SlotMap(dim, config.num_slots, config.slot_dim)
        self.from_code = nn.Linear(config.num_slots * config.slot_dim, dim)
        self.to_members = nn.Linear(dim, dim)
        self.head = nn.Linear(dim, len(vocabulary.channels))
        self.types = nn.Linear(dim, len(vocabulary.node_types))
        self.readout = Readout(dim)

    def rounds_of(self, graphs: Graphs, extra: NDArray[np.integer] | int) -> NDArray[np.int64]:
        """Rounds of the upper level, int64 (g,): as many as a graph has clusters, and so many more."""
        return num_clusters(graphs) + extra

    def forward(self, batch: GraphBatch, with_trace: bool = True) -> Output:
        """Logits of label 1; of every truth after each round of WHY, and after WHAT; the cycle loss."""
        found = self.run(batch)
        trace = self.head(torch.cat([found.why, found.what])) if with_trace else None
        losses = {"cycle": self.cycle_weight * cycle_loss(found.cycle, batch)} if self.cycle_weight else {}
        return Output(self.readout(found.what, batch), trace, losses)

    def cycle(self, batch: GraphBatch) -> tuple[Cycle, Float[Tensor, "N C"]]:
        """What comes back of level 1, and the logits of the truths at the end: both from the level above alone."""
        found = self.run(batch)
        return found.cycle, self.head(found.what)

    def run(self, batch: GraphBatch) -> Pass:
        """WHY, the upper level, WHAT."""
        clusters = Clusters.of(batch, self.num_relations)
        x = self.embed(batch)
        fine = (len(x),) * self.fine_rounds
        why = self._states(self.why, x, x, fine, clusters.inside)
        lower = F.layer_norm(why[-len(x) :], x.shape[-1:])
        codes, pooled = self.slots(lower, clusters), self._pooled(lower, clusters)
        pooled = self.from_code(codes) + pooled
        upper = self._states(self.coarse, pooled, pooled, clusters.sizes, clusters.between)[clusters.last]
        restored = self.slots.restore(codes, clusters)
        given = x + self.to_members(upper)[clusters.of_node]
        what = self._states(self.what, restored, given, fine, clusters.inside)[-len(x) :]
        return Pass(why, what, Cycle(lower, restored, self.types(restored)))

    def _pooled(self, x: Float[Tensor, "N D"], clusters: Clusters) -> Float[Tensor, "K D"]:
        """Gated sums over the members."""
        sent = self.gate(x).sigmoid() * self.value(x)
        return sent.new_zeros(clusters.number, sent.shape[1]).index_add(0, clusters.of_node, sent)

    def _states(
        self,
        cell: Cell,
        h: Float[Tensor, "N D"],
        inputs: Float[Tensor, "N D"],
        sizes: tuple[int, ...],
        edges: Adjacency,
    ) -> Float[Tensor, "R D"]:
        return cell.states(h, cell.from_input(inputs), sizes, edges, self.use_checkpointing and self.training)
