"""The network of the source document: three levels of invertible relational couplings between learned poolings.

WHY goes up, coupling and pooling; WHAT goes down by the inverse of the same couplings, un-pooling by the weights by
which it was pooled. What comes back differs from what went up by what pooling lost: the cycle loss.

Shapes: N nodes of a level, K nodes of the level above, D channels.
"""

from __future__ import annotations

from typing import Any, NamedTuple, final

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

from nsmodels.formats.graphs.tables import Graphs
from nsmodels.formats.graphs.vocabulary import Vocabulary
from nsmodels.layers.messages import Adjacency
from nsmodels.systems.graph.config import BaselineConfig, ModelConfig
from nsmodels.systems.graph.network.clusters import split
from nsmodels.systems.graph.network.cycle import Cycle, cycle_loss
from nsmodels.systems.graph.network.encoding import GraphBatch, Output
from nsmodels.systems.graph.network.recurrent import NodeEmbedding, RelationalMessages

NUM_LEVELS, NUM_COUPLINGS, NUM_BASES = 3, 2, 4


class Pooled(NamedTuple):
    """A level above another: nodes (K, D), of which graph, with which edges; members (N,) and their weights (N, 1)."""

    x: Float[Tensor, "K D"]
    graph: Int[Tensor, " K"]
    edges: Adjacency
    of_node: Int[Tensor, " N"]
    weights: Float[Tensor, "N 1"]


@final
class Coupling(nn.Module):
    """An affine coupling whose scale and shift are relational messages of the other half (Dinh et al. 2017)."""

    # With halves a, b:  b' = b ∘ exp(s(a)) + t(a),  a' = a ∘ exp(s'(b')) + t'(b'), and back in reverse order, exactly:
    # a = (a' − t'(b')) ∘ exp(−s'(b')),  b = (b' − t(a)) ∘ exp(−s(a)). tanh keeps the scales within a factor of e.

    def __init__(self, vocabulary: Vocabulary, dim: int) -> None:
        super().__init__()
        half, bases = dim // 2, ModelConfig(dim=dim, num_bases=NUM_BASES, aggregation="sum")
        self.messages = nn.ModuleList(RelationalMessages(bases, vocabulary, half) for _ in range(2))
        self.own = nn.ModuleList(nn.Linear(half, half) for _ in range(2))
        self.out = nn.ModuleList(nn.Linear(half, 2 * half) for _ in range(2))

    def forward(self, x: Float[Tensor, "N D"], edges: Adjacency) -> Float[Tensor, "N D"]:
        """Up."""
        a, b = x.chunk(2, 1)
        for number in range(2):
            scale, shift = self._affine(number, a, edges)
            a, b = b * scale.exp() + shift, a  # the halves change places
        return torch.cat([a, b], 1)

    def inverse(self, y: Float[Tensor, "N D"], edges: Adjacency) -> Float[Tensor, "N D"]:
        """Down: what `forward` was given."""
        a, b = y.chunk(2, 1)
        for number in (1, 0):
            scale, shift = self._affine(number, b, edges)
            a, b = b, (a - shift) * (-scale).exp()
        return torch.cat([a, b], 1)

    def _affine(self, number: int, a: Tensor, edges: Adjacency) -> tuple[Tensor, Tensor]:
        heard = torch.relu(self.own[number](a) + self.messages[number](a, edges))
        scale, shift = self.out[number](heard).chunk(2, 1)
        return scale.tanh(), shift


@final
class LearnedPooling(nn.Module):
    """The better half of a graph's nodes by a learned score, each with those neighbours that join it."""

    # Equal scores are ordered by the nodes' numbers: unlike that of the other networks, this prediction may depend on
    # the order of the nodes where structure does not distinguish them.

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.score = nn.Linear(dim, 1)

    def forward(self, x: Float[Tensor, "N D"], graph: Int[Tensor, " N"], edges: Adjacency) -> Pooled:
        """The level above: means of the members, weighted by their scores."""
        weights = self.score(x).sigmoid()
        of_node, heads = _assigned(weights.detach()[:, 0], graph, edges)
        total = weights.new_zeros(len(heads), 1).index_add(0, of_node, weights)
        pooled = x.new_zeros(len(heads), x.shape[1]).index_add(0, of_node, x * weights) / total
        return Pooled(pooled, graph[heads], split(of_node, len(heads), edges)[1], of_node, weights)


