"""The source-conditioned relational network: what paths lead from one entity to each other one.

One pass marks a source and sends messages over the whole graph; each entity then holds what leads to it from the
source, and every query of that source is read off from there. Edges that answer the queries of a training batch are
hidden from the passes that are asked for them, in both directions.

Shapes: N entities, R relations, b sources, q queries, D channels.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from nsmodels.engine.batching import to_device
from nsmodels.layers.messages import Adjacency, messages


class Layer(nn.Module):
    """h ← h + relu(U [h, a]), where a sums relation-wise diagonal messages of normalised neighbours, inverses too."""

    def __init__(self, num_relations: int, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.scale = nn.Parameter(1 + 0.3 * torch.randn(2 * num_relations, dim))
        self.shift = nn.Parameter(torch.zeros(2 * num_relations, dim))
        self.update = nn.Linear(2 * dim, dim)

    def forward(
        self, h: Float[Tensor, "N b D"], edges: Adjacency, root: Float[Tensor, "N 1 1"], hidden: Int[Tensor, "4 m"]
    ) -> Float[Tensor, "N b D"]:
        """States after one more edge; `hidden`: sender, relation, receiver and source of messages that do not count."""
        num, width, dim = h.shape
        x = self.norm(h)
        # The sources share the graph: they are further channels of one message.
        scale, shift = self.scale.repeat(1, width), self.shift.repeat(1, width)
        got = messages(x.reshape(num, width * dim), scale, shift, edges).view(num, width, dim)
        sender, relation, receiver, place = hidden
        sent = x[sender, place] * self.scale[relation] + self.shift[relation]
        got = got.index_put((receiver, place), -sent, accumulate=True)
        return h + functional.relu(self.update(torch.cat([h, got / root], 2)))


class SourceNetwork(nn.Module):
    """Scores of all entities as answers to the queries of some sources.

    Args:
        triples: int64 (m, 3) head, relation, tail: the graph, kept with the weights.
        num_entities, num_relations: N and R.
        dim, depth: channels, and layers.
        num_features: width of features of the entities, 0 for none.
    """

    triples: Tensor

    def __init__(
        self, triples: Tensor, num_entities: int, num_relations: int, dim: int, depth: int, num_features: int
    ) -> None:
        super().__init__()
        self.num_entities, self.num_relations = num_entities, num_relations
        self.register_buffer("triples", triples)
        self.start = nn.Parameter(torch.randn(dim))
        self.inside = nn.Linear(num_features, dim) if num_features else None
        self.layers = nn.ModuleList(Layer(num_relations, dim) for _ in range(depth))
        self.outside = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        self.queries = nn.Parameter(0.1 * torch.randn(2 * num_relations, dim))
        self._edges: Adjacency | None = None

    def edges(self) -> Adjacency:
        """The graph with inverse edges, on the device of the weights."""
        if self._edges is None or self._edges.indptr.device != self.start.device:
            head, relation, tail = self.triples.cpu().numpy().T
            weight = np.ones(len(head), np.float32)
            made = Adjacency.of(self.num_entities, head, tail, relation, weight, self.num_relations)
            moved: Adjacency = to_device(made, self.start.device)
            self._edges = moved
        return self._edges

    def degrees(self) -> Int[Tensor, " N"]:
        """Edges of each entity in the graph, hidden ones included: messages are divided by the root of one more."""
        return self.edges().indptr.diff()

    def forward(
        self,
        sources: Int[Tensor, " b"],
        place: Int[Tensor, " q"],
        relation: Int[Tensor, " q"],
        hidden: Int[Tensor, "4 m"],
        features: Float[Tensor, "N F"] | None = None,
    ) -> Float[Tensor, "q N"]:
        """Scores; query k asks for the relation `relation[k]` of source `place[k]` in `sources`."""
        edges = self.edges()
        h = self.start.new_zeros(self.num_entities, len(sources), len(self.start))
        if self.inside is not None and features is not None:
            h = h + self.inside(features)[:, None]
        start = self.start.expand(len(sources), -1)
        h = h.index_put((sources, torch.arange(len(sources), device=h.device)), start, accumulate=True)
        root = (1 + self.degrees()).to(h.dtype).sqrt()[:, None, None]
        for layer in self.layers:
            h = layer(h, edges, root, hidden)
        return torch.einsum("nqd,qd->qn", self.outside(h)[:, place], self.queries[relation])