@final
class SourceNetwork(nn.Module):
    """Three levels; the answer is read from the highest one, and the truths of the nodes from what comes back."""

    supervision = "end"
    has_rounds = False

    def __init__(self, config: BaselineConfig, vocabulary: Vocabulary) -> None:
        super().__init__()
        dim = config.source_dim + config.source_dim % 2
        self.cycle_weight = config.cycle_weight
        self.use_checkpointing = False
        self.embed = NodeEmbedding(vocabulary, dim)
        levels = [[Coupling(vocabulary, dim) for _ in range(NUM_COUPLINGS)] for _ in range(NUM_LEVELS)]
        self.levels = nn.ModuleList(nn.ModuleList(each) for each in levels)
        self.poolings = nn.ModuleList(LearnedPooling(dim) for _ in range(NUM_LEVELS - 1))
        self.readout = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU(), nn.Linear(dim, 1))
        self.head = nn.Linear(2 * dim, len(vocabulary.channels))
        self.types = nn.Linear(dim, len(vocabulary.node_types))

    def rounds_of(self, graphs: Graphs, extra: NDArray[np.integer] | int) -> NDArray[np.int64]:
        """Of no effect: its layers, int64 (g,)."""
        return np.full(len(graphs), NUM_LEVELS * NUM_COUPLINGS, np.int64)

    def forward(self, batch: GraphBatch, with_trace: bool = True) -> Output:
        """Logits of label 1 and of the trace's end; the cycle loss."""
        logits, lower, cycle = self.run(batch)
        trace = self.head(torch.cat([lower, cycle.restored], 1)) if with_trace else None
        losses = {"cycle": self.cycle_weight * cycle_loss(cycle, batch)} if self.cycle_weight else {}
        return Output(logits, trace, losses)

    def cycle(self, batch: GraphBatch) -> tuple[Cycle, None]:
        """What comes back of level 1; the truths of the nodes are not read from it alone."""
        return self.run(batch)[2], None

    def run(self, batch: GraphBatch) -> tuple[Float[Tensor, " g"], Float[Tensor, "N D"], Cycle]:
        """Logits, the nodes of level 1 after its couplings, and the cycle of what they were made from."""
        x = self.embed(batch)
        x = F.layer_norm(x, x.shape[-1:])
        h, graph, edges, marked = self._up(0, x, batch.adjacency), batch.graph, batch.adjacency, batch.marks > 0
        lower, below, stack = h, batch.adjacency, []
        for number, pooling in enumerate(self.poolings, 1):
            level = pooling(h, graph, edges)
            stack.append((level, below))
            marked = marked.new_zeros(len(level.x)).index_put((level.of_node[marked],), marked.new_ones(()))
            h, graph, edges = self._up(number, level.x, level.edges), level.graph, level.edges
            below = level.edges
        logits = self._answer(h, graph, marked, batch.num_graphs)
        for number in range(NUM_LEVELS - 1, 0, -1):
            level, own = stack[number - 1]
            h = self._down(number, h, level.edges)[level.of_node] * level.weights
            below = own
        restored = self._down(0, h, below)
        return logits, lower, Cycle(x, restored, self.types(restored))

    def _up(self, number: int, x: Tensor, edges: Adjacency) -> Tensor:
        level: Any = self.levels[number]
        for coupling in level:
            x = coupling(x, edges)
        return x

    def _down(self, number: int, y: Tensor, edges: Adjacency) -> Tensor:
        level: Any = self.levels[number]
        for coupling in reversed(level):
            y = coupling.inverse(y, edges)
        return y

    def _answer(self, h: Tensor, graph: Tensor, marked: Tensor, num_graphs: int) -> Float[Tensor, " g"]:
        empty = h.new_zeros(num_graphs, h.shape[1])
        largest = empty.scatter_reduce(0, graph[:, None].expand_as(h), h, "amax", include_self=False)
        asked = empty.index_add(0, graph, h * marked[:, None])
        return self.readout(torch.cat([largest, asked], 1))[:, 0]


@torch.no_grad()
def _assigned(
    score: Float[Tensor, " N"], graph: Int[Tensor, " N"], edges: Adjacency
) -> tuple[Int[Tensor, " N"], Int[Tensor, " K"]]:
    """Head of each node, numbered from 0, and the nodes that are heads."""
    sizes = torch.bincount(graph)
    first = sizes.cumsum(0) - sizes
    # `graph` does not fall, so that a sort by score and then by graph leaves the nodes of each graph together.
    order = score.argsort(descending=True, stable=True)
    order = order[graph[order].argsort(stable=True)]
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order), device=order.device) - first[graph[order]]
    is_head = rank < (sizes[graph] + 1) // 2
    heads = is_head.nonzero()[:, 0]
    # Others join the neighbour of the lowest rank that is a head, or the first head of their graph.
    best = torch.zeros_like(rank)
    toward = is_head[edges.source]
    best = best.scatter_reduce(0, edges.target[toward], rank[edges.source[toward]], "amin", include_self=False)
    chosen = torch.where(is_head, rank, best)
    number = torch.empty_like(rank)
    number[heads] = torch.arange(len(heads), device=heads.device)
    return number[order[first[graph] + chosen]], heads
